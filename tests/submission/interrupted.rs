//! Calls that fail, processes that are killed, and large submissions: nothing is paid for twice.

use std::fs;
use std::path::Path;
use std::time::Duration;

use evenhand::{Client, ErrorKind};

use super::{PROMPTS, Scene, assert_answered, kinds};
use crate::support::batch_api::Fault;

/// Upload, check the file, create; check three times, fetch two files, delete three.
const CALLS: usize = 11;
/// How many of these calls must succeed.
const NEEDED: usize = 8;

/// Does this for each call, in parallel, since each waits for retries.
fn at_each_call(calls: usize, check: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for call in 0..calls {
            let check = &check;
            scope.spawn(move || check(call));
        }
    });
}

#[test]
fn each_call_is_made_again_when_it_fails_in_passing() {
    at_each_call(CALLS, |call| {
        for fault in [
            Fault::Status(429),
            Fault::Status(500),
            Fault::Lost,
            Fault::Cut,
        ] {
            let scene = Scene::new();
            scene.api.world().faults.insert(call, fault);
            let answers = scene.submit(&PROMPTS).unwrap().collect().unwrap();
            assert_answered(&answers, &PROMPTS);
            assert_eq!(scene.text("run.jsonl").lines().count(), 4);
            let world = scene.api.world();
            assert_eq!(world.batches.len(), 1, "call {call}, {fault:?}");
            assert!(world.calls.len() >= CALLS, "the fault befell no call");
        }
    });
}

#[test]
fn a_call_that_keeps_failing_is_an_error_and_costs_nothing() {
    at_each_call(NEEDED, |call| {
        let scene = Scene::new();
        let faults = (call..call + 3).map(|call| (call, Fault::Status(400)));
        scene.api.world().faults.extend(faults);
        let failed = scene
            .submit(&PROMPTS)
            .and_then(|submission| submission.collect())
            .unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::BadRequest);
        scene.api.world().faults.clear();
        let answers = scene.submit(&PROMPTS).unwrap().collect().unwrap();
        assert_answered(&answers, &PROMPTS);
        assert_eq!(scene.api.world().batches.len(), 1, "call {call}");
    });
}

/// A process is killed while it waits for the answer to a call, which the service has received or
/// has not received.
#[test]
fn a_kill_at_any_call_loses_nothing_and_pays_for_nothing_twice() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for call in 0..CALLS {
        for fault in [Fault::Silence, Fault::Deaf] {
            let scene = Scene::new();
            scene.api.world().faults.insert(call, fault);
            let cell = async {
                scene
                    .cell(&PROMPTS)
                    .submit_async()
                    .await
                    .unwrap()
                    .collect_async()
                    .await
                    .unwrap()
            };
            let killed = runtime.block_on(async {
                let hung = async {
                    while scene.api.world().calls.len() <= call {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                };
                tokio::select! {
                    answers = cell => Some(answers),
                    () = hung => None,
                }
            });
            assert!(killed.is_none(), "there is no call {call}");
            let answers = scene.submit(&PROMPTS).unwrap().collect().unwrap();
            assert_answered(&answers, &PROMPTS);
            let world = scene.api.world();
            assert_eq!(
                world.batches.len(),
                1,
                "call {call}, {fault:?}: {:?}",
                world.calls
            );
        }
    }
}

#[test]
fn a_kill_between_two_lines_of_the_ledger_is_found_out() {
    // Created but not recorded: with the last line missing, and with a part of it.
    for left in [0, 20] {
        let scene = Scene::new();
        let made = scene.submit(&PROMPTS).unwrap().batches()[0].id.clone();
        cut_last_line(&scene.path("run.batches.jsonl"), left);
        let found = scene.submit(&PROMPTS).unwrap();
        assert_eq!(found.batches()[0].id, made);
        assert_answered(&found.collect().unwrap(), &PROMPTS);
        assert_eq!(scene.api.world().batches.len(), 1);
    }
    // Recorded but not created.
    let scene = Scene::new();
    scene.submit(&PROMPTS).unwrap();
    cut_last_line(&scene.path("run.batches.jsonl"), 0);
    scene.api.world().batches.clear();
    let answers = scene.submit(&PROMPTS).unwrap().collect().unwrap();
    assert_answered(&answers, &PROMPTS);
    assert!(
        scene.api.world().files.is_empty(),
        "the first file is not left over"
    );
}

#[test]
fn whether_a_batch_was_made_is_not_guessed() {
    let scene = Scene::new();
    scene.submit(&PROMPTS).unwrap();
    cut_last_line(&scene.path("run.batches.jsonl"), 0);
    let calls = scene.api.world().calls.len();
    scene.api.world().faults.insert(calls, Fault::Status(403));
    let error = scene.submit(&PROMPTS).unwrap_err();
    assert!(
        error
            .message()
            .starts_with("it is not known whether a batch of the file file-1 was made"),
        "{error}"
    );
    assert_eq!(scene.api.world().batches.len(), 1);
}

#[test]
fn a_batch_that_the_service_has_forgotten_is_said_and_asked_again() {
    let scene = Scene::new();
    let submission = scene.submit(&PROMPTS).unwrap();
    scene.api.world().batches.clear();
    let answers = submission.collect().unwrap();
    assert_eq!(kinds(&answers), [Some(ErrorKind::Cancelled); 4]);
    assert_answered(
        &scene.submit(&PROMPTS).unwrap().collect().unwrap(),
        &PROMPTS,
    );
}

#[test]
fn megabytes_of_prompts_are_several_batches_of_one_submission() {
    let scene = Scene::new();
    let prompts: Vec<String> = (0..50_001).map(|n| format!("person {n}")).collect();
    let client = Client::builder().openai_base_url(format!("{}/v1", scene.api.url()));
    let client = client
        .api_key("very-secret-key")
        .deployment("d")
        .build()
        .unwrap();
    let batch = || client.batch(&prompts).journal(scene.path("run.jsonl"));
    let submission = batch().submit().unwrap();
    assert_eq!(submission.batches().len(), 2);
    assert_eq!(batch().submit().unwrap().batches().len(), 2);
    let answers = submission.collect().unwrap();
    assert_eq!(answers.totals().answered, 50_001);
    let last = answers.rows().last().unwrap();
    assert_eq!(last.text(), Some("you said: person 50000"));
}

fn cut_last_line(path: &Path, left: usize) {
    let text = fs::read_to_string(path).unwrap();
    let start = text.trim_end().rfind('\n').map_or(0, |at| at + 1);
    fs::write(path, &text[..start + left]).unwrap();
}
