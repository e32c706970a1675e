//! Ending a batch early: by a handle, by a deadline, by a file, by dropping it.

use std::future::Future;
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use evenhand::batch::BatchRequest;
use evenhand::{Answers, CancelHandle, ErrorKind};

use super::faults::{answer, batch, client};
use crate::support::server::{Reply, Server};

/// Long enough for a busy machine, and far shorter than what the slow prompts take.
const SOON: Duration = Duration::from_secs(20);

/// Answers at once, except for prompts that begin with `slow`, which are never answered.
fn slow() -> Server {
    Server::by_prompt(|prompt, _| match prompt.starts_with("slow") {
        true => Reply::Silence,
        false => answer(prompt),
    })
}

fn prompts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Waits until this many requests have arrived.
fn wait_for(server: &Server, requests: usize) {
    let came = crate::support::poll(SOON, || (server.requests().len() >= requests).then_some(()));
    came.unwrap_or_else(|| panic!("not {requests} requests: {}", server.requests().len()));
}

/// Asserts that the first row is answered and the others have errors.
fn is_cut_short(answers: &Answers, why: &str) {
    assert_eq!(answers.rows()[0].text(), Some("answer to quick"));
    for row in &answers.rows()[1..] {
        let error = row.error().unwrap();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(error.message(), why);
        assert!(error.hint().is_some());
    }
    let totals = answers.totals();
    assert_eq!(
        (totals.answered, totals.cancelled, totals.failed),
        (1, 3, 0)
    );
}

#[test]
fn a_stopped_batch_returns_what_it_has() {
    let server = slow();
    let stop = CancelHandle::new();
    let asked = batch(
        &server,
        prompts(&["quick", "slow 1", "slow 2", "never asked"]),
    )
    .concurrency(2)
    .cancel_with(&stop);
    let running = thread::spawn(move || asked.run().unwrap());
    wait_for(&server, 3);
    let started = Instant::now();
    stop.cancel();
    let answers = running.join().unwrap();
    assert!(started.elapsed() < SOON);
    is_cut_short(&answers, "stopped before it was answered");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn what_is_under_way_may_end_when_a_batch_is_stopped() {
    let server = Server::by_prompt(|prompt, _| answer(prompt).late(Duration::from_millis(300)));
    let stop = CancelHandle::new();
    let asked = batch(&server, prompts(&["a", "b", "c"]))
        .concurrency(1)
        .cancel_with(&stop);
    let running = thread::spawn(move || asked.run().unwrap());
    wait_for(&server, 1);
    stop.cancel();
    let answers = running.join().unwrap();
    assert_eq!(answers.rows()[0].text(), Some("answer to a"));
    assert_eq!(answers.totals().cancelled, 2);
}

#[test]
fn a_batch_that_is_stopped_between_attempts_ends() {
    let server = Server::by_prompt(|prompt, _| match prompt {
        "quick" => answer(prompt),
        _ => Reply::error(503, "x", "x").header("retry-after-ms", "50000"),
    });
    let stop = CancelHandle::new();
    let asked = batch(&server, prompts(&["quick", "a", "b", "c"])).cancel_with(&stop);
    let running = thread::spawn(move || asked.run().unwrap());
    wait_for(&server, 4);
    stop.cancel();
    is_cut_short(&running.join().unwrap(), "stopped before it was answered");
}

#[test]
fn a_deadline_ends_a_batch() {
    let server = slow();
    let started = Instant::now();
    let answers = batch(&server, prompts(&["quick", "slow 1", "slow 2", "slow 3"]))
        .deadline(Duration::from_millis(1500))
        .run()
        .unwrap();
    assert!(started.elapsed() < SOON);
    is_cut_short(&answers, "not answered before the deadline of 1.5 s");
}

#[test]
fn a_deadline_that_is_over_asks_nothing() {
    let server = slow();
    let answers = batch(&server, prompts(&["slow 1", "slow 2"]))
        .deadline(Duration::ZERO)
        .run()
        .unwrap();
    assert_eq!(answers.totals().cancelled, 2);
}

#[test]
fn a_stopped_batch_of_requests_has_a_row_for_each_that_was_read() {
    let server = slow();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let (sender, requests) = std::sync::mpsc::channel();
    for text in ["quick", "slow 1", "slow 2"] {
        sender.send(BatchRequest::new(text, text)).unwrap();
    }
    let stop = CancelHandle::new();
    let (rows, taken) = std::sync::mpsc::channel();
    let asked = client(&server)
        .batch_requests(requests)
        .quota(evenhand::Quota::unlimited())
        .journal(&path)
        .cancel_with(&stop);
    let running = thread::spawn(move || {
        asked.for_each(move |row| {
            rows.send((
                row.id,
                row.custom_id,
                row.outcome.map_err(|error| error.kind()).is_ok(),
            ))
            .unwrap();
            Ok(())
        })
    });
    wait_for(&server, 3);
    stop.cancel();
    // The sender is still open, so the reader waits for more requests, but nothing waits for it.
    let totals = running.join().unwrap().unwrap();
    let taken: Vec<_> = taken.iter().collect();
    let expected = [
        (0, "quick".to_owned(), true),
        (1, "slow 1".to_owned(), false),
        (2, "slow 2".to_owned(), false),
    ];
    assert_eq!(taken, expected);
    assert_eq!((totals.answered, totals.cancelled), (1, 2));
    // Nor does it keep the journal locked.
    let again = batch(&server, prompts(&["another"]))
        .journal(&path)
        .deadline(SOON)
        .run();
    assert_eq!(again.unwrap().totals().answered, 1);
    drop(sender);
}

#[test]
fn an_error_of_whoever_takes_the_rows_ends_the_batch() {
    let server = Server::by_prompt(|prompt, _| answer(prompt));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let requests = (0..).map(|number| (number.to_string(), format!("number {number}")));
    let error = client(&server)
        .batch_requests(requests)
        .quota(evenhand::Quota::unlimited())
        .concurrency(2)
        .journal(&path)
        .for_each(|row| match row.id {
            5 => client_error(),
            _ => Ok(()),
        })
        .unwrap_err();
    assert_eq!(error.message(), client_error().unwrap_err().message());
    let sent = server.requests().len();
    assert!(sent < 500, "{sent} requests");
    // The journal is free again.
    let answers = batch(&server, prompts(&["another"])).journal(folder.path().join("run.jsonl"));
    let error = answers.deadline(SOON).run();
    assert!(
        !matches!(&error, Err(error) if error.kind() == ErrorKind::Cancelled),
        "{error:?}"
    );
}

fn client_error() -> evenhand::Result<()> {
    evenhand::Client::builder().build().map(|_| ())
}

#[test]
fn dropping_a_batch_in_mid_flight_leaks_nothing() {
    let server = Server::by_prompt(|prompt, _| answer(prompt).late(Duration::from_millis(30)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let many: Vec<_> = (0..10_000)
        .map(|number| format!("number {number}"))
        .collect();
    {
        let _inside = runtime.enter();
        let mut future = pin!(batch(&server, many).journal(&path).run_async());
        let mut context = Context::from_waker(Waker::noop());
        let end = Instant::now() + SOON;
        while server.requests().len() < 20 {
            assert!(
                Instant::now() < end,
                "only {} requests",
                server.requests().len()
            );
            assert!(matches!(future.as_mut().poll(&mut context), Poll::Pending));
            thread::sleep(Duration::from_millis(1));
        }
    }
    // Requests that were already on their way arrive, and then no more.
    thread::sleep(Duration::from_millis(200));
    let sent = server.requests().len();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(server.requests().len(), sent);
    assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    let again = batch(&server, prompts(&["number 0"]))
        .journal(&path)
        .deadline(SOON)
        .run()
        .unwrap();
    assert_eq!(again.totals().from_journal, 1, "{again:?}");
}

#[test]
fn a_file_stops_a_batch_in_another_process() {
    let server = slow();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stop");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "batch::stopping::is_stopped_by_a_file",
            "--ignored",
            "--nocapture",
        ])
        .env("EVENHAND_STOP_FILE", &file)
        .env("EVENHAND_TEST", server.url())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let came = crate::support::poll(SOON, || (server.requests().len() >= 4).then_some(()));
    std::fs::write(&file, "").unwrap();
    let ended = crate::support::poll(SOON, || child.try_wait().unwrap());
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        came.is_some() && ended.is_some_and(|status| status.success()),
        "{told}"
    );
    assert!(told.contains("1 passed"), "{told}");
}

#[test]
#[ignore = "run by another test, with variables of its own"]
fn is_stopped_by_a_file() {
    let answers = evenhand::Client::builder()
        .endpoint(std::env::var("EVENHAND_TEST").unwrap())
        .api_key("key")
        .deployment("gpt")
        .build()
        .unwrap()
        .batch(["quick", "slow 1", "slow 2", "slow 3"])
        .quota(evenhand::Quota::unlimited())
        .run()
        .unwrap();
    is_cut_short(&answers, "stopped before it was answered");
}
