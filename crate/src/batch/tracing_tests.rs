//! The `tracing` events of a batch: what they report, and what they must not reveal.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::loopback::{Reply, Server};
use crate::{Client, Quota};

/// Records every event of this library as a line.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<String>>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("evenhand")
    }

    fn event(&self, event: &Event<'_>) {
        let mut told = self.0.lock().unwrap();
        event.record(&mut Fields(&mut told));
        told.push('\n');
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

/// The events of a batch of one prompt and of a single request, which receive these replies.
fn told(replies: impl IntoIterator<Item = Reply>) -> String {
    let listener = Listener::default();
    tracing::subscriber::with_default(listener.clone(), || {
        // Other tests may have met an event's place at the moment when nobody listened.
        tracing::callsite::rebuild_interest_cache();
        let server = Server::new(replies);
        let client = Client::builder()
            .endpoint(server.url())
            .api_key("canary-key");
        let client = client.deployment("gpt").build().unwrap();
        let batch = client.batch(["canary-prompt"]).system("canary-system");
        let _ = batch.quota(Quota::unlimited()).run();
        let _ = client.complete("canary-prompt");
    });
    let told = listener.0.lock().unwrap();
    told.clone()
}

/// A reply that repeats everything that was sent.
fn echo(status: u16) -> Reply {
    let echo = "canary-prompt canary-key canary-answer";
    Reply::error(status, echo, echo).header("x-request-id", echo)
}

#[test]
fn rejections_and_retries_are_told_without_what_was_said() {
    let told = told([
        echo(429).header("retry-after-ms", "20"),
        echo(500),
        Reply::text("canary-answer"),
        echo(503),
        Reply::json(
            200,
            json!({"choices": [{"message": {"content": "canary-answer"}}]}),
        ),
    ]);
    for expected in [
        "credential=\"api key\"",
        "message=a request was refused because of the quota rate_limited=1 retry_after_ms=20",
        "error=\"server\" status=500 retries=0",
        "error=\"server\" status=503 retries=0",
    ] {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn an_error_that_no_row_escapes_is_told() {
    let told = told([echo(401)]);
    assert!(
        told.contains("nothing more is asked error=\"authentication\" status=401"),
        "{told}"
    );
    assert!(!told.contains("canary"), "{told}");
}
