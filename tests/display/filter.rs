//! Filters and searches: numbers and times as they are shown and as they are, and what is not a filter.

use evenhand::polars::prelude::{Column, DataFrame, DataType, FrozenCategories, TimeUnit};
use evenhand::prelude::*;
use serde_json::json;

use super::Page;
use super::table::column;

#[test]
fn a_filter_of_numbers_and_times_knows_ranges() {
    const HOUR: i64 = 3_600_000;
    let days = [19_722, 19_723, 19_904, 20_089, 19_904].map(Some);
    let times = days.map(|day| day.map(|day| (i64::from(day) * 24 + 23) * HOUR));
    let took = [HOUR / 2, 2 * HOUR, 24 * HOUR, 9 * 24 * HOUR].map(Some);
    let frame = DataFrame::new_infer_height(vec![
        column(
            "n",
            [5, 10, 20, 1_500, -3].map(Some).to_vec(),
            &DataType::Int64,
        ),
        column(
            "f",
            vec![
                Some(0.5),
                Some(1.5),
                Some(f64::INFINITY),
                Some(f64::NAN),
                None,
            ],
            &DataType::Float64,
        ),
        column("day", days.to_vec(), &DataType::Date),
        column(
            "when",
            times.to_vec(),
            &DataType::Datetime(TimeUnit::Milliseconds, None),
        ),
        column(
            "took",
            [&took[..], &[None]].concat(),
            &DataType::Duration(TimeUnit::Milliseconds),
        ),
        Column::new("text".into(), ["a..b", "a", "b", "1..9", "c"]),
    ])
    .unwrap();
    let Some(page) = Page::open("ranges", &frame) else {
        return;
    };
    for (name, filter, rows) in [
        ("n", ">10", &["3", "4"][..]),
        ("n", ">=10", &["2", "3", "4"]),
        ("n", "<5", &["5"]),
        ("n", "10..20", &["2", "3"]),
        ("n", "-5 .. 1,500", &["1", "2", "3", "4", "5"]),
        ("n", "=5", &["1"]),
        ("n", "5", &["1", "4"]),
        ("n", "> many", &[]),
        ("n", "1500", &["4"]),
        ("n", "1,500", &["4"]),
        ("n", "=1.5e3", &["4"]),
        ("f", "0.5..1.5", &["1", "2"]),
        ("f", "> 1", &["2", "3"]),
        ("day", "<=2024", &["1", "2", "3", "5"]),
        ("day", "2024-01..2024-06", &["2", "3", "5"]),
        ("day", "> 2024-06-30", &["4"]),
        ("day", "> june", &[]),
        ("day", "2024-1", &["2"]),
        ("day", ">2024-1", &["3", "4", "5"]),
        ("day", "=2024-6-30", &["3", "5"]),
        ("when", "2024-01-01..2024-06-30", &["2", "3", "5"]),
        ("when", "=2025", &["4"]),
        ("took", ">=2h", &["2", "3", "4"]),
        ("took", "90m..1d 30m", &["2", "3"]),
        ("took", ">1.5h", &["2", "3", "4"]),
        ("text", "a..b", &["1"]),
    ] {
        page.button("Filters");
        page.type_into(&format!("Filter {name}"), filter);
        assert_eq!(page.row_numbers(), rows, "{name}: {filter}");
        page.button("Filters");
    }
    page.button("Filters");
    let told =
        "return [...document.querySelectorAll('thead input')].map(e => [e.placeholder, e.title])";
    let told = page.run(told);
    let ranges = "Part of the text; or > >= < <= = and a value; or from..to";
    assert_eq!(told[0], json!([">5, 5..9", ranges]));
    assert_eq!(told[5], json!(["", "Part of the text"]));
}

#[test]
fn what_is_shown_and_what_is_there_can_both_be_asked_for() {
    let frame = df![
        "big" => [9_007_199_254_740_992_i64, 9_007_199_254_740_993, 65_535],
        "third" => [1.0 / 3.0, 0.5, 0.25],
        "answer" => ["none", "about 10,000 people", "10000 of them"],
    ]
    .unwrap();
    let Some(page) = Page::open("exact", &frame) else {
        return;
    };
    for (name, filter, rows) in [
        ("big", "=9007199254740993", &["2"][..]),
        ("big", ">9,007,199,254,740,992", &["2"]),
        ("big", "65535", &["3"]),
        ("third", "=0.333333", &["1"]),
        ("third", "<=0.333333", &["1", "3"]),
        ("third", "=0.3333333333333333", &["1"]),
        ("answer", "10,000", &["2", "3"]),
    ] {
        page.button("Filters");
        page.type_into(&format!("Filter {name}"), filter);
        assert_eq!(page.row_numbers(), rows, "{name}: {filter}");
        page.button("Filters");
    }
    for (text, rows) in [
        ("65535", &["3"][..]),
        ("65,535", &["3"]),
        ("10,000", &["2", "3"]),
        ("about 10,000", &["2"]),
    ] {
        page.type_into("Search all columns", text);
        assert_eq!(page.row_numbers(), rows, "{text}");
        page.run(
            "const search = document.querySelector('[aria-label=\"Search all columns\"]');
             search.value = ''; search.dispatchEvent(new Event('input', {bubbles: true})); return null",
        );
    }
}

#[test]
fn what_is_no_filter_is_told() {
    let sizes = DataType::from_frozen_categories(
        FrozenCategories::new(["small", "medium", "large"]).unwrap(),
    );
    let frame = DataFrame::new_infer_height(vec![
        Column::new("pay".into(), [0.5, 1.0, 2.0, 10_500.0]),
        column("day", [1, 2, 3, 4].map(Some).to_vec(), &DataType::Date),
        Column::new("size".into(), ["large", "small", "medium", "small"])
            .cast(&sizes)
            .unwrap(),
        Column::new("name".into(), ["a > b", "c", "d", "e"]),
    ])
    .unwrap();
    let Some(page) = Page::open("no-filter", &frame) else {
        return;
    };
    for (name, filter, rows, told) in [
        (
            "pay",
            "abc",
            &[][..],
            "abc in pay is not a filter: try >0.5",
        ),
        ("pay", "1,5", &[], "1,5 in pay is not a filter: try >0.5"),
        ("pay", ">", &[], "> in pay is not a filter: try >0.5"),
        ("pay", "!=3", &[], "!=3 in pay is not a filter: try >0.5"),
        ("pay", "=", &[], "= in pay is not a filter: try >0.5"),
        ("pay", "1..", &[], "1.. in pay is not a filter: try >0.5"),
        ("pay", "..", &[], ".. in pay is not a filter: try >0.5"),
        (
            "pay",
            "1...5",
            &[],
            "1...5 in pay is not a filter: try >0.5",
        ),
        ("pay", "7", &[], "No row of 0 that match, of 4 rows"),
        ("pay", "0,5", &["4"], "Rows 1–1 of 1 that match"),
        ("day", ">1970-13", &[], "try >2024-05"),
        ("size", ">=medium", &["1", "3"], "Rows 1–2 of 2 that match"),
        (
            "size",
            ">huge",
            &[],
            ">huge in size is not a filter: try >=medium",
        ),
        ("name", ">", &["1"], "Rows 1–1 of 1 that match"),
    ] {
        page.button("Filters");
        page.type_into(&format!("Filter {name}"), filter);
        assert_eq!(page.row_numbers(), rows, "{name}: {filter}");
        assert!(page.status().contains(told), "{}", page.status());
        page.button("Filters");
    }
    page.button("size");
    assert_eq!(page.column(2), ["small", "small", "medium", "large"]);
}
