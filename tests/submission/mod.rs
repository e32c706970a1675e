//! The Batch API: submitted work is paid for once and comes back, whatever goes wrong.

mod interrupted;
mod protocol;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use evenhand::batch_api::{BatchState, Submission};
use evenhand::{Answers, Batch, CancelHandle, Client, Error, ErrorKind};
use tempfile::TempDir;

use crate::support::BatchApi;
use crate::support::batch_api::{Fault, answer_line};

const PROMPTS: [&str; 4] = ["a nurse", "a doctor", "a clerk", "a judge"];

/// The service, and a folder for the journal.
struct Scene {
    api: BatchApi,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self {
            api: BatchApi::start(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The same cell, in a new kernel each time.
    fn cell(&self, prompts: &[&str]) -> Batch {
        self.cell_of(&self.api.client(), prompts)
    }

    fn cell_of(&self, client: &Client, prompts: &[&str]) -> Batch {
        client
            .batch(prompts)
            .system("Be fair.")
            .max_tokens(100)
            .journal(self.path("run.jsonl"))
    }

    fn submit(&self, prompts: &[&str]) -> Result<Submission, Error> {
        self.cell(prompts).submit()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

fn assert_answered(answers: &Answers, prompts: &[&str]) {
    let expected: Vec<_> = prompts
        .iter()
        .map(|prompt| format!("you said: {prompt}"))
        .collect();
    let expected: Vec<_> = expected.iter().map(|text| Some(text.as_str())).collect();
    let found: Vec<_> = answers.texts().collect();
    assert_eq!(
        found,
        expected,
        "{:?}",
        answers.failed().collect::<Vec<_>>()
    );
}

fn kinds(answers: &Answers) -> Vec<Option<ErrorKind>> {
    answers
        .rows()
        .iter()
        .map(|row| row.error().map(Error::kind))
        .collect()
}

#[test]
fn what_is_submitted_comes_back_in_the_prompts_order() {
    let scene = Scene::new();
    let submission = scene.submit(&PROMPTS).unwrap();
    assert_eq!(submission.batches().len(), 1);
    assert_eq!(
        submission.to_string(),
        "4 questions, batch batch-2 validating, 0 of 4 answered"
    );
    let answers = submission.collect().unwrap();
    assert_answered(&answers, &PROMPTS);
    let totals = answers.totals();
    assert_eq!(
        (totals.requests, totals.prompt_tokens, totals.from_journal),
        (4, 8, 0)
    );

    let world = scene.api.world();
    let request = &world.batches[0].request;
    assert_eq!(request["endpoint"], "/chat/completions");
    assert_eq!(request["completion_window"], "24h");
    assert!(
        world.files.is_empty(),
        "prompts stay on the service: {:?}",
        world.files.keys()
    );
    drop(world);

    let again = submission.collect().unwrap();
    assert_answered(&again, &PROMPTS);
    assert_eq!(again.totals().from_journal, 4);
    let run = scene.cell(&PROMPTS).run().unwrap();
    assert_eq!(
        run.totals().from_journal,
        4,
        "the journal is the one that `run` has"
    );
}

#[test]
fn another_kernel_finds_what_was_submitted() {
    let scene = Scene::new();
    let missing = scene.cell(&PROMPTS).submitted().unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Journal);
    assert!(missing.hint().unwrap().contains(".submit()"));

    let first = scene.submit(&PROMPTS).unwrap().batches()[0].id.clone();
    let same_cell = scene.submit(&PROMPTS).unwrap();
    assert_eq!(same_cell.batches()[0].id, first);
    let fresh = scene.cell(&PROMPTS).fresh().submit().unwrap();
    assert_eq!(
        fresh.batches()[0].id,
        first,
        "what is under way is not paid for twice"
    );
    let found = scene.cell(&PROMPTS).submitted().unwrap();
    assert_answered(&found.collect().unwrap(), &PROMPTS);
    assert_eq!(scene.api.world().batches.len(), 1);
}

#[test]
fn only_what_is_neither_answered_nor_under_way_is_submitted() {
    let scene = Scene::new();
    scene.submit(&PROMPTS[..1]).unwrap().collect().unwrap();
    scene.submit(&PROMPTS[1..2]).unwrap();
    let all = scene.submit(&PROMPTS).unwrap();
    assert_eq!(all.batches().len(), 2);
    let answers = all.collect().unwrap();
    assert_answered(&answers, &PROMPTS);
    assert_eq!(answers.totals().from_journal, 1);
    let files: Vec<_> = scene
        .text("run.batches.jsonl")
        .lines()
        .map(|line| line.matches("-0\"").count())
        .collect();
    assert_eq!(files.iter().sum::<usize>(), 4, "each row was in one batch");

    let nothing = scene.submit(&PROMPTS).unwrap();
    assert_eq!(
        nothing.to_string(),
        "4 questions (4 answered by the journal), no batch under way"
    );
    assert_answered(&nothing.collect().unwrap(), &PROMPTS);
    assert_eq!(scene.api.world().batches.len(), 3);

    scene.cell(&PROMPTS).fresh().submit().unwrap();
    assert_eq!(
        scene.api.world().batches.len(),
        4,
        "fresh asks what is answered anew"
    );
}

#[test]
fn a_run_says_that_its_rows_wait_in_a_batch() {
    let scene = Scene::new();
    scene.submit(&["a", "b"]).unwrap();
    let answers = scene.cell(&["b", "c"]).run().unwrap();
    let notes = answers.totals().notes;
    assert_eq!(notes.len(), 1);
    insta::assert_snapshot!(notes[0], @"prompts that a submitted batch holds too, and that are now asked, and paid for, twice: 1. `submitted()` finds the batch, `cancel()` cancels it");
}

#[test]
fn samples_and_equal_questions_are_as_in_a_run() {
    let scene = Scene::new();
    let batch = || scene.cell(&["a nurse", "a nurse"]).samples(2);
    let answers = batch().submit().unwrap().collect().unwrap();
    assert_eq!(answers.len(), 4);
    assert_eq!(answers.totals().answered, 4);
    let greedy = || batch().temperature(0.0).journal(scene.path("greedy.jsonl"));
    let answers = greedy().submit().unwrap().collect().unwrap();
    assert_eq!(
        (
            answers.len(),
            answers.totals().shared,
            answers.totals().requests
        ),
        (4, 3, 1)
    );
}

#[test]
fn a_row_that_fails_is_a_row_with_its_error_and_is_asked_again() {
    let scene = Scene::new();
    let prompts = ["a nurse", "refuse this", "forget this"];
    let answers = scene.submit(&prompts).unwrap().collect().unwrap();
    assert_eq!(
        kinds(&answers),
        [
            None,
            Some(ErrorKind::ContentFilter),
            Some(ErrorKind::Response)
        ]
    );
    let filtered = answers.rows()[1].error().unwrap();
    assert!(filtered.content_filter().unwrap().is_filtered());
    assert!(
        answers.rows()[2]
            .error()
            .unwrap()
            .message()
            .ends_with("has ended and has no line for it")
    );
    scene.submit(&prompts).unwrap();
    let world = scene.api.world();
    let second = String::from_utf8(world.files[&world.batches[1].input].clone()).unwrap();
    assert!(
        second.contains("refuse this")
            && second.contains("forget this")
            && !second.contains("a nurse")
    );
}

#[test]
fn what_an_expired_or_cancelled_batch_has_done_is_kept() {
    for end in ["expired", "cancelled"] {
        let scene = Scene::new();
        scene.api.world().end = end;
        let answers = scene.submit(&PROMPTS).unwrap().collect().unwrap();
        assert_eq!(answers.totals().answered, 2);
        let error = answers.rows()[3].error().unwrap();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(error.message().contains(end), "{error}");
        scene.api.world().end = "completed";
        let answers = scene.submit(&PROMPTS).unwrap().collect().unwrap();
        assert_answered(&answers, &PROMPTS);
        assert_eq!(answers.totals().from_journal, 2);
    }
}

#[test]
fn a_batch_that_is_not_accepted_says_why() {
    for (code, message, hint) in [
        (
            "token_limit_exceeded",
            "Enqueued token limit reached.",
            "submit fewer prompts at once",
        ),
        (
            "invalid_request",
            "The deployment SKU is invalid.",
            "of the type Global Batch or Data Zone Batch",
        ),
        (
            "model_not_found",
            "No such model.",
            "has no deployment 'nurses-batch'",
        ),
    ] {
        let scene = Scene::new();
        scene.api.world().end = "failed";
        scene.api.world().reason = Some((code, message));
        let answers = scene.submit(&PROMPTS).unwrap().collect().unwrap();
        assert_eq!(kinds(&answers), [Some(ErrorKind::BadRequest); 4]);
        let error = answers.rows()[0].error().unwrap();
        assert!(
            error.message().contains(code) && error.message().contains(message),
            "{error}"
        );
        assert!(error.hint().unwrap().contains(hint), "{error}");
    }
}

#[test]
fn a_batch_that_was_not_accepted_is_submitted_again() {
    let scene = Scene::new();
    scene.api.world().end = "failed";
    scene.api.world().looks = 0;
    let refused = scene.submit(&PROMPTS).unwrap();
    assert_eq!(
        refused.status().unwrap().batches[0].state,
        BatchState::Failed
    );
    scene.api.world().end = "completed";
    let answers = scene.submit(&PROMPTS).unwrap().collect().unwrap();
    assert_answered(&answers, &PROMPTS);
    assert_eq!(scene.api.world().batches.len(), 2);
}

#[test]
fn odd_lines_are_passed_over_and_their_files_stay() {
    let scene = Scene::new();
    let submission = scene.submit(&PROMPTS).unwrap();
    let id = {
        let world = scene.api.world();
        let file = String::from_utf8(world.files["file-1"].clone()).unwrap();
        let line: serde_json::Value = serde_json::from_str(file.lines().next().unwrap()).unwrap();
        line["custom_id"].as_str().unwrap().to_owned()
    };
    let twice = answer_line(&id, "another answer");
    let stranger = answer_line("somebody", "else");
    scene.api.world().extra =
        format!("\n{twice}{stranger}{{\"no\": \"row\"}}\nnonsense\n\u{feff}\n");
    assert_answered(&submission.collect().unwrap(), &PROMPTS);
    let journal = scene.text("run.jsonl");
    assert_eq!(journal.lines().count(), 4);
    assert!(!journal.contains("another answer") && !journal.contains("somebody"));
    assert_eq!(scene.api.world().count("DELETE"), 0);
}

#[test]
fn a_file_that_ends_in_the_middle_of_a_line_loses_that_line_alone() {
    let scene = Scene::new();
    let submission = scene.submit(&PROMPTS).unwrap();
    scene.api.world().extra = "{\"custom_id\": \"tor".to_owned();
    assert_answered(&submission.collect().unwrap(), &PROMPTS);
    assert_eq!(scene.api.world().count("DELETE"), 0);
}

#[test]
fn stop_and_deadline_return_what_there_is_and_the_batch_goes_on() {
    let scene = Scene::new();
    scene.api.world().looks = usize::MAX;
    scene.submit(&PROMPTS).unwrap();
    let stop = CancelHandle::new();
    stop.cancel();
    let stopped = scene.cell(&PROMPTS).cancel_with(&stop).submitted().unwrap();
    let late = scene
        .cell(&PROMPTS)
        .deadline(Duration::from_millis(50))
        .submitted()
        .unwrap();
    for submission in [stopped, late] {
        let answers = submission.collect().unwrap();
        assert_eq!(kinds(&answers), [Some(ErrorKind::Cancelled); 4]);
        assert!(
            answers.rows()[0]
                .error()
                .unwrap()
                .hint()
                .unwrap()
                .contains("collect it later")
        );
    }
    scene.api.world().looks = 0;
    let found = scene.cell(&PROMPTS).submitted().unwrap();
    assert_answered(&found.collect().unwrap(), &PROMPTS);
}

#[test]
fn a_service_that_wants_no_wait_is_not_asked_without_end() {
    let scene = Scene::new();
    scene.api.world().looks = usize::MAX;
    scene.api.world().wait = "0";
    let late = scene.cell(&PROMPTS).deadline(Duration::from_millis(700));
    let submission = late.submit().unwrap();
    let before = scene.api.world().calls.len();
    let answers = submission.collect().unwrap();
    assert_eq!(kinds(&answers), [Some(ErrorKind::Cancelled); 4]);
    // One check at the beginning, and then ten per second.
    let looks = scene.api.world().calls.len() - before;
    assert!(looks <= 9, "{looks}");
}

#[test]
fn a_deadline_holds_while_the_service_says_nothing() {
    let scene = Scene::new();
    scene.submit(&PROMPTS).unwrap();
    let next = scene.api.world().calls.len();
    for call in next + 1..next + 50 {
        scene.api.world().faults.insert(call, Fault::Silence);
    }
    let late = scene.cell(&PROMPTS).deadline(Duration::from_millis(300));
    let answers = late.submitted().unwrap().collect();
    let kind = match answers {
        Ok(answers) => kinds(&answers)[0],
        Err(error) => Some(error.kind()),
    };
    assert_eq!(kind, Some(ErrorKind::Cancelled));
}

#[test]
fn a_key_that_comes_back_in_a_batch_is_kept_nowhere() {
    const KEY: &str = "very-secret-key";
    for echo in [KEY, "very-secret\\u002dkey", "VERY-secret-key"] {
        let scene = Scene::new();
        scene.api.world().echo = Some(echo);
        let prompts = ["a nurse", "refuse this", "forget this"];
        let submission = scene.submit(&prompts).unwrap();
        let mut told = String::new();
        for row in submission.collect().unwrap().rows() {
            told += &format!("{row:?}");
        }
        for name in ["run.jsonl", "run.requests.jsonl", "run.batches.jsonl"] {
            told += &scene.text(name);
        }
        let told = told.to_ascii_lowercase();
        assert!(told.contains("you said [key]: a nurse"), "{told}");
        assert!(!told.contains(KEY) && !told.contains("u002dkey"), "{told}");
    }
}

#[test]
fn a_submission_can_be_cancelled() {
    let scene = Scene::new();
    scene.api.world().looks = usize::MAX;
    let submission = scene.submit(&PROMPTS).unwrap();
    let status = submission.cancel().unwrap();
    assert_eq!(status.batches[0].state, BatchState::Cancelled);
    assert!(status.is_over());
    assert_eq!(submission.collect().unwrap().totals().answered, 2);
    assert_eq!(
        submission.cancel().unwrap().batches[0].state,
        BatchState::Cancelled
    );
    assert_eq!(scene.api.world().count("POST /openai/v1/batches/"), 1);
}

#[test]
fn progress_is_told() {
    let scene = Scene::new();
    let (sender, told) = std::sync::mpsc::channel();
    let batch = scene.cell(&PROMPTS).on_progress(move |progress| {
        let _ = sender.send(progress.clone());
    });
    batch.submit().unwrap().collect().unwrap();
    let first = told.recv().unwrap();
    assert_eq!((first.total, first.done), (Some(4), 0));
    assert!(first.waits_for.unwrap().contains("batch-2"));
}

#[test]
fn without_a_journal_nothing_is_submitted() {
    let scene = Scene::new();
    let error = scene.cell(&PROMPTS).without_journal().submit().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(error.hint().unwrap().contains(".journal("));
    assert!(scene.api.world().calls.is_empty());
}

#[test]
fn no_file_holds_the_key_or_can_be_read_by_others() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    scene
        .submit(&["a nurse", "refuse very-secret-key"])
        .unwrap()
        .collect()
        .unwrap();
    for name in ["run.jsonl", "run.batches.jsonl"] {
        assert!(!scene.text(name).contains("very-secret-key"), "{name}");
        let mode = fs::metadata(scene.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
