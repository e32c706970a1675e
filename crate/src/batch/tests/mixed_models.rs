//! Deployments behind which more than one model answers, such as a gateway before two regions.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::loopback::{Loopback, Reply, last_message};
use crate::{Answers, Client};

/// A rejection in the service's words.
fn refused(message: &str) -> Reply {
    Reply::json(400, json!({"error": {"message": message}})).kept()
}

fn answered(body: &Value, model: &str, reasoning_tokens: u64) -> Reply {
    let text = format!("Yes: {}", last_message(body));
    Reply::json(
        200,
        json!({"model": model,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": text}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 3 + reasoning_tokens,
                "completion_tokens_details": {"reasoning_tokens": reasoning_tokens}}}),
    )
    .kept()
}

fn gpt_5_mini(body: &Value) -> Reply {
    match (&body["max_tokens"], &body["reasoning_effort"]) {
        (Value::Null, Value::Null) => answered(body, "gpt-5-mini-2025-08-07", 64),
        (Value::Null, _) => answered(body, "gpt-5-mini-2025-08-07", 0),
        _ => refused(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
             'max_completion_tokens' instead.",
        ),
    }
}

/// A deployment in which chance decides which of the two answers, and the answers to these rows.
fn ask(rows: usize, other: fn(&Value) -> Reply) -> (Answers, usize) {
    let dice = Mutex::new(fastrand::Rng::with_seed(7));
    ask_one_of(rows, 4, move || dice.lock().unwrap().bool(), other)
}

/// The same, where this decides whether it is the reasoning model.
fn ask_one_of(
    rows: usize,
    concurrency: usize,
    thinks: impl Fn() -> bool + Send + Sync + 'static,
    other: fn(&Value) -> Reply,
) -> (Answers, usize) {
    let loopback = Loopback::serve(move |request| {
        let body = request.json();
        match thinks() {
            true => gpt_5_mini(&body),
            false => other(&body),
        }
    });
    let client = Client::builder().endpoint(loopback.url()).api_key("key");
    let client = client.deployment("class").build().unwrap();
    let prompts = (0..rows).map(|row| format!("p{row}"));
    let answers = client
        .batch(prompts)
        .max_tokens(100)
        .concurrency(concurrency);
    (answers.run().unwrap(), loopback.count())
}

#[test]
fn what_both_models_accept_is_found() {
    let (answers, count) = ask(200, |body| match &body["reasoning_effort"] {
        Value::Null => answered(body, "gpt-4o-2024-11-20", 0),
        _ => refused("Unrecognized request argument supplied: reasoning_effort"),
    });
    assert_eq!(answers.totals().answered, 200);
    assert!(count <= 230, "{count} requests");
    let notes = answers.totals().notes.join("\n");
    assert!(notes.contains("not all rows were answered by the same model"));
}

/// One model replaces the other, and for a while chance decides which of them answers.
#[test]
fn after_a_replacement_the_profile_is_that_of_the_new_model() {
    type Model = fn(&Value) -> Reply;
    let models: [(Model, Model, Value); 2] = [
        (gpt_5_mini, old_model, json!([100, null, null])),
        (old_model, gpt_5_mini, json!([null, 228, "minimal"])),
    ];
    for (first, second, expected) in models {
        for seed in 1..4 {
            let count = AtomicUsize::new(0);
            let dice = Mutex::new(fastrand::Rng::with_seed(seed));
            let bodies = Arc::new(Mutex::new(Vec::new()));
            let seen = Arc::clone(&bodies);
            let loopback = Loopback::serve(move |request| {
                seen.lock().unwrap().push(request.json());
                let is_first = match count.fetch_add(1, Ordering::Relaxed) {
                    0..60 => true,
                    60..110 => dice.lock().unwrap().bool(),
                    _ => false,
                };
                match is_first {
                    true => first(&request.json()),
                    false => second(&request.json()),
                }
            });
            let client = Client::builder().endpoint(loopback.url()).api_key("key");
            let client = client.deployment("class").build().unwrap();
            let prompts = (0..200).map(|row| format!("p{row}"));
            let batch = client.batch(prompts).max_tokens(100).concurrency(8);
            let answers = batch.run().unwrap();
            assert_eq!(answers.totals().answered, 200, "{}", answers.totals());
            let bodies = bodies.lock().unwrap();
            for body in &bodies[bodies.len() - 20..] {
                let sent = ["max_tokens", "max_completion_tokens", "reasoning_effort"];
                let sent: Vec<&Value> = sent.iter().map(|name| &body[*name]).collect();
                assert_eq!(json!(sent), expected, "{seed}");
            }
        }
    }
}

/// Each of the first requests meets the model that refuses its name of the token limit.
#[test]
fn the_first_row_is_not_given_up_where_two_models_refuse_each_others_limit() {
    let count = AtomicUsize::new(0);
    let loopback = Loopback::serve(move |request| {
        let body = request.json();
        let is_new = count.fetch_add(1, Ordering::Relaxed) < 6;
        match body["max_tokens"].is_null() != is_new {
            true => gpt_5_mini(&body),
            false => old_model(&body),
        }
    });
    let client = Client::builder().endpoint(loopback.url()).api_key("key");
    let client = client.deployment("class").build().unwrap();
    let prompts = (0..4).map(|row| format!("p{row}"));
    let answers = client.batch(prompts).max_tokens(100).run().unwrap();
    assert_eq!(answers.totals().answered, 4, "{}", answers.totals());
}

fn old_model(body: &Value) -> Reply {
    let other = ["max_completion_tokens", "reasoning_effort"];
    match other.into_iter().find(|name| !body[*name].is_null()) {
        Some(name) => refused(&format!("Unrecognized request argument supplied: {name}")),
        None => answered(body, "gpt-35-turbo", 0),
    }
}

#[test]
fn models_that_take_turns_answer_every_row() {
    for concurrency in [1, 3] {
        let turn = AtomicBool::new(false);
        let take_turns = move || turn.fetch_not(Ordering::Relaxed);
        let (answers, _) = ask_one_of(12, concurrency, take_turns, old_model);
        assert_eq!(
            answers.totals().answered,
            12,
            "{concurrency}: {}",
            answers.totals()
        );
    }
}

#[test]
fn models_that_accept_nothing_in_common_answer_most_rows_and_the_rest_say_why() {
    let (answers, _) = ask(100, old_model);
    assert!(answers.totals().answered >= 90, "{}", answers.totals());
    for error in answers.rows().iter().filter_map(|row| row.error()) {
        let hint = error.hint().unwrap_or_default();
        assert!(
            hint.contains("keeps changing which parameters it takes"),
            "{error:?}"
        );
    }
}
