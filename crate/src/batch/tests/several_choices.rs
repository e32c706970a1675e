//! Several answers to one request: none of them is silently empty or filtered.

use serde_json::{Value, json};

use super::client;
use crate::loopback::{Loopback, Reply};

/// A deployment that thinks 300 tokens before the answer at this place, and none before the other.
fn thinks_before(place: usize) -> Loopback {
    Loopback::serve(move |request| {
        let body = request.json();
        let limit = body["max_tokens"].as_u64().unwrap();
        let choice = |index: usize| match index == place && limit < 400 {
            true => json!({"index": index, "finish_reason": "length", "message": {"content": ""}}),
            false => {
                json!({"index": index, "finish_reason": "stop", "message": {"content": "Yes."}})
            }
        };
        answer(&[choice(0), choice(1)])
    })
}

fn answer(choices: &[Value]) -> Reply {
    let body = json!({"model": "local", "choices": choices,
        "usage": {"prompt_tokens": 5, "completion_tokens": 310, "total_tokens": 315,
            "completion_tokens_details": {"reasoning_tokens": 300}}});
    Reply::json(200, body)
}

#[test]
fn one_that_thinking_left_empty_is_asked_for_again() {
    for place in [0, 1] {
        let loopback = thinks_before(place);
        let batch = client(&loopback).batch(["a"]).max_tokens(50);
        let answers = batch.with(|request| request.n(2)).run().unwrap();
        let answer = answers.rows()[0].outcome.as_ref().unwrap();
        let texts: Vec<_> = answer.choices.iter().map(|it| it.text()).collect();
        assert_eq!(texts, [Some("Yes."); 2], "{place}");
        assert_eq!(answers.totals().cut, 0, "{place}");
    }
}

#[test]
fn one_that_thinking_cut_short_is_asked_for_again() {
    let loopback = Loopback::serve(|request| {
        let limit = request.json()["max_tokens"].as_u64().unwrap();
        let (text, reason) = match limit < 400 {
            true => ("A nurse", "length"),
            false => ("A nurse cares.", "stop"),
        };
        let choice = |index: usize| json!({"index": index, "finish_reason": reason, "message": {"content": text}});
        answer(&[choice(0), choice(1), choice(2)])
    });
    let batch = client(&loopback).batch(["a"]).max_tokens(50);
    let answers = batch.with(|request| request.n(3)).run().unwrap();
    let answer = answers.rows()[0].outcome.as_ref().unwrap();
    assert!(
        answer
            .choices
            .iter()
            .all(|it| it.text() == Some("A nurse cares."))
    );
}

#[test]
fn one_that_was_filtered_is_counted() {
    for place in [0, 1] {
        let choice = |index: usize| match index == place {
            true => {
                json!({"index": index, "finish_reason": "content_filter", "message": {"content": null}})
            }
            false => {
                json!({"index": index, "finish_reason": "stop", "message": {"content": "Yes."}})
            }
        };
        let choices = [choice(0), choice(1)];
        let loopback = Loopback::serve(move |_| answer(&choices));
        let batch = client(&loopback).batch(["a"]).with(|request| request.n(2));
        assert_eq!(batch.run().unwrap().totals().filtered, 1, "{place}");
    }
}
