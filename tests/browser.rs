//! What a reader sees: executed notebooks in JupyterLab in a real browser.

use std::path::Path;

use serde::Deserialize;

use crate::support::{Browser, JupyterLab, Theme};

/// A table in an output: the rendered text of its columns' headers and of its cells.
#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new<const N: usize>(columns: [&str; N], rows: &[[&str; N]]) -> Self {
        Self {
            columns: columns.map(str::to_owned).into(),
            rows: rows
                .iter()
                .map(|row| row.map(str::to_owned).into())
                .collect(),
        }
    }

    /// All that are on the page, in its order.
    fn all(browser: &Browser) -> Vec<Self> {
        let script = "
            const texts = (element, selector) =>
                [...element.querySelectorAll(selector)].map(found => found.innerText.trim());
            return [...document.querySelectorAll(arguments[0])].map(table => ({
                columns: texts(table, 'thead th[scope=col]'),
                rows: [...table.querySelectorAll('tbody tr')].map(row => texts(row, 'td')),
            }));";
        serde_json::from_value(browser.run(script, vec![TABLE.into()])).unwrap()
    }
}

const ROOT: &str = ".jp-OutputArea-output .evenhand";
const TABLE: &str = ".jp-OutputArea-output .evenhand table";

#[test]
fn both_tables_show_in_jupyterlab() {
    let notebook = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/two-tables.ipynb");
    let neutral = Table::new(
        ["neutral_input", "neutral_answer"],
        &[
            ["Describe a nurse.", "A nurse cares for people who are ill."],
            [
                "Describe an engineer.",
                "An engineer earns between $5 and $6 a minute.",
            ],
            [
                "Describe a teacher.",
                "<b>Not bold</b><script>alert(1)</script>",
            ],
        ],
    );
    let loaded = Table::new(
        ["loaded_input", "loaded_answer", "tokens"],
        &[
            [
                "Describe a male nurse.",
                "He cares for people who are ill.",
                "8",
            ],
            [
                "Describe a female engineer.",
                "She builds bridges & roads.",
                "7",
            ],
        ],
    );
    tables_show_in_jupyterlab(&notebook, &[neutral, loaded]);
}

/// Opens an executed notebook as somebody does who was sent it (untrusted), in both
/// themes, and then as somebody who trusts it. Each time all of `expected` must be
/// there to be read, with nothing over it.
fn tables_show_in_jupyterlab(notebook: &Path, expected: &[Table]) {
    let Some(browser) = Browser::start(1280, 1200) else {
        return;
    };
    // A copy: JupyterLab saves what it opens.
    let root = tempfile::tempdir().unwrap();
    let name = notebook.file_name().unwrap().to_str().unwrap();
    let stem = notebook.file_stem().unwrap().to_str().unwrap();
    let copy = root.path().join(name);
    std::fs::copy(notebook, &copy).unwrap();
    let Some(jupyter) = JupyterLab::start(root.path()) else {
        return;
    };

    let check = |theme: Theme, trusted: bool, picture: &str| {
        jupyter.theme(theme);
        browser.goto(&jupyter.url(name));
        browser.wait_for(TABLE, expected.len());
        let light = (theme == Theme::Light).to_string();
        browser.wait_until(&format!("{theme:?} theme"), || {
            browser.run("return document.body.dataset.jpThemeLight", Vec::new()) == light
        });
        // Dialogs and popups come when the kernel does, so look after that.
        browser.wait_for_text("#jp-main-statusbar", "Rust | Idle");

        assert_eq!(Table::all(&browser), expected);
        // The whole output, and what stands above it if there is room.
        let script = "document.querySelector(arguments[0])
            .closest('.jp-OutputArea-output').scrollIntoView({block: 'nearest'})";
        browser.run(script, vec![ROOT.into()]);
        browser.screenshot(&format!("{stem}-{picture}.png"));
        assert_eq!(
            browser.uncovered(TABLE),
            expected.len(),
            "something covers a table"
        );
        assert_eq!(
            browser.rendered(".jp-Dialog"),
            0,
            "{:?}",
            browser.texts(".jp-Dialog")
        );
        // JupyterLab takes data attributes away from what it does not trust.
        let kept = browser.rendered(&format!("{ROOT}[data-evenhand]"));
        assert_eq!(kept, if trusted { expected.len() } else { 0 });
    };
    check(Theme::Light, false, "light");
    check(Theme::Dark, false, "dark");
    jupyter.trust(&copy);
    check(Theme::Dark, true, "trusted");
}

#[test]
fn what_a_dialog_covers_is_not_seen() {
    let Some(browser) = Browser::start(800, 600) else {
        return;
    };
    let page =
        "<p>under</p><p>free</p><style>p{height:50px}dialog{position:absolute;top:0}</style>";
    browser.goto(&format!("data:text/html,{page}<dialog>over</dialog>"));
    assert_eq!((browser.rendered("p"), browser.uncovered("p")), (2, 2));
    browser.run("document.querySelector('dialog').show()", Vec::new());
    assert_eq!((browser.rendered("p"), browser.uncovered("p")), (2, 1));
}

#[test]
fn the_browser_leaves_no_process_and_reaches_this_machine_only() {
    let Some(browser) = Browser::start(800, 600) else {
        return;
    };
    browser.goto("data:text/html,<title>here</title><p>hidden</p><style>p{opacity:0}</style>");
    assert_eq!(browser.rendered("p"), 0);
    browser.resize(1000, 700);
    assert_eq!(browser.run("return outerWidth", Vec::new()), 1000);

    let outside =
        "return fetch('https://example.com', {mode: 'no-cors'}).then(() => 'reached', () => 'not')";
    assert_eq!(browser.run(outside, Vec::new()), "not");

    let group = browser.group();
    drop(browser);
    assert_eq!(crate::support::members(group), Vec::<u32>::new());
}
