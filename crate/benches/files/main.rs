//! How long it takes to read a CSV file and a file of JSON lines, whole and lazily with a filter,
//! compared with polars in Python: by turns, on the same files, in a cell of a notebook, as readers have
//! it. A cell's libraries are compiled in another way than a release's.
//!
//! `cargo bench -p evenhand --no-default-features --bench files`; `-- 100` makes files of 100 MB instead of
//! 1,000.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark is a program for a terminal"
)]

#[path = "../peer/python.rs"]
mod python;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const CELL: &str = include_str!("cell.rs");

fn main() -> Result<()> {
    let megabytes = std::env::args().find_map(|argument| argument.parse::<u64>().ok());
    let bytes = megabytes.unwrap_or(1_000) * 1_000_000;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let python = python::with("display", &folder).ok_or("there is nothing to compare with")?;
    let files = ["large.csv", "large.jsonl"].map(|name| folder.join(name));
    for file in &files {
        write(file, bytes)?;
    }
    let said = in_a_notebook(&folder, &python);
    for file in &files {
        std::fs::remove_file(file)?;
    }
    println!("{}", said?.trim_end());
    Ok(())
}

/// Runs the cell in a kernel, and returns what it prints.
fn in_a_notebook(folder: &Path, python: &Path) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = python::scripts().join("files.py");
    let cells = [
        format!(
            ":dep evenhand = {{ path = {:?} }}\nuse evenhand::prelude::*;",
            root.join("notebook")
        ),
        format!(
            "const PYTHON: &str = {python:?};\nconst SCRIPT: &str = {script:?};\n\
             const FOLDER: &str = {folder:?};\n{CELL}"
        ),
    ];
    let cells = cells.map(|source| {
        json!({"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": null})
    });
    let kernel = json!({"name": "rust", "display_name": "Rust", "language": "rust"});
    let notebook = json!({
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    });
    let (path, run) = (folder.join("files.ipynb"), folder.join("run"));
    std::fs::write(&path, notebook.to_string())?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--bin", "evenhand", "--", "run"])
        .args([&path, Path::new("--out"), &run])
        .current_dir(root.join(".."))
        .status()?;
    let text = std::fs::read_to_string(run.join("files.ipynb"))?;
    if !status.success() {
        return Err("the notebook has failed".into());
    }
    let ran: Value = serde_json::from_str(&text)?;
    let outputs = ran["cells"][1]["outputs"].as_array().into_iter().flatten();
    let lines = outputs.flat_map(|output| output["text"].as_array().into_iter().flatten());
    Ok(lines.filter_map(Value::as_str).collect())
}

/// Writes a file of about this size: an integer, a text, a number and a truth value in each row.
fn write(path: &Path, bytes: u64) -> Result<()> {
    let is_csv = path.extension().is_some_and(|ending| ending == "csv");
    let mut file = BufWriter::new(File::create(path)?);
    let mut written = 0;
    if is_csv {
        written += file.write(b"id,text,score,is_cut\n")? as u64;
    }
    let words = [
        "a nurse",
        "the \"boss\"",
        "works, and rests",
        "plain words of an answer",
    ];
    for id in 0_u64.. {
        if written >= bytes {
            break;
        }
        let text = format!("{} number {}", words[id as usize % 4], id % 9_973);
        let score = (id * 7_919 % 10_007) as f64 / 10_007.0;
        let line = match is_csv {
            true => format!(
                "{id},\"{}\",{score},{}\n",
                text.replace('"', "\"\""),
                id % 3 == 0
            ),
            false => format!(
                "{{\"id\": {id}, \"text\": \"{}\", \"score\": {score:?}, \"is_cut\": {}}}\n",
                text.replace('"', "\\\""),
                id % 3 == 0
            ),
        };
        file.write_all(line.as_bytes())?;
        written += line.len() as u64;
    }
    Ok(file.flush()?)
}
