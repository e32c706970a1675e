//! The table in Chromium: from the insertion of an output, as JupyterLab inserts it, until it
//! can be used, and a sort. Layout is in it, painting is not.

use std::path::Path;
use std::process::Command;

use evenhand::notebook::Show;
use serde::Deserialize;

use crate::{Result, frame, table};

#[derive(Deserialize)]
struct Times {
    rows: usize,
    inserted: f64,
    number: f64,
    word: f64,
    search: f64,
    profile: f64,
}

const PAGE: &str = r#"
const html = JSON.parse(document.getElementById('html').textContent);
const output = document.getElementById('output');
const took = (work) => {
    const start = performance.now();
    work();
    output.getBoundingClientRect();
    return performance.now() - start;
};
const best = (work) => Math.min(...[0, 1, 2, 3, 4].map(() => took(work)));
const insert = () => {
    output.innerHTML = html;
    for (const script of output.querySelectorAll('script')) {
        const copy = document.createElement('script');
        for (const { name, value } of script.attributes) copy.setAttribute(name, value);
        copy.textContent = script.textContent;
        script.replaceWith(copy);
    }
};
const inserted = best(insert);
const sort = (column) => () => output.querySelector(`[data-column="${column}"]`).click();
const search = output.querySelector('[type=search]');
const times = {
    inserted,
    number: best(sort(7)),
    word: best(sort(47)),
    search: took(() => { search.value = 'nu'; search.dispatchEvent(new Event('input')); }),
    profile: 0,
    rows: JSON.parse(output.querySelector('[type="application/json"]').textContent).rows,
};
search.value = '';
search.dispatchEvent(new Event('input'));
const details = [...output.querySelectorAll('.evenhand-bar details')].at(-1);
times.profile = took(() => { details.open = true; details.dispatchEvent(new Event('toggle')); });
document.getElementById('times').textContent = JSON.stringify(times);
"#;

pub(crate) fn measure() -> Result<()> {
    let html = frame::wide()?.bundle().html;
    let json = serde_json::to_string(&html)?.replace('<', "\\u003c");
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><div id=\"output\"></div><pre id=\"times\"></pre>\
         <script id=\"html\" type=\"application/json\">{json}</script><script>{PAGE}</script>"
    );
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-display.html");
    std::fs::write(&path, page)?;
    let output = Command::new("chromium")
        .args([
            "--headless=new",
            "--disable-gpu",
            "--no-sandbox",
            "--dump-dom",
        ])
        .arg(format!("file://{}", path.display()))
        .output();
    let Ok(output) = output else {
        eprintln!("there is no chromium on the PATH, so nothing is measured in a browser");
        return Ok(());
    };
    let dom = String::from_utf8(output.stdout)?;
    let (_, rest) = dom.split_once("<pre id=\"times\">").ok_or("no times")?;
    let (times, _) = rest.split_once("</pre>").ok_or("no times")?;
    let times: Times = serde_json::from_str(times)?;
    let cells = [
        ("inserted and ready", times.inserted),
        ("sorted by a number", times.number),
        ("sorted by a word", times.word),
        ("first search", times.search),
        ("profile", times.profile),
    ];
    table::print(
        &format!(
            "10,000 rows × 50 columns in Chromium, {} rows held, {:.2} MB:",
            times.rows,
            html.len() as f64 / 1e6
        ),
        ["", "time"],
        &cells.map(|(what, time)| [what.to_owned(), format!("{time:.0} ms")]),
    );
    Ok(())
}
