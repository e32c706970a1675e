//! Memory stays flat, however long the input is.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::thread;

use super::{complete, ends};
use crate::support::server::{Reply, Server};
use crate::support::{Echo, note};

/// The peak memory of a run with this many rows, in kB.
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
        // The input stays open until the memory has been measured.
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
    let peak = most_ever(child.id());
    drop(writer.join().unwrap());
    assert_eq!(ends(child).code, Some(0));
    peak
}

/// The peak memory of the process, in kB.
fn most_ever(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The peak memory of a run with one row that is answered like this, in kB.
#[cfg(target_os = "linux")]
fn peak_of_answer(status: u16, body: String) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new([Reply::new(status, "application/json", body)]);
    let mut child = complete(folder.path(), &server.url())
        .args(["--journal", "run.jsonl"])
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"\"Hi\"\n").unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = Vec::new();
    out.read_until(b'\n', &mut line).unwrap();
    let peak = most_ever(child.id());
    assert!(line.starts_with(b"{\"id\""));
    drop(stdin);
    ends(child);
    peak
}

/// A body with 15 MB of this, repeated, in one place of the answer.
fn bodies() -> [(&'static str, u16, String); 4] {
    let many = |item: &str| {
        let mut text = item.repeat(15_000_000 / (item.len() + 1));
        text = text.replace(item, &format!("{item},"));
        text.pop();
        text
    };
    let message = r#""message":{"content":"x"}"#;
    [
        (
            "unread objects",
            200,
            format!(r#"{{"choices":[{{{message}}}],"a":[{}]}}"#, many("{}")),
        ),
        ("choices", 200, format!(r#"{{"choices":[{}]}}"#, many("{}"))),
        (
            "token probabilities",
            200,
            format!(
                r#"{{"choices":[{{{message},"logprobs":{{"content":[{}]}}}}]}}"#,
                many(r#"{"token":"a","logprob":1,"top_logprobs":[{"token":"b","logprob":1}]}"#)
            ),
        ),
        ("an error", 400, format!(r#"{{"error":[{}]}}"#, many("{}"))),
    ]
}

#[cfg(target_os = "linux")]
#[test]
fn a_hostile_body_of_megabytes_costs_a_multiple_of_its_size() {
    let small = r#"{"choices":[{"message":{"content":"x"}}]}"#;
    let usual = peak_of_answer(200, small.to_owned());
    for (what, status, body) in bodies() {
        let peak = peak_of_answer(status, body);
        note(&format!(
            "evenhand complete: {peak} kB for 15 MB of {what}, {usual} kB for a small answer"
        ));
        assert!(
            peak < usual + 46_500,
            "{peak} kB for 15 MB of {what}, {usual} kB for a small answer"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn memory_stays_flat_over_megabytes() {
    let folder = tempfile::tempdir().unwrap();
    let echo = Echo::start();
    let (few, many) = (
        peak(folder.path(), &echo, 1_000),
        peak(folder.path(), &echo, 11_000),
    );
    note(&format!(
        "evenhand complete: {few} kB at 1,000 rows, {many} kB at 11,000"
    ));
    // All 11,000 rows would take some 20 MB.
    assert!(
        many < few + 8_000,
        "{few} kB at 1,000 rows, {many} kB at 11,000"
    );
}
