//! Requests as they were received, and replies byte by byte.

use std::time::Duration;

use serde_json::{Value, json};

/// A request as it was received.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
    /// The header lines. They are only parsed when a header is requested: the benchmarks request
    /// none, and the server must take as little of their time as possible.
    headers: String,
}

impl Request {
    /// Takes the first request out of the bytes read so far, if it is complete.
    pub(super) fn take(read: &mut Vec<u8>) -> Option<Self> {
        let end = read.windows(4).position(|four| four == b"\r\n\r\n")?;
        let (first, headers) = std::str::from_utf8(&read[..end])
            .unwrap()
            .split_once("\r\n")?;
        let mut first = first.split(' ').map(str::to_owned);
        let mut request = Self {
            method: first.next()?,
            target: first.next()?,
            headers: headers.to_owned(),
            body: Vec::new(),
        };
        let length = request.header("content-length");
        let length: usize = length.first().map_or(0, |text| text.parse().unwrap());
        let body = end + 4..end + 4 + length;
        request.body = read.get(body.clone())?.to_vec();
        read.drain(..body.end);
        Some(request)
    }

    /// Names and values, in order.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.headers.split("\r\n");
        let pairs = lines.filter_map(|line| line.split_once(':'));
        pairs.map(|(name, value)| (name, value.trim()))
    }

    /// Every value of the header, in order.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.headers()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The last message of the conversation.
    pub(crate) fn prompt(&self) -> String {
        last_message(&self.json())
    }
}

/// The text of the last message in the body of a request.
pub(crate) fn last_message(body: &Value) -> String {
    let messages = body["messages"].as_array().unwrap();
    let text = messages.last().unwrap()["content"].as_str().unwrap();
    text.to_owned()
}

/// What to do with one request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Send these bytes and close the connection.
    Bytes(Vec<u8>),
    /// Send these bytes and wait for the next request on the same connection.
    Kept(Vec<u8>),
    /// Send these bytes and reset the connection, as a machine that goes down does.
    Broken(Vec<u8>),
    /// Send these bytes in small pieces, with a pause after each, and close.
    Drip(Vec<u8>, Duration),
    /// Wait, and then send a reply.
    Late(Duration, Box<Reply>),
    /// Never answer.
    Silence,
}

const CLOSE: &str = "connection: close\r\n";

impl Reply {
    /// An answer with a body of any kind.
    pub(crate) fn new(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\n{CLOSE}content-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self::Bytes([head.as_bytes(), body].concat())
    }

    /// An answer in JSON.
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A successful answer with this text.
    pub(crate) fn text(text: &str) -> Self {
        Self::json(
            200,
            json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "scripted",
                "choices": [{"index": 0, "finish_reason": "stop",
                    "message": {"role": "assistant", "content": text}}],
                "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
            }),
        )
    }

    /// An error in Azure's format, which asks for a retry at once.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"error": {"code": code, "message": message}});
        Self::json(status, body).header("retry-after-ms", "1")
    }

    /// Adds a header.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.change(|bytes| {
            let line = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let header = format!("{name}: {value}\r\n");
            bytes.splice(line..line, header.into_bytes());
        })
    }

    /// Leaves out the last `bytes` bytes.
    pub(crate) fn cut(self, bytes: usize) -> Self {
        self.change(|all| all.truncate(all.len() - bytes))
    }

    /// The same reply after a wait.
    pub(crate) fn late(self, wait: Duration) -> Self {
        Self::Late(wait, Box::new(self))
    }

    /// The same reply on a connection that stays open.
    pub(crate) fn kept(self) -> Self {
        let mut bytes = self.bytes();
        let close = CLOSE.as_bytes();
        let place = bytes.windows(close.len()).position(|some| some == close);
        let place = place.unwrap();
        bytes.drain(place..place + close.len());
        Self::Kept(bytes)
    }

    /// The bytes of a reply that is sent at once.
    pub(crate) fn bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            other => panic!("not sent at once: {other:?}"),
        }
    }

    fn change(self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = self.bytes();
        change(&mut bytes);
        Self::Bytes(bytes)
    }
}
