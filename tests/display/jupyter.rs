//! Outputs in a real JupyterLab, trusted and untrusted, and on a page from nbconvert.

use std::path::Path;
use std::process::Command;

use evenhand::prelude::*;
use serde_json::json;

use crate::support::{Browser, JupyterLab, Theme, home};

/// A notebook with one executed cell, which shows two tables.
fn write_notebook(folder: &Path) -> std::path::PathBuf {
    let pay: Vec<Option<i64>> = (0..150)
        .map(|n| (n != 3).then_some((n * 7_919) % 10_007))
        .collect();
    let names: Vec<String> = (0..150).map(|n| format!("<b>person {n}</b>")).collect();
    let frame = df!["who" => names, "pay" => pay].unwrap();
    let both = [
        table(&frame).titled("Whole"),
        table(&frame).titled("Head").page_size(5),
    ];
    let shown = side_by_side(both).mime_bundle();
    let notebook = json!({
        "cells": [{
            "cell_type": "code", "execution_count": 1, "metadata": {}, "source": "tables",
            "outputs": [{
                "output_type": "execute_result", "execution_count": 1, "metadata": {},
                "data": {"text/html": shown.html, "text/plain": shown.text},
            }],
        }],
        "metadata": {"kernelspec": {"display_name": "Rust", "language": "rust", "name": "rust"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    });
    let path = folder.join("tables.ipynb");
    std::fs::write(&path, notebook.to_string()).unwrap();
    path
}

/// The cells of a table's first rows.
fn head(browser: &Browser, table: usize) -> serde_json::Value {
    let script = "const table = document.querySelectorAll('.evenhand-scroll')[arguments[0]];
        return [...table.querySelectorAll('tbody tr')].slice(0, 3).map(row =>
            [...row.querySelectorAll('td')].map(cell => cell.innerText.trim()))";
    browser.run(script, vec![table.into()])
}

/// JupyterLab would align all cells to the right.
fn alignment(browser: &Browser) -> serde_json::Value {
    let script = "return [...document.querySelectorAll('.evenhand-scroll tbody tr:first-child td')]
        .slice(0, 2).map(cell => getComputedStyle(cell).textAlign)";
    browser.run(script, Vec::new())
}

fn rows(browser: &Browser) -> usize {
    browser.rendered(".evenhand-scroll tbody tr")
}

#[test]
fn a_table_is_whole_in_a_notebook_that_nobody_trusts_and_works_in_one_that_somebody_does() {
    let Some(browser) = Browser::start(1280, 1400) else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let notebook = write_notebook(root.path());
    let jupyter = JupyterLab::start(root.path());
    let first = json!([
        ["<b>person 0</b>", "0"],
        ["<b>person 1</b>", "7,919"],
        ["<b>person 2</b>", "5,831"]
    ]);

    jupyter.theme(Theme::Light);
    browser.goto(&jupyter.url("tables.ipynb"));
    browser.wait_for(".evenhand-scroll", 2);
    assert_eq!(
        (rows(&browser), browser.rendered(".evenhand-part")),
        (55, 0)
    );
    assert_eq!(
        (head(&browser, 0), head(&browser, 1)),
        (first.clone(), first)
    );
    assert_eq!(alignment(&browser), json!(["left", "right"]));
    let captions = browser.texts(".jp-OutputArea-output .evenhand p");
    assert!(
        captions[0].starts_with("50 of 150 rows × 2 columns"),
        "{captions:?}"
    );
    browser.screenshot("display-untrusted.png");

    jupyter.trust(&notebook);
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        jupyter.theme(theme);
        browser.goto(&jupyter.url("tables.ipynb"));
        browser.wait_for(".evenhand-part", 4);
        assert_eq!(alignment(&browser), json!(["left", "right"]));
        browser.click("(//button[.='pay'])[1]");
        browser.click("(//button[.='pay'])[1]");
        assert_eq!(head(&browser, 0)[0], json!(["<b>person 139</b>", "9,978"]));
        assert_eq!(head(&browser, 1)[0], json!(["<b>person 0</b>", "0"]));
        browser.click("(//button[.='Next'])[2]");
        assert_eq!(head(&browser, 1)[0][0], "<b>person 5</b>");
        browser.screenshot(&format!("display-jupyter-{name}.png"));
    }
}

#[test]
fn a_page_of_nbconvert_works_without_a_network() {
    let Some(browser) = Browser::start(1280, 1400) else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let notebook = write_notebook(root.path());
    let python = home().join("venv/bin/python");
    let output = Command::new(python)
        .args(["-m", "nbconvert", "--to", "html"])
        .arg(&notebook)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let page = notebook.with_extension("html");
    browser.goto(&format!("file://{}", page.display()));
    browser.wait_for(".evenhand-part", 4);
    browser.type_text(
        "(//input[@aria-label='Search all columns'])[2]",
        "person 149",
    );
    assert_eq!(head(&browser, 1), json!([["<b>person 149</b>", "9,112"]]));
    assert_eq!(rows(&browser), 51);
    browser.screenshot("display-nbconvert.png");
}
