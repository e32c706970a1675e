//! Answers that are empty because the limit was reached, and thinking in the text of an answer.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::client;
use crate::Client;
use crate::loopback::{Loopback, Reply, last_message};

fn limit(body: &Value) -> u64 {
    let limit = body["max_completion_tokens"].as_u64();
    limit.or(body["max_tokens"].as_u64()).unwrap()
}

fn answer(text: &str, finish: &str, spent: u64) -> Value {
    json!({"id": "1", "model": "local", "created": 1,
        "choices": [{"index": 0, "finish_reason": finish,
            "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": spent, "total_tokens": 5 + spent}})
}

fn with_reasoning(mut answer: Value, tokens: u64) -> Value {
    answer["usage"]["completion_tokens_details"] = json!({"reasoning_tokens": tokens});
    answer
}

fn serve(reply: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Loopback {
    Loopback::serve(move |request| Reply::json(200, reply(&request.json())))
}

#[test]
fn an_empty_answer_at_the_limit_is_no_answer_although_nothing_tells_of_thinking() {
    let loopback = serve(|body| match limit(body) {
        limit @ ..500 => answer("", "length", limit),
        _ => answer(&format!("Yes: {}", last_message(body)), "stop", 400),
    });
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("rows.jsonl");
    let client = client(&loopback);
    let batch = client.batch(["a", "b"]).max_tokens(100).journal(&journal);
    let fixed = batch.clone().thinking_allowance(0).run().unwrap();
    insta::assert_snapshot!(fixed.rows()[0].error().unwrap(), @r"
    the answer is empty: it has used up the 100 tokens allowed for both thinking and the answer
      hint: .thinking_allowance(400) gives the thinking more room
    ");
    let lines = fs::read_to_string(&journal).unwrap();
    assert!(!lines.contains(r#""finish_reason":"length""#), "{lines}");
    let answers = batch.run().unwrap();
    let texts: Vec<_> = answers.texts().flatten().collect();
    assert_eq!(texts, ["Yes: a", "Yes: b"]);
}

#[test]
fn an_answer_at_the_limit_that_is_something_else_than_text_stays() {
    for message in [
        json!({"content": null, "refusal": "I can't help."}),
        json!({"content": null, "tool_calls": [{"id": "1"}]}),
        json!({"content": "K"}),
    ] {
        let loopback = serve(move |body| {
            let mut answer = answer("", "length", limit(body));
            answer["choices"][0]["message"] = message.clone();
            answer
        });
        let answers = client(&loopback).batch(["a"]).max_tokens(9).run().unwrap();
        assert_eq!(answers.failed().count(), 0);
        assert_eq!(loopback.count(), 1);
    }
}

#[test]
fn thinking_between_tags_is_not_the_answer() {
    let loopback = serve(|body| match limit(body) {
        limit @ ..500 => answer("<think>hm, hm", "length", limit),
        _ => answer("<think>hm</think>\n\nKind.", "stop", 450),
    });
    let client = client(&loopback);
    let answers = client.batch(["a", "b"]).max_tokens(100).run().unwrap();
    let texts: Vec<_> = answers.texts().flatten().collect();
    assert_eq!(texts, ["Kind.", "Kind."]);
    assert_eq!(answers.totals().cut, 0);
}

#[test]
fn the_row_that_finds_out_how_much_is_needed_is_not_lost() {
    for needed in [2_500, 9_000, 15_000] {
        let loopback = serve(move |body| match limit(body) {
            limit if limit < needed + 5 => with_reasoning(answer("", "length", limit), limit),
            _ => with_reasoning(answer("Yes", "stop", needed + 5), needed),
        });
        let batch = client(&loopback).batch(["a", "b", "c"]).max_tokens(50);
        let totals = batch.run().unwrap().totals();
        assert_eq!((totals.answered, totals.failed), (3, 0), "{needed}");
    }
}

#[test]
fn a_row_that_no_allowance_is_enough_for_ends() {
    let loopback = serve(|body| {
        let limit = limit(body);
        with_reasoning(answer("", "length", limit), limit)
    });
    let answers = client(&loopback).batch(["a"]).max_tokens(50).run();
    assert_eq!(answers.unwrap().failed().count(), 1);
    assert!(loopback.count() <= 8, "{}", loopback.count());
}

#[test]
fn a_maximum_below_the_allowance_is_kept_to() {
    let loopback = Loopback::serve(|request| {
        let body = request.json();
        match limit(&body) {
            limit @ ..605 => Reply::json(200, with_reasoning(answer("", "length", limit), limit)),
            ..=2_000 => Reply::json(200, with_reasoning(answer("Yes", "stop", 605), 600)),
            _ => Reply::error(
                400,
                "InvalidParameter",
                "The parameter `max_tokens` specified in the \
                request is not valid: integer above maximum value, expected a value <= 2000",
            ),
        }
    });
    let rows = ["a", "b", "c", "d"];
    let batch = client(&loopback).batch(rows).max_tokens(100);
    let totals = batch.run().unwrap().totals();
    assert_eq!((totals.answered, totals.failed), (4, 0));
}

#[test]
fn thinking_whose_opening_tag_is_in_the_prompt_is_not_the_answer() {
    let loopback = serve(|body| match (last_message(body).as_str(), limit(body)) {
        ("short", limit) => answer("hm\n</think>\n\nKind.", "stop", limit.min(20)),
        (_, limit @ ..500) => answer("hm, hm", "length", limit),
        _ => answer("hm, hm, hm\n</think>\n\nGentle.", "stop", 450),
    });
    let client = client(&loopback);
    let ask = |prompt: &'static str| client.batch([prompt]).max_tokens(100).run().unwrap();
    let texts = |prompt| {
        ask(prompt)
            .texts()
            .flatten()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(texts("short"), ["Kind."]);
    // What the limit cuts is known to be thinking from now on.
    assert_eq!(texts("long"), ["Gentle."]);
    assert_eq!(loopback.count(), 4);
}

#[test]
fn an_answer_that_the_service_broke_off_is_asked_for_again_and_any_other_odd_end_is_counted() {
    let was_broken = AtomicBool::new(false);
    let loopback = Loopback::serve(move |request| {
        let finish = match request.prompt().as_str() {
            "broken" if !was_broken.swap(true, Ordering::Relaxed) => "insufficient_system_resource",
            "never whole" => "abort",
            "odd" => "watchdog",
            _ => "stop",
        };
        Reply::json(200, answer("Half a", finish, 5))
    });
    let builder = Client::builder().endpoint(loopback.url()).api_key("key");
    let client = builder.deployment("class").max_retries(1).build().unwrap();
    let never = client.batch(["never whole"]).run().unwrap();
    insta::assert_snapshot!(never.rows()[0].error().unwrap().message(), @"the service broke off its answer (finish reason abort)");
    let answers = client.batch(["broken", "odd"]).run().unwrap();
    let totals = answers.totals();
    assert_eq!((totals.answered, totals.ended_otherwise), (2, 1));
    assert!(
        totals.to_string().contains("1 ended for an unknown reason"),
        "{totals}"
    );
    assert_eq!(loopback.count(), 5);
}

#[test]
fn an_allowance_larger_than_the_context_is_cut_to_the_room_that_there_is() {
    let context = 4_096;
    let loopback = Loopback::serve(move |request| {
        let (asked, prompt) = (limit(&request.json()), request.prompt().len() as u64);
        if asked + prompt > context {
            let message = format!(
                "'max_tokens' or 'max_completion_tokens' is too large: {asked}. This model's maximum \
                 context length is {context} tokens and your request has {prompt} input tokens \
                 ({asked} > {context} - {prompt})."
            );
            return Reply::error(400, "BadRequestError", &message);
        }
        let answer = match asked {
            asked @ ..3_000 => with_reasoning(answer("", "length", asked), asked),
            _ => with_reasoning(answer("Yes", "stop", 3_005), 3_000),
        };
        Reply::json(200, answer)
    });
    let long = "a".repeat(1_000);
    let too_long = "a".repeat(4_090);
    let rows = ["a", "b", &long, &too_long, "c"];
    let client = client(&loopback);
    let answers = client.batch(rows).max_tokens(50).run().unwrap();
    let failed: Vec<_> = answers.failed().collect();
    assert_eq!(failed.len(), 1);
    assert!(
        failed[0]
            .error()
            .unwrap()
            .message()
            .contains("context length")
    );
    assert!(loopback.count() <= 14, "{}", loopback.count());
    // From now on the allowance is one that fits.
    let before = loopback.count();
    let answers = client.batch(["d", "e"]).max_tokens(50).run().unwrap();
    assert_eq!(answers.failed().count(), 0);
    assert_eq!(loopback.count() - before, 2);
}
