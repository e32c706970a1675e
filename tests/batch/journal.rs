//! What `.journal(path)` does for a program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use evenhand::batch::AnswerSource;
use evenhand::{Answers, Batch, Client, Error, ErrorKind, Quota};
use serde_json::Value;
use tempfile::TempDir;

use super::faults::{answer, batch, words};
use crate::support::server::{Reply, Server};
use crate::support::{is_root, note};

fn good() -> Server {
    Server::by_prompt(|prompt, _| answer(prompt))
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    (folder, path)
}

fn ask(server: &Server, path: &Path, prompts: &[&str]) -> Batch {
    batch(server, prompts.iter().map(|text| (*text).to_owned())).journal(path)
}

fn sources(answers: &Answers) -> Vec<AnswerSource> {
    answers.rows().iter().map(|row| row.source).collect()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The error as its reader sees it, without the folder's own name.
fn shown(error: &Error, folder: &Path) -> String {
    let text = format!("{}: {error}", error.kind().name());
    text.replace(folder.to_str().unwrap(), "FOLDER")
}

#[test]
fn a_second_run_asks_nothing_and_says_so() {
    let (_folder, path) = place();
    let server = good();
    let first = ask(&server, &path, &["a", "b"]).run().unwrap();
    assert_eq!(sources(&first), [AnswerSource::Service; 2]);
    let again = ask(&server, &path, &["a", "b"]).run().unwrap();
    assert_eq!(sources(&again), [AnswerSource::Journal; 2]);
    assert!(first.texts().eq(again.texts()));
    assert_eq!(server.requests().len(), 2);
    let totals = again.totals();
    assert_eq!(
        (totals.from_journal, totals.requests, totals.prompt_tokens),
        (2, 0, 0)
    );
    assert!(
        again
            .summary()
            .starts_with("2 rows: 2 answered (2 from the journal), 0 tokens, ")
    );
    // The time that it took then is still known.
    assert_eq!(again.rows()[0].stats.attempts, 1);

    // A run that wants more asks the rest.
    let more = ask(&server, &path, &["b", "c", "a"]).run().unwrap();
    assert_eq!(
        sources(&more),
        [
            AnswerSource::Journal,
            AnswerSource::Service,
            AnswerSource::Journal
        ]
    );
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn what_failed_is_asked_again() {
    let (_folder, path) = place();
    let server = Server::by_prompt(|prompt, before| match (prompt, before) {
        ("b", 0) => Reply::error(400, "x", "x"),
        _ => answer(prompt),
    });
    assert_eq!(
        ask(&server, &path, &["a", "b"])
            .run()
            .unwrap()
            .failed()
            .count(),
        1
    );
    let again = ask(&server, &path, &["a", "b"]).run().unwrap();
    assert_eq!(
        sources(&again),
        [AnswerSource::Journal, AnswerSource::Service]
    );
    assert_eq!(again.rows()[1].text(), Some("answer to b"));
    assert_eq!(lines(&path).len(), 3);
    assert_eq!(lines(&path.with_file_name("run.requests.jsonl")).len(), 2);
}

#[test]
fn fresh_asks_anew_and_the_newest_answer_counts() {
    let (_folder, path) = place();
    let server = Server::by_prompt(|_, before| Reply::text(&format!("answer {before}")));
    ask(&server, &path, &["a"]).run().unwrap();
    let fresh = ask(&server, &path, &["a"]).fresh().run().unwrap();
    assert_eq!(fresh.rows()[0].text(), Some("answer 1"));
    let again = ask(&server, &path, &["a"]).run().unwrap();
    assert_eq!(again.rows()[0].text(), Some("answer 1"));
    assert_eq!(
        (sources(&again), server.requests().len()),
        (vec![AnswerSource::Journal], 2)
    );
}

#[test]
fn samples_and_equal_prompts_stay_distinct() {
    for seed in [None, Some(7)] {
        let (_folder, path) = place();
        let server = Server::by_prompt(|_, before| Reply::text(&format!("answer {before}")));
        let asked = |prompts: &[&str], samples| {
            let batch = ask(&server, &path, prompts).concurrency(1).samples(samples);
            match seed {
                Some(seed) => batch.seed(seed),
                None => batch,
            }
        };
        let first = asked(&["a", "a"], 2).run().unwrap();
        let texts: Vec<_> = first.texts().map(Option::unwrap).collect();
        assert_eq!(
            texts,
            ["answer 0", "answer 1", "answer 2", "answer 3"],
            "{seed:?}"
        );
        let again = asked(&["a", "a"], 2).run().unwrap();
        assert!(again.texts().eq(first.texts()));
        assert_eq!(again.totals().from_journal, 4);
        // One more sample is one more question.
        let more = asked(&["a"], 5).run().unwrap();
        let kept = if seed.is_some() { 2 } else { 4 };
        assert_eq!(more.totals().from_journal, kept, "{seed:?}");
    }
}

#[test]
fn at_temperature_0_the_same_is_asked_once_and_shared() {
    let (_folder, path) = place();
    let server = good();
    let asked = || {
        ask(&server, &path, &["a", "b", "a"])
            .samples(2)
            .temperature(0.0)
    };
    let answers = asked().run().unwrap();
    let texts: Vec<_> = answers.texts().map(Option::unwrap).collect();
    assert_eq!(texts, ["a", "a", "b", "b", "a", "a"].map(words));
    assert_eq!(server.requests().len(), 2);
    assert_eq!(answers.totals().shared, 4);
    assert_eq!(answers.total_tokens(), 12);
    let again = asked().run().unwrap();
    assert_eq!((again.totals().from_journal, again.totals().shared), (2, 4));
    assert_eq!((server.requests().len(), lines(&path).len()), (2, 2));
}

#[test]
fn a_journal_of_another_batch_is_refused_and_left_alone() {
    let (folder, path) = place();
    let server = good();
    ask(&server, &path, &["a"]).max_tokens(100).run().unwrap();
    let before = fs::read(&path).unwrap();
    let other = |batch: Batch| shown(&batch.run().unwrap_err(), folder.path());
    let asked = || ask(&server, &path, &["a"]);
    insta::assert_snapshot!(other(asked().max_tokens(100).deployment("gpt-4")), @"
    journal: FOLDER/run.jsonl holds answers to other requests: the deployment was gpt and is gpt-4
      hint: give this batch its own journal, in another file
    ");
    insta::assert_snapshot!(other(asked().max_tokens(200).temperature(0.5)), @"
    journal: FOLDER/run.jsonl holds answers to other requests: max_tokens was 100 and is 200, temperature was not set and is 0.5
      hint: give this batch its own journal, in another file
    ");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_file_that_is_no_journal_is_refused_and_left_alone() {
    let (folder, path) = place();
    let server = good();
    for text in [
        "Dear diary,\n",
        "{\"a\": 1}\n",
        "[]\n",
        "\0\0\0\0\n",
        "{\"a\": 1}",
    ] {
        fs::write(&path, text).unwrap();
        let error = ask(&server, &path, &["a"]).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Journal, "{text:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    let error = ask(&server, &path, &["a"]).run().unwrap_err();
    insta::assert_snapshot!(shown(&error, folder.path()), @"
    journal: FOLDER/run.jsonl is not a journal: its first line is not a row in the Batch API's output format
      hint: it was left unchanged; give the journal another name, or move the file away
    ");
    let error = ask(&server, folder.path(), &["a"]).run().unwrap_err();
    insta::assert_snapshot!(shown(&error, folder.path()), @"
    journal: FOLDER is a folder
      hint: name a file in it
    ");
    assert!(server.requests().is_empty());
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_anything_is_asked() {
    use std::os::unix::fs::PermissionsExt;
    let server = good();
    let (folder, path) = place();
    // Root may write everywhere except here.
    let path = if is_root() {
        PathBuf::from("/proc/self/run.jsonl")
    } else {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
        path
    };
    let error = ask(&server, &path, &["a"]).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let text = shown(&error, path.parent().unwrap());
    insta::assert_snapshot!(text, @"
    io: FOLDER/run.jsonl can't be written
      hint: name a file on a local disk, in a folder that you may write to
    ");
    assert!(server.requests().is_empty());
}

#[test]
fn rows_that_find_no_room_on_the_disk_are_answers_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "evenhand-test"])
        .arg(folder.path())
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        // Nothing that could be installed would grant the right to mount.
        return note("SKIPPED: rows that find no room: a small disk can't be mounted here");
    }
    let unmount = Unmount(folder.path());
    let path = folder.path().join("run.jsonl");
    let server =
        Server::by_prompt(|prompt, _| Reply::text(&format!("{prompt}{}", "w".repeat(4000))));
    let prompts: Vec<_> = (0..40).map(|number| format!("number {number}")).collect();
    let answers = batch(&server, prompts.clone())
        .journal(&path)
        .run()
        .unwrap();
    assert_eq!(answers.totals().answered, 40);
    let error = shown(answers.unsaved().unwrap(), folder.path());
    let kept = lines_that_are_whole(&path);
    assert!((1..40).contains(&kept), "{kept}");
    let counted = error.replace(&format!("{} rows are", 40 - kept), "N rows are");
    insta::assert_snapshot!(counted, @"
    io: N rows are not on the disk: FOLDER/run.jsonl can't be written
      hint: free up disk space and run it again: only rows missing from the journal are sent
    ");

    // With room, the next run asks what is missing and nothing else.
    let again = Command::new("mount")
        .args(["-o", "remount,size=8m"])
        .arg(folder.path())
        .status();
    assert!(again.unwrap().success());
    let answers = batch(&server, prompts).journal(&path).run().unwrap();
    assert!(answers.unsaved().is_none());
    assert_eq!(answers.totals().from_journal, kept);
    assert_eq!(lines(&path).len(), 40);
    drop(unmount);
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn lines_that_are_whole(path: &Path) -> usize {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .filter(|line| serde_json::from_str::<Value>(line).is_ok())
        .count()
}

#[test]
fn two_batches_on_one_journal_take_turns() {
    let (_folder, path) = place();
    let server = Server::by_prompt(|prompt, _| answer(prompt).late(Duration::from_millis(20)));
    let both: Vec<Answers> = thread::scope(|scope| {
        let run = || {
            scope.spawn(|| {
                ask(&server, &path, &["a", "b", "c"])
                    .concurrency(1)
                    .run()
                    .unwrap()
            })
        };
        let running = [run(), run()];
        running.map(|thread| thread.join().unwrap()).into()
    });
    let mut from_journal: Vec<_> = both
        .iter()
        .map(|answers| answers.totals().from_journal)
        .collect();
    from_journal.sort_unstable();
    assert_eq!((from_journal, server.requests().len()), (vec![0, 3], 3));
    assert_eq!(lines(&path).len(), 3);
}

#[test]
fn a_batch_that_waits_for_a_journal_can_be_stopped() {
    let (_folder, path) = place();
    let server = Server::by_prompt(|prompt, _| match prompt {
        "slow" => Reply::Silence,
        _ => answer(prompt),
    });
    let stop = evenhand::CancelHandle::new();
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            ask(&server, &path, &["slow"])
                .cancel_with(&stop)
                .run()
                .unwrap()
        });
        crate::support::poll(Duration::from_secs(20), || {
            (!server.requests().is_empty()).then_some(())
        })
        .unwrap();
        let second = ask(&server, &path, &["a"])
            .deadline(Duration::from_millis(300))
            .run();
        assert_eq!(second.unwrap_err().kind(), ErrorKind::Cancelled);
        stop.cancel();
        assert_eq!(first.join().unwrap().totals().cancelled, 1);
    });
}

#[test]
fn the_files_are_their_users_own_and_hold_no_key() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = place();
    let server = Server::by_prompt(|prompt, _| match prompt {
        "wrong" => Reply::error(
            400,
            "x",
            "the key Hunter2-Hunter2 is fine, the prompt is not",
        ),
        _ => answer(prompt),
    });
    ask(&server, &path, &["a", "wrong"]).run().unwrap();
    let files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 2);
    for file in files {
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let text = fs::read_to_string(&file).unwrap().to_lowercase();
        assert!(
            !text.contains("hunter2") && !text.contains("api-key"),
            "{text}"
        );
    }
}

#[test]
fn any_prompt_can_be_kept() {
    are_kept(&["", "\0", "\u{fffd}", "a\u{2028}b", "\u{1F600}\r\n{}"]);
}

#[test]
fn a_prompt_of_megabytes_can_be_kept() {
    are_kept(&["short", &"w\u{e9}\"\n".repeat(2 << 20)]);
}

/// The prompts are asked once, and answered from the journal then.
fn are_kept(prompts: &[&str]) {
    let (_folder, path) = place();
    let server = Server::by_prompt(|prompt, _| Reply::text(&format!("{}\0", prompt.len())));
    let first = ask(&server, &path, prompts).run().unwrap();
    assert_eq!(
        first.totals().answered,
        prompts.len(),
        "{:?}",
        first.failed().next().map(|row| row.error())
    );
    let again = ask(&server, &path, prompts).run().unwrap();
    assert_eq!(sources(&again), vec![AnswerSource::Journal; prompts.len()]);
    for (row, prompt) in again.rows().iter().zip(prompts) {
        assert_eq!(row.text(), Some(&*format!("{}\0", prompt.len())));
    }
}

#[test]
fn halves_of_characters_in_an_answer_are_kept() {
    let (_folder, path) = place();
    let body = r#"{"choices": [{"message": {"content": "a\ud800b"}, "finish_reason": "stop"}]}"#;
    let server = Server::by_prompt(move |_, _| Reply::new(200, "application/json", body));
    let first = ask(&server, &path, &["a"]).run().unwrap();
    assert_eq!(first.rows()[0].text(), Some("a\u{fffd}b"), "{first:?}");
    let again = ask(&server, &path, &["a"]).run().unwrap();
    assert_eq!(sources(&again), [AnswerSource::Journal]);
    assert_eq!(again.rows()[0].text(), Some("a\u{fffd}b"));
}

#[test]
fn two_deployments_do_not_share_answers() {
    let (_folder, path) = place();
    let server = good();
    let client = |deployment: &str| {
        Client::builder()
            .endpoint(server.url())
            .api_key("key")
            .deployment(deployment)
            .build()
            .unwrap()
    };
    let ask = |deployment: &str| {
        client(deployment)
            .batch(["a"])
            .quota(Quota::unlimited())
            .journal(&path)
            .run()
    };
    ask("one").unwrap();
    assert_eq!(ask("two").unwrap_err().kind(), ErrorKind::Journal);
    assert_eq!(ask("one").unwrap().totals().from_journal, 1);
}
