//! Tests of how each polars type is shown in the table and passed to the script.

use insta::assert_snapshot;
use polars::df;
use polars::prelude::{
    Categories, Column, DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit, TimeZone,
};

use super::{assert_is_well_formed, cells, payload};
use crate::display::Show;

/// The type, the cells and the script's data of a column.
fn shown(column: Column) -> String {
    let frame = DataFrame::new_infer_height(vec![column]).unwrap();
    let html = frame.mime_bundle().html;
    assert_is_well_formed(&html);
    let payload = payload(&html).unwrap();
    let column = &payload["columns"][0];
    let cells: Vec<_> = cells(&html).into_iter().flatten().collect();
    format!(
        "{} ({}{})\n{}\n{}",
        column["type"].as_str().unwrap(),
        column["kind"].as_str().unwrap(),
        if column["grouped"] == true {
            ", grouped"
        } else {
            ""
        },
        cells.join(" | "),
        payload["values"][0]
    )
}

fn of<T, U>(name: &str, values: T) -> Column
where
    Series: NamedFrom<T, U>,
    U: ?Sized,
{
    Series::new(name.into(), values).into_column()
}

fn cast(values: &[Option<i64>], types: &[DataType]) -> Column {
    let column = Series::new("c".into(), values).into_column();
    types
        .iter()
        .fold(column, |column, dtype| column.cast(dtype).unwrap())
}

#[test]
fn numbers() {
    assert_snapshot!(shown(of("n", [Some(1_234_567_i64), None, Some(i64::MIN)])), @r#"
    i64 (digits, grouped)
    1,234,567 | null | -9,223,372,036,854,775,808
    [1234567,null,"-9223372036854775808"]
    "#);
    assert_snapshot!(shown(of("person_id", [1_234_567_u32, 7])), @"
    u32 (digits)
    1234567 | 7
    [1234567,7]
    ");
    assert_snapshot!(shown(of("f", [0.1 + 0.2, 1234.5, f64::NAN, f64::NEG_INFINITY])), @r#"
    f64 (float, grouped)
    0.3 | 1,234.5 | NaN | -inf
    [0.30000000000000004,1234.5,"NaN","-inf"]
    "#);
    assert_snapshot!(shown(of("f", [0.1_f32, 1e-9])), @"
    f32 (float, grouped)
    0.1 | 1e-9
    [0.1,1e-9]
    ");
    assert_snapshot!(shown(cast(&[Some(1_234), None], &[DataType::Decimal(20, 2)])), @r#"
    decimal[20,2] (digits, grouped)
    1,234.00 | null
    ["1234.00",null]
    "#);
}

#[test]
fn words_and_truth() {
    assert_snapshot!(shown(of("b", [Some(true), Some(false), None])), @"
    bool (boolean)
    true | false | null
    [true,false,null]
    ");
    assert_snapshot!(shown(of("s", ["", "two\nlines", " null"])), @r#"
    str (text)
     | two
    lines |  null
    ["","two\nlines"," null"]
    "#);
    let jobs = of("c", ["nurse", "chef", "nurse"]);
    let categories = DataType::from_categories(Categories::global());
    assert_snapshot!(shown(jobs.cast(&categories).unwrap()), @r#"
    cat (text)
    nurse | chef | nurse
    ["nurse","chef","nurse"]
    "#);
    assert_snapshot!(shown(of("b", [&b"a\x00<"[..], &[255]])), @r#"
    binary (text)
    b"a\x00<" | b"\xff"
    ["b\"a\\x00<\"","b\"\\xff\""]
    "#);
}

#[test]
fn times() {
    let days = [Some(0), Some(20_000), None];
    let seconds = [Some(0), Some(1_719_000_000_123), None];
    let in_zone = |zone| {
        let zone = TimeZone::opt_try_new(zone).unwrap();
        DataType::Datetime(TimeUnit::Milliseconds, zone)
    };
    assert_snapshot!(shown(cast(&days, &[DataType::Int32, DataType::Date])), @r#"
    date (time)
    1970-01-01 | 2024-10-04 | null
    [["1970-01-01",0],["2024-10-04",20000],null]
    "#);
    assert_snapshot!(shown(cast(&seconds, &[in_zone(None::<&str>)])), @r#"
    datetime[ms] (time)
    1970-01-01 00:00:00 | 2024-06-21 20:00:00.123 | null
    [["1970-01-01 00:00:00",0],["2024-06-21 20:00:00.123",1719000000123],null]
    "#);
    assert_snapshot!(shown(cast(&seconds, &[in_zone(Some("Europe/Berlin"))])), @r#"
    datetime[ms, Europe/Berlin] (time)
    1970-01-01 01:00:00 CET | 2024-06-21 22:00:00.123 CEST | null
    [["1970-01-01 01:00:00 CET",0],["2024-06-21 22:00:00.123 CEST",1719000000123],null]
    "#);
    assert_snapshot!(shown(cast(&seconds, &[DataType::Duration(TimeUnit::Milliseconds)])), @r#"
    duration[ms] (time)
    0ms | 19895d 20h 123ms | null
    [["0ms",0],["19895d 20h 123ms",1719000000123],null]
    "#);
    assert_snapshot!(shown(cast(&[Some(3_600_000_000_000), None], &[DataType::Time])), @r#"
    time (time)
    01:00:00 | null
    [["01:00:00",3600000000000],null]
    "#);
}

#[test]
fn lists_and_structs_fold() {
    let short = Series::new("".into(), [1_i64, 2, 3]);
    let long = Series::new("".into(), (0..1_000_i64).collect::<Vec<_>>());
    assert_snapshot!(shown(of("l", vec![short.clone(), Series::new("".into(), vec![0_i64; 0])])), @r#"
    list[i64] (nested)
    [1, 2, 3] | []
    ["[1, 2, 3]","[]"]
    "#);
    let fields = df![
        "name" => ["Ada \"the\" <first>", "Grace"],
        "born" => [Some(1815), None],
        "notes" => [short, long],
    ]
    .unwrap();
    let column = fields.into_struct("s".into()).into_column();
    let frame = DataFrame::new_infer_height(vec![column]).unwrap();
    let html = frame.mime_bundle().html;
    assert_is_well_formed(&html);
    let cells = cells(&html).concat();
    assert_eq!(
        cells[0],
        "{name: \"Ada \"the\" <first>\", born: 1815, notes: [1, 2, 3]}"
    );
    assert!(cells[1].starts_with("{name: \"Grace\", born: null, notes: [0, 1, 2, 3"));
    assert!(cells[1].ends_with(", 998, 999]}"));
    assert!(html.contains("<summary style=\"cursor:pointer\">{name: &quot;Grace&quot;"));
}

#[test]
fn a_list_without_end_is_cut_and_says_so() {
    let long = Series::new("".into(), (0..1_000_000_i64).collect::<Vec<_>>());
    let frame = DataFrame::new_infer_height(vec![of("l", vec![long])]).unwrap();
    let cells = cells(&frame.mime_bundle().html).concat();
    assert!(cells[0].len() < 10_100);
    assert!(cells[0].ends_with(" more]"), "{}", &cells[0][9_900..]);
}

#[test]
fn what_no_calendar_names_is_shown_all_the_same() {
    let far = cast(
        &[Some(i64::from(i32::MAX)), Some(0)],
        &[DataType::Int32, DataType::Date],
    );
    assert_snapshot!(shown(far), @r#"
    date (time)
    2147483647 days from 1970-01-01 | 1970-01-01
    [["2147483647 days from 1970-01-01",2147483647],["1970-01-01",0]]
    "#);
}
