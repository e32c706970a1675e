//! Where requests go, what they contain, and what is made of the answer.

use std::time::Duration;

use super::{KEY, azure};
use crate::support::server::{Reply, Server};
use evenhand::openai::{FinishReason, Protocol};
use evenhand::{ChatRequest, Client};
use serde_json::json;

#[test]
fn the_dated_path_carries_the_deployment_and_the_version() {
    let server = Server::new([Reply::text("Kind.")]);
    let client = azure(&server).build().unwrap();
    let answer = client
        .complete(
            ChatRequest::from("Describe a nurse.")
                .system("Be brief.")
                .max_tokens(10),
        )
        .unwrap();
    assert_eq!(answer.text(), Some("Kind."));
    assert_eq!(answer.finish_reason(), Some(&FinishReason::Stop));
    assert_eq!(answer.usage.unwrap().total_tokens, 6);
    let request = server.request();
    assert_eq!(request.method, "POST");
    assert_eq!(
        request.target,
        "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    );
    assert_eq!(
        request.json(),
        json!({"model": "gpt", "max_tokens": 10, "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Describe a nurse."}]})
    );
}

#[test]
fn the_credential_is_sent_once() {
    let server = Server::new([Reply::text("x")]);
    azure(&server).build().unwrap().complete("Hi").unwrap();
    azure(&server)
        .ad_token("e.y.J")
        .build()
        .unwrap()
        .complete("Hi")
        .unwrap();
    let [with_key, with_token] = &server.requests()[..] else {
        panic!("two requests")
    };
    assert_eq!(with_key.header("api-key"), [KEY]);
    assert!(with_key.header("authorization").is_empty());
    assert_eq!(with_token.header("authorization"), ["Bearer e.y.J"]);
    assert!(with_token.header("api-key").is_empty());
    assert_eq!(with_key.header("content-type"), ["application/json"]);
    assert!(with_key.header("user-agent")[0].starts_with("evenhand/"));
    let times = with_key
        .headers()
        .filter(|(_, value)| value.contains(KEY))
        .count();
    assert_eq!((times, with_key.target.contains(KEY)), (1, false));
}

#[test]
fn the_v1_path_carries_the_deployment_in_the_body() {
    let server = Server::new([Reply::text("x")]);
    let client = Client::builder()
        .endpoint(format!("{}/", server.url()))
        .api_key(KEY);
    let client = client.deployment("gpt").build().unwrap();
    assert_eq!(
        (client.protocol(), client.api_version()),
        (Protocol::AzureV1, None)
    );
    client.complete("Hi").unwrap();
    let request = server.request();
    assert_eq!(request.target, "/openai/v1/chat/completions");
    assert_eq!(request.json()["model"], "gpt");
    assert_eq!(request.header("api-key"), [KEY]);
}

#[test]
fn an_openai_compatible_server_is_asked_at_its_base() {
    let server = Server::new([Reply::text("x")]);
    let base = || Client::builder().openai_base_url(format!("{}/v1/", server.url()));
    base()
        .deployment("llama")
        .build()
        .unwrap()
        .complete("Hi")
        .unwrap();
    base()
        .api_key(KEY)
        .build()
        .unwrap()
        .complete(ChatRequest::from("Hi").deployment("qwen"))
        .unwrap();
    let [open, keyed] = &server.requests()[..] else {
        panic!("two requests")
    };
    assert_eq!(open.target, "/v1/chat/completions");
    assert_eq!(open.json()["model"], "llama");
    assert!(open.header("authorization").is_empty() && open.header("api-key").is_empty());
    assert_eq!(keyed.json()["model"], "qwen");
    assert_eq!(keyed.header("authorization"), [format!("Bearer {KEY}")]);
}

#[test]
fn a_request_may_name_its_own_deployment() {
    let server = Server::new([Reply::text("x")]);
    let request = ChatRequest::from("Hi").deployment("a/../b?");
    azure(&server).build().unwrap().complete(request).unwrap();
    let target = server.request().target;
    assert!(
        target.starts_with("/openai/deployments/a%2F..%2Fb%3F/chat/completions?"),
        "{target}"
    );
}

#[test]
fn an_answer_tells_how_it_came() {
    let server = Server::new([
        Reply::error(500, "x", "x"),
        Reply::text("x")
            .header("apim-request-id", "abc-1")
            .header("x-ratelimit-remaining-tokens", "4990")
            .header("x-ratelimit-reset-requests", "6m0s"),
    ]);
    let answer = azure(&server).build().unwrap().complete("Hi").unwrap();
    assert_eq!(answer.request_id(), Some("abc-1"));
    assert_eq!(answer.attempts(), 2);
    assert!(answer.latency() > Duration::ZERO);
    assert_eq!(answer.rate_limits().remaining_tokens, Some(4990));
    assert_eq!(
        answer.rate_limits().reset_requests,
        Some(Duration::from_secs(360))
    );
}

#[test]
fn an_answer_that_was_held_back_is_an_answer() {
    let server = Server::new([Reply::json(
        200,
        json!({"choices": [{"finish_reason": "content_filter", "message": {"content": null},
            "content_filter_results": {"hate": {"filtered": true, "severity": "high"}}}]}),
    )]);
    let answer = azure(&server).build().unwrap().complete("Hi").unwrap();
    assert_eq!(answer.text(), None);
    assert_eq!(answer.finish_reason(), Some(&FinishReason::ContentFilter));
    assert!(answer.choices[0].content_filter_results.is_filtered());
}

#[tokio::test]
async fn programs_await_and_may_block_within_their_runtime() {
    let server = Server::new([Reply::text("x")]);
    let client = azure(&server).build().unwrap();
    assert_eq!(client.complete_async("Hi").await.unwrap().text(), Some("x"));
    assert_eq!(client.complete("Hi").unwrap().text(), Some("x"));
}

#[test]
fn clones_ask_at_the_same_time() {
    let server = Server::new([Reply::text("x")]);
    let client = azure(&server).build().unwrap();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            std::thread::spawn(move || client.complete("Hi").unwrap().attempts())
        })
        .collect();
    assert!(
        threads
            .into_iter()
            .all(|thread| thread.join().unwrap() == 1)
    );
    assert_eq!(server.requests().len(), 8);
}
