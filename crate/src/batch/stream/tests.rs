//! Ready requests against a server on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::batch::Quota;

/// Answers every request; gives back the bodies.
fn service() -> (Client, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, bodies) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some((_, value)) = line.to_lowercase().split_once("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let _ = sender.send(serde_json::from_slice(&body).unwrap());
            let answer =
                json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes"}}]})
                    .to_string();
            write!(
                reader.get_mut(),
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n{answer}",
                answer.len()
            )
            .unwrap();
        }
    });
    let client = Client::builder().endpoint(endpoint).api_key("key");
    (client.deployment("gpt").build().unwrap(), bodies)
}

#[test]
fn a_row_that_names_its_own_deployment_does_not_wait_for_the_batchs_quota() {
    let (client, _) = service();
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
    let (client, bodies) = service();
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
    assert_eq!(bodies.recv().unwrap()["messages"], messages);
}
