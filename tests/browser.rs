//! What a reader sees: executed notebooks in JupyterLab in a real browser.

use std::path::Path;

use serde::Deserialize;

use crate::kernel;
use crate::support::{Browser, JupyterLab, Theme};

/// A table in an output: the rendered text of its columns' headers and of its cells.
#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// All tables on the page, in order.
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
fn both_tables_of_the_lab_show_in_jupyterlab() {
    // The cell of the executed notebook that displays two frames, with its outputs.
    let notebook = kernel::first_lesson().excerpt("lab", "display(&neutral_df)");
    let tables = tables_show_in_jupyterlab(notebook.path(), 2);
    for (table, column) in tables.iter().zip(["neutral_answer", "loaded_answer"]) {
        assert_eq!(table.columns, [column]);
        assert_eq!(table.rows.len(), 5);
        assert!(table.rows.iter().all(|row| row[0].len() > 20), "{table:?}");
    }
}

#[test]
fn a_chart_shows_in_an_untrusted_notebook() {
    const CHART: &str = ".jp-OutputArea-output .evenhand img";
    // The image, with the parts over it that tell its values.
    const FIGURE: &str = ".jp-OutputArea-output .evenhand > div";
    let notebook = kernel::charts().excerpt("chart", "let both = ");
    let Some(browser) = Browser::start(1000, 800) else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    std::fs::copy(notebook.path(), root.path().join("chart.ipynb")).unwrap();
    let jupyter = JupyterLab::start(root.path());
    for theme in [Theme::Light, Theme::Dark] {
        jupyter.theme(theme);
        browser.goto(&jupyter.url("chart.ipynb"));
        browser.wait_for(CHART, 1);
        let drawn = "const image = document.querySelector(arguments[0]);
            return image.complete && image.naturalWidth === 760 && image.alt";
        browser.wait_until("a drawn image", || {
            let said = browser.run(drawn, vec![CHART.into()]);
            said.as_str()
                .is_some_and(|said| said.contains("nurse, women: 0.896"))
        });
        browser.screenshot(&format!("chart-{theme:?}.png"));
        assert_eq!(browser.uncovered(FIGURE), 1, "something covers the chart");
    }
}

#[test]
fn hostile_text_is_read_and_never_obeyed() {
    let notebook = kernel::hostile().excerpt("hostile", "display(&df)");
    let tables = tables_show_in_jupyterlab(notebook.path(), 2);
    for table in tables {
        let mut read: Vec<_> = table.rows.iter().map(|row| row[0].as_str()).collect();
        read.sort_unstable();
        let mut said = kernel::HOSTILE;
        said.sort_unstable();
        assert_eq!(read, said);
    }
}

/// Opens an executed notebook as its recipient would (untrusted), in both themes, and then as
/// somebody who trusts it. Each time there must be `expected` readable tables, always the same
/// ones, with nothing covering them. Returns them.
fn tables_show_in_jupyterlab(notebook: &Path, expected: usize) -> Vec<Table> {
    let Some(browser) = Browser::start(1280, 2400) else {
        return Vec::new();
    };
    // A copy: JupyterLab saves what it opens.
    let root = tempfile::tempdir().unwrap();
    let name = notebook.file_name().unwrap().to_str().unwrap();
    let stem = notebook.file_stem().unwrap().to_str().unwrap();
    let copy = root.path().join(name);
    std::fs::copy(notebook, &copy).unwrap();
    let jupyter = JupyterLab::start(root.path());

    let check = |theme: Theme, picture: &str| {
        jupyter.theme(theme);
        browser.goto(&jupyter.url(name));
        browser.wait_for(TABLE, expected);
        let light = (theme == Theme::Light).to_string();
        browser.wait_until(&format!("{theme:?} theme"), || {
            browser.run("return document.body.dataset.jpThemeLight", Vec::new()) == light
        });
        // Dialogs and popups appear together with the kernel, so check after that.
        browser.wait_for_text("#jp-main-statusbar", "Rust | Idle");

        let tables = Table::all(&browser);
        assert_ne!(browser.run("return document.title", Vec::new()), "owned");
        // The whole output, and what is above it if there is room.
        let script = "document.querySelector(arguments[0])
            .closest('.jp-OutputArea-output').scrollIntoView({block: 'nearest'})";
        browser.run(script, vec![ROOT.into()]);
        browser.screenshot(&format!("{stem}-{picture}.png"));
        assert_eq!(
            browser.uncovered(TABLE),
            expected,
            "something covers a table"
        );
        assert_eq!(
            browser.rendered(".jp-Dialog"),
            0,
            "{:?}",
            browser.texts(".jp-Dialog")
        );
        tables
    };
    let light = check(Theme::Light, "light");
    let dark = check(Theme::Dark, "dark");
    jupyter.trust(&copy);
    let trusted = check(Theme::Dark, "trusted");
    assert_eq!((&light, &light), (&dark, &trusted));
    light
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
