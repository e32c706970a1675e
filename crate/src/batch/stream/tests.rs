//! Batches of complete requests against a server on loopback.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::batch::Quota;
use crate::loopback::{Reply, Server};

/// Answers every request.
fn service() -> (Client, Server) {
    let server = Server::new([Reply::text("Yes")]);
    let client = Client::builder().endpoint(server.url()).api_key("key");
    (client.deployment("gpt").build().unwrap(), server)
}

#[test]
fn a_row_that_names_its_own_deployment_does_not_wait_for_the_batchs_quota() {
    let (client, _server) = service();
    let requests = (0..5).map(|number| BatchRequest {
        custom_id: number.to_string(),
        request: Ok(match number {
            0 => ChatRequest::from("Describe a nurse."),
            _ => ChatRequest::from("Describe a nurse.").deployment("another"),
        }),
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

fn numbered(count: usize) -> impl Iterator<Item = BatchRequest> + Send + 'static {
    (0..count).map(|number| BatchRequest {
        custom_id: number.to_string(),
        request: Ok(ChatRequest::from("Describe a nurse.")),
    })
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
