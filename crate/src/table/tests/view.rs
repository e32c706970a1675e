//! Tests of what a user can set, and of what the limits leave.

use insta::assert_snapshot;
use polars::df;
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use super::{assert_is_well_formed, cells, outline, payload, static_html};
use crate::display::{self, Show};
use crate::table::{limits, script, table};

#[test]
fn a_frame_is_an_escaped_table() {
    let frame = df![
        "answer" => [Some("A <b>nurse</b> cares & \"helps\"."), None],
        "tokens" => [1_200_i64, 0],
    ]
    .unwrap();
    assert_snapshot!(outline(&static_html(&frame)), @r#"
    <div class="evenhand evenhand-table tex2jax_ignore mathjax_ignore">
    <div class="evenhand-scroll" role="group" tabindex="0" aria-label="Table">
    <table>
    <thead>
    <tr>
    <th scope="col" dir="auto">answer</th>
    <th scope="col" dir="auto">tokens</th>
    </tr>
    <tr>
    <td>str</td>
    <td>i64</td>
    </tr>
    </thead>
    <tbody>
    <tr>
    <td dir="auto">A &lt;b&gt;nurse&lt;/b&gt; cares &amp; &quot;helps&quot;.</td>
    <td>1,200</td>
    </tr>
    <tr>
    <td dir="auto">
    <em>null</em>
    </td>
    <td>0</td>
    </tr>
    </tbody>
    </table>
    </div>
    <p class="evenhand-caption">2 rows × 2 columns · 47 B</p>
    </div>
    "#);
}

#[test]
fn a_title_names_the_table_and_the_columns_are_those_asked_for() {
    let frame = df!["a" => [1, 2], "b" => [3, 4], "c" => [5, 6]].unwrap();
    let shown = table(&frame)
        .titled("<Two> of \"three\"")
        .columns(["c", "a"])
        .mime_bundle();
    assert_is_well_formed(&shown.html);
    assert!(
        shown
            .html
            .contains(">&lt;Two&gt; of &quot;three&quot;</caption>")
    );
    assert!(
        shown
            .html
            .contains("aria-label=\"&lt;Two&gt; of &quot;three&quot;\"")
    );
    assert_eq!(cells(&shown.html), [["5", "1"], ["6", "2"]]);
    assert!(shown.text.starts_with("<Two> of \"three\"\nshape: (2, 2)"));
}

#[test]
fn a_setter_leaves_its_table_as_it_is() {
    let frame = df!["a" => [1, 2], "b" => [3, 4]].unwrap();
    let plain = table(&frame);
    let before = plain.mime_bundle();
    let other = plain.titled("T").columns(["b"]).page_size(1).static_only();
    assert_eq!(cells(&other.mime_bundle().html), [["3"]]);
    assert_eq!(plain.mime_bundle(), before);
}

#[test]
fn a_missing_column_is_told_where_the_table_would_be() {
    let frame = df!["group" => [1, 2], "occupation" => [3, 4]].unwrap();
    let shown = table(&frame).columns(["group", "ocupation"]).mime_bundle();
    assert_snapshot!(shown.text, @"
    there is no column `ocupation`
      hint: the columns are, nearest first: `occupation`, `group`
    ");
    assert_snapshot!(outline(&shown.html), @r#"
    <pre class="evenhand tex2jax_ignore mathjax_ignore">there is no column &#96;ocupation&#96;
      hint: the columns are, nearest first: &#96;occupation&#96;, &#96;group&#96;</pre>
    "#);
    let twice = table(&frame).columns(["group", "group"]).mime_bundle();
    assert_eq!(twice.text, "a column is listed twice");
}

#[test]
fn a_long_frame_shows_its_head_and_holds_more_for_the_script() {
    let frame = df!["n" => (0..1_234_567_i64).collect::<Vec<_>>()].unwrap();
    let html = table(&frame).mime_bundle().html;
    assert_eq!(cells(&html).len(), limits::ROWS);
    assert!(html.contains("50 of 1,234,567 rows × 1 column · 9.9 MB"));
    let payload = payload(&html).unwrap();
    assert_eq!(payload["rows"], limits::HELD);
    assert_eq!(payload["values"][0].as_array().unwrap().len(), limits::HELD);
    assert_eq!(
        payload["caption"],
        "10,000 of 1,234,567 rows held here × 1 column · 9.9 MB"
    );
    assert_eq!(
        cells(&table(&frame).page_size(7).mime_bundle().html).len(),
        7
    );
    assert_eq!(
        super::payload(&table(&frame).page_size(7).mime_bundle().html).unwrap()["page"],
        7
    );
}

#[test]
fn the_script_comes_where_it_has_something_to_do() {
    let frame = df!["n" => [1, 2]].unwrap();
    let has_script = |html: &str| html.contains("<script");
    assert!(has_script(&frame.mime_bundle().html));
    assert!(!has_script(&static_html(&frame)));
    assert!(!has_script(&frame.head(Some(1)).mime_bundle().html));
    assert!(!has_script(&DataFrame::empty().mime_bundle().html));
}

#[test]
fn several_tables_of_a_cell_share_one_script() {
    let frame = df!["n" => [1, 2]].unwrap();
    let html = display::stack(&[
        frame.mime_bundle(),
        frame.mime_bundle(),
        frame.mime_bundle(),
    ])
    .html;
    assert_eq!(html.matches(script::block()).count(), 1);
    assert_eq!(html.matches("<script>").count(), 1);
    assert_eq!(
        html.matches("<script type=\"application/json\">").count(),
        3
    );
}

#[test]
fn series_and_columns_are_tables_of_one_column() {
    let series = Series::new("n".into(), [1_i64, 2]);
    let column = series.clone().into_column();
    assert_eq!(series.mime_bundle(), column.mime_bundle());
    assert_eq!(cells(&series.mime_bundle().html), [["1"], ["2"]]);
    assert_eq!(
        cells(&table(&column).page_size(1).mime_bundle().html),
        [["1"]]
    );
}

#[test]
fn no_rows_and_no_columns_are_shown_as_such() {
    assert!(static_html(&DataFrame::empty()).contains("0 rows × 0 columns"));
    let none: [&str; 0] = [];
    assert!(static_html(&df!["a" => none].unwrap()).contains("0 rows × 1 column"));
    let tall = DataFrame::new(7, Vec::new()).unwrap();
    assert_is_well_formed(&tall.mime_bundle().html);
    assert!(tall.mime_bundle().html.contains("7 rows × 0 columns"));
}

#[test]
fn a_long_text_folds_and_a_huge_one_is_cut() {
    let frame = df!["text" => ["é".repeat(50_000)]].unwrap();
    let html = static_html(&frame);
    assert!(html.contains("min-width:20em"), "it has no room");
    assert!(html.contains("… and 40,000 characters more"));
    assert!(html.contains(&format!(">{}</summary>", "é".repeat(limits::FOLDED))));
    assert_is_well_formed(&html);
}

#[test]
fn no_frame_makes_more_than_two_megabytes() {
    // The characters that take the most bytes in HTML and in JSON.
    for text in ["\u{7}", "<", "\"", "\n"].map(|text| text.repeat(11_000)) {
        // Both have more to show than fits.
        for (width, height) in [(1, 60), (101, 6)] {
            let columns = (0..width).map(|n| {
                let name = format!("{n}{text}");
                Series::new(name.into(), vec![text.as_str(); height]).into_column()
            });
            let frame = DataFrame::new(height, columns.collect()).unwrap();
            let html = frame.mime_bundle().html;
            assert!(html.len() < 2_000_000, "{} of {width}", html.len());
            let held = payload(&html).unwrap()["rows"].as_u64().unwrap() as usize;
            assert!(
                held >= cells(&html).len(),
                "the script knows less than the table"
            );
        }
    }
}

#[test]
fn of_many_columns_the_first_are_shown() {
    let columns = (0..5_000).map(|n| Series::new(format!("c{n}").into(), [n, n]).into_column());
    let frame = DataFrame::new(2, columns.collect()).unwrap();
    let html = frame.mime_bundle().html;
    assert_eq!(cells(&html)[0].len(), limits::COLUMNS);
    assert!(html.contains("2 rows × 100 of 5,000 columns"));
    assert_eq!(
        cells(&table(&frame).columns(["c4999"]).mime_bundle().html),
        [["4,999"], ["4,999"]]
    );
}
