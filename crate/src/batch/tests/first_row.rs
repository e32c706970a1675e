//! A row whose settings conflict costs no other row its own, even if it is the first.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::client;
use crate::ChatRequest;
use crate::loopback::{Loopback, Reply, last_message};

type Seen = Arc<Mutex<Vec<(Value, bool)>>>;

/// A service that refuses some requests, and what it has seen.
fn serve(
    refuses: impl Fn(&Value) -> Option<&'static str> + Send + Sync + 'static,
) -> (Loopback, Seen) {
    let seen = Seen::default();
    let bodies = Arc::clone(&seen);
    let loopback = Loopback::serve(move |request| {
        let body = request.json();
        let refused = refuses(&body);
        let reply = match refused {
            Some(message) => Reply::json(400, json!({"error": {"message": message}})),
            None => {
                let text = format!("Yes: {}", last_message(&body));
                Reply::json(
                    200,
                    json!({"id": "1", "model": "plain", "created": 1,
                        "choices": [{"index": 0, "finish_reason": "stop",
                            "message": {"role": "assistant", "content": text}}],
                        "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}}),
                )
            }
        };
        bodies.lock().unwrap().push((body, refused.is_some()));
        reply
    });
    (loopback, seen)
}

/// Asks for rows with a temperature of 0.5, of which one is changed.
fn ask(
    loopback: &Loopback,
    concurrency: usize,
    odd: usize,
    change: fn(ChatRequest) -> ChatRequest,
) {
    let requests = (0..20).map(move |row| {
        let request = ChatRequest::from(format!("p{row}")).temperature(0.5);
        let request = match row == odd {
            true => change(request),
            false => request,
        };
        (format!("p{row}"), request)
    });
    let batch = client(loopback).batch_requests(requests);
    let totals = batch.concurrency(concurrency).for_each(|_| Ok(()));
    // The odd row may have its own error.
    assert!(totals.unwrap().answered >= 19);
}

/// The temperatures that were answered, without that of the odd row, and the number of rejections.
fn answered(seen: &Seen, odd: usize) -> (Vec<Option<f64>>, usize) {
    let seen = seen.lock().unwrap();
    let odd = format!("p{odd}");
    let others = seen
        .iter()
        .filter(|(body, is_refused)| !is_refused && last_message(body) != odd);
    let temperatures = others
        .map(|(body, _)| body["temperature"].as_f64())
        .collect();
    (
        temperatures,
        seen.iter().filter(|(_, is_refused)| *is_refused).count(),
    )
}

fn with_effort(body: &Value) -> Option<&'static str> {
    let is_refused = !body["temperature"].is_null() && !body["reasoning_effort"].is_null();
    is_refused.then_some("Unsupported parameter: 'temperature' is not supported with this model.")
}

fn both(body: &Value) -> Option<&'static str> {
    let is_refused = !body["temperature"].is_null() && !body["top_p"].is_null();
    is_refused.then_some("`temperature` and `top_p` cannot both be specified for this model.")
}

fn zero(body: &Value) -> Option<&'static str> {
    let is_refused = body["temperature"].as_f64() == Some(0.0);
    is_refused.then_some("Input validation error: `temperature` must be strictly positive")
}

#[test]
fn what_one_rows_settings_are_refused_for_is_left_out_of_rows_like_it_alone() {
    type Case = (
        fn(&Value) -> Option<&'static str>,
        fn(ChatRequest) -> ChatRequest,
    );
    let cases: [Case; 3] = [
        (with_effort, |request| {
            request.set("reasoning_effort", "low")
        }),
        (both, |request| request.top_p(0.9)),
        (zero, |request| request.temperature(0.0)),
    ];
    for (refuses, change) in cases {
        for odd in [0, 9] {
            let (loopback, seen) = serve(refuses);
            ask(&loopback, 4, odd, change);
            let (temperatures, refused) = answered(&seen, odd);
            assert_eq!(temperatures, [Some(0.5); 19], "row {odd}");
            assert_eq!(refused, 1, "row {odd}");
        }
    }
}

#[test]
fn a_card_tells_of_a_setting_that_is_refused_in_some_requests() {
    let (loopback, _) = serve(both);
    ask(&loopback, 1, 0, |request| request.top_p(0.9));
    let profile = client(&loopback).deployment_profile().unwrap();
    assert!(
        profile.contains("temperature not in every request"),
        "{profile}"
    );
}

#[test]
fn a_second_refused_row_with_other_settings_speaks_for_all() {
    let (loopback, seen) = serve(|body| {
        let is_refused = !body["temperature"].is_null();
        is_refused.then_some("Unsupported value: 'temperature' does not support this value.")
    });
    let requests = (0..20).map(move |row| {
        let request = ChatRequest::from(format!("p{row}"));
        (
            format!("p{row}"),
            request.temperature(f64::from(row) / 40.0),
        )
    });
    let batch = client(&loopback).batch_requests(requests).concurrency(4);
    let totals = batch.for_each(|_| Ok(())).unwrap();
    assert_eq!(totals.answered, 20);
    let (temperatures, refused) = answered(&seen, 0);
    assert_eq!(temperatures, [None; 19]);
    assert_eq!(refused, 2);
}

#[test]
fn the_thinking_of_a_row_with_its_own_effort_is_not_allowed_for_in_others() {
    let loopback = Loopback::serve(|request| {
        let body = request.json();
        let reasoning = match body["reasoning_effort"].is_null() {
            true => 0,
            false => 700,
        };
        // What a row without an effort is allowed is its answer.
        let limit = body["max_tokens"].as_u64().unwrap();
        let (text, finish, spent) = match limit > reasoning {
            true => (limit.to_string(), "stop", reasoning + 5),
            false => (String::new(), "length", limit),
        };
        let details = json!({"reasoning_tokens": reasoning.min(limit)});
        Reply::json(
            200,
            json!({"id": "1", "model": "plain", "created": 1,
                "choices": [{"index": 0, "finish_reason": finish,
                    "message": {"role": "assistant", "content": text}}],
                "usage": {"prompt_tokens": 5, "completion_tokens": spent,
                    "total_tokens": 5 + spent, "completion_tokens_details": details}}),
        )
    });
    let requests = (0..6).map(|row| {
        let request = ChatRequest::from(format!("p{row}")).max_tokens(50);
        let request = match row {
            0 | 5 => request.set("reasoning_effort", "low"),
            _ => request,
        };
        (format!("p{row}"), request)
    });
    let batch = client(&loopback).batch_requests(requests).concurrency(1);
    let mut limits = Vec::new();
    let totals = batch.for_each(|row| {
        let answer = row.outcome.as_ref().ok().and_then(|answer| answer.text());
        limits.push(answer.map(str::to_owned));
        Ok(())
    });
    assert_eq!(totals.unwrap().answered, 6);
    let limits: Vec<_> = limits.into_iter().flatten().collect();
    assert_eq!(limits[1..5], ["50", "50", "50", "50"]);
    // The second row with this effort starts with what the first has shown.
    assert_eq!(limits[0], limits[5]);
    assert_eq!(loopback.count(), 7);
}
