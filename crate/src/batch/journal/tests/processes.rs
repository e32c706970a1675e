use super::*;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

/// The variable that tells a child process where its journal is.
const PATH: &str = "EVENHAND_TEST_JOURNAL";

/// Starts this test program again, to run one of the tests meant for a child process.
fn child(test: &str, path: &Path) -> Command {
    let mut command = Command::new("sh");
    // The system kills a program that exceeds its file size limit; it must see the error instead.
    command
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture"])
        .arg(format!("batch::journal::tests::processes::{test}"))
        .env(PATH, path)
        .stdout(Stdio::piped());
    command
}

fn path_of_child() -> PathBuf {
    std::env::var_os(PATH).unwrap().into()
}

/// Sends a line to the parent, bypassing the test harness.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nsaid {line}").unwrap();
    out.flush().unwrap();
}

/// What the child says.
fn said(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("said ").map(str::to_owned))
}

#[test]
fn a_second_run_waits_for_the_first() {
    let (_folder, path) = place_for_one();
    let first = open_journal(&path);
    let open = || Journal::open(&path, Some(&parameters())).unwrap();
    assert!(open().is_none());
    first.append(&answered("a", "Yes")).unwrap();
    drop(first);
    assert_eq!(words(&open().unwrap(), "a").as_deref(), Some("Yes"));
}

#[test]
fn a_program_that_is_being_started_holds_no_one_out() {
    let (_folder, path) = place_for_one();
    let is_done = AtomicBool::new(false);
    let opened = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                Command::new("true").status().unwrap();
            }
        });
        let open = |_| Journal::open(&path, None).unwrap().is_some();
        let opened = (0..300).all(open);
        is_done.store(true, Ordering::Relaxed);
        opened
    });
    assert!(opened);
}

#[test]
fn a_run_in_another_process_waits_too() {
    let (_folder, path) = place_for_one();
    let mut child = child("writes_until_it_is_killed", &path).spawn().unwrap();
    let mut said = said(&mut child);
    said.next().unwrap();
    assert!(Journal::open(&path, None).unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(Journal::open(&path, None).unwrap().is_some());
}

/// Whether the journal has the answers with these names.
fn holds(path: &Path, names: &[String]) -> bool {
    let journal = open_journal(path);
    let mut names = names.iter();
    names.all(|name| words(&journal, name).is_some_and(|words| words.starts_with(name.as_str())))
}

#[test]
fn a_run_that_is_killed_loses_nothing_that_was_appended() {
    let (_folder, path) = place_for_one();
    let mut appended = Vec::new();
    // As many as a property test draws inputs, in proportion.
    let rounds = proptest::test_runner::Config::default().cases as usize / 12;
    for _ in 0..rounds {
        let before = appended.len();
        let mut child = child("writes_until_it_is_killed", &path).spawn().unwrap();
        let mut said = said(&mut child);
        appended.extend(said.by_ref().take(fastrand::usize(1..200)));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it wrote before the signal came.
        appended.extend(said);
        assert!(holds(&path, &appended[before..]));
    }
    assert!(holds(&path, &appended));
    let kept = read_rows(&path).unwrap().filter(Result::is_ok).count();
    assert!(appended.len() >= rounds && kept >= appended.len());
}

#[test]
#[ignore = "the part of the tests above that runs in a child"]
fn writes_until_it_is_killed() {
    let journal = open_journal(&path_of_child());
    loop {
        let name = format!("row {}", fastrand::u64(..));
        // Some within a page of memory, some beyond it.
        let words = format!("{name} {}", "w".repeat(fastrand::usize(..6_000)));
        journal.append(&answered(&name, &words)).unwrap();
        say(&name);
    }
}

#[test]
fn rows_that_find_no_room_are_told_and_written_when_there_is_some() {
    let (_folder, path) = place_for_one();
    let output = child("runs_out_of_room", &path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let rows: Vec<_> = read_rows(&path).unwrap().map(Result::unwrap).collect();
    let names: Vec<&str> = rows.iter().map(|row| row.custom_id.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
}

/// The largest file that this process may write.
fn limit_files(bytes: Option<u64>) {
    let maximum = rustix::process::getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit {
        current: bytes.or(maximum),
        maximum,
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}

#[test]
#[ignore = "the part of the test above that runs in a child"]
fn runs_out_of_room() {
    let path = path_of_child();
    let journal = open_journal(&path);
    journal.append(&answered("a", "Yes")).unwrap();
    let length = fs::metadata(&path).unwrap().len();
    limit_files(Some(length + 100));

    let long = "w".repeat(1000);
    let first = journal.append(&answered("b", &long)).unwrap_err();
    let second = journal.append(&answered("c", "Yes")).unwrap_err();
    let unwritten = journal.unwritten();
    let synced = journal.sync();
    let length_then = fs::metadata(&path).unwrap().len();

    limit_files(None);
    assert_snapshot!(told(&first, &path), @"
    1 row is not on the disk: FOLDER/run.jsonl can't be written
      hint: free up disk space: the rows are kept in memory and are written once there is room
    ");
    assert_snapshot!(told(&second, &path), @"
    2 rows are not on the disk: FOLDER/run.jsonl can't be written
      hint: free up disk space: the rows are kept in memory and are written once there is room
    ");
    assert_eq!(unwritten, ["b", "c"]);
    assert!(synced.is_err());
    assert_eq!(length_then, length, "no part of a row is left");
    journal.append(&answered("d", "Yes")).unwrap();
    assert!(journal.unwritten().is_empty());

    // Waiting rows are written even without another row.
    limit_files(Some(length));
    journal.append(&answered("e", "Yes")).unwrap_err();
    limit_files(None);
    let is_written = (0..3000).any(|_| {
        thread::sleep(Duration::from_millis(20));
        journal.unwritten().is_empty()
    });
    assert!(is_written);
}
