//! Settings that a deployment refuses: left out with a note where it can answer without them, otherwise
//! refused for all rows that have them, at the price of one or two requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::client;
use crate::batch::{Row, Totals};
use crate::loopback::{Loopback, Reply, last_message};
use crate::{ChatRequest, ErrorKind};

/// A deployment that refuses these fields as Azure does.
fn refusing(names: &'static [&'static str]) -> Loopback {
    Loopback::serve(move |request| {
        let body = request.json();
        let refused = names.iter().find(|name| !body[**name].is_null());
        match refused {
            Some(name) => refusal(
                &format!("Unsupported parameter: '{name}' is not supported with this model."),
                name,
                "unsupported_parameter",
            ),
            None => Reply::text("Yes."),
        }
    })
}

fn refusal(message: &str, param: &str, code: &str) -> Reply {
    let error = json!({"message": message, "type": "invalid_request_error", "param": param,
        "code": code});
    Reply::json(400, json!({ "error": error }))
}

fn rows(count: usize, set: impl Fn(ChatRequest) -> ChatRequest) -> Vec<ChatRequest> {
    let prompts = (0..count).map(|n| ChatRequest::from(format!("p{n}")));
    prompts.map(set).collect()
}

fn ask(loopback: &Loopback, rows: Vec<ChatRequest>) -> (Totals, Vec<Row>) {
    let mut outcomes = Vec::new();
    let batch = client(loopback).batch_requests(rows).concurrency(32);
    let totals = batch.for_each(|row| {
        outcomes.push(row);
        Ok(())
    });
    outcomes.sort_by_key(|row| row.id);
    (totals.unwrap(), outcomes)
}

#[test]
fn a_setting_that_is_refused_as_such_is_left_out_with_a_note() {
    let named = [
        ("logprobs", json!(true)),
        ("top_logprobs", json!(3)),
        ("reasoning_effort", json!("low")),
        ("verbosity", json!("low")),
        ("user", json!("class")),
        ("prediction", json!({"type": "content", "content": "x"})),
    ];
    for (name, value) in named {
        let loopback = refusing(Vec::leak(vec![name]));
        let (totals, _) = ask(&loopback, rows(50, |row| row.set(name, value.clone())));
        assert_eq!(totals.answered, 50, "{name}");
        assert_eq!(loopback.count(), 51, "{name}");
        let note = format!(
            "{name} was left out of 50 rows that set it, because the deployment refuses it"
        );
        let name_of_note = note.replace("top_logprobs", "logprobs");
        assert!(totals.notes.contains(&name_of_note), "{:?}", totals.notes);
    }
}

#[test]
fn refused_stop_texts_are_left_out_with_a_note() {
    let loopback = refusing(&["stop"]);
    let client = client(&loopback);
    let prompts = (0..50).map(|n| format!("p{n}"));
    let batch = client.batch(prompts).with(|request| request.stop("\n"));
    let answers = batch.run().unwrap();
    let totals = answers.totals();
    assert_eq!(totals.answered, 50);
    assert_eq!(loopback.count(), 51);
    insta::assert_snapshot!(totals.notes.join("\n"), @"class refuses stop, which was left out");
    assert_eq!(
        client.deployment_profile().as_deref(),
        Some("takes no stop")
    );
    let again = client.complete(ChatRequest::from("p").stop("END")).unwrap();
    assert_eq!(again.profile(), Some("without stop"));
    assert_eq!(loopback.count(), 52);
}

#[test]
fn all_that_reasoning_models_refuse_costs_two_requests() {
    let loopback = refusing(&[
        "max_tokens",
        "temperature",
        "presence_penalty",
        "logprobs",
        "logit_bias",
    ]);
    let all = |row: ChatRequest| {
        let row = row.max_tokens(50).temperature(0.0).logprobs(2);
        row.set("presence_penalty", 0.5)
            .set("logit_bias", json!({"50256": -100}))
    };
    let (totals, _) = ask(&loopback, rows(50, all));
    assert_eq!(totals.answered, 50);
    assert_eq!(loopback.count(), 52);
}

#[test]
fn a_word_of_the_message_is_no_field() {
    let loopback = Loopback::serve(|request| match request.json()["max_tokens"].is_null() {
        true => Reply::text("Yes."),
        false => refusal(
            "Please stop: this user may not store metadata. Unsupported parameter: 'max_tokens'.",
            "",
            "unsupported_parameter",
        ),
    });
    let all = |row: ChatRequest| {
        row.max_tokens(9)
            .stop("x")
            .set("user", "u")
            .set("store", true)
    };
    let (_, rows) = ask(&loopback, rows(5, all));
    assert_eq!(loopback.count(), 6);
    let profile = rows[4].outcome.as_ref().unwrap().profile();
    assert_eq!(profile, Some("max_completion_tokens"));
}

fn refuses_for_all(loopback: &Loopback, hint: &str, set: impl Fn(ChatRequest) -> ChatRequest) {
    let mut rows = rows(50, set);
    rows.push("plain".into());
    let (totals, outcomes) = ask(loopback, rows);
    assert!(loopback.count() <= 9, "{}", loopback.count());
    assert_eq!(totals.answered, 1, "the row without it");
    for row in &outcomes[..50] {
        let error = row.outcome.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[test]
fn a_setting_that_the_answer_depends_on_is_refused_for_all_rows_at_the_price_of_a_few() {
    let schema = |row: ChatRequest| row.json_schema("answer", json!({"type": "object"}));
    let hint = "class refuses response_format: leave it out";
    refuses_for_all(&refusing(&["response_format"]), hint, schema);
    let loopback = Loopback::serve(|request| {
        let effort = request.json()["reasoning_effort"] == "none";
        let message = "Unsupported value: 'reasoning_effort' does not support 'none' with this model. \
            Supported values are: 'minimal', 'low', 'medium', and 'high'.";
        match effort {
            true => refusal(message, "reasoning_effort", "unsupported_value"),
            false => Reply::text("Yes."),
        }
    });
    let none = |row: ChatRequest| row.set("reasoning_effort", "none");
    refuses_for_all(
        &loopback,
        "takes the efforts minimal, low, medium, high",
        none,
    );
}

#[test]
fn an_effort_is_refused_as_such_in_whatever_words() {
    for message in [
        "litellm.UnsupportedParamsError: azure does not support parameters: ['reasoning_effort'], for \
         model=class",
        "Malformed input request: #: extraneous key [reasoning_effort] is not permitted, please reformat",
        "1 validation error for ChatCompletionRequest\nreasoning_effort\n  Extra inputs are not permitted",
    ] {
        let loopback =
            Loopback::serve(
                move |request| match request.json()["reasoning_effort"].is_null() {
                    true => Reply::text("Yes."),
                    false => Reply::json(400, json!({"object": "error", "message": message})),
                },
            );
        let effort = |row: ChatRequest| row.set("reasoning_effort", "low");
        let (totals, _) = ask(&loopback, rows(20, effort));
        assert_eq!((totals.answered, loopback.count()), (20, 21), "{message}");
    }
}

#[test]
fn a_common_word_on_a_line_of_its_own_is_a_field() {
    let loopback = Loopback::serve(|request| {
        let message =
            "1 validation error for ChatCompletionRequest\nuser\n  Extra inputs are not permitted";
        match request.json()["user"].is_null() {
            true => Reply::text("Yes."),
            false => Reply::json(400, json!({"object": "error", "message": message})),
        }
    });
    let (totals, _) = ask(&loopback, rows(20, |row| row.set("user", "u")));
    assert_eq!((totals.answered, loopback.count()), (20, 21));
}

#[test]
fn settings_that_one_of_several_models_accepts_are_sent_on() {
    let count = AtomicUsize::new(0);
    let loopback = Loopback::serve(move |_| match count.fetch_add(1, Ordering::Relaxed) % 2 {
        0 => Reply::text("{}"),
        _ => refusal(
            "Unsupported parameter: 'response_format' is not supported with this model.",
            "response_format",
            "unsupported_parameter",
        ),
    });
    let json = |row: ChatRequest| row.set("response_format", json!({"type": "json_object"}));
    let (totals, _) = ask(&loopback, rows(40, json));
    assert_eq!((totals.answered, loopback.count()), (20, 40));
}

#[test]
fn fields_are_known_in_the_words_of_each_service() {
    let message = |message: &str| json!({"error": {"message": message}});
    let cases = [
        (
            "store",
            400,
            message("Unrecognized request arguments supplied: metadata, store"),
        ),
        (
            "store",
            400,
            message("store: Extra inputs are not permitted"),
        ),
        ("stop", 400, message("stop is not supported by this model")),
        (
            "stop",
            400,
            message("This model doesn't support the stop parameter."),
        ),
        (
            "stop",
            400,
            json!([message(
                "Invalid JSON payload. Unknown name \"stop\": Cannot find field."
            )]),
        ),
        (
            "stop",
            422,
            json!({"code": "parameter_not_supported", "status": 422,
            "detail": {"loc": ["body", "stop"], "input": "x"},
            "message": "One of the parameters contain invalid values."}),
        ),
        (
            "parallel_tool_calls",
            400,
            message("Unrecognized request argument supplied: parallel_tool_calls"),
        ),
        (
            "tools",
            400,
            message("registry.ollama.ai/library/gemma does not support tools"),
        ),
        (
            "response_format",
            400,
            json!({"error": {"message": "Invalid value: 'json_schema'. Supported \
            values are: 'text'.", "param": "response_format.type", "code": "invalid_value"}}),
        ),
    ];
    for (name, status, body) in cases {
        let shown = body.to_string();
        let loopback = Loopback::serve(move |request| match request.json()[name].is_null() {
            true => Reply::text("Yes."),
            false => Reply::json(status, body.clone()),
        });
        let field = |row: ChatRequest| match name {
            "stop" => row.stop("x"),
            "parallel_tool_calls" => row.set(name, false),
            name => row.set(name, json!({"a": 1})),
        };
        let (totals, _) = ask(&loopback, rows(20, field));
        let is_optional = !matches!(name, "tools" | "response_format");
        let (answered, most) = if is_optional { (20, 21) } else { (0, 7) };
        assert_eq!(totals.answered, answered, "{shown}");
        assert!(loopback.count() <= most, "{shown}: {}", loopback.count());
        if is_optional {
            let note = format!("{name} was left out of 20 rows");
            assert!(
                totals.notes.iter().any(|it| it.starts_with(&note)),
                "{shown}"
            );
        }
    }
}

#[test]
fn an_error_that_repeats_the_request_names_no_field() {
    let loopback = Loopback::serve(|request| {
        let body = request.json().to_string();
        let message = format!("Input should be a valid string, not supported: {body}");
        match body.contains("p7") {
            true => Reply::json(400, json!({"error": {"message": message}})),
            false => Reply::text("Yes."),
        }
    });
    let all = |row: ChatRequest| row.max_tokens(9).temperature(0.5).set("user", "u");
    let (totals, rows) = ask(&loopback, rows(20, all));
    assert_eq!((totals.answered, loopback.count()), (19, 20));
    let answered = rows.iter().filter_map(|row| row.outcome.as_ref().ok());
    assert!(
        answered
            .into_iter()
            .all(|answer| answer.profile().is_none())
    );
}

#[test]
fn rows_that_were_refused_for_their_prompts_keep_no_others_from_being_sent() {
    let loopback = Loopback::serve(|request| match request.prompt().contains("long") {
        true => refusal(
            "'tools' is not supported for such requests.",
            "",
            "unsupported_value",
        ),
        false => Reply::text("Yes."),
    });
    let tools = |row: ChatRequest| row.set("tools", json!([{"type": "function"}]));
    let mut all: Vec<_> = (0..3)
        .map(|n| tools(ChatRequest::from(format!("long {n}"))))
        .collect();
    all.extend(rows(40, tools));
    let batch = client(&loopback).batch_requests(all).concurrency(1);
    let totals = batch.for_each(|_| Ok(())).unwrap();
    assert!(totals.answered >= 38, "{totals}");
}

#[test]
fn a_name_in_a_prompt_that_is_repeated_is_no_field() {
    let prompt = "Explain `temperature` and 'stop', unsupported";
    let loopback = Loopback::serve(move |request| match request.prompt() == prompt {
        true => Reply::json(
            400,
            json!({"error": {"message": format!("unsupported: {prompt}")}}),
        ),
        false => Reply::text("Yes."),
    });
    let mut all = rows(20, |row| row.temperature(0.5).stop("x"));
    all.insert(7, ChatRequest::from(prompt).temperature(0.5).stop("x"));
    let (totals, rows) = ask(&loopback, all);
    assert_eq!((totals.answered, loopback.count()), (20, 21));
    let mut answered = rows.iter().filter_map(|row| row.outcome.as_ref().ok());
    assert!(answered.all(|answer| answer.profile().is_none()));
}

#[test]
fn an_effort_that_is_refused_with_tools_alone_is_sent_without_them() {
    let loopback = Loopback::serve(|request| {
        let body = request.json();
        match body["tools"].is_null() || body["reasoning_effort"].is_null() {
            true => Reply::text("Yes."),
            false => Reply::error(
                400,
                "invalid_request_error",
                "Function tools with reasoning_effort are not supported for this model.",
            ),
        }
    });
    let effort = |row: ChatRequest| row.set("reasoning_effort", "low");
    let mut all = rows(3, |row| {
        effort(row).set("tools", json!([{"type": "function"}]))
    });
    all.extend(rows(20, effort));
    let (totals, rows) = ask(&loopback, all);
    assert_eq!(totals.answered, 23);
    let sent = |row: &Row| row.outcome.as_ref().unwrap().profile().is_none();
    assert!(rows[3..].iter().all(sent));
}

#[test]
fn a_setting_that_is_refused_with_images_alone_is_sent_with_texts() {
    let loopback =
        Loopback::serve(
            |request| match request.json().to_string().contains("image_url") {
                true => refusal(
                    "'response_format' of type 'json_object' is not supported with image input.",
                    "response_format",
                    "unsupported_value",
                ),
                false => Reply::text("{}"),
            },
        );
    let json = |row: ChatRequest| row.set("response_format", json!({"type": "json_object"}));
    let image = json!({"messages": [{"role": "user",
        "content": [{"type": "image_url", "image_url": {"url": "https://host.example/a.png"}}]}]});
    let image: ChatRequest = serde_json::from_value(image).unwrap();
    let mut all = vec![json(image); 3];
    all.extend(rows(20, json));
    let (totals, _) = ask(&loopback, all);
    assert_eq!(totals.answered, 20);
}

/// The first row hangs, and what it was to find out is found out by another.
#[test]
fn a_row_that_hangs_does_not_keep_others_from_going_ahead() {
    let loopback = Loopback::serve(|request| {
        let body = request.json();
        match body["max_tokens"].is_null() {
            _ if last_message(&body) == "p0" => Reply::text("Late.").late(Duration::from_secs(60)),
            true => Reply::text("Yes."),
            false => refusal(
                "Unsupported parameter: 'max_tokens' is not supported with this model.",
                "max_tokens",
                "unsupported_parameter",
            ),
        }
    });
    let batch = client(&loopback).batch_requests(rows(12, |row| row.max_tokens(50)));
    let batch = batch.concurrency(8).deadline(Duration::from_secs(14));
    let totals = batch.for_each(|_| Ok(())).unwrap();
    assert_eq!(totals.answered, 11, "{totals}");
}

#[test]
fn what_is_refused_because_of_a_prompt_is_not_refused_for_others() {
    let loopback = Loopback::serve(|request| {
        let text = request.json().to_string();
        match text.contains("p3") || text.contains("p7") {
            true => refusal(
                "'messages' must contain the word 'json' in some form, to use 'response_format'.",
                "messages",
                "unsupported_value",
            ),
            false => Reply::text("{}"),
        }
    });
    let json = |row: ChatRequest| row.set("response_format", json!({"type": "json_object"}));
    let (totals, _) = ask(&loopback, rows(10, json));
    assert_eq!(totals.answered, 8);
}

#[test]
fn refused_settings_are_kept_for_the_next_process() {
    let loopback = refusing(&["stop", "reasoning_effort"]);
    let row = |row: ChatRequest| row.stop("x").set("reasoning_effort", "low");
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("answers.jsonl");
    let client = client(&loopback);
    let batch = client.batch_requests(rows(3, row)).journal(&journal);
    batch.for_each(|_| Ok(())).unwrap();
    let stored = std::fs::read_dir(folder.path())
        .unwrap()
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            path.to_str()?
                .ends_with(".profile.json")
                .then(|| std::fs::read(path).unwrap())
        });
    let stored: Value = serde_json::from_slice(&stored.last().unwrap()).unwrap();
    assert_eq!(
        stored["refused"],
        json!(["stop", "reasoning_effort", "own_reasoning_effort"])
    );
}
