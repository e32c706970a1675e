//! How long it takes to show a data frame, and how large the output is, compared with polars in
//! Python and itables on the same data; and how fast the tables are in a browser.
//!
//! `cargo bench -p evenhand --bench display`; with `-- browser`, only the last part.

// An attribute of a crate: each benchmark is one, and needs its own head.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark is a program for a terminal"
)]

mod browser;
mod frame;
mod memory;
#[path = "../peer/python.rs"]
mod python;
#[path = "../batch/table.rs"]
mod table;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use evenhand::display::{Show, display};
use serde::{Deserialize, Serialize};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ROWS: usize = 10_000_000;

/// One way to show the frame.
#[derive(Deserialize, Serialize)]
struct Measured {
    name: String,
    /// The first time and the best of five, in milliseconds.
    first: f64,
    best: f64,
    bytes: usize,
    /// Peak memory while the frame was shown for the first time, beyond the frame itself, in MB.
    memory: f64,
}

fn main() -> Result<()> {
    let is_asked = |part: &str| std::env::args().any(|argument| argument == part);
    if is_asked("--show") {
        return show();
    }
    println!("{}", memory::machine());
    if is_asked("browser") {
        return browser::measure();
    }
    let mut all = vec![ours()?];
    all.extend(peers().unwrap_or_else(|error| {
        eprintln!("the peers could not be measured: {error}");
        Vec::new()
    }));
    let least = all[0].best;
    let rows = all.iter().map(|way| {
        [
            way.name.clone(),
            format!("{:.1} ms", way.first),
            format!("{:.1} ms", way.best),
            format!("{:.2}", way.best / least),
            format!("{:.2} MB", way.bytes as f64 / 1e6),
            format!("{:.1} MB", way.memory),
        ]
    });
    table::print(
        "10,000,000 rows × 20 columns:",
        [
            "shown by",
            "first",
            "best of 5",
            "relative to evenhand",
            "output",
            "memory beyond the frame",
        ],
        &rows.collect::<Vec<_>>(),
    );
    browser::measure()
}

/// Measures evenhand in a separate process, as in a kernel, so that only its own memory counts.
fn ours() -> Result<Measured> {
    let output = Command::new(std::env::current_exe()?)
        .arg("--show")
        .env("EVCXR_IS_RUNTIME", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    let said = String::from_utf8(output.stderr)?;
    Ok(serde_json::from_str(
        said.lines().last().unwrap_or_default(),
    )?)
}

fn show() -> Result<()> {
    let frame = frame::large(ROWS)?;
    let before = memory::now_and_forget_the_peak()?;
    let start = Instant::now();
    display(&frame);
    let first = start.elapsed();
    let memory = memory::peak()? - before;
    let mut best = first;
    let mut bytes = 0;
    for _ in 0..5 {
        let start = Instant::now();
        let bundle = frame.mime_bundle();
        best = best.min(start.elapsed());
        bytes = bundle.html.len() + bundle.text.len();
    }
    let measured = Measured {
        name: "evenhand, `display`".to_owned(),
        first: first.as_secs_f64() * 1e3,
        best: best.as_secs_f64() * 1e3,
        bytes,
        memory,
    };
    eprintln!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

/// Measures polars and itables in Python, which are installed from PyPI at the first run.
fn peers() -> Result<Vec<Measured>> {
    let python = python::with("display", Path::new(env!("CARGO_TARGET_TMPDIR")))
        .ok_or("no Python environment has them")?;
    let output = Command::new(python)
        .arg(python::scripts().join("display.py"))
        .arg(ROWS.to_string())
        .stderr(Stdio::inherit())
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    said.lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}
