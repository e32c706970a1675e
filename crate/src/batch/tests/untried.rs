//! A setting that a deployment has accepted is not left out because others are refused.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::client;
use crate::ChatRequest;
use crate::loopback::{Loopback, Reply};

/// A reasoning model that refuses a seed and an effort, one after the other.
fn answer(body: &Value) -> Reply {
    let refused = ["seed", "reasoning_effort"];
    match refused.iter().find(|name| !body[**name].is_null()) {
        Some(name) => {
            let message = format!("Argument not supported on this model: {name}");
            Reply::json(400, json!({"error": {"message": message}}))
        }
        None => Reply::json(
            200,
            json!({"model": "grok", "choices": [{"index": 0, "finish_reason": "stop",
                    "message": {"content": "Yes."}}],
                "usage": {"prompt_tokens": 5, "completion_tokens": 43, "total_tokens": 48,
                    "completion_tokens_details": {"reasoning_tokens": 40}}}),
        ),
    }
}

#[test]
fn what_was_accepted_before_an_effort_was_refused_is_sent() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&bodies);
    let loopback = Loopback::serve(move |request| {
        let body = request.json();
        seen.lock().unwrap().push(body.clone());
        answer(&body)
    });
    let request = |row| {
        let request = ChatRequest::from(format!("p{row}")).max_tokens(50);
        request.temperature(0.3).top_p(0.9).seed(7)
    };
    let requests = (0..20).map(move |row| (row.to_string(), request(row)));
    let totals = client(&loopback).batch_requests(requests).concurrency(4);
    let totals = totals.for_each(|_| Ok(())).unwrap();
    assert_eq!(totals.answered, 20, "{totals}");
    let notes = totals.notes.join("; ");
    assert!(notes.contains("seed was left out of 20 rows"), "{notes}");
    assert!(!notes.contains("temperature was left out"), "{notes}");
    let bodies = bodies.lock().unwrap();
    let is_whole = |body: &&Value| body["temperature"] == 0.3 && body["top_p"] == 0.9;
    assert_eq!(bodies.iter().filter(is_whole).count(), bodies.len());
}

#[test]
fn a_seed_is_sent_until_it_is_refused_itself() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&bodies);
    let loopback = Loopback::serve(move |request| {
        let body = request.json();
        seen.lock().unwrap().push(body.clone());
        let refused = ["max_tokens", "temperature"];
        match refused.iter().find(|name| !body[**name].is_null()) {
            Some(name) => {
                let message = format!("Unsupported parameter: '{name}' is not supported.");
                Reply::json(400, json!({"error": {"message": message, "param": name}}))
            }
            None => Reply::text("Yes."),
        }
    });
    let batch = client(&loopback).batch(["a", "b", "c"]).max_tokens(50);
    let answers = batch.temperature(0.3).seed(7).run().unwrap();
    assert_eq!(answers.totals().answered, 3);
    let bodies = bodies.lock().unwrap();
    assert_eq!(bodies.len(), 5);
    assert!(bodies.iter().all(|body| body["seed"] == 7), "{bodies:?}");
}
