use super::*;
use crate::settings::{Service, Settings};
use proptest::prelude::*;
use std::time::SystemTime;

const KEY: &str = "Hunter2-Hunter2";

fn azure() -> Settings {
    Settings::from_lookup(|name| {
        let value = match name {
            "AZURE_OPENAI_ENDPOINT" => "https://x.openai.azure.com",
            "AZURE_OPENAI_API_KEY" => KEY,
            "AZURE_OPENAI_API_VERSION" => "2023-03-15-preview",
            "AZURE_OPENAI_DEPLOYMENT" => "gpt",
            _ => return None,
        };
        Some(value.to_owned())
    })
    .unwrap()
}

fn openai() -> Settings {
    Settings {
        service: Service::OpenAi,
        api_key: Some(crate::Secret::new(KEY)),
        ..Settings::default()
    }
}

fn refused(
    settings: &Settings,
    status: u16,
    headers: &[(&'static str, &str)],
    body: &[u8],
) -> Error {
    let endpoint = Endpoint::new(settings).unwrap();
    let credential = Credential::new(settings, &endpoint).unwrap();
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let limits = RateLimits::from_headers(&headers, SystemTime::now());
    let context = RequestContext {
        endpoint: &endpoint,
        credential: &credential,
        deployment: "gpt",
    };
    context.refused(status, &headers, body, &limits)
}

fn text(status: u16, body: &str) -> String {
    let error = refused(&azure(), status, &[], body.as_bytes());
    format!("{}: {error:?}", error.kind().name())
}

#[test]
fn a_wrong_key() {
    let body = r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}"#;
    insta::assert_snapshot!(text(401, body), @r"
    authentication: the service answered 401 Unauthorized: Access denied due to invalid subscription key or wrong API endpoint.
      hint: check AZURE_OPENAI_API_KEY, and that it belongs to the resource in AZURE_OPENAI_ENDPOINT (x.openai.azure.com)
    ");
    let error = refused(
        &openai(),
        401,
        &[],
        br#"{"error":{"message":"Incorrect API key","code":"invalid_api_key"}}"#,
    );
    insta::assert_snapshot!(format!("{error:?}"), @r"
    the service answered 401 Unauthorized: Incorrect API key
      hint: check OPENAI_API_KEY
    ");
    let mut entra = azure();
    entra.ad_token = Some(crate::Secret::new("Bearer e.y.J"));
    insta::assert_snapshot!(format!("{:?}", refused(&entra, 401, &[], b"")), @r"
    the service answered 401 Unauthorized
      hint: get a new token, since one is valid for about an hour, and set AZURE_OPENAI_AD_TOKEN: az account get-access-token --resource https://cognitiveservices.azure.com
    ");
}

#[test]
fn a_deployment_that_is_not_there() {
    let body = r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#;
    insta::assert_snapshot!(text(404, body), @r"
    not_found: the service answered 404 Not Found: The API deployment for this resource does not exist.
      hint: the resource has no deployment 'gpt': set AZURE_OPENAI_DEPLOYMENT to one that it has (a new one takes some minutes)
    ");
    let error = refused(
        &openai(),
        404,
        &[],
        br#"{"error":{"message":"The model does not exist","code":"model_not_found"}}"#,
    );
    insta::assert_snapshot!(format!("{error:?}"), @r"
    the service answered 404 Not Found: The model does not exist
      hint: the server has no model 'gpt': set OPENAI_MODEL to one that it has
    ");
}

#[test]
fn a_path_that_is_not_there() {
    insta::assert_snapshot!(text(404, r#"{"statusCode":404,"message":"Resource not found"}"#), @r"
    not_found: the service answered 404 Not Found: Resource not found
      hint: check AZURE_OPENAI_ENDPOINT, the deployment 'gpt' (AZURE_OPENAI_DEPLOYMENT), whose model may be retired, and AZURE_OPENAI_API_VERSION (2024-10-21 is one that the service has)
    ");
    let mut v1 = azure();
    v1.api_version = None;
    let error = refused(
        &v1,
        404,
        &[],
        br#"{"error":{"code":"404","message":"Resource not found"}}"#,
    );
    insta::assert_snapshot!(format!("{error:?}"), @r"
    the service answered 404 Not Found: Resource not found
      hint: check AZURE_OPENAI_ENDPOINT and the deployment 'gpt' (AZURE_OPENAI_DEPLOYMENT), whose model may be retired; if the resource has no v1 path, set AZURE_OPENAI_API_VERSION to 2024-10-21
    ");
}

#[test]
fn a_model_that_is_retired() {
    let body = r#"{"error":{"code":"ServiceModelDeprecated","message":"The model 'gpt-35-turbo' has been deprecated since 04/30/2025."}}"#;
    for status in [400, 404, 410] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(text(status, body).replace(&status.to_string(), "STATUS").lines().last().unwrap(), @"  hint: the model of the deployment 'gpt' is retired: deploy one that the portal offers, and set AZURE_OPENAI_DEPLOYMENT to that deployment");
        }
        assert!(text(status, body).starts_with("not_found"), "{status}");
    }
    // So the service itself has answered for a retired deployment.
    let body = r#"{"error":{"message":"The chatCompletion operation does not work with the specified model, gpt-35-turbo. Please choose different model and try again."}}"#;
    assert!(text(400, body).contains("is retired, or does not support chat completions"));
    let body = r#"{"error":{"message":"`temperature` is deprecated for this model."}}"#;
    assert!(text(400, body).starts_with("bad_request"));
}

#[test]
fn a_token_that_has_expired_is_that_whatever_the_status() {
    let mut entra = azure();
    entra.ad_token = Some(crate::Secret::new("Bearer e.y.J"));
    for (status, service_message) in [
        (400, "JWT expired at 2026"),
        (403, "Access token has expired"),
    ] {
        let body = serde_json::json!({"error": {"code": "Forbidden", "message": service_message}});
        let error = refused(&entra, status, &[], body.to_string().as_bytes());
        assert_eq!(error.kind(), ErrorKind::Authentication, "{service_message}");
        assert!(error.hint().unwrap().starts_with("get a new token"));
    }
}

#[test]
fn a_version_that_is_gone() {
    let body = r#"{"error":{"code":"BadRequest","message":"API version not supported"}}"#;
    insta::assert_snapshot!(text(400, body), @r"
    bad_request: the service answered 400 Bad Request: API version not supported
      hint: set AZURE_OPENAI_API_VERSION to a version that the service has, such as 2024-10-21
    ");
    let body =
        r#"{"error":{"code":"InvalidApiVersionParameter","message":"The version is invalid."}}"#;
    assert!(text(404, body).contains("AZURE_OPENAI_API_VERSION"));
}

#[test]
fn fields_that_a_model_refuses() {
    let body = r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#;
    insta::assert_snapshot!(text(400, body), @r"
    bad_request: the service answered 400 Bad Request: Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.
      hint: this model takes max_completion_tokens: write .max_completion_tokens(n) in place of .max_tokens(n)
    ");
    let body = r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0 with this model.","param":"temperature","code":"unsupported_value"}}"#;
    insta::assert_snapshot!(text(400, body), @r"
    bad_request: the service answered 400 Bad Request: Unsupported value: 'temperature' does not support 0 with this model.
      hint: this model refuses that temperature: leave .temperature() out
    ");
    let body = r#"{"error":{"message":"Unsupported value: 'messages[0].role' does not support 'system' with this model.","param":"messages[0].role","code":"unsupported_value"}}"#;
    insta::assert_snapshot!(text(400, body), @r"
    bad_request: the service answered 400 Bad Request: Unsupported value: 'messages[0].role' does not support 'system' with this model.
      hint: this model takes no system message: write its text at the beginning of the prompt
    ");
    assert!(!text(400, r#"{"error":{"message":"max_tokens is too large"}}"#).contains("hint"));
}

#[test]
fn a_filtered_prompt_in_both_spellings() {
    for (inner, results) in [
        ("innererror", "content_filter_result"),
        ("inner_error", "content_filter_results"),
    ] {
        let body = serde_json::json!({"error": {
            "code": "content_filter", "message": "The response was filtered.", "status": 400,
            inner: {"code": "ResponsibleAIPolicyViolation", results: {
                "hate": {"filtered": false, "severity": "safe"},
                "violence": {"filtered": true, "severity": "medium"},
                "jailbreak": {"filtered": true, "detected": true},
            }},
        }});
        let error = refused(&azure(), 400, &[], body.to_string().as_bytes());
        let filter = error.content_filter().unwrap();
        assert_eq!(filter.categories.len(), 3);
        assert_eq!(filter.categories["jailbreak"].detected, Some(true));
        insta::allow_duplicates! {
            insta::assert_snapshot!(format!("{}: {error:?}", error.kind().name()), @r"
            content_filter: the service answered 400 Bad Request: The response was filtered.
              hint: reword the prompt: the service's content filter found jailbreak, violence (medium)
            ");
        }
    }
    assert!(text(400, r#"{"error":{"code":"content_filter"}}"#).starts_with("content_filter"));
}

#[test]
fn a_filtered_prompt_whatever_gateway_tells_it() {
    for (status, body) in [
        (
            403,
            r#"{"statusCode":403,"message":"Request failed content safety check."}"#,
        ),
        (403, r#"{"error":{"code":"content_filter","message":"no"}}"#),
        (
            422,
            r#"{"error":{"code":"content_filter","message":"filtered"}}"#,
        ),
        (
            400,
            r#"{"error":{"code":"content_policy_violation","message":"rejected"}}"#,
        ),
        (
            400,
            r#"{"error":{"code":"invalid_prompt","message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy."}}"#,
        ),
        (
            400,
            r#"{"error":{"code":"data_inspection_failed","message":"Input data may contain bad words."}}"#,
        ),
        (
            400,
            r#"{"detail":"Error code: 400 - {'error': {'message': \"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.\"}}"}"#,
        ),
        (
            500,
            r#"{"error":{"message":"litellm.ContentPolicyViolationError: AzureException","code":"500"}}"#,
        ),
    ] {
        assert!(
            text(status, body).starts_with("content_filter: "),
            "{}",
            text(status, body)
        );
    }
    let of_provider = r#"{"error":{"message":"no","code":"400","provider_specific_fields":{"innererror":
        {"content_filter_result":{"hate":{"filtered":true,"severity":"high"},
        "custom_blocklists":[{"filtered":false,"id":"a"},{"filtered":true,"id":"b"}]}}}}}"#;
    insta::assert_snapshot!(text(400, of_provider), @r"
    content_filter: the service answered 400 Bad Request: no
      hint: reword the prompt: the service's content filter found custom_blocklists, hate (high)
    ");
    for (status, body) in [
        (
            400,
            r#"{"error":{"code":"unknown_parameter","message":"Unknown parameter: 'content_filter'."}}"#,
        ),
        (
            403,
            r#"{"error":{"code":"403","message":"Public access is disabled."}}"#,
        ),
        (
            404,
            r#"{"error":{"code":"404","message":"Resource not found"}}"#,
        ),
    ] {
        assert!(!text(status, body).starts_with("content_filter"), "{body}");
    }
}

#[test]
fn an_account_without_credit_is_told_from_a_quota() {
    for (status, body) in [
        (
            429,
            r#"{"error":{"code":"insufficient_quota","message":"check your plan"}}"#,
        ),
        (
            429,
            r#"{"error":{"type":"insufficient_quota","code":null}}"#,
        ),
        (
            400,
            r#"{"error":{"code":"billing_hard_limit_reached","message":"limit"}}"#,
        ),
        (
            402,
            r#"{"error":{"code":402,"message":"Insufficient credits"}}"#,
        ),
    ] {
        let error = refused(&openai(), status, &[], body.as_bytes());
        assert!(is_out_of_credit(&error), "{error}");
        assert_eq!(
            error.hint(),
            Some("the account has no credit left: waiting won't help")
        );
    }
    // Some services mean their quota by it.
    let asked = [("retry-after", "2")];
    let error = refused(
        &openai(),
        429,
        &asked,
        br#"{"error":{"code":"insufficient_quota"}}"#,
    );
    assert!(error.is_rate_limit() && !is_out_of_credit(&error));
    assert!(error.hint().unwrap().contains("wait 2 s"), "{error:?}");
}

#[test]
fn a_used_up_quota() {
    let body = br#"{"error":{"code":"429","message":"Requests to the API have exceeded the token rate limit."}}"#;
    let error = refused(
        &azure(),
        429,
        &[("retry-after", "86400"), ("apim-request-id", "abc")],
        body,
    );
    assert_eq!(error.retry_after().unwrap().as_secs(), 86_400);
    insta::assert_snapshot!(format!("{error:?}"), @r"
    the service answered 429 Too Many Requests: Requests to the API have exceeded the token rate limit.
      request id: abc
      hint: the service asks to wait 86400 s, which is longer than evenhand waits automatically: raise the deployment's quota, or come back later
    ");
    let error = refused(&azure(), 429, &[("retry-after-ms", "1500")], body);
    insta::assert_snapshot!(error.hint().unwrap(), @"the quota is used up; the service asks to wait 2 s. A batch keeps within the quota automatically");
    insta::assert_snapshot!(text(429, ""), @r"
    rate_limit: the service answered 429 Too Many Requests
      hint: the quota is used up: wait a minute, or raise it in the portal. A batch keeps within the quota automatically
    ");
    insta::assert_snapshot!(text(429, r#"{"error":{"code":"insufficient_quota"}}"#), @r#"
    rate_limit: the service answered 429 Too Many Requests: {"code":"insufficient_quota"}
      hint: the account has no credit left: waiting won't help
    "#);
}

#[test]
fn a_request_beyond_a_limit_can_never_pass() {
    let body = r#"{"error":{"code":"rate_limit_exceeded","type":"tokens","message":"Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000."}}"#;
    insta::assert_snapshot!(text(429, body), @r"
    bad_request: the service answered 429 Too Many Requests: Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000.
      hint: this request alone, with 40,000, is larger than the limit of 30,000, so waiting won't help: shorten the prompt, lower max_tokens (or the thinking allowance, if the model thinks), or raise the quota
    ");
    for status in [400, 403, 413, 500, 503] {
        let error = refused(&azure(), status, &[], body.as_bytes());
        assert_eq!(error.kind(), ErrorKind::BadRequest, "{status}");
        let again = [("x-should-retry", "true"), ("retry-after", "1")];
        let headers = again.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let retry = retry(
            &error,
            status,
            &headers.into_iter().collect(),
            SystemTime::now(),
        );
        assert!(!retry.again || status == 400, "{status}");
    }
    let waits =
        r#"{"error":{"message":"Rate limit reached: Limit 30000, Used 20000, Requested 15000."}}"#;
    assert!(refused(&azure(), 429, &[], waits.as_bytes()).is_rate_limit());
}

#[test]
fn a_redirect_tells_the_host_alone() {
    let error = refused(
        &azure(),
        307,
        &[("location", "https://evil.example/a?code=s3cret")],
        b"",
    );
    insta::assert_snapshot!(format!("{}: {error:?}", error.kind().name()), @r"
    unexpected_status: the service answered 307: it redirects to the host evil.example, and the key is not sent there
      hint: if that is right, set AZURE_OPENAI_ENDPOINT to the final address
    ");
    let error = refused(&azure(), 301, &[("location", "/a?code=s3cret")], b"");
    insta::assert_snapshot!(error.message(), @"the service answered 301: it redirects to another path, and the key is not sent there");
}

#[test]
fn bodies_that_are_not_azures() {
    insta::assert_snapshot!(text(502, "<html><head><title>502 Bad\nGateway</title></head><body>x</body></html>"), @"server: the service answered 502 Bad Gateway: 502 Bad Gateway");
    insta::assert_snapshot!(text(503, "upstream\r\nconnect \u{1b}[31merror"), @"server: the service answered 503 Service Unavailable: upstream connect �[31merror");
    insta::assert_snapshot!(text(500, ""), @"server: the service answered 500 Internal Server Error");
    insta::assert_snapshot!(text(500, r#"{"error":"model is loading"}"#), @"server: the service answered 500 Internal Server Error: model is loading");
    insta::assert_snapshot!(text(422, r#"{"detail":[{"loc":["body","n"]}]}"#), @r#"unprocessable_entity: the service answered 422 Unprocessable Entity: {"detail":[{"loc":["body","n"]}]}"#);
    insta::assert_snapshot!(text(418, "null"), @"unexpected_status: the service answered 418 I'm a teapot");
}

#[test]
fn every_status_has_its_kind() {
    let kinds = [401, 403, 404, 408, 409, 413, 422, 429, 500, 599]
        .map(|status| refused(&azure(), status, &[], b"").kind().name());
    insta::assert_snapshot!(kinds.join(" "), @"authentication permission_denied not_found timeout conflict unexpected_status unprocessable_entity rate_limit server server");
}

proptest! {
    #[test]
    fn any_body_makes_an_error(status in 300_u16..1000, body in any::<Vec<u8>>()) {
        let error = refused(&azure(), status, &[], &body);
        prop_assert_eq!(error.status(), Some(status));
        prop_assert!(error.message().chars().count() < EXCERPT + 80);
        prop_assert!(!error.message().contains(char::is_control));
    }

    #[test]
    fn an_echoed_key_is_never_repeated(
        before in ".{0,400}", after in ".{0,10}", shape in 0_usize..5, status in 400_u16..600,
    ) {
        let text = format!("{before}{KEY}{after}{}", KEY.to_lowercase());
        let body = match shape {
            0 => text,
            1 => serde_json::json!({"error": {"code": text, "message": text, "param": text}}).to_string(),
            2 => serde_json::json!({"message": text}).to_string(),
            3 => serde_json::json!({"error": {"code": "content_filter", "innererror":
                {"content_filter_result": {text.clone(): {"filtered": true, "severity": text}}}}}).to_string(),
            _ => format!("<html><title>{text}</title>"),
        };
        let error = refused(&azure(), status, &[("x-request-id", KEY)], body.as_bytes());
        let shown = format!(
            "{error} {error:?} {:?} {:?} {:?}", error.code(), error.request_id(), error.content_filter()
        );
        prop_assert!(!shown.to_lowercase().contains(&KEY.to_lowercase()), "{}", shown);
    }
}

#[test]
fn an_error_inside_another_is_understood() {
    let details = r#"{"error":{"code":"BadRequest","message":"Bad","details":[{"code":"unsupported_parameter","target":"max_tokens","message":"'max_tokens' is not supported with this model."}]}}"#;
    insta::assert_snapshot!(text(400, details), @r"
    bad_request: the service answered 400 Bad Request: Bad: 'max_tokens' is not supported with this model.
      hint: this model takes max_completion_tokens: write .max_completion_tokens(n) in place of .max_tokens(n)
    ");
    let filtered = r#"{"error":{"code":"BadRequest","message":"Bad","details":[{"code":"content_filter","message":"no"}]}}"#;
    insta::assert_snapshot!(text(400, filtered), @r"
    content_filter: the service answered 400 Bad Request: Bad: no
      hint: reword the prompt: the service's content filter refused it
    ");
    let raw = r#"{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"{\"error\":{\"message\":\"no\",\"code\":\"content_filter\",\"innererror\":{\"code\":\"ResponsibleAIPolicyViolation\",\"content_filter_result\":{\"hate\":{\"filtered\":true,\"severity\":\"high\"}}}}}","provider_name":"Azure"}}}"#;
    insta::assert_snapshot!(text(502, raw), @r"
    content_filter: the service answered 502 Bad Gateway: Provider returned error: no
      hint: reword the prompt: the service's content filter found hate (high)
    ");
    let moderated = r#"{"error":{"message":"Provider returned error","code":403,"metadata":{"reasons":["violence"],"flagged_input":"x"}}}"#;
    assert!(text(403, moderated).starts_with("content_filter"));
    insta::assert_snapshot!(text(403, "<html><title>Blocked</title></html>"), @r"
    permission_denied: the service answered 403 Forbidden: Blocked
      hint: a web page answered in place of the service: a firewall or gateway in front of it blocks this request, perhaps because of words in its prompt; its operator can tell
    ");
}

#[test]
fn what_a_proxy_and_a_gateway_answer_is_not_the_services() {
    let wants_password = text(407, "");
    assert!(
        wants_password.contains("a proxy on the way answered 407")
            && wants_password.contains("wants a"),
        "{wants_password}"
    );
    let busy = r#"{"statusCode":403,"message":"Rate limit is exceeded. Try again in 1 seconds."}"#;
    assert!(
        text(403, busy).starts_with("rate_limit"),
        "{}",
        text(403, busy)
    );
    let system = r#"{"error":{"message":"Unsupported value: 'messages[0].role' does not support 'system' with this model. Supported values are: 'user', 'assistant', 'developer'.","param":"messages[0].role","code":"unsupported_value"}}"#;
    assert!(text(400, system).contains("takes developer messages"));
}

#[test]
fn an_error_that_is_compressed_says_so() {
    use crate::loopback::{Reply, Server};
    let compressed = Reply::new(400, "application/json", [0x1f, 0x8b]);
    let server = Server::new([compressed.header("content-encoding", "gzip")]);
    let client = crate::Client::builder()
        .endpoint(server.url())
        .api_key("key");
    let client = client.deployment("gpt").build().unwrap();
    let error = client.complete("Hi").unwrap_err();
    assert_eq!(
        (error.status(), error.kind()),
        (Some(400), ErrorKind::BadRequest)
    );
    insta::assert_snapshot!(error, @r"
    the service answered 400 Bad Request; its text is unknown: the answer is compressed (gzip), although no request asks for that
      hint: a gateway in between compresses it: let it pass on answers unchanged
    ");
}
