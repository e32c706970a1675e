//! Tables in Chromium: the time from inserting an output, as JupyterLab does it, until it can be
//! used, and from a click on a column until the rows are sorted. Layout is included, painting is
//! not. Each way to show the frame has its own page; the pages run one after the other.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use evenhand::display::Show;
use serde::{Deserialize, Serialize};

use crate::{Result, frame, python, table};

/// A way to show the frame, with selectors for the elements of its page.
#[derive(Serialize)]
struct Way {
    name: &'static str,
    /// What a notebook inserts once, before the first table.
    before: String,
    html: String,
    /// An element that exists as soon as the table can be used.
    ready: &'static str,
    rows: &'static str,
    /// The controls that sort by a number and by a word, and the search field; `None` for a static
    /// table.
    controls: Option<[&'static str; 3]>,
    /// The page of the next way.
    next: Option<String>,
}

/// The measured times, in milliseconds.
#[derive(Deserialize)]
struct Times {
    name: String,
    first: f64,
    again: f64,
    /// Sorting by a number, sorting by a word, and the first search.
    controls: Option<[f64; 3]>,
    profile: Option<f64>,
}

const PAGE: &str = r#"
const way = JSON.parse(document.getElementById('way').textContent);
const output = document.getElementById('output');
const until = async (holds) => {
    const end = performance.now() + 60000;
    while (!holds()) {
        if (performance.now() > end) throw 'nothing happens';
        await new Promise((done) => setTimeout(done));
    }
};
const took = async (work, holds) => {
    const start = performance.now();
    work();
    await until(holds);
    output.getBoundingClientRect();
    return performance.now() - start;
};
const insert = (html) => {
    output.innerHTML = html;
    for (const script of output.querySelectorAll('script')) {
        const copy = document.createElement('script');
        for (const { name, value } of script.attributes) copy.setAttribute(name, value);
        copy.textContent = script.textContent;
        script.replaceWith(copy);
    }
};
const ready = () => output.querySelector(way.ready);
const changed = (work) => {
    const rows = () => output.querySelector(way.rows).textContent;
    const before = rows();
    return took(work, () => rows() !== before);
};
const measure = async () => {
    const first = await took(() => insert(way.before + way.html), ready);
    let again = Infinity;
    for (let turn = 0; turn < 5; turn += 1) {
        insert('');
        again = Math.min(again, await took(() => insert(way.html), ready));
    }
    const times = { name: way.name, first, again };
    if (way.controls === null) return times;
    const [number, word, search] = way.controls;
    // The first click sorts ascending, the second descending, the third restores the order.
    const sorted = async (control) => {
        let best = Infinity;
        for (let turn = 0; turn < 5; turn += 1) {
            const click = () => changed(() => output.querySelector(control).click());
            best = Math.min(best, await click());
            await click();
            await click();
        }
        return best;
    };
    const searched = () => changed(() => {
        const input = output.querySelector(search);
        input.value = 'nu';
        input.dispatchEvent(new Event('input', { bubbles: true }));
    });
    times.controls = [await sorted(number), await sorted(word), await searched()];
    const profile = [...output.querySelectorAll('.evenhand-bar details')].at(-1);
    if (profile) times.profile = await took(() => {
        profile.open = true;
        profile.dispatchEvent(new Event('toggle'));
    }, () => output.querySelector('.evenhand-profile'));
    return times;
};
measure().then((times) => {
    console.log(`TIMES ${JSON.stringify(times)} END`);
    if (way.next) location = way.next;
}, (error) => console.log(`FAILED ${error} END`));
"#;

pub(crate) fn measure() -> Result<()> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let html = frame::wide()?.mime_bundle().html;
    if !html.contains("\"rows\":10000,") {
        return Err("the output does not hold all rows".into());
    }
    let mut ways = vec![Way {
        name: "evenhand, `display`",
        before: String::new(),
        html,
        ready: "[data-column]",
        rows: ".evenhand-scroll tbody",
        controls: Some(["[data-column='7']", "[data-column='47']", "[type=search]"]),
        next: None,
    }];
    ways.extend(peers(folder).unwrap_or_else(|error| {
        eprintln!("the peers could not be measured: {error}");
        Vec::new()
    }));
    let Some(all) = in_chromium(&mut ways, folder)? else {
        return Ok(());
    };
    let relative = |time: f64, ours: f64| format!("{time:.1} ms ({:.2})", time / ours);
    let rows = ways.iter().zip(&all).map(|(way, times)| {
        let control = |place: usize| match (times.controls, all[0].controls) {
            (Some(theirs), Some(ours)) => relative(theirs[place], ours[place]),
            _ => "–".to_owned(),
        };
        [
            times.name.clone(),
            format!("{:.2} MB", (way.before.len() + way.html.len()) as f64 / 1e6),
            relative(times.first, all[0].first),
            relative(times.again, all[0].again),
            control(0),
            control(1),
            control(2),
            times
                .profile
                .map_or("–".to_owned(), |profile| format!("{profile:.1} ms")),
        ]
    });
    table::print(
        "10,000 rows × 50 columns in Chromium (in parentheses, relative to evenhand):",
        [
            "shown by",
            "output",
            "ready, first table",
            "ready, best of 5 more",
            "sorted by a number",
            "by a word",
            "first search",
            "profile",
        ],
        &rows.collect::<Vec<_>>(),
    );
    Ok(())
}

/// The same frame as shown by polars in Python and by itables, with all its rows and without
/// network access.
fn peers(folder: &Path) -> Result<Vec<Way>> {
    let python = python::with("display", folder).ok_or("no Python environment has them")?;
    let status = Command::new(python)
        .arg(python::scripts().join("display.py"))
        .arg("--pages")
        .arg(folder)
        .status()?;
    if !status.success() {
        return Err("they show nothing".into());
    }
    let read = |name: &str| fs::read_to_string(folder.join(name));
    Ok(vec![
        Way {
            name: "polars in Python, `_repr_html_`, 10 rows",
            before: String::new(),
            html: read("polars.html")?,
            ready: "tbody td",
            rows: "tbody",
            controls: None,
            next: None,
        },
        Way {
            name: "itables, `connected=False`, all rows",
            before: read("itables-before.html")?,
            html: read("itables.html")?,
            ready: ".dt-container tbody td",
            rows: ".dt-container tbody",
            controls: Some([
                ".dt-container thead th[data-dt-column='7'] .dt-column-order",
                ".dt-container thead th[data-dt-column='47'] .dt-column-order",
                ".dt-search input",
            ]),
            next: None,
        },
    ])
}

/// The times that the pages report, one after the other in one Chromium; `None` without Chromium.
fn in_chromium(ways: &mut [Way], folder: &Path) -> Result<Option<Vec<Times>>> {
    let path = |place: usize| folder.join(format!("bench-display-{place}.html"));
    let address = |place: usize| format!("file://{}", path(place).display());
    let last = ways.len() - 1;
    for (place, way) in ways.iter_mut().enumerate() {
        way.next = (place < last).then(|| address(place + 1));
        let json = serde_json::to_string(way)?.replace('<', "\\u003c");
        let page = format!(
            "<!doctype html><meta charset=\"utf-8\"><div id=\"output\"></div>\
             <script id=\"way\" type=\"application/json\">{json}</script><script>{PAGE}</script>"
        );
        fs::write(path(place), page)?;
    }
    let chromium = Command::new("chromium")
        .args([
            "--headless=new",
            "--disable-gpu",
            "--no-sandbox",
            "--enable-logging=stderr",
        ])
        .arg(address(0))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut chromium) = chromium else {
        eprintln!("chromium is not on the PATH, so nothing is measured in a browser");
        return Ok(None);
    };
    let said = listen(&mut chromium, ways.len());
    chromium.kill()?;
    chromium.wait()?;
    said.map(Some)
}

/// Reads the console's lines, which Chromium mixes with its own log.
fn listen(chromium: &mut Child, pages: usize) -> Result<Vec<Times>> {
    let lines = BufReader::new(chromium.stderr.take().ok_or("no console")?).lines();
    let mut all = Vec::new();
    for line in lines {
        let line = line?;
        if let Some((_, failure)) = line.split_once("FAILED ") {
            return Err(failure.into());
        }
        let Some((_, times)) = line.split_once("TIMES ") else {
            continue;
        };
        let (times, _) = times.split_once(" END").ok_or("half a line")?;
        all.push(serde_json::from_str(times)?);
        if all.len() == pages {
            return Ok(all);
        }
    }
    Err("Chromium ended".into())
}
