//! Accessibility: keyboards, screen readers, phones, dark themes.

use std::path::PathBuf;

use evenhand::prelude::*;
use fantoccini::key::Key;
use serde_json::{Value, json};

use super::{Page, write};
use crate::support::{Browser, skip};

fn frame() -> DataFrame {
    let long: Vec<String> = (0..150)
        .map(|n| format!("person {n} {}", "word ".repeat(n)))
        .collect();
    df![
        "a_rather_long_name_of_a_column" => long,
        "person_id" => (0..150_i64).collect::<Vec<_>>(),
        "share" => (0..150).map(|n| f64::from(n) / 7.0).collect::<Vec<_>>(),
        "note" => vec![Some("seen"); 75].into_iter().chain(vec![None; 75]).collect::<Vec<_>>(),
    ]
    .unwrap()
}

pub(super) const LIGHT: &str = "";
pub(super) const DARK: &str = ":root{color-scheme:dark}";

/// The accessibility checker of Deque Systems, as installed from npm.
pub(super) fn axe() -> Option<String> {
    let path = std::env::var_os("EVENHAND_AXE").map(PathBuf::from);
    let Some(path) = path else {
        skip("EVENHAND_AXE names no axe.min.js (npm install axe-core)");
        return None;
    };
    Some(std::fs::read_to_string(path).unwrap())
}

/// The checker's findings: the rule's name and the element.
pub(super) fn findings(browser: &Browser, axe: &str) -> Value {
    let script = format!(
        "{axe};
        return axe.run(document, {{resultTypes: ['violations']}}).then(({{violations}}) =>
            violations.map(({{id, nodes}}) => [id, nodes.map(node => node.html).slice(0, 3)]))"
    );
    browser.run(&script, Vec::new())
}

#[test]
fn the_accessibility_checker_finds_nothing() {
    let (Some(axe), Some(browser)) = (axe(), Browser::start(1280, 1400)) else {
        return;
    };
    let shown = table(frame()).titled("People and their shares");
    for (name, style) in [("light", LIGHT), ("dark", DARK)] {
        let bare = shown.clone().static_only().mime_bundle().html;
        browser.goto(&write(&format!("axe-{name}-static"), style, &bare));
        assert_eq!(
            findings(&browser, &axe),
            json!([]),
            "the static table, {name}"
        );

        browser.goto(&write(
            &format!("axe-{name}"),
            style,
            &shown.mime_bundle().html,
        ));
        assert_eq!(findings(&browser, &axe), json!([]), "the table, {name}");
        for part in [
            "//button[.='Filters']",
            "//summary[.='Columns']",
            "//summary[.='Profile']",
            "//button[.='share']",
        ] {
            browser.click(part);
        }
        browser.wait_for(".evenhand-profile", 1);
        assert_eq!(findings(&browser, &axe), json!([]), "all opened, {name}");
        browser.screenshot(&format!("display-{name}.png"));
    }
}

#[test]
fn a_keyboard_reaches_everything_in_the_order_of_the_page() {
    let Some(page) = Page::open("keyboard", &frame()) else {
        return;
    };
    let focus = || {
        let script = "const e = document.activeElement;
            return e.ariaLabel ?? e.innerText.trim()";
        page.run(script).as_str().unwrap().to_owned()
    };
    let tab = || page.browser.press(&Key::Tab.to_string());
    page.browser
        .click("//input[@aria-label='Search all columns']");
    let mut order = Vec::new();
    for _ in 0..12 {
        order.push(focus());
        tab();
    }
    assert_eq!(
        order,
        [
            "Search all columns",
            "Filters",
            "Columns",
            "Profile",
            "Copy CSV",
            "Copy Markdown",
            "Download CSV",
            "Table",
            "a_rather_long_name_of_a_column",
            "person_id",
            "share",
            "note",
        ]
    );
    // Sorting by keyboard keeps the place.
    page.run("document.querySelectorAll('thead button')[2].focus()");
    page.browser.press(&Key::Enter.to_string());
    page.browser.press(" ");
    assert_eq!(focus(), "share");
    assert_eq!(page.sorted(2), "descending");
    // So does turning to the last page, where there is no next page.
    page.run("document.querySelector('[aria-label=Pages] button:last-child').focus()");
    page.browser.press(&Key::Enter.to_string());
    assert_eq!(focus(), "Last");
    assert!(page.status().starts_with("Rows 101–150 of 150"));
}

#[test]
fn on_a_phone_and_enlarged_only_the_table_scrolls() {
    let Some(browser) = Browser::start(1280, 1000) else {
        return;
    };
    let shown = table(frame())
        .titled("People and their shares")
        .mime_bundle()
        .html;
    for (name, style) in [("phone", "main{width:320px}"), ("enlarged", "body{zoom:2}")] {
        browser.goto(&write(name, style, &shown));
        for part in [
            "//button[.='Filters']",
            "//summary[.='Columns']",
            "//summary[.='Profile']",
        ] {
            browser.click(part);
        }
        browser.wait_for(".evenhand-profile", 1);
        let wide = "const page = document.documentElement, main = document.querySelector('main');
            return [page.scrollWidth - page.clientWidth, main.scrollWidth - main.clientWidth]";
        assert_eq!(browser.run(wide, Vec::new()), json!([0, 0]), "{name}");
        browser.screenshot(&format!("display-{name}.png"));
    }
}

#[test]
fn the_style_of_a_table_changes_nothing_else() {
    let Some(browser) = Browser::start(1280, 1000) else {
        return;
    };
    let others = "<div id=others><button>b</button><input><table><tr><th>x<td>y</table><details><summary>s</summary>d</details><em>e</em></div>";
    browser.goto(&write("others", "html{overflow-y:scroll}", others));
    let changed = "
        const all = [...document.querySelectorAll('#others, #others *')];
        const looks = () => all.map(e => [...getComputedStyle(e)].map(name => `${name}: ${getComputedStyle(e)[name]}`));
        const before = looks();
        document.querySelector('main').append(document.createRange().createContextualFragment(arguments[0]));
        return looks().flatMap((look, at) => look.filter((line, n) => line !== before[at][n]))";
    let changed = browser.run(changed, vec![frame().mime_bundle().html.into()]);
    assert_eq!(browser.rendered(".evenhand-part"), 2);
    assert_eq!(changed, json!([]));
}
