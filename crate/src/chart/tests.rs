//! Tests of charts as users see them: descriptions, text forms, files, and charts of any frame.

mod hostile;

use insta::assert_snapshot;
use polars::df;
use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit, TimeZone,
};

use super::{Chart, Effect, chart, forest_plot};
use crate::display::Show;
use crate::error::ErrorKind;

fn jobs() -> DataFrame {
    df![
        "occupation" => ["nurse", "engineer", "chef", "clerk"],
        "women" => [Some(0.8958), Some(0.1072), None, Some(f64::NAN)],
        "change" => [-3, 12_500, 0, 1],
    ]
    .unwrap()
}

fn paired() -> DataFrame {
    df![
        "group" => ["female", "male", "female", "male"],
        "job" => ["nurse", "nurse", "chef", "chef"],
        "words" => [12.0, 10.0, 7.5, 11.0],
        "year" => [2015.0, 2015.0, 2020.0, 2016.0],
        "low" => [Some(11.0), Some(9.0), None, Some(-2.0)],
        "high" => [13.0, 10.5, 8.0, 12.0],
    ]
    .unwrap()
}

fn described(chart: &Chart) -> String {
    let svg = super::svg::svg(chart).unwrap();
    let inside = |tag: &str| {
        let (_, rest) = svg.split_once(&format!("<{tag}>")).unwrap();
        rest.split_once(&format!("</{tag}>")).unwrap().0.to_owned()
    };
    format!("{}\n{}", inside("title"), inside("desc"))
}

#[test]
fn bars_say_what_they_show_and_what_they_leave_out() {
    let chart = chart(&jobs()).bar("occupation", "women").unwrap();
    let chart = chart.titled("Who works there").unit("share");
    assert_snapshot!(chart.mime_bundle().text, @"
    Who works there
    occupation                                            women (share)
    nurse       ████████████████████████████████████████  0.896
    engineer    ████▊                                     0.107
    2 of 4 rows without a value left out
    ");
    assert_snapshot!(described(&chart), @"
    Who works there
    Bar chart: women (share) by occupation, 2 rows. The smallest is 0.107 (engineer), the largest 0.896 (nurse). nurse: 0.896; engineer: 0.107. 2 of 4 rows without a value left out.
    ");
}

#[test]
fn a_setter_leaves_its_chart_as_it_is() {
    let bars = chart(&jobs()).bar("occupation", "women").unwrap();
    let before = described(&bars);
    let other = bars.titled("Shares").x_label("women").size(300, 200);
    assert!(described(&other).starts_with("Shares\nBar chart: women by occupation"));
    assert_eq!(described(&bars), before);
}

#[test]
fn bars_go_to_both_sides_of_zero() {
    let chart = chart(&jobs()).bar("occupation", "change").unwrap();
    assert_snapshot!(chart.mime_bundle().text, @"
    occupation                                            change
    nurse                                                 -3
    engineer    ████████████████████████████████████████  12,500
    chef                                                  0
    clerk                                                 1
    ");
    let svg = super::svg::svg(&chart).unwrap();
    for text in [">\n12,500\n<", ">\n-3\n<", ">\n10,000\n<", ">\nchef\n<"] {
        assert!(svg.contains(text), "{text}");
    }
}

#[test]
fn the_bins_of_a_histogram_can_be_set() {
    let frame = df!["n" => [0.0, 1.0, 2.0, 3.0, 4.0, 10.0]].unwrap();
    let histogram = chart(&frame).histogram("n").unwrap();
    assert_snapshot!(histogram.bins(2).mime_bundle().text, @"
    n                                                  rows
    0 to 5   ████████████████████████████████████████  5
    5 to 10  ████████                                  1
    ");
    assert_eq!(
        histogram.bins(0).mime_bundle().text,
        histogram.bins(1).mime_bundle().text
    );
    let bars = chart(&frame).bar("n", "n").unwrap();
    assert_eq!(bars.bins(3).mime_bundle(), bars.mime_bundle());
    let empty = chart(&frame.head(Some(0))).histogram("n").unwrap();
    assert_eq!(empty.bins(3).mime_bundle(), empty.mime_bundle());
}

#[test]
fn a_missing_name_is_not_the_text_null() {
    let frame = df!["name" => [Some("null"), None], "group" => ["a", "a"], "n" => [1, 2]];
    let chart = chart(&frame.unwrap())
        .grouped_bar("name", "n", "group")
        .unwrap();
    let text = chart.mime_bundle().text;
    assert!(
        text.contains("\"null\", a") && text.contains("\nnull, a"),
        "{text}"
    );
}

#[test]
fn a_chart_has_dark_paper_where_the_page_is_dark_and_none_in_a_file() {
    let bars = chart(&jobs()).bar("occupation", "women").unwrap();
    let shown = super::svg::document(&bars, true).unwrap();
    assert!(shown.contains("prefers-color-scheme:dark"));
    // Each color of text and lines has a dark form.
    assert!(shown.contains("[fill=\"#1E1E1E\"]") && shown.contains("fill=\"#1E1E1E\""));
    assert!(!super::svg::svg(&bars).unwrap().contains("<style"));
}

#[test]
fn a_value_is_told_where_the_pointer_rests() {
    let told = |chart: &Chart| {
        let html = chart.mime_bundle().html;
        let titles = html.split(" title=\"").skip(1);
        let titles = titles.map(|rest| rest.split('"').next().unwrap().to_owned());
        titles.collect::<Vec<_>>()
    };
    let bars = chart(&jobs()).bar("occupation", "change").unwrap();
    assert_eq!(told(&bars)[..2], ["nurse: -3", "engineer: 12,500"]);
    let parts = df!["n" => [1, 2], "part" => [1.0 / 3.0, 0.5], "group" => ["<b>", "c"]].unwrap();
    let parts = chart(&parts);
    assert_eq!(
        told(&parts.line("n", "part").unwrap()),
        ["1: 0.333333", "2: 0.5"]
    );
    let lines = parts.lines("n", "part", "group").unwrap();
    assert_eq!(told(&lines), ["&lt;b&gt;, 1: 0.333333", "c, 2: 0.5"]);
    let grouped = parts.grouped_bar("n", "part", "group").unwrap();
    assert_eq!(told(&grouped), ["1, &lt;b&gt;: 0.333333", "2, c: 0.5"]);
    let heat = parts.heat_map("n", "group", "part").unwrap();
    assert_eq!(told(&heat)[1], "&lt;b&gt;, 2: no value");
    let histogram = parts.histogram("part").unwrap().bins(1);
    assert_eq!(told(&histogram), ["0.333333 to 0.5: 2 rows"]);
    let many: Vec<f64> = (0..25_000).map(f64::from).collect();
    let many = df!["x" => &many, "y" => &many].unwrap();
    assert!(told(&chart(&many).line("x", "y").unwrap()).is_empty());
}

#[test]
fn groups_are_named() {
    let chart = chart(&paired())
        .grouped_bar("job", "words", "group")
        .unwrap();
    assert_snapshot!(chart.mime_bundle().text, @"
    job, group                                               words
    nurse, female  ████████████████████████████████████████  12
    nurse, male    █████████████████████████████████▍        10
    chef, female   █████████████████████████                 7.5
    chef, male     ████████████████████████████████████▋     11
    ");
    assert_snapshot!(described(&chart), @"
    words by job
    Grouped bar chart: words by job and group, 4 rows. The smallest is 7.5 (chef, female), the largest 12 (nurse, female). nurse, female: 12; nurse, male: 10; chef, female: 7.5; chef, male: 11.
    ");
}

#[test]
fn intervals_are_told_with_their_dots() {
    let frame = paired();
    let chart = chart(&frame)
        .interval("job", "words", "low", "high")
        .unwrap();
    assert_snapshot!(chart.mime_bundle().text, @"
    job                                              words
    nurse         ┊                         ├─●─┤    12 [11, 13]
    nurse         ┊                    ├─●┤          10 [9, 10.5]
    chef          ┊                ●                 7.5
    chef     ├──────────────────────────────●─┤      11 [-2, 12]
    1 row without an interval
    ");
    assert_snapshot!(described(&chart), @"
    words by job
    Dots with intervals: words by job, 4 rows. The smallest is 7.5 (chef), the largest 12 (nurse). nurse: 12; nurse: 10; chef: 7.5; chef: 11. Intervals: nurse: 11 to 13; nurse: 9 to 10.5; chef: -2 to 12. 1 row without an interval.
    ");
}

#[test]
fn a_histogram_counts_each_row_once() {
    let values: Vec<f64> = (0..=100).map(|count| f64::from(count) / 10.0).collect();
    let frame = df!["hours" => values].unwrap();
    let chart = chart(&frame).histogram("hours").unwrap().unit("h");
    assert_snapshot!(chart.mime_bundle().text, @"
    hours (h)                                            rows
    0 to 2     ██████████████████████████████████████▏   20
    2 to 4     ██████████████████████████████████████▏   20
    4 to 6     ██████████████████████████████████████▏   20
    6 to 8     ██████████████████████████████████████▏   20
    8 to 10    ████████████████████████████████████████  21
    ");
    assert_snapshot!(described(&chart), @"
    hours (h)
    Histogram: hours (h) of 101 rows. The smallest is 0, the median 5, the largest 10. 0 to 2: 20; 2 to 4: 20; 4 to 6: 20; 6 to 8: 20; 8 to 10: 21.
    ");
}

#[test]
fn lines_go_from_left_to_right() {
    let frame = paired();
    let lines = chart(&frame).lines("year", "words", "group").unwrap();
    assert_snapshot!(lines.mime_bundle().text, @"
    group   year 2015 to 2020                         words
    female  ███▇▇▇▇▇▇▆▆▆▆▆▅▅▅▅▅▅▄▄▄▄▄▄▃▃▃▃▃▂▂▂▂▂▂▁▁▁  7.5 to 12
    male    ▅▅▅▅▆▆▆▆▆                                 10 to 11
    ");
    assert_snapshot!(described(&lines), @"
    words by year
    Line chart: words by year. female: 2 points from 12 at 2015 to 7.5 at 2020, the smallest 7.5, the largest 12. male: 2 points from 10 at 2015 to 11 at 2016, the smallest 10, the largest 11.
    ");
    let line = chart(&frame).line("year", "words").unwrap();
    assert_snapshot!(line.mime_bundle().text, @"
           year 2015 to 2020                         words
    words  ▆▆▆▆▆▆▆▆▆▆▆▆▆▆▅▅▅▅▅▅▄▄▄▄▄▃▃▃▃▃▃▂▂▂▂▂▂▁▁▁  7.5 to 12
    ");
}

#[test]
fn lines_go_along_dates_and_names_too() {
    let days = Series::new(
        "day".into(),
        [Some(19_900), Some(19_895), None, Some(19_902)],
    );
    let frame = DataFrame::new_infer_height(vec![
        days.cast(&DataType::Date).unwrap().into_column(),
        Column::new("week".into(), ["second", "first", "first", "last"]),
        Column::new("words".into(), [12.0, 10.0, 7.5, 11.0]),
    ])
    .unwrap();
    let line = chart(&frame).line("day", "words").unwrap();
    assert_snapshot!(line.mime_bundle().text, @"
           day 2024-06-21 to 2024-06-28              words
    words  ▁▁▂▂▂▂▃▃▃▃▄▄▄▄▅▅▅▅▆▆▆▆▇▇▇▇████▇▇▇▆▆▆▅▅▅▅  10 to 12
    1 of 4 rows without a value left out
    ");
    assert_snapshot!(described(&line), @"
    words by day
    Line chart: words by day. 3 points from 10 at 2024-06-21 to 11 at 2024-06-28, the smallest 10, the largest 12. 1 of 4 rows without a value left out.
    ");
    let svg = super::svg::svg(&line).unwrap();
    for text in [">\n2024-06-21\n<", ">\n2024-06-28\n<"] {
        assert!(svg.contains(text), "{text}");
    }
    let line = chart(&frame).line("week", "words").unwrap();
    assert_snapshot!(line.mime_bundle().text, @"
           week second to last                       words
    words  ██▇▇▇▇▆▆▆▆▅▅▅▅▄▄▄▄▃▃▃▃▃▃▄▄▄▄▄▅▅▅▅▅▆▆▆▆▆▆  7.5 to 12
    ");
    assert_snapshot!(described(&line), @"
    words by week
    Line chart: words by week. 4 points from 12 at second to 11 at last, the smallest 7.5, the largest 12.
    ");
    let svg = super::svg::svg(&line).unwrap();
    for text in [">\nsecond\n<", ">\nfirst\n<", ">\nlast\n<"] {
        assert!(svg.contains(text), "{text}");
    }
}

#[test]
fn times_with_a_zone_are_told_in_utc() {
    let zone = TimeZone::opt_try_new(Some("Europe/Berlin")).unwrap();
    let times = Series::new("when".into(), [1_718_958_600_000_i64, 1_719_000_000_000]);
    let times = times.cast(&DataType::Datetime(TimeUnit::Milliseconds, zone));
    let times = times.unwrap().into_column();
    let frame = DataFrame::new_infer_height(vec![times, Column::new("n".into(), [1, 2])]).unwrap();
    assert_snapshot!(chart(&frame).line("when", "n").unwrap().mime_bundle().text, @"
       when (UTC) 2024-06-21 08:30 to 2024-06-21 20:00  n
    n  ▁▁▁▂▂▂▂▂▂▃▃▃▃▃▄▄▄▄▄▄▅▅▅▅▅▅▆▆▆▆▆▇▇▇▇▇▇███         1 to 2
    ");
}

#[test]
fn of_many_names_the_first_hundred_are_drawn() {
    let names: Vec<_> = (0..150).map(|n| format!("person {n}")).collect();
    let frame = df!["who" => names, "n" => (0..150).collect::<Vec<i32>>()].unwrap();
    let line = chart(&frame).line("who", "n").unwrap();
    assert_snapshot!(described(&line), @"
    n by who
    Line chart: n by who. 100 points from 0 at person 0 to 99 at person 99, the smallest 0, the largest 99. 50 of 150 rows beyond the first 100 left out.
    ");
}

#[test]
fn a_heat_map_is_a_table_in_text() {
    let frame = paired();
    let chart = chart(&frame.head(Some(3)))
        .heat_map("group", "job", "words")
        .unwrap();
    assert_snapshot!(chart.mime_bundle().text, @"
    words by group
    job    female  male
    nurse      12    10
    chef      7.5     –
    ");
    assert_snapshot!(described(&chart), @"
    words by group and job
    Heat map: words by job and group, 3 rows. The smallest is 7.5 (chef, female), the largest 12 (nurse, female). nurse, female: 12; nurse, male: 10; chef, female: 7.5.
    ");
}

#[test]
fn an_empty_picture_says_why() {
    let none = Column::new("v".into(), Vec::<f64>::new());
    let empty = DataFrame::new(0, vec![none]).unwrap();
    assert_snapshot!(described(&chart(&empty).bar("v", "v").unwrap()), @"
    v by v
    Bar chart: Nothing to draw: the frame has no rows.
    ");
    let nulls = df!["v" => [None::<f64>, None]].unwrap();
    for chart in [
        chart(&nulls).bar("v", "v").unwrap(),
        chart(&nulls).histogram("v").unwrap(),
        chart(&nulls).line("v", "v").unwrap(),
        chart(&nulls).lines("v", "v", "v").unwrap(),
        chart(&nulls).heat_map("v", "v", "v").unwrap(),
        chart(&nulls).interval("v", "v", "v", "v").unwrap(),
    ] {
        let why = "Nothing to draw: none of 2 rows has a number in 'v'.";
        assert_eq!(chart.mime_bundle().text, why);
        assert!(super::svg::svg(&chart).unwrap().contains("Nothing to draw"));
    }
}

#[test]
fn a_long_frame_says_what_is_beyond() {
    let frame = df!["n" => (0..1_234).collect::<Vec<i32>>()].unwrap();
    let chart = chart(&frame).bar("n", "n").unwrap();
    let said = "1,134 of 1,234 rows beyond the first 100 left out";
    assert!(
        chart.mime_bundle().text.ends_with(said),
        "{}",
        chart.mime_bundle().text
    );
    assert!(described(&chart).ends_with("1,134 of 1,234 rows beyond the first 100 left out."));
}

#[test]
fn what_can_not_be_meant_is_an_error() {
    let frame = paired();
    assert_snapshot!(chart(&frame).bar("words", "job").unwrap_err(), @"
    the column `job` holds str, not numbers
      hint: numbers are in `words`, `year`, `low`, `high`
    ");
    assert_snapshot!(chart(&frame).grouped_bar("group", "words", "group").unwrap_err(), @"
    two rows have the names `female` and `female`
      hint: a chart can show only one of them: take their mean or sum first
    ");
    assert_snapshot!(chart(&frame).interval("job", "words", "high", "low").unwrap_err(), @"
    the interval of `nurse` ends at 11 before it begins at 13
      hint: give the column of the lower ends first
    ");
    let lists = df!["l" => [Series::new("".into(), [1])], "y" => [1]].unwrap();
    assert_snapshot!(chart(&lists).line("l", "y").unwrap_err(), @"
    the column `l` holds list[i32]
      hint: an axis can show numbers, dates, dates with times, and names; `column.cast(&DataType::Int64)` converts durations to numbers
    ");
    let many = df!["g" => (0..8).collect::<Vec<i32>>()].unwrap();
    assert_snapshot!(chart(&many).lines("g", "g", "g").unwrap_err(), @"
    the column `g` has more than 7 groups, which can't be told apart in one chart
      hint: keep the groups that matter; `heat_map` shows many
    ");
}

#[test]
fn a_file_is_what_its_ending_says() {
    let folder = tempfile::tempdir().unwrap();
    let chart = chart(&jobs()).bar("occupation", "women").unwrap();
    let path = |name: &str| folder.path().join(name);
    chart.save(path("women.svg")).unwrap();
    assert!(
        std::fs::read_to_string(path("women.svg"))
            .unwrap()
            .starts_with("<svg ")
    );
    chart.save(path("women.PNG")).unwrap();
    let png = std::fs::read(path("women.PNG")).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(png[16..20], 1520_u32.to_be_bytes());

    let error = chart.save("women.jpg").unwrap_err();
    assert_snapshot!(error, @"
    `women.jpg` is neither `.svg` nor `.png`
      hint: the file extension determines the format
    ");
    let error = chart.save(path("no/women.svg")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

#[test]
fn a_png_has_its_letters_or_says_which_it_lacks() {
    let letters = |text: &str| {
        let chart = chart(&jobs()).bar("occupation", "women").unwrap();
        super::png::png(&chart.titled(text))
    };
    let (with, without) = (letters("Łódź Ωμέγα Київ").unwrap(), letters("").unwrap());
    assert!(with.len() > without.len() + 500, "the letters are missing");
    assert_snapshot!(letters("護士").unwrap_err(), @"
    a PNG can't show the letter `護`, which is not in the included font
      hint: save the chart as `.svg`, which uses the viewer's fonts
    ");
}

#[test]
fn effects_keep_their_pairs_and_zero_in_the_middle() {
    let effect = |name: &str, mean, interval| Effect {
        name: name.to_owned(),
        pairs: vec![mean - 0.5, mean + 0.5, f64::NAN],
        mean,
        interval,
    };
    let rows = vec![
        effect("length", -2.26, Some([-3.1, -1.4])),
        effect("none", f64::NAN, None),
        effect("refusals", 0.0, None),
    ];
    let chart = forest_plot(rows, "d_z");
    assert_snapshot!(chart.mime_bundle().text, @"
    measure                                             d_z
    length      ├────●───┤        ┊                     -2.26 [-3.1, -1.4]
    refusals                      ●                     0
    1 of 3 rows without a value left out; 1 row without an interval
    ");
    let svg = super::svg::svg(&chart).unwrap();
    assert_eq!(svg.matches("<circle ").count(), 2 + 4);
}
