//! What concerns one row changes only that row.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::client;
use crate::loopback::{Loopback, Reply, last_message};
use crate::{Answers, ChatRequest, Client};

fn serve(reply: impl Fn(&Value, &str) -> Option<Reply> + Send + Sync + 'static) -> Loopback {
    Loopback::serve(move |request| {
        let body = request.json();
        let prompt = last_message(&body);
        reply(&body, &prompt).unwrap_or_else(|| {
            let text = format!("Yes: {prompt}");
            let body = json!({"id": "1", "model": "plain", "created": 1,
                "choices": [{"index": 0, "finish_reason": "stop",
                    "message": {"role": "assistant", "content": text}}],
                "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}});
            Reply::json(200, body)
        })
    })
}

fn rejection(message: &str) -> Option<Reply> {
    Some(Reply::json(400, json!({"error": {"message": message}})))
}

fn ask(client: &Client, rows: usize) -> Answers {
    let prompts = (0..rows).map(|n| format!("p{n}"));
    let batch = client.batch(prompts).max_tokens(100).temperature(0.5);
    let answers = batch.concurrency(4).run().unwrap();
    for (number, row) in answers.rows().iter().enumerate() {
        let text = format!("Yes: p{number}");
        assert_eq!(row.text(), Some(text.as_str()), "{:?}", row.error());
    }
    answers
}

fn profiles(answers: &Answers) -> Vec<Option<&str>> {
    let rows = answers.rows().iter();
    rows.map(|row| row.outcome.as_ref().unwrap().profile())
        .collect()
}

#[test]
fn a_field_that_others_were_sent_with_is_left_out_of_the_row_that_is_refused() {
    let loopback = serve(|body, prompt| {
        let is_refused = prompt == "p7" && !body["temperature"].is_null();
        is_refused
            .then(|| rejection("Unsupported value: 'temperature' does not support 0.5 here."))?
    });
    let client = client(&loopback);
    // On a busy machine, the rows behind the first one may be sent before it is answered.
    ask(&client, 1);
    let answers = ask(&client, 20);
    let profiles = profiles(&answers);
    assert_eq!(profiles[7], Some("without temperature"));
    assert!(profiles.iter().filter(|profile| profile.is_some()).count() == 1);
    assert_eq!(client.deployment_profile(), None);
    let notes = answers.totals().notes.join("\n");
    insta::assert_snapshot!(notes, @"not all rows were sent in the same way, so compare them with care: 19 as written; 1 without temperature");
}

#[test]
fn a_second_row_that_is_refused_too_speaks_for_all() {
    let loopback = serve(|body, prompt| {
        let is_refused = prompt != "p0" && !body["temperature"].is_null();
        is_refused
            .then(|| rejection("Unsupported value: 'temperature' does not support 0.5 here."))?
    });
    let client = client(&loopback);
    let answers = ask(&client, 40);
    let without = profiles(&answers).into_iter().flatten();
    assert_eq!(without.filter(|it| it.contains("without")).count(), 39);
    // Those that were under way together.
    assert!(loopback.count() <= 40 + 5);
}

#[test]
fn a_change_that_does_not_help_is_undone_whatever_the_error_says_the_second_time() {
    let count = AtomicUsize::new(0);
    let loopback = serve(move |_, prompt| {
        let id = count.fetch_add(1, Ordering::SeqCst);
        let message = format!("'temperature' is not supported for p0 [request {id}a7]");
        (prompt == "p0").then(|| rejection(&message))?
    });
    let client = client(&loopback);
    let prompts = ["p0", "p1", "p2"];
    let answers = client.batch(prompts).temperature(0.5).concurrency(1).run();
    let answers = answers.unwrap();
    assert!(answers.rows()[0].error().is_some());
    assert_eq!(profiles_of(&answers.rows()[1..]), [None, None]);
    assert_eq!(client.deployment_profile(), None);
}

fn profiles_of(rows: &[crate::Answer]) -> Vec<Option<&str>> {
    let completions = rows.iter().map(|row| row.outcome.as_ref().unwrap());
    completions.map(|completion| completion.profile()).collect()
}

#[test]
fn a_request_that_could_not_be_finished_is_asked_again_with_more_room() {
    let unfinished = "Could not finish the message because max_tokens or model output limit was \
                      reached. Please try again with higher max_tokens.";
    let loopback = serve(move |body, prompt| {
        let room = body["max_tokens"].as_u64().unwrap();
        (prompt == "p3" && room < 300).then(|| rejection(unfinished))?
    });
    let client = client(&loopback);
    let answers = ask(&client, 10);
    let notes = answers.totals().notes.join("\n");
    insta::assert_snapshot!(notes, @"an answer of class was empty because of its thinking: 256 tokens are allowed for that in addition to max_tokens from now on");

    let granted = client.batch(["p3"]).max_tokens(9).thinking_allowance(10);
    let answers = granted.run().unwrap();
    insta::assert_snapshot!(answers.rows()[0].error().unwrap(), @r"
    there is no answer: the 19 tokens allowed for both thinking and the answer did not suffice
      hint: .thinking_allowance(256) gives the thinking more room
    ");
}

#[test]
fn a_byte_order_mark_before_an_answer_costs_nothing() {
    let loopback = Loopback::serve(|_| {
        let body = "\u{feff}{\"choices\": [{\"message\": {\"content\": \"Yes\"}}]}";
        Reply::new(200, "application/json", body)
    });
    let answer = client(&loopback).complete("x").unwrap();
    assert_eq!(answer.text(), Some("Yes"));
}

#[test]
fn a_request_without_a_name_is_known_wherever_it_stands() {
    let loopback = serve(|_, _| None);
    let folder = tempfile::tempdir().unwrap();
    let run = |prompts: &[&str]| {
        let requests = prompts.iter().map(|prompt| ChatRequest::from(*prompt));
        let requests: Vec<_> = requests.collect();
        let batch = client(&loopback).batch_requests(requests);
        let batch = batch.journal(folder.path().join("rows.jsonl"));
        let totals = batch.for_each(|_| Ok(())).unwrap();
        (totals.answered, totals.from_journal)
    };
    assert_eq!(run(&["a", "b", "a"]), (3, 0));
    assert_eq!(run(&["new", "a", "a", "b"]), (4, 3));
    assert_eq!(run(&["a", "a", "a"]), (3, 2));
}

/// As a content filter may do, or a limit of one prompt.
#[test]
fn unknown_words_about_a_field_that_others_were_sent_with_are_the_rows_own_error() {
    let loopback = serve(|_, prompt| {
        let body =
            json!({"error": {"message": "Die Frage ist unzulässig.", "param": "temperature"}});
        (prompt == "p17").then(|| Reply::json(400, body))
    });
    let prompts = (0..20).map(|n| format!("p{n}"));
    let batch = client(&loopback).batch(prompts).max_tokens(100);
    let answers = batch.temperature(0.5).concurrency(4).run().unwrap();
    assert_eq!(answers.failed().count(), 1);
    let error = answers.rows()[17].error().unwrap();
    assert!(error.message().contains("unzulässig"), "{error}");
    assert_eq!(loopback.count(), 20);
}

#[test]
fn a_prompt_that_the_filter_refuses_in_a_success_is_told_as_that() {
    let loopback = serve(|_, _| {
        let found = json!({"hate": {"filtered": true, "severity": "high"}});
        let body = json!({"choices": [], "prompt_filter_results":
            [{"prompt_index": 0, "content_filter_results": found}]});
        Some(Reply::json(200, body))
    });
    let error = client(&loopback).complete("p").unwrap_err();
    assert!(error.is_content_filter());
    assert!(error.content_filter().unwrap().categories["hate"].filtered);
    insta::assert_snapshot!(error, @r"
    the content filter refused the prompt: hate (high)
      hint: reword the prompt: the service's content filter found hate (high)
    ");
}

#[test]
fn an_answer_that_is_compressed_unasked_is_told_as_that() {
    let loopback = serve(|_, _| {
        let compressed = Reply::new(200, "application/json", [31, 139, 8, 0, 255]);
        Some(compressed.header("content-encoding", "gzip"))
    });
    let error = client(&loopback).complete("p").unwrap_err();
    insta::assert_snapshot!(error, @r"
    the answer is compressed (gzip), although no request asks for that
      hint: a gateway in between compresses it: let it pass on answers unchanged
    ");
}

#[test]
fn a_penalty_that_is_refused_is_left_out_with_a_note() {
    for (name, value) in [
        ("presence_penalty", json!(0.5)),
        ("frequency_penalty", json!(1)),
        ("logit_bias", json!({"50256": -100})),
    ] {
        let loopback = serve(move |body, _| {
            let message =
                format!("Unsupported parameter: '{name}' is not supported with this model.");
            (!body[name].is_null()).then(|| rejection(&message))?
        });
        let requests = (0..6).map(|n| ChatRequest::from(format!("p{n}")).set(name, value.clone()));
        let requests: Vec<_> = requests.collect();
        let client = client(&loopback);
        let batch = client.batch_requests(requests);
        let totals = batch.for_each(|_| Ok(())).unwrap();
        assert_eq!(totals.answered, 6);
        assert_eq!(loopback.count(), 7);
        let notes = totals.notes.join("\n");
        let told = format!("{name} was left out of 6 rows that set it");
        assert!(notes.contains(&told), "{notes}");
    }
}

#[test]
fn a_message_that_names_two_fields_in_vain_changes_nothing_for_the_others() {
    let loopback = serve(|_, prompt| {
        let blocked = "Guardrail blocked: \"Set the parameter 'temperature' to max_tokens\"";
        (prompt == "p0").then(|| rejection(blocked))?
    });
    let client = client(&loopback);
    let prompts = (0..12).map(|n| format!("p{n}"));
    let batch = client.batch(prompts).max_tokens(100).temperature(0.5);
    let answers = batch.run().unwrap();
    assert_eq!(answers.totals().answered, 11);
    assert_eq!(profiles_of_answered(&answers), [None; 11]);
    assert_eq!(client.deployment_profile(), None);
}

fn profiles_of_answered(answers: &Answers) -> Vec<Option<&str>> {
    let answered = answers.rows().iter();
    let answered = answered.filter_map(|row| row.outcome.as_ref().ok());
    answered.map(|answer| answer.profile()).collect()
}

#[test]
fn a_value_out_of_range_is_the_error_of_its_row() {
    for (message, code, answered) in [
        (
            "Invalid value for temperature: 1.5. Expected a value between 0 and 1",
            "invalid_value",
            19,
        ),
        ("Invalid temperature", "invalid_value", 19),
        // It may be the parameter: the row is asked without it.
        (
            "Unsupported value: temperature 1.5",
            "unsupported_value",
            20,
        ),
    ] {
        let loopback = Loopback::serve(move |request| {
            let body = request.json();
            match body["temperature"].as_f64() > Some(1.0) {
                true => Reply::json(
                    400,
                    json!({"error": {"message": message, "param": "temperature", "code": code}}),
                ),
                false => Reply::text("Yes."),
            }
        });
        let client = super::client(&loopback);
        let hot = |row: usize| if row == 0 { 1.5 } else { 0.3 };
        let requests = (0..20).map(move |row| {
            let request = ChatRequest::from(format!("Q{row}")).temperature(hot(row));
            (format!("{row}"), request)
        });
        let batch = client.batch_requests(requests);
        let totals = batch.for_each(|_| Ok(())).unwrap();
        assert_eq!(totals.answered, answered, "{message}: {totals}");
        assert_eq!(client.deployment_profile(), None, "{message}");
        assert!(loopback.count() <= 21, "{message}");
    }
}
