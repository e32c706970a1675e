//! What a user reads when the service refuses.

use super::{KEY, azure, shown};
use crate::support::server::{Reply, Server};
use evenhand::{ChatRequest, Error, ErrorKind};
use serde_json::json;

fn ask(reply: Reply) -> Error {
    let server = Server::new([reply]);
    let client = azure(&server).max_retries(0).build().unwrap();
    let error = client.complete("Hi").unwrap_err();
    assert_eq!(server.requests().len(), 1);
    error
}

#[test]
fn every_status_has_its_kind() {
    for (status, kind) in [
        (400, ErrorKind::BadRequest),
        (401, ErrorKind::Authentication),
        (403, ErrorKind::PermissionDenied),
        (404, ErrorKind::NotFound),
        (408, ErrorKind::Timeout),
        (409, ErrorKind::Conflict),
        (413, ErrorKind::UnexpectedStatus),
        (422, ErrorKind::UnprocessableEntity),
        (429, ErrorKind::RateLimit),
        (500, ErrorKind::Server),
        (503, ErrorKind::Server),
    ] {
        let error = ask(Reply::error(status, "Code", "Why."));
        assert_eq!((error.kind(), error.status()), (kind, Some(status)));
        assert_eq!(error.code(), Some("Code"));
        assert!(error.message().ends_with(": Why."), "{error}");
    }
}

#[test]
fn a_wrong_key_names_its_variable() {
    let error = ask(
        Reply::error(401, "401", "Access denied due to invalid subscription key.")
            .header("apim-request-id", "abc-1"),
    );
    insta::assert_snapshot!(shown(&error), @r"
    authentication: the service answered 401 Unauthorized: Access denied due to invalid subscription key.
      request id: abc-1
      hint: check AZURE_OPENAI_API_KEY, and that it belongs to the resource in AZURE_OPENAI_ENDPOINT (127.0.0.1:PORT)
    ");
}

#[test]
fn a_missing_deployment_is_named() {
    let error = ask(Reply::error(
        404,
        "DeploymentNotFound",
        "The deployment does not exist.",
    ));
    insta::assert_snapshot!(shown(&error), @r"
    not_found: the service answered 404 Not Found: The deployment does not exist.
      hint: the resource has no deployment 'gpt': set AZURE_OPENAI_DEPLOYMENT to one that it has (a new one takes some minutes)
    ");
}

#[test]
fn a_version_that_is_gone_names_one_that_is_not() {
    let error = ask(Reply::error(400, "BadRequest", "Unsupported api-version"));
    insta::assert_snapshot!(shown(&error), @r"
    bad_request: the service answered 400 Bad Request: Unsupported api-version
      hint: set AZURE_OPENAI_API_VERSION to a version that the service has, such as 2024-10-21
    ");
}

#[test]
fn a_version_that_is_older_than_the_model_may_be_left_out() {
    let error = ask(Reply::error(
        400,
        "BadRequest",
        "Model o3-mini is enabled only for api versions 2024-12-01-preview and later",
    ));
    insta::assert_snapshot!(shown(&error), @r"
    bad_request: the service answered 400 Bad Request: Model o3-mini is enabled only for api versions 2024-12-01-preview and later
      hint: leave AZURE_OPENAI_API_VERSION out: the v1 protocol is then used, which every current model takes
    ");
}

#[test]
fn max_tokens_refused_names_its_successor() {
    let server = Server::new([Reply::json(
        400,
        json!({"error": {
        "message": "Unsupported parameter: 'max_tokens' is not supported with this model.",
        "param": "max_tokens", "code": "unsupported_parameter"}}),
    )]);
    let request = ChatRequest::from("Hi").max_tokens(5);
    let error = azure(&server)
        .build()
        .unwrap()
        .complete(request)
        .unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    bad_request: the service answered 400 Bad Request: Unsupported parameter: 'max_tokens' is not supported with this model.
      hint: this model takes max_completion_tokens: write .max_completion_tokens(n) in place of .max_tokens(n)
    ");
}

#[test]
fn a_filtered_prompt_tells_the_category() {
    let error = ask(Reply::json(
        400,
        json!({"error": {
        "code": "content_filter", "message": "The response was filtered.",
        "innererror": {"content_filter_result": {
            "violence": {"filtered": true, "severity": "medium"},
            "hate": {"filtered": false, "severity": "safe"}}}}}),
    ));
    assert!(error.is_content_filter());
    assert!(error.content_filter().unwrap().categories["violence"].filtered);
    insta::assert_snapshot!(shown(&error), @r"
    content_filter: the service answered 400 Bad Request: The response was filtered.
      hint: reword the prompt: the service's content filter found violence (medium)
    ");
}

#[test]
fn a_filter_that_tells_nothing_but_its_policy_is_one() {
    let error = ask(Reply::json(
        400,
        json!({"error": {"code": "400", "message": "The response was filtered.",
            "innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
    ));
    insta::assert_snapshot!(shown(&error), @r"
    content_filter: the service answered 400 Bad Request: The response was filtered.
      hint: reword the prompt: the service's content filter refused it
    ");
}

#[test]
fn a_model_without_chat_completions_is_told() {
    let error = ask(Reply::error(
        400,
        "OperationNotSupported",
        "The chatCompletion operation does not work with the specified model, gpt.",
    ));
    insta::assert_snapshot!(shown(&error), @r"
    bad_request: the service answered 400 Bad Request: The chatCompletion operation does not work with the specified model, gpt.
      hint: the model of the deployment 'gpt' is retired, or does not support chat completions, like those for images, embeddings or only the Responses API (-codex, -pro): set AZURE_OPENAI_DEPLOYMENT to a deployment of a current chat model
    ");
}

#[test]
fn a_gateways_page_is_told_in_a_line() {
    let page = "<html>\n<head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    insta::assert_snapshot!(shown(&ask(Reply::new(502, "text/html", page))), @"server: the service answered 502 Bad Gateway: 502 Bad Gateway");
}

#[test]
fn a_quota_of_a_day_is_told_and_not_waited_for() {
    let reply = Reply::json(
        429,
        json!({"error": {"code": "429", "message": "Too many."}}),
    )
    .header("retry-after", "86400");
    let error = ask(reply);
    assert_eq!(error.retry_after().unwrap().as_secs(), 86_400);
    insta::assert_snapshot!(shown(&error), @r"
    rate_limit: the service answered 429 Too Many Requests: Too many.
      hint: the service asks to wait 86400 s, which is longer than evenhand waits automatically: raise the deployment's quota, or come back later
    ");
}

#[test]
fn an_echoed_key_is_not_repeated() {
    let text = format!("Incorrect API key provided: {KEY}. {}", KEY.to_uppercase());
    for reply in [
        Reply::error(401, "invalid_api_key", &text),
        Reply::new(403, "text/plain", &text),
        Reply::new(500, "text/html", format!("<title>{text}</title>")),
        Reply::new(200, "text/plain", &text),
        Reply::error(400, KEY, "x").header("x-request-id", KEY),
        Reply::new(302, "text/plain", "").header("location", &format!("https://{KEY}.example/")),
    ] {
        let error = ask(reply);
        let shown = format!(
            "{}{:?}{:?}",
            shown(&error),
            error.code(),
            error.request_id()
        );
        assert!(
            !shown.to_lowercase().contains(&KEY.to_lowercase()),
            "{shown}"
        );
    }
}

#[test]
fn what_is_no_answer_is_told_as_such() {
    let error = ask(Reply::new(200, "text/html", "<html>Please log in</html>"));
    insta::assert_snapshot!(shown(&error), @r"
    response: the answer is not JSON: <html>Please log in</html>
      hint: is AZURE_OPENAI_ENDPOINT the address of the service itself, and not of a page or a gateway in front of it?
    ");
    let error = ask(Reply::new(
        200,
        "application/json",
        "{\"choices\": [{\"mess",
    ));
    insta::assert_snapshot!(error.message(), @r#"the answer breaks off after 19 bytes: {"choices": [{"mess"#);
    let error = ask(Reply::new(
        200,
        "application/json",
        b"{\"choices\": \"\xff\"}",
    ));
    insta::assert_snapshot!(error.message(), @r#"the answer is not UTF-8 text: {"choices": "�"}"#);
    let error = ask(Reply::new(204, "application/json", ""));
    insta::assert_snapshot!(error.message(), @"the answer is empty");
    assert_eq!(error.kind(), ErrorKind::Response);
}
