//! What of a body makes an answer, and what is refused.

use super::*;
use crate::openai::FinishReason;
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(body: &Value) -> ChatCompletion {
    ChatCompletion::from_body(body.to_string().into_bytes()).unwrap()
}

#[test]
fn an_azure_answer_is_read_whole() {
    let body = json!({
        "id": "chatcmpl-1", "model": "gpt-4o", "created": 1_700_000_000, "object": "chat.completion",
        "system_fingerprint": "fp",
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {
            "hate": {"filtered": false, "severity": "safe"},
            "jailbreak": {"filtered": false, "detected": false}}}],
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Kind."},
            "content_filter_results": {"violence": {"filtered": false, "severity": "low"}}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 1}},
    });
    let answer = read(&body);
    assert_eq!(answer.text(), Some("Kind."));
    assert_eq!(answer.finish_reason(), Some(&FinishReason::Stop));
    assert_eq!(answer.usage.unwrap().total_tokens, 11);
    assert_eq!(answer.usage.unwrap().reasoning_tokens, 1);
    let prompt = &answer.prompt_filter_results[0].content_filter;
    assert_eq!(prompt.categories["jailbreak"].detected, Some(false));
    assert_eq!(prompt.categories["hate"].severity.as_deref(), Some("safe"));
    assert!(!prompt.is_filtered());
    assert_eq!(serde_json::to_value(&answer).unwrap(), body);
}

#[test]
fn thinking_counts_among_the_tokens_of_an_answer_wherever_the_service_counts_it() {
    let tokens = |completion: u64, reasoning: u64, total: Option<u64>| {
        let usage = read(&json!({"choices": [{"message": {"content": "Yes"}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": completion, "total_tokens": total,
                "completion_tokens_details": {"reasoning_tokens": reasoning}}}))
        .usage
        .unwrap();
        (usage.completion_tokens, usage.total_tokens)
    };
    // OpenAI, and xAI, whose numbers are from vercel/ai#12425.
    assert_eq!(tokens(320, 317, Some(325)), (320, 325));
    assert_eq!(tokens(3, 317, Some(325)), (320, 325));
    assert_eq!(tokens(400, 317, Some(722)), (717, 722));
    // Where it is missing from the sum too.
    assert_eq!(tokens(3, 317, Some(8)), (320, 325));
    assert_eq!(tokens(3, 317, None), (320, 325));
    assert_eq!(tokens(400, 317, None), (400, 405));
    assert_eq!(tokens(3, 0, Some(325)), (3, 325));
    // Gemini says nothing about thinking.
    let body = json!({"choices": [{"message": {"content": "Yes"}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 408}});
    let usage = read(&body).usage.unwrap();
    let numbers = (usage.completion_tokens, usage.reasoning_tokens);
    assert_eq!((numbers, usage.total_tokens), ((403, 400), 408));
}

#[test]
fn a_filtered_answer_has_no_text_but_a_reason() {
    let answer = read(&json!({"choices": [{"finish_reason": "content_filter",
        "message": {"role": "assistant", "content": null},
        "content_filter_result": {"violence": {"filtered": true, "severity": "high"}}}]}));
    assert_eq!(answer.text(), None);
    assert_eq!(answer.finish_reason(), Some(&FinishReason::ContentFilter));
    assert_eq!(
        answer.choices[0].content_filter_results.to_string(),
        "violence (high)"
    );
}

#[test]
fn odd_side_fields_do_not_spoil_an_answer() {
    let answer = read(&json!({
        "id": 7, "created": "now", "usage": "none", "prompt_filter_results": {"a": 1},
        "choices": [{"message": {"content": [{"type": "text", "text": "Yes"}]},
            "finish_reason": "watchdog", "content_filter_results": {"hate": 3, "error": {"code": "x"}}}],
    }));
    assert_eq!(answer.text(), Some("Yes"));
    assert_eq!(answer.finish_reason().unwrap().as_str(), "watchdog");
    assert_eq!(answer.usage, None);
    assert!(
        answer.choices[0]
            .content_filter_results
            .categories
            .is_empty()
    );
}

#[test]
fn what_is_no_answer_says_why() {
    let why = |body: &[u8]| {
        let unread = ChatCompletion::from_body(body.to_vec()).unwrap_err();
        unread.why.to_string()
    };
    assert_eq!(why(b" \n"), "the answer is empty");
    assert_eq!(why(b"\xff\xfe"), "the answer is not UTF-8 text");
    assert_eq!(
        why(b"{\"choices\": [{\"mess"),
        "the answer breaks off after 19 bytes"
    );
    assert_eq!(why(b"<html>"), "the answer is not JSON");
    assert_eq!(why(b"[]"), "the answer has no `choices`");
    assert_eq!(
        why(b"{\"choices\": []}"),
        "the answer's `choices` are empty"
    );
    let filtered = br#"{"choices": [], "prompt_filter_results": [{"content_filter_results": {"hate": {"filtered": true, "severity": "high"}}}]}"#;
    assert_eq!(
        why(filtered),
        "the content filter refused the prompt: hate (high)"
    );
    for choices in ["[null]", "[\"x\"]", "[{}]", "[{\"message\": null}, 7]"] {
        let body = format!("{{\"choices\": {choices}}}");
        assert_eq!(why(body.as_bytes()), "the answer has no message");
    }
}

#[test]
fn a_body_stays_as_it_came_on_one_line() {
    let body = "{\n \"choices\" : [ {\"message\": {\"content\": \"a\\\"  b\"}} ],\r\n\t\"z\": 1.50, \"a\": [] }";
    let answer = ChatCompletion::from_body(body.as_bytes().to_vec()).unwrap();
    assert_eq!(answer.text(), Some("a\"  b"));
    assert_eq!(
        answer.to_json().text(),
        r#"{"choices":[{"message":{"content":"a\"  b"}}],"z":1.50,"a":[]}"#
    );
}

#[test]
fn halves_of_characters_are_replaced() {
    let body = br#"{"choices": [{"message": {"content": "a\ud83d"}}], "b": "\udc00"}"#;
    let answer = ChatCompletion::from_body(body.to_vec()).unwrap();
    assert_eq!(answer.text(), Some("a\u{fffd}"));
    assert_eq!(answer.as_json()["b"], "\u{fffd}");
}

#[test]
fn a_number_that_nothing_holds_takes_nothing_else_with_it() {
    let body = br#"{"choices": [{"message": {"content": "1e999"}}], "a": [-2.5e340, 1, {"1e999": 1E+400}]}"#;
    let answer = ChatCompletion::from_body(body.to_vec()).unwrap();
    assert_eq!(answer.as_json()["a"], json!([null, 1, {"1e999": null}]));
    assert_eq!(
        answer.as_json()["choices"][0]["message"]["content"],
        "1e999"
    );
}

#[test]
fn numbers_that_nobody_can_mean_are_left_out() {
    for (name, number) in [
        ("prompt_tokens", json!(u64::MAX)),
        ("completion_tokens", json!(u64::MAX)),
        ("total_tokens", json!(1_000_000_000)),
        ("prompt_tokens", json!(-1)),
        ("prompt_tokens", json!(1e300)),
    ] {
        let mut body = json!({"choices": [{"message": {"content": "x"}}],
            "usage": {"prompt_tokens": 1}, "created": -5});
        body["usage"][name] = number.clone();
        let answer = read(&body);
        assert_eq!((answer.usage, answer.created), (None, 0), "{name} {number}");
    }
}

#[test]
fn of_lists_without_an_end_so_much_is_taken_as_can_be_meant() {
    let choice = json!({"message": {"content": [{"text": "x"}, {"text": "y"}]}});
    let answer = read(
        &json!({"choices": vec![choice; 2_000], "prompt_filter_results": vec![json!({}); 2_000]}),
    );
    assert_eq!(answer.choices.len(), MAX_CHOICES);
    assert_eq!(answer.prompt_filter_results.len(), MAX_CHOICES);
    assert_eq!(answer.text(), Some("xy"));
    assert_eq!(answer.as_json()["choices"].as_array().unwrap().len(), 2_000);
    let deep = format!(
        r#"{{"choices": [{{}}], "a": {}"#,
        "[".repeat(200) + &"]".repeat(200) + "}"
    );
    let unread = ChatCompletion::from_body(deep.into_bytes()).unwrap_err();
    assert_eq!(unread.why.to_string(), "the answer is not JSON");
}

fn json_value() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "choices",
        "message",
        "content",
        "text",
        "finish_reason",
        "index",
        "usage",
        "prompt_tokens",
        "prompt_filter_results",
        "content_filter_results",
        "filtered",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..4)
                .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in any::<Vec<u8>>()) {
        let _ = ChatCompletion::from_body(body);
    }

    #[test]
    fn any_message_makes_an_answer(mut choices in prop::collection::vec(json_value(), 1..4)) {
        choices.push(json!({"message": {}}));
        let body = json!({"choices": choices, "usage": choices[0]});
        prop_assert!(ChatCompletion::from_json(Json::from(&body)).is_ok());
    }

    #[test]
    fn any_json_is_read_or_refused(body in json_value()) {
        let _ = ChatCompletion::from_json(Json::from(&body));
    }
}
