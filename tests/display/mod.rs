//! What `display` shows, as pages in a real browser. Every part of a table is clicked or typed in.

mod access;
mod answer_view;
mod export;
mod filter;
mod hostile;
mod jupyter;
mod table;

use evenhand::display::Show;
use serde_json::Value;

use crate::support::{Browser, artifact};

/// A page with one output on it, in its own file.
struct Page {
    browser: Browser,
}

impl Page {
    /// `None` if there is no browser.
    fn open(name: &str, shown: &dyn Show) -> Option<Self> {
        let browser = Browser::start(1280, 1000)?;
        browser.goto(&write(name, "", &shown.mime_bundle().html));
        let page = Self { browser };
        page.unfold_tools();
        Some(page)
    }

    /// Opens the tools of small tables, which are folded.
    fn unfold_tools(&self) {
        self.run("document.querySelectorAll('.evenhand-tools').forEach(it => { it.open = true; })");
    }

    fn run(&self, script: &str) -> Value {
        self.browser.run(script, Vec::new())
    }

    fn button(&self, name: &str) {
        self.browser.click(&format!("//button[.='{name}']"));
    }

    /// Opens or closes one of the toolbar's folds.
    fn fold(&self, name: &str) {
        self.browser.click(&format!("//summary[.='{name}']"));
    }

    fn type_into(&self, label: &str, text: &str) {
        self.browser
            .type_text(&format!("//input[@aria-label='{label}']"), text);
    }

    /// The body's cells in one column, counted from 0. The row numbers are not cells.
    fn column(&self, at: usize) -> Vec<String> {
        self.browser.texts(&format!(
            ".evenhand-scroll tbody tr > td:nth-of-type({})",
            at + 1
        ))
    }

    fn row_numbers(&self) -> Vec<String> {
        self.browser.texts(".evenhand-scroll tbody tr > th")
    }

    fn status(&self) -> String {
        self.browser.texts("[role=status]").join("|")
    }

    fn sorted(&self, at: usize) -> Value {
        self.run(&format!(
            "return document.querySelectorAll('.evenhand-scroll thead th')[{at}].ariaSort"
        ))
    }
}

/// Writes a page with the HTML as its body, and returns its address. `style` is the page's own.
fn write(name: &str, style: &str, html: &str) -> String {
    let path = artifact(&format!("display-{name}.html"));
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title><style>{style}</style><main><h1>{name}</h1>\n{html}\n</main></html>"
    );
    std::fs::write(&path, page).unwrap();
    format!("file://{}", path.display())
}
