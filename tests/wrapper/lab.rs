//! What a reader sees in JupyterLab: a moving progress bar, tables where they were made, and a
//! stop button that keeps the variables.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::server::{Reply, Server};
use crate::support::{Browser, JupyterLab, Notebook};

const BAR: &str = ".jp-OutputArea-output progress";

#[test]
fn a_bar_moves_tables_stand_in_place_and_a_stop_keeps_the_variables() {
    let Some(browser) = Browser::start(1280, 1800) else {
        return;
    };
    let server =
        Server::new((0..400).map(|_| Reply::text("An answer.").late(Duration::from_millis(300))));
    let notebook = Notebook::of(
        "live",
        [
            "let x = 41;\nlet client = Client::from_env()?;",
            "display(&df![\"first\" => [1]]?);\nprintln!(\"between\");\ndisplay(&df![\"second\" => [2]]?);",
            "let answers = client.batch((0..400).map(|n| n.to_string())).concurrency(2).run()?;",
            "x + 1",
        ],
    );
    let root = notebook.path().parent().unwrap();
    let jupyter = JupyterLab::with_the_kernel(
        root,
        &json!({
            "AZURE_OPENAI_ENDPOINT": server.url(),
            "AZURE_OPENAI_API_KEY": "key",
            "AZURE_OPENAI_DEPLOYMENT": "any",
            "EVENHAND_JOURNAL": "off",
        }),
    );
    browser.goto(&jupyter.url("live.ipynb"));
    browser.wait_for_text("#jp-main-statusbar", "Rust | Idle");
    run_all(&browser);

    browser.wait_for(BAR, 1);
    let value = || {
        let script = "return document.querySelector(arguments[0]).value";
        browser.run(script, vec![BAR.into()]).as_f64().unwrap()
    };
    let before = value();
    browser.wait_until("bar that moves", || value() > before + 3.0);
    browser.screenshot("live-bar.png");
    assert_eq!(browser.rendered(BAR), 1, "each move is a bar of its own");

    let order = "return [...document.querySelectorAll('.jp-CodeCell')][2].querySelector('.jp-OutputArea').innerText";
    let shown = browser.run(order, Vec::new());
    let shown = shown.as_str().unwrap();
    let place = |text: &str| {
        shown
            .find(text)
            .unwrap_or_else(|| panic!("no {text} in {shown}"))
    };
    assert!(
        place("first") < place("between") && place("between") < place("second"),
        "{shown}"
    );

    command(&browser, "notebook:interrupt-kernel");
    browser.wait_for_text("#jp-main-statusbar", "Rust | Idle");
    let code = "return [...document.querySelectorAll('.jp-CodeCell')].map(cell => cell.querySelector('.jp-OutputArea')?.innerText ?? '')";
    let outputs = browser.run(code, Vec::new());
    assert!(
        outputs[3].as_str().unwrap().contains("of 400 answered"),
        "{outputs}"
    );
    assert_eq!(
        outputs[4], "",
        "what waited behind the stopped cell was run"
    );

    // Run only the last cell: the variable still exists.
    let last = "[...document.querySelectorAll('.jp-CodeCell .cm-content')].at(-1).focus()";
    browser.run(last, Vec::new());
    command(&browser, "notebook:run-cell");
    browser.wait_until("the variable's value", || {
        browser.run(code, Vec::new())[4]
            .as_str()
            .is_some_and(|text| text.contains("42"))
    });
    browser.screenshot("live-stopped.png");
}

fn run_all(browser: &Browser) {
    // The first cell waits until the library is loaded, which takes longer than the usual time
    // limit for a page.
    command(browser, "notebook:run-all-cells");
    for _ in 0..3 {
        let outputs = || browser.rendered(BAR) > 0;
        if crate::support::poll(Duration::from_secs(50), || outputs().then_some(())).is_some() {
            return;
        }
    }
}

/// Runs a command of JupyterLab's, as its menu does.
fn command(browser: &Browser, name: &str) -> Value {
    let script = "return window.jupyterapp.commands.execute(arguments[0]).then(() => 1, e => String(e)) && 1";
    browser.run(script, vec![name.into()])
}
