//! How long it takes to read a CSV file and a file of JSON lines, whole and lazily with a filter,
//! compared with polars in Python: by turns, on the same files.
//!
//! `cargo bench -p evenhand --bench files`; `-- 100` makes files of 100 MB instead of 1,000.

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
use std::time::Instant;

use evenhand::files::{read, scan};
use evenhand::polars::prelude::{DataFrame, col, lit};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How often each way reads each file.
const TURNS: usize = 3;

fn main() -> Result<()> {
    let megabytes = std::env::args().find_map(|argument| argument.parse::<u64>().ok());
    let bytes = megabytes.unwrap_or(1_000) * 1_000_000;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let python = python::with("display", &folder);
    for ending in ["csv", "jsonl"] {
        let path = folder.join(format!("large.{ending}"));
        write(&path, bytes)?;
        for way in ["eager", "lazy"] {
            let (mut ours, mut theirs) = (f64::INFINITY, f64::INFINITY);
            for _ in 0..TURNS {
                let began = Instant::now();
                let frame = frame(&path, way)?;
                ours = ours.min(began.elapsed().as_secs_f64());
                let rows = frame.height();
                drop(frame);
                if let Some(python) = &python {
                    let (seconds, their_rows) = peer(python, &path, way)?;
                    assert_eq!(rows, their_rows, "the two read different rows");
                    theirs = theirs.min(seconds);
                }
            }
            println!(
                "{ending} {way}: {ours:.2} s, polars in Python {theirs:.2} s, {:.2} times",
                ours / theirs
            );
        }
        std::fs::remove_file(&path)?;
    }
    Ok(())
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

fn frame(path: &Path, way: &str) -> Result<DataFrame> {
    if way == "eager" {
        return Ok(read(path)?);
    }
    let few = scan(path)?.filter(col("score").gt(lit(0.9)));
    Ok(few.select([col("id"), col("text")]).collect()?)
}

/// The seconds and the rows of polars in Python.
fn peer(python: &Path, path: &Path, way: &str) -> Result<(f64, usize)> {
    let script = python::scripts().join("files.py");
    let output = Command::new(python)
        .arg(script)
        .arg(path)
        .arg(way)
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    let (seconds, rows) = said
        .trim()
        .split_once(' ')
        .ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok((seconds.parse()?, rows.parse()?))
}
