//! A service that answers with the prompt itself, unless the prompt asks for something else.

use std::time::Duration;

use serde_json::{Value, json};

use super::server::{Loopback, Reply};

/// The service. A prompt may begin with a command: `wait N` takes N milliseconds, `filter` is
/// blocked by the content filter, and `status N` always fails with that status.
pub(crate) struct Echo(pub(crate) Loopback);

impl Echo {
    pub(crate) fn start() -> Self {
        Self(Loopback::serve(|request| obey(&request.json())))
    }

    pub(crate) fn url(&self) -> String {
        self.0.url()
    }

    pub(crate) fn client(&self) -> evenhand::Client {
        evenhand::Client::builder()
            .endpoint(self.url())
            .api_key("key")
            .deployment("echo")
            .build()
            .unwrap()
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.count()
    }
}

fn obey(request: &Value) -> Reply {
    let messages = request["messages"].as_array().unwrap();
    let prompt = messages.last().unwrap()["content"].as_str().unwrap();
    let mut words = prompt.split(' ');
    let (order, number) = (
        words.next(),
        words.next().and_then(|word| word.parse().ok()),
    );
    match (order, number) {
        (Some("status"), Some(status)) => refusal(u16::try_from(status).unwrap(), "failed"),
        (Some("filter"), _) => refusal(400, "content_filter"),
        (Some("wait"), Some(milliseconds)) => {
            echo(prompt, messages.len()).late(Duration::from_millis(milliseconds))
        }
        _ => echo(prompt, messages.len()),
    }
}

fn echo(prompt: &str, messages: usize) -> Reply {
    let body = json!({
        "id": "1", "model": "echo", "object": "chat.completion", "created": 1,
        "choices": [{
            "index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": format!("{messages} messages: {prompt}")},
        }],
        "usage": {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5},
    });
    Reply::json(200, body).kept()
}

fn refusal(status: u16, code: &str) -> Reply {
    let body = json!({"error": {"code": code, "message": "as you asked"}});
    let reply = Reply::json(status, body).header("x-should-retry", "false");
    reply.kept()
}
