//! A run that is stopped from outside keeps its outputs and leaves no process behind.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::lesson::{Lesson, cell};
use crate::support::poll;

/// Runs a notebook whose cell never ends, and returns the cell's process once the cell has begun.
fn endless(lesson: &Lesson) -> (std::process::Child, u32) {
    let mut child = lesson
        .command(&["--out", "out"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let process = lines
        .map_while(|line| line.ok())
        .find_map(|line| line.split_once("| process ")?.1.trim().parse().ok())
        .expect("the first cell prints its process");
    // The second cell has to be compiled before it runs.
    std::thread::sleep(Duration::from_secs(2));
    (child, process)
}

fn endless_cells() -> [Value; 2] {
    let sleep = "loop { std::thread::sleep(std::time::Duration::from_secs(1)); }";
    [
        cell(r#"println!("process {}", std::process::id());"#),
        cell(sleep),
    ]
}

fn send(signal: &str, process: u32) -> bool {
    Command::new("kill")
        .args([signal, &process.to_string()])
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

/// Whether the process is running. A zombie is not.
fn runs(process: u32) -> bool {
    let state = Command::new("ps")
        .args(["-o", "stat=", "-p", &process.to_string()])
        .output()
        .unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

fn ends(process: u32) -> bool {
    let start = Instant::now();
    while runs(process) {
        if start.elapsed() > Duration::from_secs(10) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    true
}

/// The guard removes what a kernel leaves, which may be after the launcher has ended.
fn nothing_temporary(folder: &Path) -> bool {
    let is_ours = |name: OsString| name.to_string_lossy().starts_with("evenhand-");
    let is_clean = || {
        let entries = fs::read_dir(folder).unwrap();
        let mut names = entries.map(|entry| entry.unwrap().file_name());
        (!names.any(is_ours)).then_some(())
    };
    poll(Duration::from_secs(10), is_clean).is_some()
}

#[test]
fn an_interrupt_ends_the_kernel_and_keeps_what_was_shown() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let lesson = Lesson::new(&endless_cells());
        let (mut run, process) = endless(&lesson);
        assert!(runs(process));
        assert!(send(signal, run.id()));
        assert_eq!(run.wait().unwrap().code(), Some(code));
        assert!(ends(process), "the cell's process outlived the run");
        assert!(nothing_temporary(&lesson.temporary()));
        let cells = lesson.executed();
        assert_eq!(
            cells[0]["outputs"][0]["text"],
            json!([format!("process {process}\n")])
        );
        assert_eq!(cells[1]["outputs"], json!([]));
    }
}

#[test]
fn a_launcher_that_is_killed_leaves_nothing_behind() {
    let lesson = Lesson::new(&endless_cells());
    let (mut run, process) = endless(&lesson);
    assert!(send("-KILL", run.id()));
    run.wait().unwrap();
    assert!(ends(process), "the cell's process outlived the launcher");
    assert!(nothing_temporary(&lesson.temporary()));
}
