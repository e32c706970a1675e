//! A loopback service that gives the answers that a test needs.

use serde_json::{Value, json};

use crate::Client;
use crate::loopback::{Reply, Server};

pub(super) use crate::loopback::last_message;

/// A service that expects a fixed number of requests.
pub(super) struct Service {
    server: Server,
    expected: usize,
}

impl Service {
    /// Stops the service and returns the bodies of the requests, all of which must have arrived.
    pub(super) fn end(self) -> Vec<Value> {
        let bodies = self.server.bodies();
        assert_eq!(bodies.len(), self.expected);
        bodies
    }
}

/// Answers the given number of requests with the result of `say` for their bodies, and closes the
/// connection on further requests.
pub(super) fn service(requests: usize, say: fn(&Value) -> String) -> (Client, Service) {
    choosing_service(requests, move |body| {
        json!({"index": 0, "finish_reason": "length",
            "message": {"role": "assistant", "content": say(body)}})
    })
}

/// The same, with the whole choice as the result, such as one with the findings of a content filter.
pub(super) fn choosing_service(
    requests: usize,
    choose: impl Fn(&Value) -> Value + Send + Sync + 'static,
) -> (Client, Service) {
    let server = Server::answering(move |request, before| {
        if before >= requests {
            return Reply::Bytes(Vec::new());
        }
        Reply::json(
            200,
            json!({
                "id": "a", "model": "small-1", "created": 1_763_985_600, "object": "chat.completion",
                "choices": [choose(&request.json())],
            }),
        )
    });
    let client = client_of(&server);
    let service = Service {
        server,
        expected: requests,
    };
    (client, service)
}

/// A client of this server.
pub(super) fn client_of(server: &Server) -> Client {
    Client::builder()
        .endpoint(server.url())
        .api_key("key")
        .deployment("gpt")
        .build()
        .unwrap()
}
