//! A service on loopback that says what a test wants.

use serde_json::{Value, json};

use crate::Client;
use crate::loopback::{Reply, Server};

pub(super) use crate::loopback::last_message;

/// A service that expects so many requests.
pub(super) struct Service {
    server: Server,
    expected: usize,
}

impl Service {
    /// Ends it; the bodies of the requests, which have all come.
    pub(super) fn end(self) -> Vec<Value> {
        let bodies = self.server.bodies();
        assert_eq!(bodies.len(), self.expected);
        bodies
    }
}

/// Answers so many requests with what `say` makes of their bodies, and hangs up at others.
pub(super) fn service(requests: usize, say: fn(&Value) -> String) -> (Client, Service) {
    let server = Server::answering(move |request, before| {
        if before >= requests {
            return Reply::Bytes(Vec::new());
        }
        let text = say(&request.json());
        Reply::json(
            200,
            json!({
                "id": "a", "model": "small-1", "created": 1_763_985_600, "object": "chat.completion",
                "choices": [{"index": 0, "finish_reason": "length",
                    "message": {"role": "assistant", "content": text}}],
            }),
        )
    });
    let client = Client::builder()
        .endpoint(server.url())
        .api_key("key")
        .deployment("gpt");
    let service = Service {
        server,
        expected: requests,
    };
    (client.build().unwrap(), service)
}
