//! What was added to a request never costs a row its answer.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::loopback::{Loopback, Reply, Request, last_message};
use crate::{Answers, Client};

/// Bodies that arrived.
type Seen = Arc<Mutex<Vec<Value>>>;

fn serve(service: impl Fn(usize, &Value) -> Reply + Send + Sync + 'static) -> (Loopback, Seen) {
    let (seen, count) = (Seen::default(), AtomicUsize::new(0));
    let bodies = Arc::clone(&seen);
    let loopback = Loopback::serve(move |request: Request| {
        let body = request.json();
        let reply = service(count.fetch_add(1, Ordering::SeqCst), &body);
        bodies.lock().unwrap().push(body);
        reply
    });
    (loopback, seen)
}

fn client(loopback: &Loopback) -> Client {
    let builder = Client::builder().endpoint(loopback.url()).api_key("key");
    builder.deployment("class").max_retries(1).build().unwrap()
}

fn thought(body: &Value, tokens: u64) -> Reply {
    answer(body, "thinker", tokens)
}

fn answer(body: &Value, model: &str, tokens: u64) -> Reply {
    let text = format!("Yes: {}", last_message(body));
    let completion = tokens + 3;
    Reply::json(
        200,
        json!({"id": "1", "model": model, "created": 1,
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": completion,
                "total_tokens": 5 + completion,
                "completion_tokens_details": {"reasoning_tokens": tokens}}}),
    )
}

fn prompts(rows: usize) -> Vec<String> {
    (0..rows).map(|n| format!("p{n}")).collect()
}

fn ask(client: &Client, rows: usize) -> Answers {
    client.batch(prompts(rows)).max_tokens(100).run().unwrap()
}

fn all_are_answered(answers: &Answers, rows: usize) {
    for (row, prompt) in answers.rows().iter().zip(prompts(rows)) {
        assert_eq!(row.error().map(ToString::to_string), None, "{prompt}");
        assert_eq!(row.text(), Some(format!("Yes: {prompt}").as_str()));
    }
    assert_eq!(answers.rows().len(), rows);
}

#[test]
fn an_effort_that_breaks_a_deployment_is_taken_back() {
    let broken = [
        (
            400,
            json!({"code": "invalid-argument", "error": "Model x does not support parameter reasoningEffort."}),
        ),
        (
            400,
            json!({"error": {"message": "invalid reasoning value: 'minimal'"}}),
        ),
        (422, json!({"error": {"message": "Bad request"}})),
        (500, json!({"error": {"message": "Internal error"}})),
    ];
    for (status, said) in broken {
        let reply = said.clone();
        let (loopback, seen) = serve(move |_, body| match body["reasoning_effort"].is_null() {
            true => thought(body, 50),
            false => Reply::json(status, reply.clone()),
        });
        let answers = ask(&client(&loopback), 20);
        all_are_answered(&answers, 20);
        let seen = seen.lock().unwrap();
        // The answer that was there already is not paid for again.
        // An internal error may have any reason, so another request is sent with the effort.
        let tries = if status == 500 { 2 } else { 1 };
        assert_eq!(seen.len(), 20 + tries, "{said}");
        assert_eq!(answers.totals().reasoning_tokens, 20 * 50);
        let with_effort = seen
            .iter()
            .filter(|body| !body["reasoning_effort"].is_null());
        assert_eq!(with_effort.count(), tries, "{said}");
    }
}

#[test]
fn one_internal_error_teaches_nothing_about_an_effort() {
    let failed = AtomicBool::new(false);
    let (loopback, seen) = serve(move |_, body| match body["reasoning_effort"].is_null() {
        true => thought(body, 50),
        false if !failed.swap(true, Ordering::Relaxed) => {
            Reply::json(500, json!({"error": {"message": "Internal error"}}))
        }
        false => thought(body, 5),
    });
    let client = Client::builder()
        .endpoint(loopback.url())
        .api_key("key")
        .deployment("class")
        .max_retries(0)
        .build()
        .unwrap();
    let answers = ask(&client, 20);
    all_are_answered(&answers, 20);
    let seen = seen.lock().unwrap();
    let with_effort = seen
        .iter()
        .filter(|body| !body["reasoning_effort"].is_null());
    assert_eq!((seen.len(), with_effort.count()), (22, 21));
}

#[test]
fn an_effort_that_breaks_a_deployment_is_taken_back_after_an_empty_answer_too() {
    for status in [500, 503] {
        let (loopback, _) = serve(move |_, body| {
            let limit = body["max_tokens"].as_u64().unwrap();
            match body["reasoning_effort"].is_null() {
                false => Reply::json(status, json!({"error": {"message": "Internal error"}}))
                    .header("retry-after-ms", "10"),
                true if limit < 305 => Reply::json(
                    200,
                    json!({"id": "1", "model": "thinker", "created": 1,
                        "choices": [{"finish_reason": "length", "message": {"content": ""}}],
                        "usage": {"prompt_tokens": 5, "completion_tokens": limit,
                            "completion_tokens_details": {"reasoning_tokens": limit}}}),
                ),
                true => thought(body, 300),
            }
        });
        let answers = ask(&client(&loopback), 6);
        all_are_answered(&answers, 6);
    }
}

#[test]
fn an_error_that_is_the_rows_own_leaves_the_effort_alone() {
    let (loopback, seen) = serve(|_, body| {
        let (effort, prompt) = (&body["reasoning_effort"], last_message(body));
        match (body["max_tokens"].is_null(), prompt.as_str()) {
            (false, _) => Reply::error(
                400,
                "unsupported_parameter",
                "Unsupported parameter: 'max_tokens' is not supported.",
            ),
            (true, "p0") => Reply::error(400, "invalid_prompt", "Bad prompt"),
            _ if effort.is_null() => thought(body, 600),
            _ => thought(body, 64),
        }
    });
    let answers = ask(&client(&loopback), 20);
    assert_eq!(answers.totals().answered, 19);
    assert!(answers.rows()[0].error().is_some());
    let seen = seen.lock().unwrap();
    let low = seen
        .iter()
        .filter(|body| body["reasoning_effort"] == "minimal");
    assert!(low.count() >= 19);
}

#[test]
fn a_paid_answer_is_not_lost_when_the_batch_ends_or_the_service_fails() {
    let (loopback, _) = serve(|_, body| match body["reasoning_effort"].is_null() {
        true => thought(body, 50),
        false => Reply::json(503, json!({"error": {"message": "Busy"}})),
    });
    let answers = ask(&client(&loopback), 1);
    all_are_answered(&answers, 1);
    assert_eq!(answers.totals().reasoning_tokens, 50);

    let (loopback, _) = serve(|_, body| {
        let wait = match body["reasoning_effort"].is_null() {
            true => Duration::ZERO,
            false => Duration::from_secs(300),
        };
        thought(body, 50).late(wait)
    });
    let batch = client(&loopback).batch(prompts(1)).max_tokens(100);
    let answers = batch.deadline(Duration::from_secs(2)).run().unwrap();
    all_are_answered(&answers, 1);
}

#[test]
fn nothing_of_a_replaced_model_remains() {
    let new = Arc::new(Mutex::new(false));
    let is_new = Arc::clone(&new);
    let (loopback, seen) = serve(move |_, body| {
        let refused = |name: &str| {
            let message =
                format!("Unsupported parameter: '{name}' is not supported with this model.");
            Reply::error(400, "unsupported_parameter", &message)
        };
        let has = |name: &str| !body[name].is_null();
        if !*is_new.lock().unwrap() {
            match (has("max_tokens"), has("temperature")) {
                (true, _) => refused("max_tokens"),
                (_, true) => refused("temperature"),
                _ => answer(body, "gpt-5-mini-2025-08-07", 64),
            }
        } else if has("reasoning_effort") {
            refused("reasoning_effort")
        } else {
            answer(body, "gpt-4o-2024-11-20", 0)
        }
    });
    let client = client(&loopback);
    let ask = || {
        let batch = client.batch(prompts(20)).max_tokens(100).temperature(0.5);
        batch.run().unwrap()
    };
    all_are_answered(&ask(), 20);
    let before = seen.lock().unwrap().len();
    *new.lock().unwrap() = true;
    all_are_answered(&ask(), 20);
    all_are_answered(&ask(), 20);
    let seen = seen.lock().unwrap();
    let again = &seen[before..];
    let as_written = again
        .iter()
        .filter(|body| body["temperature"] == 0.5 && body["max_tokens"] == 100);
    assert!(as_written.count() >= 20, "{again:?}");
    assert_eq!(client.deployment_profile(), None);
}

#[test]
fn an_error_of_one_row_changes_no_other_row() {
    let (loopback, seen) = serve(|_, body| {
        let temperature = body["temperature"].as_f64().unwrap_or(1.0);
        match last_message(body).as_str() {
            "p0" => Reply::error(
                400,
                "guardrail",
                "Questions about temperature are not allowed",
            ),
            _ if temperature > 1.0 => Reply::error(
                400,
                "unsupported_value",
                "Unsupported value: 'temperature' does not support 1.5 with this model. Only values from 0 to 1 are supported.",
            ),
            _ => answer(body, "plain", 0),
        }
    });
    let client = client(&loopback);
    let answers = client.batch(prompts(20)).temperature(0.5).run().unwrap();
    assert_eq!(answers.totals().answered, 19);
    let hot = crate::ChatRequest::from("p3").temperature(1.5);
    assert!(client.complete(hot).is_err());
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 21);
    assert!(seen.iter().all(|body| !body["temperature"].is_null()));
}

#[test]
fn a_change_that_did_not_help_is_undone() {
    let (loopback, seen) = serve(|_, body| match last_message(body).as_str() {
        "p0" => Reply::error(400, "rule", "Prompts about temperature are not supported"),
        _ => answer(body, "plain", 0),
    });
    let client = client(&loopback);
    let answers = client
        .batch(prompts(20))
        .temperature(0.5)
        .concurrency(1)
        .run()
        .unwrap();
    assert_eq!(answers.totals().answered, 19);
    let seen = seen.lock().unwrap();
    let without = seen.iter().filter(|body| body["temperature"].is_null());
    assert_eq!(without.count(), 1);
    assert_eq!(client.deployment_profile(), None);
}

#[test]
fn a_service_that_is_starting_is_still_refused_at_most_twice() {
    let (loopback, seen) = serve(|count, body| {
        let refused = |name: &str| {
            let message =
                format!("Unsupported parameter: '{name}' is not supported with this model.");
            Reply::error(400, "unsupported_parameter", &message)
        };
        match (count, body["max_tokens"].is_null()) {
            (0..4, _) => Reply::error(503, "starting", "Starting"),
            (_, false) => refused("max_tokens").late(Duration::from_millis(100)),
            _ => thought(body, 64),
        }
    });
    let answers = ask(&client(&loopback), 20);
    all_are_answered(&answers, 20);
    let seen = seen.lock().unwrap();
    let refused = seen.iter().filter(|body| !body["max_tokens"].is_null());
    assert!(refused.count() <= 4 + 2);
}
