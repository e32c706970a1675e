//! What is copied from a table or downloaded from it.

use std::time::Duration;

use evenhand::prelude::*;
use fantoccini::key::Key;

use super::Page;
use crate::support::poll;

/// What a reader can paste elsewhere.
fn pasted(page: &Page) -> String {
    let script = "const area = document.createElement('textarea');
        area.id = 'paste'; document.body.append(area); area.focus();";
    page.run(script);
    page.browser.press(&(Key::Control + "v"));
    let text = page.run("const area = document.getElementById('paste'); const text = area.value; area.remove(); return text");
    text.as_str().unwrap().to_owned()
}

#[test]
fn what_is_copied_can_be_pasted() {
    let frame = df![
        "text|name" => [Some("a, \"b\"\nc"), None, Some("=1+2"), Some("*x* | y")],
        "n" => [1_234_i64, -5, 7, 8],
        "f" => [0.1 + 0.2, 1234.5, f64::NAN, 1e300],
    ]
    .unwrap();
    let Some(page) = Page::open("copy", &frame) else {
        return;
    };
    page.button("Copy CSV");
    page.browser.wait_for_text("[role=status]", "Copied 4 rows");
    assert_eq!(
        pasted(&page),
        "text|name,n,f\n\"a, \"\"b\"\"\nc\",1234,0.30000000000000004\n,-5,1234.5\n'=1+2,7,NaN\n*x* | y,8,1e+300\n"
    );
    // What matches, as it is sorted, and what is visible.
    page.type_into("Search all columns", "1,2");
    page.button("f");
    page.button("Copy Markdown");
    page.browser.wait_for_text("[role=status]", "Copied 2 rows");
    assert_eq!(
        pasted(&page),
        "| text\\|name | n | f |\n| --- | ---: | ---: |\n| a, \"b\"<br>c | 1,234 | 0.3 |\n| null | -5 | 1,234.5 |\n"
    );
}

#[test]
fn a_download_is_the_csv_and_runs_no_formula() {
    let frame =
        df!["who" => ["+cmd|' /C calc'!A0", "@SUM(1)", "-1", "\tx", ""], "n" => [-1, 2, 3, 4, 5]];
    let shown = table(frame.unwrap()).titled("Who did what?");
    let Some(page) = Page::open("download", &shown) else {
        return;
    };
    page.button("Download CSV");
    let file = page.browser.downloads().join("Who-did-what-.csv");
    let csv = poll(Duration::from_secs(20), || {
        std::fs::read_to_string(&file).ok()
    });
    assert_eq!(
        csv.as_deref(),
        Some("who,n\r\n'+cmd|' /C calc'!A0,-1\r\n'@SUM(1),2\r\n'-1,3\r\n'\tx,4\r\n\"\",5\r\n")
    );
}

/// If semicolons, tabs or line breaks separate cells in a file, one text may become several cells.
#[test]
fn a_csv_runs_no_formula_however_its_cells_are_parted() {
    let texts = [
        "ok;=SUM(1+1)",
        "ok;  \"=SUM(1)",
        "a\t@b",
        "a\n-b",
        "\u{FF1D}1;\u{FF0B}2;\u{FF0D}3;\u{FF20}4",
        "\u{A0}=1",
        "a=b; c-d @e; 'x",
    ];
    let Some(page) = Page::open("parted", &df!["=x" => texts].unwrap()) else {
        return;
    };
    page.button("Download CSV");
    let file = page.browser.downloads().join("Table.csv");
    let csv = poll(Duration::from_secs(20), || {
        std::fs::read_to_string(&file).ok()
    });
    assert_eq!(
        csv.as_deref(),
        Some(
            "'=x\r\nok;'=SUM(1+1)\r\n\"ok;'  \"\"=SUM(1)\"\r\na\t'@b\r\n\"a\n'-b\"\r\n'\u{FF1D}1;'\u{FF0B}2;'\u{FF0D}3;'\u{FF20}4\r\n'\u{A0}=1\r\na=b; c-d @e; 'x\r\n"
        )
    );
}
