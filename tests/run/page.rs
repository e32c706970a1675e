//! The page of a stranger's notebook in a real browser: it shows everything, and runs our script alone.

use serde_json::{Value, json};

use super::lesson::{Lesson, cell};
use crate::support::server::Server;
use crate::support::{Browser, checkout};

/// Everything by which a text of HTML may run a script, lead away, or report that it is read.
fn hostile(server: &str) -> String {
    format!(
        r#"<script>document.title = "ran"</script>
<script src="data:text/javascript,document.title='ran'"></script>
<script type="module">document.title = "ran"</script>
<img src="x" onerror="document.title='ran'"> <img src="{server}/pixel">
<svg onload="document.title='ran'"><script>document.title='ran'</script></svg>
<a id="link" href="javascript:document.title='ran'">link</a>
<button id="button" onclick="document.title='ran'">button</button>
<details open ontoggle="document.title='ran'"><summary>details</summary></details>
<iframe srcdoc="<script>parent.document.title='ran'</script>"></iframe>
<object data="data:text/html,<script>parent.document.title='ran'</script>"></object>
<embed src="{server}/embedded"> <video src="{server}/video"></video>
<link rel="stylesheet" href="{server}/style"> <style>body {{ background: url({server}/background) }}</style>
<base href="{server}/"> <form action="{server}/form"><input type="submit" id="submit"></form>
<META http-equiv="refresh" content="0; url={server}/away">
"#
    )
}

fn markdown(source: &str) -> Value {
    json!({"cell_type": "markdown", "metadata": {}, "source": source})
}

#[test]
fn a_page_runs_no_script_but_that_of_our_tables() {
    let Some(browser) = Browser::start(1200, 1600) else {
        return;
    };
    let server = Server::new([]);
    let hostile = hostile(&server.url());
    let output = format!("EVCXR_BEGIN_CONTENT text/html\n{hostile}\nEVCXR_END_CONTENT");
    // As a literal of a format, which alone may show content.
    let output = output.replace('{', "{{").replace('}', "}}");
    let library = checkout().join("crate/notebook");
    let lesson = Lesson::new(&[
        markdown(&format!(
            "# A title\n\n{hostile}\n\n![a picture](figures/one.svg)"
        )),
        cell(&format!("println!({output:?});")),
        cell(&format!(
            ":dep evenhand = {{ path = {library:?} }}\nuse evenhand::prelude::*;\n\
             display(&df![\"number\" => [3, 1, 2]]?);"
        )),
    ]);
    std::fs::create_dir(lesson.path("figures")).unwrap();
    let picture = r#"<svg xmlns="http://www.w3.org/2000/svg" width="70" height="30"/>"#;
    std::fs::write(lesson.path("figures/one.svg"), picture).unwrap();
    assert_eq!(lesson.run(&["--html", "--out", "out"]).code, Some(0));

    browser.goto(&format!(
        "file://{}",
        lesson.path("out/lesson.html").display()
    ));
    let said = |script: &str| browser.run(script, Vec::new());
    let numbers = || browser.texts(".evenhand-scroll tbody tr > td:nth-of-type(1)");
    assert_eq!(numbers(), ["3", "1", "2"]);
    said("document.querySelectorAll('.evenhand-tools').forEach(it => { it.open = true; })");
    browser.click("//button[.='number']");
    assert_eq!(numbers(), ["1", "2", "3"], "our table sorts");
    let width = "return document.querySelector('img[alt=\"a picture\"]').naturalWidth";
    assert_eq!(said(width), 70, "the picture is in the page");

    for id in ["link", "button", "submit"] {
        said(&format!(
            "document.querySelectorAll('#{id}').forEach(it => it.click())"
        ));
    }
    let here = said("return location.href");
    assert_eq!(said("return document.title"), "lesson");
    assert!(
        here.as_str().unwrap().ends_with("/out/lesson.html"),
        "{here}"
    );
    let buttons = "return [...document.querySelectorAll('#button')].map(it => it.textContent)";
    assert_eq!(
        said(buttons),
        json!(["button", "button"]),
        "both texts are there"
    );
    let asked: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.target.clone())
        .collect();
    assert!(asked.is_empty(), "{asked:?}");
}
