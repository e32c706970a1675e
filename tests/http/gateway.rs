//! Responses of gateways and filters with the status 200: an error is not taken for an answer, and a
//! withheld answer gives its reason.

use std::fs;

use evenhand::ErrorKind;
use serde_json::{Value, json};

use super::{azure, shown};
use crate::support::server::{Reply, Server};

/// A success with this body that asks to retry at once.
fn success(body: &Value) -> Reply {
    Reply::json(200, body.clone()).header("retry-after-ms", "1")
}

fn refusals() -> Vec<Value> {
    let empty = json!({"index": 0, "message": {"role": "assistant", "content": null}});
    vec![
        json!({"error": {"code": 429, "message": "slow down"}, "choices": [empty]}),
        json!({"error": {"code": "429", "message": "slow down"}}),
        json!({"error": {"code": "RateLimitReached", "message": "slow down"}, "choices": null}),
        json!({"error": {"type": "rate_limit_error", "message": "slow down"}, "choices": []}),
        json!({"statusCode": 429, "message": "slow down"}),
        json!({"choices": [{"error": {"code": 429, "message": "slow down"}, "message": {"content": ""}}]}),
    ]
}

#[test]
fn a_quota_is_one_whatever_status_a_gateway_gives_it() {
    for (status, body) in [
        (
            403,
            json!({"statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 00:00:01."}),
        ),
        (
            400,
            json!({"error": {"code": "RateLimitReached", "message": "slow down"}}),
        ),
    ] {
        let server = Server::answering(move |_, before| match before {
            0 => Reply::json(status, body.clone()).header("retry-after-ms", "1"),
            _ => Reply::text("Kind."),
        });
        let client = azure(&server).build().unwrap();
        let answers = client.batch(["0", "1"]).concurrency(1).run().unwrap();
        let totals = answers.totals();
        assert_eq!((totals.answered, totals.rate_limited), (2, 1), "{status}");
    }
}

#[test]
fn a_rate_limit_in_a_success_is_one_and_is_asked_again() {
    for body in refusals() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("run.jsonl");
        let server = Server::by_prompt({
            let body = body.clone();
            move |prompt, before| match (prompt, before) {
                ("1", 0) => success(&body),
                _ => Reply::text("Kind."),
            }
        });
        let client = azure(&server).build().unwrap();
        let answers = client
            .batch(["0", "1", "2"])
            .journal(&journal)
            .run()
            .unwrap();
        let texts: Vec<_> = answers.texts().collect();
        assert_eq!(texts, [Some("Kind."); 3], "{body}");
        assert_eq!(answers.totals().rate_limited, 1, "{body}");
        let kept = fs::read_to_string(&journal).unwrap();
        assert!(!kept.contains("slow down"), "{kept}");
    }
}

#[test]
fn no_error_of_a_success_is_kept_as_an_answer() {
    let errors = [
        json!({"error": "model is loading"}),
        json!({"error": {"message": "it broke"}, "choices": [{"message": {"content": "half of"}}]}),
        json!({"detail": "not today"}),
        json!({"message": "not today"}),
        json!({"object": "error", "message": "no such model", "code": 404}),
        json!({"choices": [{"finish_reason": "error", "message": {"content": "half of"}}]}),
        json!({"choices": [{"message": {"content": "one"}}, {"index": 1, "error": {"code": 502}}]}),
        json!({"fault": {"faultstring": "Spike arrest violation"}}),
        json!({"choices": []}),
        json!({"choices": null}),
        json!({}),
    ];
    for body in errors {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("run.jsonl");
        let server = Server::answering(move |_, before| match before {
            0 => Reply::text("Kind."),
            _ => success(&body),
        });
        let client = azure(&server).max_retries(0).build().unwrap();
        let run = || {
            client
                .batch(["0", "1"])
                .concurrency(1)
                .journal(&journal)
                .run()
                .unwrap()
        };
        assert_eq!(run().failed().count(), 1);
        let asked = server.requests().len();
        // The answer is kept, and what was none is asked again.
        assert_eq!(run().totals().from_journal, 1);
        assert_eq!(server.requests().len(), asked + 1);
    }
}

#[test]
fn an_error_in_a_success_is_told_as_one() {
    let told = |body: Value| {
        let server = Server::new([success(&body)]);
        let client = azure(&server).max_retries(0).build().unwrap();
        shown(&client.complete("Hi").unwrap_err())
    };
    insta::assert_snapshot!(told(json!({"error": {"code": 429, "message": "slow down"}})), @r"
    rate_limit: the service answered 200 with an error, 429 Too Many Requests: slow down
      hint: the quota is used up; the service asks to wait 1 s. A batch keeps within the quota automatically
    ");
    insta::assert_snapshot!(told(json!({"error": "model is loading"})), @"server: the service answered 200 with an error: model is loading");
    insta::assert_snapshot!(told(json!({"error": {"code": "DeploymentNotFound", "message": "gone"}})), @r"
    not_found: the service answered 200 with an error, 404 Not Found: gone
      hint: the resource has no deployment 'gpt': set AZURE_OPENAI_DEPLOYMENT to one that it has (a new one takes some minutes)
    ");
}

#[test]
fn an_answer_that_was_held_back_says_so_also_out_of_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("run.jsonl");
    let body = json!({"choices": [{"index": 0, "finish_reason": "content_filter",
        "message": {"role": "assistant", "content": null},
        "content_filter_results": {"violence": {"filtered": true, "severity": "high"}}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}});
    let server = Server::new([success(&body)]);
    let client = azure(&server).build().unwrap();
    for from_journal in [0, 1] {
        let answers = client.batch(["Hi"]).journal(&journal).run().unwrap();
        let totals = answers.totals();
        assert_eq!((totals.filtered, totals.from_journal), (1, from_journal));
        let answer = answers.rows()[0].outcome.as_ref().unwrap();
        assert!(answer.is_filtered() && answer.text().is_none());
    }
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_success_without_choices_tells_what_the_filter_found() {
    let body = json!({"choices": [], "prompt_filter_results": [{"prompt_index": 0,
        "content_filter_results": {"jailbreak": {"filtered": true, "detected": true}}}]});
    let server = Server::new([success(&body)]);
    let error = azure(&server).build().unwrap().complete("Hi").unwrap_err();
    let told = "the content filter refused the prompt: jailbreak";
    assert!(error.message().starts_with(told), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::ContentFilter);
}

#[test]
fn a_filtered_prompt_in_a_success_is_the_filter() {
    let body = json!({"error": {"code": "content_filter", "message": "filtered"}});
    let server = Server::new([success(&body)]);
    let error = azure(&server).build().unwrap().complete("Hi").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContentFilter);
    assert_eq!(server.requests().len(), 1);
}
