//! Ready requests against a server on loopback.

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
