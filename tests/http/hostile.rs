//! What a hostile service sends does not get into files, and costs nothing.

use std::fs;

use evenhand::ErrorKind;
use serde_json::{Value, json};

use super::{KEY, azure};
use crate::support::server::{Reply, Server};

/// Ways in which JSON may write the key.
fn escaped() -> String {
    KEY.chars()
        .map(|c| format!("\\u{:04X}", c as u32))
        .collect()
}

fn good(change: impl FnOnce(&mut Value)) -> String {
    let mut body = json!({"id": "1", "model": "m", "choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "Kind."}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}});
    change(&mut body);
    body.to_string()
}

/// Everything that is shown and stored of a batch with one prompt and this answer.
fn kept(reply: Reply) -> String {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new([reply]);
    let client = azure(&server).max_retries(0).build().unwrap();
    let batch = client.batch(["Describe a nurse."]);
    let answers = batch.journal(folder.path().join("run.jsonl")).run();
    let mut kept = match answers {
        Ok(answers) => {
            let rows = answers.rows().iter().map(|row| format!("{row:?}"));
            let json = answers.rows()[0].outcome.as_ref();
            let json = json.map(|answer| answer.as_json().to_string());
            rows.collect::<String>() + &json.unwrap_or_default()
        }
        Err(error) => format!("{error:?} {:?} {:?}", error.code(), error.request_id()),
    };
    for file in fs::read_dir(folder.path()).unwrap() {
        kept += &fs::read_to_string(file.unwrap().path()).unwrap();
    }
    kept
}

#[test]
fn a_key_that_comes_back_is_kept_nowhere() {
    let text = "KEY-OR-NOT";
    let bodies = [
        good(|body| body["choices"][0]["message"]["content"] = text.into()),
        good(|body| body["id"] = text.into()),
        good(|body| body["new"] = json!({text: [text]})),
        good(|body| body["choices"][0]["finish_reason"] = text.into()),
        good(|body| {
            body["choices"][0]["content_filter_results"] = json!({text: {"severity": text}})
        }),
        json!({"error": {"code": text, "message": text, "param": text,
            "innererror": {"content_filter_result": {text: {"filtered": true, "severity": text}}}}})
        .to_string(),
        json!({"detail": text}).to_string(),
        format!("<html><title>{text}</title>"),
        format!("no JSON {text}"),
    ];
    for body in bodies {
        for key in [KEY.to_owned(), escaped(), KEY.to_ascii_uppercase()] {
            let body = body.replace(text, &key);
            for status in [200, 400, 500] {
                let reply = Reply::new(status, "application/json", &body)
                    .header("x-request-id", &format!("id {KEY}"))
                    .header("location", &format!("https://{KEY}.example"));
                let kept = kept(reply).to_ascii_lowercase();
                assert!(!kept.contains(&KEY.to_ascii_lowercase()), "{body}: {kept}");
                assert!(
                    !kept.contains(&escaped().to_ascii_lowercase()),
                    "{body}: {kept}"
                );
                assert!(kept.contains("id "), "{kept}");
            }
        }
    }
}

#[test]
fn numbers_that_nobody_can_mean_cost_no_answer() {
    let most = json!(u64::MAX);
    let body = good(|body| {
        body["usage"] =
            json!({"prompt_tokens": most, "completion_tokens": most, "total_tokens": most});
        body["created"] = json!(-1e300);
        body["choices"][0]["index"] = most.clone();
    });
    let reply = |header: &str, value: &str| {
        Reply::new(200, "application/json", &body)
            .header("x-ratelimit-remaining-tokens", "1")
            .header(header, value)
    };
    for (header, value) in [
        ("x-ratelimit-remaining-requests", "18446744073709551615"),
        ("x-ratelimit-limit-tokens", "18446744073709551615"),
        ("x-ratelimit-reset-tokens", "1e18"),
        ("retry-after", "1e18"),
        ("x-ratelimit-reset-requests", "99999999999999999999d"),
    ] {
        let server = Server::new([reply(header, value)]);
        let client = azure(&server).deployment(header).build().unwrap();
        let quota = evenhand::Quota::tpm(1_000_000_000_000_000_000);
        let batch = client
            .batch(["a", "b"])
            .quota(quota)
            .concurrency(usize::MAX);
        let answers = batch.run().unwrap();
        assert_eq!(answers.totals().answered, 2, "{header}");
        assert_eq!(answers.total_tokens(), 0);
    }
}

#[test]
fn a_number_of_samples_that_no_memory_holds_is_refused() {
    let server = Server::new([Reply::text("x")]);
    let client = azure(&server).build().unwrap();
    let error = client
        .batch(["a"])
        .samples(4_000_000_000)
        .run()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(server.requests().is_empty());
}
