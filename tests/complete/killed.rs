//! Runs that are killed with `kill -9` and then continued.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use proptest::test_runner::Config;
use serde_json::Value;

use super::{answer, begin, complete, ends, prompts};
use crate::support::server::Server;

const ROWS: usize = 12;

/// The answered rows of a file, by the model's answer, and how often each occurs. Incomplete lines
/// are skipped.
fn answered(text: &str) -> BTreeMap<String, usize> {
    let mut answered = BTreeMap::new();
    let rows = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for row in rows.filter(|row| row["error"].is_null()) {
        let said = &row["response"]["body"]["choices"][0]["message"]["content"];
        *answered
            .entry(said.as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    answered
}

fn started(folder: &Path, server: &Server) -> Command {
    let mut command = complete(folder, &server.url());
    command.args(["--journal", "run.jsonl", "--concurrency", "4", "--quiet"]);
    command
}

/// Starts it, and kills it some time after this many rows. Returns what it had printed by then.
fn kill(folder: &Path, server: &Server, rows: usize, then: Duration) -> String {
    let (mut child, stdin) = begin(&mut started(folder, server), &prompts(ROWS));
    drop(stdin);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut shown = String::new();
    for _ in 0..rows {
        out.read_line(&mut shown).unwrap();
    }
    thread::sleep(then);
    child.kill().unwrap();
    child.wait().unwrap();
    out.read_to_string(&mut shown).unwrap();
    shown
}

/// A run that is killed once or twice and then finished. Returns how many rows were left.
fn round(number: usize) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::by_prompt(|prompt, _| {
        let late = prompt.len() * 31 % 7;
        answer(prompt).late(Duration::from_millis(late as u64))
    });
    let journal = || fs::read_to_string(folder.path().join("run.jsonl")).unwrap_or_default();
    for kills in 0..=number % 2 {
        // Spread over the whole run, from its very start to its end, to the millisecond.
        let rows = (number * 5 + kills * 3) % (ROWS + 1);
        let then = Duration::from_micros((number as u64 * 7919 + kills as u64 * 4001) % 12_000);
        let before = answered(&journal());
        let asked = server.requests().len();
        let shown = kill(folder.path(), &server, rows, then);
        let kept = answered(&journal());
        for said in answered(&shown).keys() {
            assert!(
                kept.contains_key(said),
                "round {number}: shown, and not in the journal: {said}"
            );
        }
        let again: BTreeSet<_> = server.requests()[asked..]
            .iter()
            .map(|one| one.prompt())
            .collect();
        let doubled = again
            .iter()
            .find(|prompt| before.contains_key(&format!("answer to {prompt}")));
        assert_eq!(doubled, None, "round {number}: asked again");
    }
    let kept = answered(&journal());
    let asked = server.requests().len();
    let mut child = started(folder.path(), &server).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(prompts(ROWS).as_bytes())
        .unwrap();
    let ended = ends(child);
    assert_eq!((ended.code, &*ended.told), (Some(0), ""), "round {number}");
    let expected: Vec<_> = (0..ROWS)
        .map(|row| format!("answer to number {row}"))
        .collect();
    let texts: Vec<_> = ended
        .texts()
        .into_iter()
        .map(|(_, text)| text.to_owned())
        .collect();
    assert_eq!(texts, expected, "round {number}");
    // A request of the killed run may have arrived late, so there may be one duplicate.
    let missing: BTreeSet<_> = (0..ROWS)
        .map(|row| format!("number {row}"))
        .filter(|prompt| !kept.contains_key(&format!("answer to {prompt}")))
        .collect();
    let again: BTreeSet<_> = server.requests()[asked..]
        .iter()
        .map(|one| one.prompt())
        .collect();
    assert_eq!(again, missing, "round {number}");
    let whole = journal();
    assert!(
        whole
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "round {number}: {whole}"
    );
    let kept = answered(&whole);
    assert!(
        kept.len() == ROWS && kept.values().all(|times| *times == 1),
        "round {number}: {kept:?}"
    );
    let requests = fs::read_to_string(folder.path().join("run.requests.jsonl")).unwrap();
    let names: BTreeSet<_> = requests
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["custom_id"].to_string())
        .collect();
    assert_eq!(
        (names.len(), requests.lines().count()),
        (ROWS, ROWS),
        "round {number}"
    );
    missing.len()
}

#[test]
fn a_run_that_is_killed_loses_and_doubles_nothing() {
    // As many as a property test draws inputs, in proportion.
    let rounds = Config::default().cases as usize * 2 / 5;
    let left: Vec<usize> = thread::scope(|scope| {
        let quarter =
            |first: usize| scope.spawn(move || (first..rounds).step_by(4).map(round).collect());
        let running = [0, 1, 2, 3].map(quarter);
        let left: [Vec<_>; 4] = running.map(|thread| thread.join().unwrap());
        left.concat()
    });
    let midway = left.iter().filter(|left| (1..ROWS).contains(*left)).count();
    assert!(midway >= rounds / 5, "few were killed in mid-run: {left:?}");
}
