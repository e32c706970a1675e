//! Batches of complete requests against a server on loopback.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::CancelHandle;
use crate::batch::AnswerSource;
use crate::batch::Quota;
use crate::loopback::{Reply, Server};

/// Answers every request.
fn service() -> (Client, Server) {
    let server = Server::new([Reply::text("Yes")]);
    (client_of(&server), server)
}

fn client_of(server: &Server) -> Client {
    let client = Client::builder().endpoint(server.url()).api_key("key");
    client.deployment("gpt").build().unwrap()
}

#[test]
fn a_row_that_names_its_own_deployment_does_not_wait_for_the_batchs_quota() {
    let (client, _server) = service();
    let requests = (0..5).map(|number| {
        let request = ChatRequest::from("Describe a nurse.");
        let request = match number {
            0 => request,
            _ => request.deployment("another"),
        };
        (number.to_string(), request)
    });
    // One request in ten seconds for the batch's deployment.
    let totals = client
        .batch_requests(requests)
        .quota(Quota::tpm(1_000))
        .deadline(Duration::from_secs(5))
        .for_each(|_| Ok(()))
        .unwrap();
    assert_eq!(totals.answered, 5);
}

#[test]
fn a_message_in_parts_is_sent_as_it_was_read() {
    let (client, server) = service();
    let messages = json!([
        {"role": "developer", "content": "Be fair.", "name": "house"},
        {"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        ]},
    ]);
    let line = json!({"custom_id": "1", "body": {"messages": messages}}).to_string();
    let request = BatchRequest::from_json(line.as_bytes(), "line-1");
    let totals = client
        .batch_requests([request])
        .for_each(|_| Ok(()))
        .unwrap();
    assert_eq!(totals.answered, 1);
    assert_eq!(server.request().json()["messages"], messages);
}

fn numbered(count: usize) -> impl Iterator<Item = BatchRequest> + Send + use<> {
    (0..count).map(|number| BatchRequest::new(number.to_string(), "Describe a nurse."))
}

#[test]
fn each_request_that_was_read_before_a_stop_becomes_a_row() {
    let (client, _server) = service();
    for stopped_at in [1, 30, 200] {
        let stop = CancelHandle::new();
        let read = Arc::new(AtomicUsize::new(0));
        let (stops, reads) = (stop.clone(), Arc::clone(&read));
        let requests = numbered(usize::MAX).inspect(move |_| {
            if reads.fetch_add(1, Ordering::Relaxed) == stopped_at {
                stops.cancel();
            }
            // Longer than it takes to look whether the batch is over.
            std::thread::sleep(Duration::from_micros(100));
        });
        let mut rows = 0;
        let batch = client.batch_requests(requests).cancel_with(&stop);
        let totals = batch
            .for_each(|row| {
                assert_eq!((row.id, row.custom_id), (rows, rows.to_string()));
                rows += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!((rows, totals.rows), (read.load(Ordering::Relaxed), rows));
    }
}

#[test]
fn the_code_that_takes_rows_may_ask_again() {
    let (client, _server) = service();
    let asks = client.clone();
    let told = Arc::new(AtomicUsize::new(0));
    let (tells, listens) = (Arc::clone(&told), client.clone());
    let totals = client
        .batch_requests(numbered(6))
        .on_progress(move |_| {
            tells.fetch_add(listens.complete("Why?").is_ok().into(), Ordering::Relaxed);
        })
        .for_each(move |_| asks.complete("And a doctor?").map(drop))
        .unwrap();
    assert_eq!(totals.answered, 6);
    assert!(told.load(Ordering::Relaxed) > 0);
}

#[test]
#[should_panic(expected = "on purpose")]
fn a_panic_of_the_code_that_takes_rows_is_its_callers() {
    let (client, _server) = service();
    let _ = client
        .batch_requests(numbered(3))
        .for_each(|_| panic!("on purpose"));
}

#[test]
fn an_iterator_that_panics_is_an_error() {
    let (client, _server) = service();
    let requests = numbered(9).inspect(|one| assert_ne!(one.custom_id, "4", "on purpose"));
    let error = client
        .batch_requests(requests)
        .for_each(|_| Ok(()))
        .unwrap_err();
    insta::assert_snapshot!(error, @"
    the iterator of requests panicked after 4 rows, which were delivered
      hint: the printed panic message says where; answers in the journal are not requested again
    ");
}

#[test]
fn an_error_of_the_code_that_takes_rows_ends_the_reading_too() {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let (client, _server) = service();
    let is_over = Arc::new(AtomicBool::new(false));
    let held = Dropped(Arc::clone(&is_over));
    let requests = numbered(100_000).inspect(move |_| {
        let _ = &held;
    });
    let refused = client
        .batch_requests(requests)
        .concurrency(1)
        .for_each(|_| Err(Error::other("no room")));
    assert_eq!(refused.unwrap_err().message(), "no room");
    let ends = std::time::Instant::now() + Duration::from_secs(20);
    while !is_over.load(Ordering::Relaxed) && std::time::Instant::now() < ends {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(
        is_over.load(Ordering::Relaxed),
        "the iterator is still held"
    );
}

#[test]
fn rows_are_taken_by_code_that_borrows() {
    let (client, _server) = service();
    let mut names = Vec::new();
    let here = std::thread::current().id();
    let totals = client.batch_requests(numbered(100)).for_each(|row| {
        assert_eq!(std::thread::current().id(), here);
        names.push(row.custom_id);
        Ok(())
    });
    assert_eq!(totals.unwrap().answered, 100);
    assert_eq!(
        names,
        (0..100)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
    );
}

#[test]
fn requests_are_read_once() {
    let (client, server) = service();
    let batch = client.batch_requests(numbered(3)).concurrency(2);
    assert_eq!(batch.for_each(|_| Ok(())).unwrap().answered, 3);
    insta::assert_snapshot!(batch.max_retries(0).for_each(|_| Ok(())).unwrap_err(), @"
    the requests of this batch were read by an earlier `run` or `for_each`
      hint: create the batch again: `client.batch_requests(..)`
    ");
    assert_eq!(server.requests().len(), 3);
}

/// An answer that comes after the error is not waited for.
#[test]
fn an_error_of_the_code_that_takes_rows_waits_for_no_answer() {
    let server = Server::by_prompt(|prompt, _| match prompt {
        "slow" => Reply::Silence,
        _ => Reply::text("Yes"),
    });
    let client = client_of(&server);
    let requests = ["fast", "slow"].map(|prompt| (prompt, prompt));
    let refused = client
        .batch_requests(requests)
        .quota(Quota::unlimited())
        .for_each(|_| Err(Error::other("no room")));
    assert_eq!(refused.unwrap_err().message(), "no room");
}

fn lines(rows: &[Row]) -> Vec<serde_json::Value> {
    let line = |row: &Row| {
        let mut line = Vec::new();
        row.write_json(&mut line).unwrap();
        serde_json::from_slice(&line).unwrap()
    };
    rows.iter().map(line).collect()
}

#[test]
fn a_line_tells_what_the_service_said_and_of_what_was_not_sent_nothing() {
    let said = json!({"error": {"code": "401", "message": "Access denied.", "more": [1]}});
    let server = Server::new([Reply::json(401, said.clone())]);
    let client = client_of(&server);
    let mut requests: Vec<_> = numbered(3).collect();
    requests[0].request = Ok(ChatRequest::new([]));
    let mut rows = Vec::new();
    let ended = client
        .batch_requests(requests)
        .concurrency(1)
        .for_each(|row| {
            rows.push(row);
            Ok(())
        });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Authentication);
    let sources: Vec<_> = rows.iter().map(|row| row.source).collect();
    let (asked, unasked) = (AnswerSource::Service, AnswerSource::NotAsked);
    // The third may not have been read when the rejection came.
    assert!(
        [&[unasked, asked][..], &[unasked, asked, unasked]].contains(&&*sources),
        "{sources:?}"
    );
    let lines = lines(&rows);
    assert_eq!(lines[1]["response"]["body"], said);
    assert_eq!(lines[1]["evenhand"]["source"], "service");
    assert!(lines[1]["evenhand"]["asked_at"].as_u64() > Some(1_700_000_000));
    let errors = [
        ("argument", Some(&lines[0])),
        ("authentication", lines.get(2)),
    ];
    for (code, line) in errors
        .into_iter()
        .filter_map(|(code, line)| Some((code, line?)))
    {
        assert_eq!(line["response"], json!(null));
        assert_eq!(line["evenhand"]["source"], "not_asked");
        assert_eq!(line["evenhand"]["attempts"], 0);
        assert_eq!(line["evenhand"].get("asked_at"), None);
        assert_eq!(line["error"]["code"], code);
    }
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_the_service_said_in_another_form_is_told_as_a_text() {
    let server = Server::new([Reply::new(418, "text/plain", "short and stout")]);
    let client = client_of(&server);
    let mut rows = Vec::new();
    let batch = client.batch_requests(numbered(1));
    batch
        .for_each(|row| {
            rows.push(row);
            Ok(())
        })
        .unwrap();
    let response = &lines(&rows)[0]["response"];
    assert_eq!(response["status_code"], 418);
    assert_eq!(response["body"], "short and stout");
}

#[test]
fn a_row_knows_when_it_was_asked_first() {
    use std::time::SystemTime;

    let seen = Arc::new(Mutex::new(None));
    let noting = Arc::clone(&seen);
    let server = Server::answering(move |_, before| {
        noting.lock().unwrap().get_or_insert_with(SystemTime::now);
        match before {
            0 => Reply::error(500, "x", "not yet").header("retry-after-ms", "50"),
            _ => Reply::text("Yes"),
        }
    });
    let client = client_of(&server);
    let before = SystemTime::now();
    let answers = client.batch(["Why?"]).run().unwrap();
    let stats = answers.rows()[0].stats;
    assert_eq!(stats.attempts, 2);
    // Before the server saw the first request, and not when it had answered the second.
    let asked_at = stats.asked_at.unwrap();
    assert!(before <= asked_at && Some(asked_at) <= *seen.lock().unwrap());
}

#[test]
fn an_answer_that_breaks_off_is_asked_again() {
    for body in [
        "{\"choices\": [{\"mess",
        "",
        "{\"choices\": [{\"message\": {\"content\": \"\u{e9}",
    ] {
        // In the last one the break is within a character.
        let cut = match body.ends_with('\u{e9}') {
            true => &body.as_bytes()[..body.len() - 1],
            false => body.as_bytes(),
        };
        let torn = Reply::new(200, "application/json", cut);
        let server = Server::new([torn.clone(), Reply::text("Yes"), torn, Reply::text("Yes")]);
        let client = Client::builder().endpoint(server.url()).api_key("key");
        let client = client.deployment("gpt").build().unwrap();
        let answers = client.batch(["Why?"]).run().unwrap();
        assert_eq!(answers.rows()[0].text(), Some("Yes"), "{body:?}");
        assert_eq!(answers.rows()[0].stats.attempts, 2);
        assert_eq!(client.complete("Why?").unwrap().attempts(), 2);
    }
    // A page is none the second time either.
    let server = Server::new([Reply::new(200, "text/html", "<html></html>")]);
    let client = client_of(&server);
    assert!(client.complete("Why?").is_err());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn the_twins_need_no_runtime_of_their_caller() {
    let (client, _server) = service();
    // Waiting by this library's own means needs no tokio runtime, as with any other executor.
    let batch = client.batch(["Why?"]);
    assert_eq!(
        runtime::wait(batch.run_async()).unwrap().totals().answered,
        1
    );
    let answer = runtime::wait(client.complete_async("Why?")).unwrap();
    assert_eq!(answer.text(), Some("Yes"));
    let mut rows = 0;
    let taking = client.batch_requests(numbered(3)).for_each_async(|_| {
        rows += 1;
        Ok(())
    });
    assert_eq!(runtime::wait(taking).unwrap().answered, 3);
    assert_eq!(rows, 3);
}

#[test]
fn the_twins_borrow_nothing_so_that_a_task_can_own_them() {
    let (client, _server) = service();
    let (one, batch) = {
        let (client, prompt) = (client.clone(), "Why?".to_owned());
        let batch = client.batch([prompt.as_str()]);
        (client.complete_async(prompt.as_str()), batch.run_async())
    };
    let program = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    program.block_on(async {
        let (one, batch) = (tokio::spawn(one), tokio::spawn(batch));
        assert_eq!(one.await.unwrap().unwrap().text(), Some("Yes"));
        assert_eq!(batch.await.unwrap().unwrap().totals().answered, 1);
    });
}

/// A task of the caller's that awaits, and then blocks: the connection that the first has opened
/// must not be one of the thread that the second blocks.
#[test]
fn blocking_calls_follow_those_that_were_awaited() {
    let (client, _server) = service();
    let program = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    program.block_on(async move {
        client.complete_async("Why?").await.unwrap();
        let answers = client.batch(["a", "b", "c"]).run().unwrap();
        assert_eq!(answers.totals().answered, 3);
        let mut rows = 0;
        let batch = client.batch_requests(numbered(500));
        batch
            .for_each(|_| {
                rows += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(rows, 500);
    });
}

#[test]
fn a_batch_in_a_variable_runs_again() {
    let (client, server) = service();
    let batch = client.batch(["Why?"]).without_journal();
    let longer = batch.max_tokens(9);
    for _ in 0..2 {
        assert_eq!(batch.run().unwrap().totals().answered, 1);
    }
    assert_eq!(longer.run().unwrap().totals().answered, 1);
    let told: Vec<_> = server
        .bodies()
        .iter()
        .map(|body| body["max_tokens"].as_u64())
        .collect();
    assert_eq!(told, [None, None, Some(9)]);
}
