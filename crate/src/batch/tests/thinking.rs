//! Thinking is billed and reported, and is never taken for an answer.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use insta::assert_snapshot;
use serde_json::json;

use super::deployments::client;
use crate::loopback::{Deployment, Loopback, Reply, Rules, last_message};
use crate::{ChatRequest, ErrorKind, Price, Quota};

#[test]
fn thinking_is_in_usage_totals_and_cost() {
    let deployment = Deployment::start(Rules::GPT_5_MINI);
    let client = client(&deployment, "gpt-5-mini");
    let answers = client.batch(["a", "b"]).max_tokens(100).run().unwrap();
    let usage = answers.rows()[0].usage().unwrap();
    assert_eq!((usage.completion_tokens, usage.reasoning_tokens), (51, 48));
    let totals = answers.totals();
    assert_eq!(totals.reasoning_tokens, 96);
    assert!(
        totals
            .to_string()
            .contains("112 tokens (96 of them thinking)"),
        "{totals}"
    );
    let cost = totals
        .cost(Price::per_million().input(0.0).output(1.0))
        .unwrap();
    assert!((cost - 102e-6).abs() < 1e-12, "{cost}");
    let bodies = deployment.answered();
    assert_eq!(bodies[0]["max_completion_tokens"], 228);
}

#[test]
fn an_answer_without_a_word_is_asked_again_with_more() {
    // Needs 600 tokens where 128 were thought to do.
    let rules = Rules {
        thinks: 2_400,
        ..Rules::GPT_5_MINI
    };
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("rows.jsonl");
    let deployment = Deployment::start(rules);
    let client = client(&deployment, "class");
    let prompts: Vec<_> = (0..40).map(|n| n.to_string()).collect();
    let batch = client.batch(&prompts).max_tokens(100).concurrency(16);
    let answers = batch.journal(&journal).run().unwrap();
    let totals = answers.totals();
    assert_eq!((totals.answered, totals.cut, totals.failed), (40, 0, 0));
    // One finds out what is needed; the others are told.
    assert_eq!(deployment.refused(), 1);
    assert!(deployment.count() <= 44, "{}", deployment.count());
    let paid: u64 = deployment.answered().iter().map(|_| 1).sum();
    assert!(paid > 40 && totals.requests == deployment.count() as u64);
    assert!(
        totals.reasoning_tokens > 40 * 600,
        "what had no word was paid for"
    );
    let lines = fs::read_to_string(&journal).unwrap();
    assert!(!lines.contains(r#""finish_reason":"length""#), "{lines}");
}

#[test]
fn a_row_whose_thinking_takes_all_says_what_would_do() {
    let deployment = Deployment::start(Rules::GPT_5_MINI);
    let client = client(&deployment, "gpt-5-mini");
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("rows.jsonl");
    let batch = || client.batch(["a"]).max_tokens(9).journal(&journal);
    let answers = batch().thinking_allowance(20).run().unwrap();
    let error = answers.rows()[0].error().unwrap();
    assert_eq!(error.kind(), ErrorKind::TokenLimit);
    assert_snapshot!(error, @r"
    the answer is empty: thinking used 29 of the 29 tokens allowed for both thinking and the answer
      hint: .thinking_allowance(256) gives the thinking more room
    ");
    assert_eq!(answers.totals().reasoning_tokens, 29);
    // It is not an answer, so it is asked for when that is possible.
    let answers = batch().run().unwrap();
    let totals = answers.totals();
    assert_eq!((totals.answered, totals.from_journal), (1, 0));
}

#[test]
fn who_limits_thinking_and_answer_together_gets_no_more() {
    let deployment = Deployment::start(Rules::GPT_5_MINI);
    let client = client(&deployment, "class");
    let request = ChatRequest::from("a").max_completion_tokens(30);
    let error = client.complete(request).unwrap_err();
    assert_snapshot!(error, @r"
    the answer is empty: thinking used 30 of the 30 tokens allowed for both thinking and the answer
      hint: max_completion_tokens limits thinking and answer together: use .max_completion_tokens(256), or .max_tokens(n), which limits the answer alone
    ");
    let sent = deployment.answered();
    assert!(
        sent.iter().all(|body| body["max_completion_tokens"] == 30),
        "{sent:?}"
    );
}

#[test]
fn the_quota_is_charged_with_what_is_sent() {
    let deployment = Deployment::start(Rules::GPT_5_MINI);
    let client = client(&deployment, "gpt-5-mini");
    client
        .complete(ChatRequest::from("a").max_tokens(10))
        .unwrap();
    let batch = client.batch(["a"]).max_tokens(10);
    // There is no room even for the answer.
    let answers = batch.quota(Quota::tpm(12)).run().unwrap();
    assert_snapshot!(answers.rows()[0].error().unwrap(), @r"
    the request would be charged about 143 tokens, more than the quota of 12 a minute, and could never pass
      hint: 128 of these tokens are the thinking allowance: lower it with .thinking_allowance(n), lower max_tokens, or raise the deployment's quota
    ");
}

#[test]
fn an_empty_answer_of_an_older_journal_is_requested_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("rows.jsonl");
    let deployment = Deployment::start(Rules::GPT_5_MINI);
    let client = client(&deployment, "class");
    let run = || client.batch(["a"]).max_tokens(9).journal(&journal).run();
    run().unwrap();
    assert_eq!(run().unwrap().totals().from_journal, 1);
    let line = fs::read_to_string(&journal).unwrap();
    let empty = line.replace("Yes: a", "").replace("\"stop\"", "\"length\"");
    fs::write(&journal, empty).unwrap();
    let totals = run().unwrap().totals();
    assert_eq!((totals.answered, totals.from_journal), (1, 0));
}

#[test]
fn a_half_answer_that_could_not_be_asked_for_again_is_asked_for_by_the_next_run() {
    let is_well = Arc::new(AtomicBool::new(false));
    let is_down = Arc::new(AtomicBool::new(false));
    let (well, down) = (Arc::clone(&is_well), Arc::clone(&is_down));
    let loopback = Loopback::serve(move |request| {
        if down.load(Ordering::Relaxed) {
            return Reply::json(500, json!({"error": {"message": "Oops"}}));
        }
        let limit = request.json()["max_tokens"].as_u64().unwrap();
        let (text, finish, thought) = match (limit < 200, well.load(Ordering::Relaxed)) {
            (true, _) => ("A nurse", "length", limit - 2),
            (false, true) => ("A nurse cares.", "stop", 150),
            (false, false) => return Reply::json(500, json!({"error": {"message": "Oops"}})),
        };
        let body = json!({"model": "local", "choices": [{"finish_reason": finish,
            "message": {"content": text}}], "usage": {"prompt_tokens": 5,
            "completion_tokens": thought + 2, "total_tokens": thought + 7,
            "completion_tokens_details": {"reasoning_tokens": thought}}});
        Reply::json(200, body)
    });
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("rows.jsonl");
    let client = super::client(&loopback);
    let run = || {
        client
            .batch(["a"])
            .max_tokens(100)
            .journal(&journal)
            .run()
            .unwrap()
    };
    let answers = run();
    assert_eq!(answers.texts().collect::<Vec<_>>(), [Some("A nurse")]);
    let notes = answers.totals().notes.join("; ");
    assert!(
        notes.contains("asking for them again failed (server)"),
        "{notes}"
    );
    // What there is counts as long as asking again brings nothing.
    is_down.store(true, Ordering::Relaxed);
    let answers = run();
    assert_eq!(answers.texts().collect::<Vec<_>>(), [Some("A nurse")]);
    assert_eq!(answers.totals().from_journal, 1);
    is_down.store(false, Ordering::Relaxed);
    is_well.store(true, Ordering::Relaxed);
    let answers = run();
    assert_eq!(
        answers.texts().collect::<Vec<_>>(),
        [Some("A nurse cares.")]
    );
    assert_eq!(answers.totals().from_journal, 0);
    assert_eq!(run().totals().from_journal, 1);
}

#[test]
fn what_is_submitted_uses_what_is_known() {
    let deployment = Deployment::start(Rules::GPT_5_MINI);
    let client = client(&deployment, "class");
    let request = ChatRequest::from("a").max_tokens(9).temperature(0.5);
    client.complete(&request).unwrap();
    let sent = client.translate(&request, Some(50)).unwrap();
    let sent = serde_json::to_value(sent).unwrap();
    assert_eq!(sent["max_completion_tokens"], 59);
    assert_eq!(sent["reasoning_effort"], "minimal");
    assert!(sent["max_tokens"].is_null() && sent["temperature"].is_null());
}

#[test]
fn thinking_without_a_word_is_no_answer_even_if_its_tokens_are_not_reported() {
    for length in ["length", "MAX_TOKENS"] {
        thinking_that_is_not_reported(length);
    }
}

/// `length` is what the service calls the end of an answer at its limit.
fn thinking_that_is_not_reported(length: &'static str) {
    let loopback = Loopback::serve(move |request| {
        let body = request.json();
        let limit = body["max_tokens"].as_u64().unwrap();
        let (text, finish) = match limit < 600 {
            true => (json!(null), length),
            false => (json!(format!("Yes: {}", last_message(&body))), "stop"),
        };
        Reply::json(
            200,
            json!({"model": "local", "choices": [{"finish_reason": finish,
                "message": {"content": text, "reasoning_content": "Let me think"}}],
                "usage": {"prompt_tokens": 5, "completion_tokens": limit.min(600)}}),
        )
    });
    let client = crate::Client::builder().endpoint(loopback.url());
    let client = client.api_key("key").deployment("class").build().unwrap();
    let batch = client.batch(["a", "b"]).max_tokens(100);
    let error = batch.thinking_allowance(50).run().unwrap();
    assert!(
        error.rows()[0]
            .error()
            .unwrap()
            .to_string()
            .contains("the answer is empty")
    );
    let answers = batch.run().unwrap();
    assert_eq!(
        answers.texts().flatten().collect::<Vec<_>>(),
        ["Yes: a", "Yes: b"]
    );
}

/// A server that takes max_tokens, thinks as many tokens, and names no reasoning tokens.
fn local_thinker(thinks: u64, finish: &'static str, shows: bool) -> Loopback {
    Loopback::serve(move |request| {
        let body = request.json();
        let limit = body["max_tokens"].as_u64().unwrap();
        let (text, finish) = match (limit <= thinks, shows) {
            (true, true) => ("<think>Let me think".to_owned(), finish),
            (true, false) => (String::new(), finish),
            (false, _) => (format!("Yes: {}", last_message(&body)), "stop"),
        };
        let used = limit.min(thinks);
        Reply::json(
            200,
            json!({"model": "local", "choices": [{"finish_reason": finish,
                "message": {"content": text}}],
                "usage": {"prompt_tokens": 5, "completion_tokens": used}}),
        )
    })
}

#[test]
fn the_allowance_of_the_user_is_used_where_thinking_takes_max_tokens() {
    let loopback = local_thinker(600, "length", true);
    let client = crate::Client::builder().endpoint(loopback.url());
    let client = client.api_key("key").deployment("class").build().unwrap();
    let batch = client.batch(["a", "b", "c", "d"]).max_tokens(50);
    let batch = batch.thinking_allowance(5_000).concurrency(1);
    let totals = batch.run().unwrap().totals();
    assert_eq!((totals.answered, totals.failed), (4, 0), "{totals}");
    // Only the first row was empty: the others have the allowance from the start.
    assert_eq!(loopback.count(), 5);
    // An allowance that does not suffice is not raised, and the advice is more than it.
    let loopback = local_thinker(600, "length", true);
    let client = crate::Client::builder().endpoint(loopback.url());
    let client = client.api_key("key").deployment("class").build().unwrap();
    let batch = client.batch(["a"]).max_tokens(50).thinking_allowance(500);
    let answers = batch.run().unwrap();
    assert_snapshot!(answers.rows()[0].error().unwrap(), @r"
    the answer is empty: thinking used 550 of the 550 tokens allowed for both thinking and the answer
      hint: .thinking_allowance(2200) gives the thinking more room
    ");
}

#[test]
fn an_empty_answer_at_its_limit_is_no_answer_whatever_its_finish_reason() {
    for finish in ["stop", "", "eos"] {
        let loopback = local_thinker(200, finish, false);
        let client = crate::Client::builder().endpoint(loopback.url());
        let client = client.api_key("key").deployment("class").build().unwrap();
        let answers = client.batch(["a", "b"]).max_tokens(50).run().unwrap();
        let texts: Vec<_> = answers.texts().flatten().collect();
        assert_eq!(texts, ["Yes: a", "Yes: b"], "{finish}");
    }
}

#[test]
fn a_rejection_inside_a_success_is_learned_from() {
    let error =
        r#"{"error": "Unsupported parameter: 'max_tokens' is not supported with this model."}"#;
    let events = "text/event-stream";
    let lines = error.replacen(": ", ":\ndata: ", 1);
    for (kind, rejection) in [
        ("application/json", error.to_owned()),
        (events, format!("data: {error}\n\ndata: [DONE]\n\n")),
        (events, format!("data: [DONE]\n\ndata: {error}\n\n")),
        (events, format!("event: error\rdata: {error}\r\r")),
        (events, format!("id: 1\nretry: 3000\ndata: {lines}\n\n")),
        (
            events,
            format!("data: {{\"choices\":[]}}\n\ndata: {error}\n\n"),
        ),
        (
            "application/x-ndjson",
            format!("{{\"choices\":[]}}\n{error}\n"),
        ),
        ("application/json", format!("{error}\n{{\"more\":1}}")),
    ] {
        let loopback = Loopback::serve(move |request| {
            let body = request.json();
            match body["max_tokens"].is_null() {
                false => Reply::new(200, kind, &rejection),
                true => Reply::text("Yes"),
            }
        });
        let client = crate::Client::builder().endpoint(loopback.url());
        let client = client.api_key("key").deployment("class").build().unwrap();
        let answers = client.batch(["a", "b"]).max_tokens(100).run().unwrap();
        assert_eq!(answers.totals().answered, 2);
        assert_eq!(loopback.count(), 3);
    }
}
