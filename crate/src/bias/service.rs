//! A service on loopback that says what a test wants.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::Client;

/// Answers every request with what `say` makes of its body, and gives back the bodies.
pub(super) fn service(
    requests: usize,
    say: fn(&Value) -> String,
) -> (Client, std::thread::JoinHandle<Vec<Value>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        for _ in 0..requests {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let body: Value = loop {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).unwrap();
                asked.extend_from_slice(&part[..read]);
                let text = String::from_utf8_lossy(&asked);
                if let Some((_, body)) = text.split_once("\r\n\r\n")
                    && let Ok(body) = serde_json::from_str(body)
                {
                    break body;
                }
            };
            let answer = json!({
                "id": "a", "model": "small-1", "created": 1_763_985_600, "object": "chat.completion",
                "choices": [{"index": 0, "finish_reason": "length",
                    "message": {"role": "assistant", "content": say(&body)}}],
            })
            .to_string();
            bodies.push(body);
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n{answer}",
                answer.len()
            )
            .unwrap();
        }
        bodies
    });
    let client = Client::builder()
        .endpoint(endpoint)
        .api_key("key")
        .deployment("gpt");
    (client.build().unwrap(), server)
}

pub(super) fn last_message(body: &Value) -> String {
    let messages = body["messages"].as_array().unwrap();
    messages.last().unwrap()["content"]
        .as_str()
        .unwrap()
        .to_owned()
}
