//! The features of a table, each used as a reader would.

use evenhand::polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit,
};
use evenhand::prelude::*;
use serde_json::{Value, json};

use super::{Page, write};
use crate::support::Browser;

fn jobs() -> DataFrame {
    df![
        "job" => ["nurse", "Chef", "engineer", "baker", "pilot"],
        "pay" => [Some(1_200_i64), None, Some(-5), Some(30_000), Some(7)],
        "share" => [0.5, f64::NAN, 1e-9, f64::INFINITY, -2.25],
    ]
    .unwrap()
}

/// 250 rows of two columns.
fn long() -> DataFrame {
    let names: Vec<String> = (0..250).map(|n| format!("person {n}")).collect();
    df!["name" => names, "age" => (0..250_i64).map(|n| n % 50).collect::<Vec<_>>()].unwrap()
}

pub(super) fn column<T>(name: &str, values: Vec<Option<T>>, dtype: &DataType) -> Column
where
    Series: NamedFrom<Vec<Option<T>>, [Option<T>]>,
{
    let series = Series::new(name.into(), values);
    series.cast(dtype).unwrap().into_column()
}

#[test]
fn a_column_sorts_by_what_it_is_with_nulls_last() {
    let Some(page) = Page::open("sort", &jobs()) else {
        return;
    };
    page.button("pay");
    assert_eq!(page.column(1), ["-5", "7", "1,200", "30,000", "null"]);
    assert_eq!(page.row_numbers(), ["3", "5", "1", "4", "2"]);
    assert_eq!(page.sorted(1), "ascending");
    assert!(page.status().ends_with("sorted by pay, ascending"));
    page.button("pay");
    assert_eq!(page.column(1), ["30,000", "1,200", "7", "-5", "null"]);
    assert_eq!(page.sorted(1), "descending");
    page.button("share");
    assert_eq!(page.column(2), ["-2.25", "1e-9", "0.5", "inf", "NaN"]);
    assert_eq!(
        (page.sorted(1), page.sorted(2)),
        (Value::Null, json!("ascending"))
    );
    page.button("job");
    assert_eq!(
        page.column(0),
        ["baker", "Chef", "engineer", "nurse", "pilot"]
    );
    page.button("job");
    page.button("job");
    assert_eq!(page.row_numbers(), ["1", "2", "3", "4", "5"]);
    assert_eq!(page.sorted(0), Value::Null);
}

#[test]
fn what_a_text_would_sort_otherwise_is_sorted_as_a_number_or_a_time() {
    let big = [Some(i64::MAX), Some(i64::MAX - 1), Some(9), None];
    let seconds = [
        Some(1_719_000_000_000_i64),
        Some(0),
        Some(86_400_000 * 9),
        None,
    ];
    let frame = DataFrame::new_infer_height(vec![
        column("big", big.to_vec(), &DataType::Int64),
        column(
            "price",
            vec![Some(10.5), Some(9.25), Some(100.0), None],
            &DataType::Decimal(9, 2),
        ),
        column(
            "when",
            seconds.to_vec(),
            &DataType::Datetime(TimeUnit::Milliseconds, None),
        ),
        column(
            "took",
            seconds.to_vec(),
            &DataType::Duration(TimeUnit::Milliseconds),
        ),
    ])
    .unwrap();
    let Some(page) = Page::open("types", &frame) else {
        return;
    };
    page.button("big");
    assert_eq!(
        page.column(0),
        [
            "9",
            "9,223,372,036,854,775,806",
            "9,223,372,036,854,775,807",
            "null"
        ]
    );
    page.button("price");
    assert_eq!(page.column(1), ["9.25", "10.50", "100.00", "null"]);
    page.button("when");
    page.button("when");
    assert_eq!(page.column(2)[0], "2024-06-21 20:00:00");
    page.button("took");
    assert_eq!(page.column(3), ["0ms", "9d", "19895d 20h", "null"]);
}

#[test]
fn equal_rows_stay_in_their_order() {
    let frame = df!["key" => [2, 1, 2, 1, 2], "n" => [0, 1, 2, 3, 4]].unwrap();
    let Some(page) = Page::open("stable", &frame) else {
        return;
    };
    page.button("key");
    assert_eq!(page.column(1), ["1", "3", "0", "2", "4"]);
    page.button("key");
    assert_eq!(page.column(1), ["0", "2", "4", "1", "3"]);
}

#[test]
fn a_search_looks_into_all_columns_and_pages_turn() {
    let Some(page) = Page::open("pages", &long()) else {
        return;
    };
    assert_eq!(page.status(), "Rows 1–50 of 250 rows");
    assert_eq!(page.column(0).len(), 50);
    page.button("Next");
    assert_eq!(page.column(0)[0], "person 50");
    page.button("Last");
    assert_eq!(page.status(), "Rows 201–250 of 250 rows");
    page.button("Next");
    assert_eq!(page.status(), "Rows 201–250 of 250 rows");
    page.button("Previous");
    page.button("First");
    assert_eq!(page.column(0)[0], "person 0");

    page.type_into("Search all columns", "PERSON 24");
    assert_eq!(page.status(), "Rows 1–11 of 11 that match, of 250 rows");
    assert_eq!(page.column(0)[10], "person 249");
    assert_eq!(page.browser.rendered("[aria-label=Pages]"), 0);
    page.type_into("Search all columns", "x");
    assert_eq!(page.status(), "No row of 0 that match, of 250 rows");
    assert_eq!(page.column(0), Vec::<String>::new());
}

#[test]
fn each_column_has_a_filter() {
    let Some(page) = Page::open("filters", &long()) else {
        return;
    };
    assert_eq!(page.browser.rendered("thead input"), 0);
    page.button("Filters");
    page.type_into("Filter age", ">= 48");
    assert_eq!(page.column(1), ["48", "49"].repeat(5));
    page.type_into("Filter name", "9");
    assert_eq!(
        page.column(0),
        [
            "person 49",
            "person 98",
            "person 99",
            "person 149",
            "person 198",
            "person 199",
            "person 249"
        ]
    );
    page.button("age");
    assert_eq!(page.column(1)[..3], ["48", "48", "49"]);
    assert_eq!(
        page.browser.rendered("thead input"),
        2,
        "a sort keeps the filters"
    );
    page.button("Filters");
    assert_eq!(
        page.status(),
        "Rows 1–50 of 250 rows, sorted by age, ascending"
    );
}

#[test]
fn a_small_frame_is_quiet_and_a_long_one_scrolls_in_one_way() {
    let Some(page) = Page::open("small", &df!["n" => [1, 2, 3]].unwrap()) else {
        return;
    };
    page.run("document.querySelector('.evenhand-tools').open = false");
    assert_eq!(page.browser.rendered("button"), 1, "the column's name");
    assert_eq!(page.browser.rendered("input"), 0);
    assert_eq!(page.browser.rendered(".evenhand-caption"), 0);
    assert_eq!(
        page.browser.texts(".evenhand-part > span:first-child"),
        ["3 rows × 1 column · 12 B"]
    );
    page.browser
        .goto(&write("one-scroll", "", &long().mime_bundle().html));
    let inner = "const box = document.querySelector('.evenhand-scroll');
        return box.scrollHeight - box.clientHeight";
    assert_eq!(page.run(inner), 0);
    page.button("Copy CSV");
    let copied = "return [...document.querySelectorAll('button')].filter(it => it.textContent === 'Copied').length";
    page.browser
        .wait_until("the word", || page.run(copied) == 1);
    page.browser
        .click("//input[@aria-label='Search all columns']");
    assert_eq!(page.run(copied), 0);
}

#[test]
fn columns_hide_and_come_back() {
    let Some(page) = Page::open("columns", &jobs()) else {
        return;
    };
    let names = || page.browser.texts("thead th");
    assert_eq!(names(), ["job", "pay", "share"]);
    page.fold("Columns");
    let choice = "//label[contains(., 'pay')]/input";
    page.browser.click(choice);
    assert_eq!(names(), ["job", "share"]);
    assert_eq!(page.column(1)[0], "0.5");
    page.browser.click(choice);
    assert_eq!(names(), ["job", "pay", "share"]);
}

#[test]
fn a_profile_tells_what_is_in_each_column() {
    let Some(page) = Page::open("profile", &jobs()) else {
        return;
    };
    page.fold("Profile");
    page.browser.wait_for(".evenhand-profile", 1);
    let rows = page.browser.texts(".evenhand-profile tbody tr");
    assert_eq!(
        page.browser.texts(".evenhand-profile caption"),
        ["Of the 5 rows held here"]
    );
    let cells = |row: usize| rows[row].split('\t').map(str::trim).collect::<Vec<_>>();
    assert_eq!(cells(0)[..5], ["job", "str", "0", "5", ""]);
    assert_eq!(cells(0)[7], "nurse (1), Chef (1), engineer (1)");
    assert_eq!(
        cells(1)[..7],
        ["pay", "i64", "1", "4", "-5", "7,800.5", "30,000"]
    );
    assert_eq!(
        cells(2)[..7],
        ["share", "f64", "0", "5", "-2.25", "-0.583333", "0.5"]
    );
    let label = "return document.querySelector('.evenhand-bars').ariaLabel";
    assert_eq!(
        page.run(label),
        "12 equal parts from -5 to 30,000 hold 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 rows"
    );
    page.browser.screenshot("display-profile.png");
}

#[test]
fn a_long_cell_folds_and_opens() {
    let list = Series::new("".into(), (0..40_i64).collect::<Vec<_>>());
    let text = "word ".repeat(400);
    let frame = df!["text" => [text.trim(), "b"], "list" => [list.clone(), list.head(Some(2))]];
    let frame = frame.unwrap();
    for (name, shown) in [
        ("folds", table(&frame)),
        ("folds-static", table(&frame).static_only()),
    ] {
        let Some(page) = Page::open(name, &shown) else {
            return;
        };
        let length = || page.column(0)[0].replace('\n', "").len();
        assert!(length() <= 200);
        page.browser.click("//tbody//td[1]//summary");
        assert_eq!(length(), 1999);
        assert!(!page.column(1)[0].contains("39]"));
        page.browser.click("//tbody//td[2]//summary");
        assert!(page.column(1)[0].ends_with("39]"));
        assert_eq!(page.column(1)[1], "[0, 1]");
    }
}

#[test]
fn two_tables_share_nothing_and_a_cell_that_runs_again_leaves_nothing() {
    let Some(browser) = Browser::start(1280, 1000) else {
        return;
    };
    let watch = "<script>
        window.listening = [];
        for (const target of [window, document]) {
            target.addEventListener = (kind) => window.listening.push(kind);
        }
        for (const name of ['setTimeout', 'setInterval', 'requestAnimationFrame'])
            window[name] = () => window.listening.push(name);
        </script>";
    let one = jobs().mime_bundle().html;
    let two = table(jobs()).titled("again").mime_bundle().html;
    browser.goto(&write(
        "two",
        "",
        &format!("{watch}<div id=a>{one}</div><div id=b>{two}</div>"),
    ));
    let page = Page { browser };
    let script =
        "const first = document.querySelector('#a'), second = document.querySelector('#b');
        first.querySelectorAll('th button')[0].click();
        const search = second.querySelector('input');
        search.value = 'nurse';
        search.dispatchEvent(new Event('input'));
        return [...document.querySelectorAll('[role=status]')].map(e => e.textContent)";
    assert_eq!(
        page.run(script),
        json!([
            "Rows 1–5 of 5 rows, sorted by job, ascending",
            "Rows 1–1 of 1 that match, of 5 rows"
        ])
    );
    // Each output is made anew, with its script, as a notebook does it.
    let again = "const names = Object.keys(window).length;
        for (let turn = 0; turn < 20; turn += 1) for (const id of ['a', 'b']) {
            const output = document.getElementById(id);
            output.replaceChildren(...arguments[0].map(html =>
                document.createRange().createContextualFragment(html)));
        }
        return [window.listening.length, Object.keys(window).length - names,
            document.querySelectorAll('.evenhand-part').length,
            document.querySelectorAll('style').length]";
    let left = page.browser.run(again, vec![json!([one])]);
    assert_eq!(left, json!([0, 0, 4, 3]));
}

#[test]
fn what_the_script_shows_is_what_was_there() {
    let numbers = [
        0.007_812_5,
        -0.007_812_5,
        1e15,
        1e-4,
        9.9e-5,
        123_456_789.123_456_78,
        0.1 + 0.2,
        -0.0,
        5e-324,
        f64::MAX,
        2.5,
        1e14,
        999_999.999_999_9,
        1e21,
        -1e15,
        0.000_150_5,
        27_590_258_556_689.727,
    ];
    let singles = numbers.map(|number| number as f32);
    let frame = df!["f" => numbers, "s" => singles, "id" => numbers].unwrap();
    let Some(page) = Page::open("floats-static", &table(&frame).static_only()) else {
        return;
    };
    let before: Vec<_> = (0..3).map(|at| page.column(at)).collect();
    page.browser
        .goto(&write("floats", "", &frame.mime_bundle().html));
    let after: Vec<_> = (0..3).map(|at| page.column(at)).collect();
    assert_eq!(page.browser.rendered(".evenhand-part"), 2);
    assert_eq!(before, after);
}
