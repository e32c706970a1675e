//! A thinking allowance that the model, the quota or the account has no room for, and answers that are cut
//! short because it was too small.

use serde_json::{Value, json};

use super::client;
use crate::loopback::{Loopback, Reply, last_message};
use crate::{Answers, ChatRequest, Quota};

/// The largest limit that the service takes, in tokens.
const LIMIT: u64 = 1_800;

fn limit(body: &Value) -> u64 {
    let limit = body["max_completion_tokens"].as_u64();
    limit.or(body["max_tokens"].as_u64()).unwrap()
}

/// The answer of a model that thinks for so many tokens, then says ten words and ends.
fn think(body: &Value, thinking: u64) -> Reply {
    let (limit, needed) = (limit(body), thinking + 10);
    let thought = thinking.min(limit);
    let (text, finish) = match limit {
        limit if limit >= needed => (format!("Yes: {}", last_message(body)), "stop"),
        limit if limit > thinking => ("Ye".to_owned(), "length"),
        _ => (String::new(), "length"),
    };
    let spent = needed.min(limit);
    Reply::json(
        200,
        json!({"id": "1", "model": "gpt-5-mini", "created": 1,
            "choices": [{"index": 0, "finish_reason": finish,
                "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": spent, "total_tokens": 5 + spent,
                "completion_tokens_details": {"reasoning_tokens": thought}}}),
    )
}

/// Asks a model that thinks for 900 to 1,500 tokens and refuses larger limits like this.
fn ask(refused: impl Fn(u64) -> Reply + Send + Sync + 'static) -> (Answers, usize) {
    let loopback = Loopback::serve(move |request| {
        let body = request.json();
        let prompt = last_message(&body);
        let row: u64 = prompt.trim_start_matches('p').parse().unwrap();
        match limit(&body) {
            limit if limit > LIMIT => refused(limit),
            _ => think(&body, 900 + row * 37 % 600),
        }
    });
    let prompts = (0..40).map(|row| format!("p{row}"));
    let batch = client(&loopback).batch(prompts).max_tokens(100);
    let answers = batch.concurrency(4).run().unwrap();
    (answers, loopback.count())
}

fn all_are_whole(answers: &Answers) {
    assert_eq!(answers.totals().answered, 40, "{}", answers.totals());
    for (row, text) in answers.texts().enumerate() {
        assert_eq!(text, Some(format!("Yes: p{row}").as_str()));
    }
}

#[test]
fn a_refused_allowance_is_lowered_whatever_the_words_of_the_service() {
    let words = [
        (
            400,
            "Requested token count exceeds the model's maximum context length of 2048 tokens. You \
             requested a total of {total} tokens: 248 tokens from the input messages and {limit} tokens \
             for the completion.",
        ),
        (
            422,
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 248 \
             `inputs` tokens and {limit} `max_new_tokens`",
        ),
        (
            400,
            "Prompt contains 248 tokens and 0 draft tokens, too large for model with 2048 maximum \
             context length",
        ),
        (
            400,
            "The maximum tokens you requested exceeds the model limit of 1800. Try again with a maximum \
             tokens value that is lower than 1800.",
        ),
        (
            400,
            "max_tokens: {limit} > 1800, which is the maximum allowed number of output tokens for m",
        ),
        (
            400,
            "The prompt is too long: 248, model maximum context length: 2048",
        ),
        // Without a number.
        (
            400,
            "the request exceeds the available context size. try increasing the context size or enable \
             context shift",
        ),
        (400, "computer says no"),
        (
            429,
            "Request too large for m on tokens per minute (TPM): Limit 2048, Requested {total}, please \
             reduce your message size and try again.",
        ),
        (
            413,
            "Request too large for m on tokens per minute (TPM): Limit 2048, Requested {total}.",
        ),
        (
            402,
            "This request requires more credits, or fewer max_tokens. You requested up to {limit} \
             tokens, but can only afford 1800.",
        ),
    ];
    for (status, message) in words {
        let (answers, count) = ask(move |limit| {
            let message = message.replace("{limit}", &limit.to_string());
            let message = message.replace("{total}", &(limit + 248).to_string());
            Reply::json(status, json!({"error": {"message": message}})).kept()
        });
        all_are_whole(&answers);
        assert!(count <= 60, "{count} requests: {message}");
        let notes = answers.totals().notes.join("; ");
        assert!(!notes.contains("reasoning_effort"), "{notes}");
        assert!(!notes.contains("effort"), "{notes}");
    }
}

#[test]
fn an_allowance_larger_than_the_quota_is_cut_to_it() {
    let loopback = Loopback::serve(|request| think(&request.json(), 1_400));
    let client = client(&loopback);
    // It is known to need more from now on.
    client
        .complete(ChatRequest::from("p1").max_tokens(100))
        .unwrap();
    let batch = client.batch(["p0"]).max_tokens(100);
    let answers = batch.quota(Quota::tpm(LIMIT)).run().unwrap();
    assert_eq!(answers.texts().next(), Some(Some("Yes: p0")));
}

#[test]
fn an_answer_that_thinking_cut_short_is_asked_for_again() {
    let loopback = Loopback::serve(|request| {
        let body = request.json();
        match last_message(&body).as_str() {
            "cut" => think(&body, 225),
            _ => think(&body, 10),
        }
    });
    let client = client(&loopback);
    let batch = client.batch(["p0", "cut"]).max_tokens(100).concurrency(1);
    let answers = batch.run().unwrap();
    let texts: Vec<_> = answers.texts().flatten().collect();
    assert_eq!(texts, ["Yes: p0", "Yes: cut"]);
    // An answer that has the length that was wanted is complete.
    let loopback = Loopback::serve(|request| {
        let body = request.json();
        let spent = limit(&body);
        Reply::json(
            200,
            json!({"id": "1", "model": "gpt-5-mini", "created": 1,
                "choices": [{"index": 0, "finish_reason": "length",
                    "message": {"role": "assistant", "content": "Long"}}],
                "usage": {"prompt_tokens": 5, "completion_tokens": spent, "total_tokens": 5 + spent,
                    "completion_tokens_details": {"reasoning_tokens": spent - 100}}}),
        )
    });
    let answers = super::client(&loopback).batch(["a", "b"]).max_tokens(100);
    let answers = answers.concurrency(1).run().unwrap();
    assert_eq!(answers.totals().cut, 2);
    assert!(loopback.count() <= 4, "{}", loopback.count());
}
