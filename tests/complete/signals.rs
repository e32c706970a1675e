//! One signal, and two.

use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{answer, begin, complete, ends, prompts, wait_for};
use crate::support::poll;
use crate::support::server::{Reply, Server};

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Runs it with ten prompts, of which the first two are answered at once and the others in the
/// given way, and waits until as many requests are in flight as may be.
fn start(others: fn(&str) -> Reply) -> (Child, Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::by_prompt(move |prompt, _| match prompt {
        "number 0" | "number 1" => answer(prompt),
        _ => others(prompt),
    });
    let mut command = complete(folder.path(), &server.url());
    command.args(["--concurrency", "4", "--journal", "run.jsonl"]);
    let (child, stdin) = begin(&mut command, &prompts(10));
    wait_for(&server, 6);
    drop(stdin);
    (child, server, folder)
}

#[test]
fn one_signal_ends_it_with_a_row_for_every_line() {
    for signal in [Signal::INT, Signal::TERM] {
        let (child, server, _folder) = start(|_| Reply::Silence);
        send(&child, signal);
        let ended = ends(child);
        ended.assert(4, 10);
        assert_eq!(ended.texts()[1], ("line-2", "answer to number 1"));
        assert_eq!(
            ended.texts()[9],
            ("line-10", "stopped before it was answered")
        );
        assert_eq!(server.requests().len(), 6);
        insta::allow_duplicates! { insta::assert_snapshot!(ended.told(None), @"10 rows: 2 answered, 8 cancelled, 12 tokens, T s"); }
    }
}

#[test]
fn what_is_under_way_may_still_end() {
    let (child, _server, folder) = start(|prompt| answer(prompt).late(Duration::from_millis(500)));
    send(&child, Signal::INT);
    let ended = ends(child);
    let answered = ended
        .rows
        .iter()
        .filter(|row| row["error"].is_null())
        .count();
    assert_eq!((ended.code, ended.rows.len(), answered), (Some(4), 10, 6));
    let journal = std::fs::read_to_string(folder.path().join("run.jsonl")).unwrap();
    assert_eq!(journal.lines().count(), 6);
}

#[test]
fn two_signals_end_it_now() {
    let (mut child, _server, folder) = start(|_| Reply::Silence);
    let running = child.id();
    send(&child, Signal::INT);
    // It takes a moment until the first signal is handled; more than two do no harm.
    let status = poll(super::TIMEOUT, || {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        send(&child, Signal::INT);
        None
    });
    let status = status.unwrap();
    assert!(
        matches!(status.code(), Some(130 | 4)) || status.signal().is_some(),
        "{running}: {status}"
    );
    // The answers are in the journal.
    let journal = std::fs::read_to_string(folder.path().join("run.jsonl")).unwrap();
    assert_eq!(journal.lines().count(), 2);
}

#[test]
fn a_signal_ends_it_although_more_input_may_come() {
    let folder = tempfile::tempdir().unwrap();
    let server = super::good();
    let mut command = complete(folder.path(), &server.url());
    let (child, stdin) = begin(&mut command, &prompts(2));
    wait_for(&server, 2);
    send(&child, Signal::TERM);
    let ended = ends(child);
    ended.assert(4, 2);
    drop(stdin);
}

#[test]
fn a_signal_ends_the_wait_for_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let server = super::good();
    let held = std::fs::File::create(folder.path().join("run.jsonl")).unwrap();
    held.lock().unwrap();
    let mut command = complete(folder.path(), &server.url());
    let child = command.args(["--journal", "run.jsonl"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    send(&child, Signal::TERM);
    let ended = ends(child);
    ended.assert(4, 0);
    insta::assert_snapshot!(ended.told.replace(folder.path().to_str().unwrap(), "FOLDER"), @"
    error: stopped before it was answered
      hint: run it again: answers in the journal are not requested again
    ");
}
