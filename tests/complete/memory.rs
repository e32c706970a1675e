//! Memory stays flat, however long the input is.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::thread;

use super::{complete, ends};
use crate::support::{Echo, note};

/// The most memory that a run with so many rows ever had, in kB.
fn peak(folder: &Path, echo: &Echo, rows: usize) -> u64 {
    let mut child = complete(folder, &echo.url())
        .args(["--journal", &format!("{rows}.jsonl")])
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = thread::spawn(move || {
        let text = "w".repeat(200);
        for row in 0..rows {
            writeln!(stdin, "\"{row} {text}\"").unwrap();
        }
        // The input stays open until the memory has been looked at.
        stdin
    });
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    for _ in 0..rows {
        line.clear();
        assert_ne!(
            out.read_line(&mut line).unwrap(),
            0,
            "the output ends early"
        );
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak = peak.trim().trim_end_matches(" kB").parse().unwrap();
    drop(writer.join().unwrap());
    assert_eq!(ends(child).code, Some(0));
    peak
}

#[cfg(target_os = "linux")]
#[test]
fn memory_stays_flat() {
    let folder = tempfile::tempdir().unwrap();
    let echo = Echo::start();
    let (few, many) = (
        peak(folder.path(), &echo, 2_000),
        peak(folder.path(), &echo, 20_000),
    );
    note(&format!(
        "evenhand complete: {few} kB at 2,000 rows, {many} kB at 20,000"
    ));
    // All 20,000 rows would take some 40 MB.
    assert!(
        many < few + 8_000,
        "{few} kB at 2,000 rows, {many} kB at 20,000"
    );
}
