//! Charts of any text and any number.

use polars::df;
use polars::prelude::{DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit};
use proptest::prelude::*;

use crate::chart::{Chart, chart};
use crate::display::Show;
use crate::error::Result;

const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "]]></desc></svg>",
    "\"><img src=x onerror=alert(1)>",
    "a\0b\u{1}\u{FFFE}\u{FFFF}",
    "EVCXR_BEGIN_CONTENT text/html",
    "\u{202E}مهندسة 👩‍🔬",
    "&amp; $x$ <!-- `",
    "",
];

#[test]
fn hostile_names_are_read_and_never_obeyed() {
    let long = "é<".repeat(500_000);
    let names: Vec<&str> = HOSTILE.into_iter().chain([long.as_str()]).collect();
    let values: Vec<f64> = (0..9).map(f64::from).collect();
    let frame = df!["n" => &names, "v" => &values].unwrap();
    let of = |name: &str| {
        let charts = chart(&frame).bar("n", "v").unwrap().titled(name);
        let heat = chart(&frame).heat_map("n", "n", "v").unwrap().unit(name);
        [charts.x_label(name), heat.y_label(name)]
    };
    for chart in names.iter().flat_map(|name| of(name)) {
        let svg = crate::chart::svg::svg(&chart).unwrap();
        well_formed(&svg);
        assert!(svg.len() < 100_000, "{}", svg.len());
        let html = chart.mime_bundle().html;
        assert!(!html.contains("<script") && !html.contains("<img src=x"));
        assert!(!html.contains("onerror=alert(1)>"));
        assert_eq!(html.matches("<img ").count(), 1);
        assert!(!chart.mime_bundle().text.contains('\0'));
    }
}

/// Fails where an XML parser would: mismatched tags, unescaped characters, and characters that XML
/// forbids.
fn well_formed(svg: &str) {
    let mut open = Vec::new();
    let mut rest = svg;
    while let Some((text, tail)) = rest.split_once('<') {
        assert_text(text);
        let (tag, tail) = tail.split_once('>').unwrap();
        assert!(!tag.contains('<'), "{tag}");
        match (tag.strip_prefix('/'), tag.strip_suffix('/')) {
            (Some(name), _) => assert_eq!(open.pop(), Some(name)),
            (None, Some(_)) => {}
            (None, None) => open.push(tag.split(' ').next().unwrap()),
        }
        rest = tail;
    }
    assert_text(rest);
    assert!(open.is_empty(), "{open:?}");
}

fn assert_text(text: &str) {
    assert!(!text.contains("]]>") && !text.contains('>'), "{text}");
    for (at, _) in text.match_indices('&') {
        let name = text[at + 1..].split(';').next().unwrap();
        let known = ["amp", "lt", "gt", "quot", "apos"].contains(&name) || name.starts_with('#');
        assert!(known, "&{name}");
    }
    let forbidden = |c: char| (c.is_control() && c != '\n') || c == '\u{FFFE}' || c == '\u{FFFF}';
    assert!(!text.contains(forbidden), "{text:?}");
}

/// Every kind of chart that a frame of three columns allows.
fn kinds(frame: &DataFrame) -> Vec<Result<Chart>> {
    let of = chart(frame);
    vec![
        of.bar("n", "x"),
        of.grouped_bar("n", "x", "g"),
        of.dot("n", "x"),
        of.interval("n", "x", "y", "x"),
        of.histogram("x"),
        of.line("x", "y"),
        of.line("t", "y"),
        of.line("n", "y"),
        of.lines("x", "y", "g"),
        of.heat_map("g", "n", "y"),
    ]
}

fn any_number() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        2 => any::<f64>().prop_map(Some),
        2 => (-1e3..1e3_f64).prop_map(Some),
        1 => prop::sample::select(vec![
            f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, -5e-324, 0.0, -0.0, 1e16, 1e16 + 2.0,
            f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1, 0.3, 1.0, 1.0 + f64::EPSILON,
        ])
        .prop_map(Some),
        1 => Just(None),
    ]
}

type Row = (String, u32, Option<f64>, Option<f64>);

fn frame(rows: &[Row]) -> DataFrame {
    let names: Vec<_> = rows.iter().map(|row| row.0.as_str()).collect();
    let groups: Vec<_> = rows.iter().map(|row| row.1).collect();
    let x: Vec<_> = rows.iter().map(|row| row.2).collect();
    let y: Vec<_> = rows.iter().map(|row| row.3).collect();
    let times: Vec<_> = x.iter().map(|x| x.map(|x| x as i64)).collect();
    let times = Series::new("t".into(), times);
    let times = times.cast(&DataType::Datetime(TimeUnit::Microseconds, None));
    let mut frame = df!["n" => names, "g" => groups, "x" => x, "y" => y].unwrap();
    frame.with_column(times.unwrap().into_column()).unwrap();
    frame
}

proptest! {
    #![proptest_config(ProptestConfig {
        // Each input is drawn as every kind of chart.
        cases: ProptestConfig::default().cases.div_ceil(20),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_chart_of_letters_that_ship_is_a_png(
        rows in prop::collection::vec(("[a-zé]{0,9}", 0..3_u32, any_number(), any_number()), 0..9),
        size in (0..500_u32, 0..300_u32),
    ) {
        for chart in kinds(&frame(&rows)).into_iter().flatten() {
            let png = crate::chart::png::png(&chart.size(size.0, size.1)).unwrap();
            prop_assert_eq!(&png[1..4], b"PNG");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_frame_is_drawn_or_refused(
        rows in prop::collection::vec((any::<String>(), 0..9_u32, any_number(), any_number()), 0..30),
        size in prop::option::of((0..900_u32, 0..900_u32)),
        title in prop::option::of(any::<String>()),
    ) {
        for chart in kinds(&frame(&rows)).into_iter().flatten() {
            let chart = match size {
                Some((width, height)) => chart.size(width, height),
                None => chart,
            };
            let chart = match &title {
                Some(title) => chart.titled(title).unit(title),
                None => chart,
            };
            let svg = crate::chart::svg::svg(&chart).unwrap();
            well_formed(&svg);
            let inside = !svg.contains("NaN") && !svg.contains("inf");
            let said = rows.iter().any(|row| row.0.contains("inf") || row.0.contains("NaN"));
            prop_assert!(inside || said || title.is_some(), "{svg}");
            prop_assert!(!chart.mime_bundle().text.is_empty());
        }
    }
}
