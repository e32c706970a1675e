//! Input and output that are slow or disappear.

use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use super::{begin, complete, ends, good, prompts};

#[test]
fn an_answer_is_handed_on_while_the_input_stalls() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let mut child = complete(folder.path(), &server.url()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut rows = BufReader::new(child.stdout.take().unwrap()).lines();
    for number in 0..3 {
        writeln!(stdin, "\"question {number}\"").unwrap();
        let row = rows.next().unwrap().unwrap();
        assert!(
            row.contains(&format!("answer to question {number}")),
            "{row}"
        );
    }
    drop(stdin);
    assert!(rows.next().is_none());
    assert_eq!(ends(child).code, Some(0));
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let mut command = complete(folder.path(), &server.url());
    let mut child = command.args(["--journal", "run.jsonl"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || drop(stdin.write_all(prompts(5000).as_bytes())));
    let mut rows = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    rows.read_line(&mut first).unwrap();
    drop(rows);
    let ended = ends(child);
    writer.join().unwrap();
    assert!(first.contains("answer to number 0"), "{first}");
    assert!(
        server.requests().len() < 4000,
        "{}",
        server.requests().len()
    );
    // The reader has closed the output, which is not an error but not a complete run either.
    assert_eq!((ended.code, &*ended.told), (Some(4), ""));
    // Answers that were paid for are kept.
    let journal = std::fs::read_to_string(folder.path().join("run.jsonl")).unwrap();
    let kept = journal.lines().filter(|line| line.ends_with('}')).count();
    assert!((1..=server.requests().len()).contains(&kept));
}

#[test]
fn an_output_that_is_full_is_told() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        return crate::support::skip("there is no /dev/full");
    };
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let mut command = complete(folder.path(), &server.url());
    let ended = super::run(command.stdout(full), prompts(3));
    assert_eq!(ended.code, Some(1));
    insta::assert_snapshot!(ended.told(None), @"
    error: the row can't be written
      because: No space left on device (os error 28)
      hint: free up space where the rows are written and run it again: answers in the journal are not requested again
    ");
}

#[test]
fn a_reader_that_is_slow_holds_it_back_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let mut child = complete(folder.path(), &server.url()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || drop(stdin.write_all(prompts(1000).as_bytes())));
    std::thread::sleep(Duration::from_millis(300));
    let rows = BufReader::new(child.stdout.take().unwrap()).lines();
    let names: Vec<String> = rows
        .map(|row| {
            let row: serde_json::Value = serde_json::from_str(&row.unwrap()).unwrap();
            row["custom_id"].as_str().unwrap().to_owned()
        })
        .collect();
    let expected: Vec<_> = (1..=1000).map(|number| format!("line-{number}")).collect();
    assert_eq!(names, expected);
    writer.join().unwrap();
    assert_eq!(ends(child).code, Some(0));
}

#[test]
fn two_runs_on_one_journal_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let server = good();
    let runs = [(); 2].map(|()| {
        let mut command = complete(folder.path(), &server.url());
        let (child, _) = begin(command.args(["--journal", "run.jsonl"]), &prompts(20));
        child
    });
    for run in runs {
        let ended = ends(run);
        ended.assert(0, 20);
    }
    assert_eq!(server.requests().len(), 20);
    let journal = std::fs::read_to_string(folder.path().join("run.jsonl")).unwrap();
    assert_eq!(journal.lines().count(), 20);
}
