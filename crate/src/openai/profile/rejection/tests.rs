use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::openai::profile::field::EFFORT;

fn sent() -> ChatRequest {
    ChatRequest::from("x")
        .max_tokens(9)
        .temperature(0.0)
        .set(EFFORT, "minimal")
}

fn field(body: &str) -> Option<Field> {
    Rejection::from_response(400, body.as_bytes())?.field(&sent())
}

#[test]
fn the_service_names_what_it_refuses() {
    let error = |message: &str, param: &str, code: &str| {
        json!({"error": {"message": message, "type": "invalid_request_error",
            "param": param, "code": code}})
        .to_string()
    };
    let tokens = error(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "max_tokens",
        "unsupported_parameter",
    );
    assert_eq!(field(&tokens), Some(Field::MaxTokens));
    let temperature = error(
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
        "temperature",
        "unsupported_value",
    );
    assert_eq!(field(&temperature), Some(Field::Temperature));
    let effort = error(
        "Unsupported value: 'minimal' is not supported with the 'gpt-5.1' model. Supported values are: 'none', 'low', 'medium', and 'high'.",
        "reasoning.effort",
        "unsupported_value",
    );
    assert_eq!(field(&effort), Some(Field::Effort));
    let rejection = Rejection::from_response(400, effort.as_bytes()).unwrap();
    assert_eq!(rejection.efforts(), ["none", "low", "medium", "high"]);
}

#[test]
fn gateways_name_it_in_the_message_alone() {
    let told = [
        (
            r#"{"error":{"message":"Unrecognized request argument supplied: reasoning_effort","param":null,"code":null}}"#,
            Field::Effort,
        ),
        (
            r#"{"error":{"message":"litellm.BadRequestError: AzureException BadRequestError - Unsupported value: 'temperature' does not support 0.0 with this model.","code":"400"}}"#,
            Field::Temperature,
        ),
        (
            r#"{"detail":"Error code: 400 - {'error': {'message': \"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.\"}}"}"#,
            Field::MaxTokens,
        ),
        (
            r#"{"error":"use max_completion_tokens, max_tokens is not supported"}"#,
            Field::MaxTokens,
        ),
        (
            "<h1>Bad request</h1> temperature: Extra inputs are not permitted",
            Field::Temperature,
        ),
        (
            r#"{"error":{"message":"Unsupported value: 'minimal' is not supported with the 'gpt-5.1' model. Supported values are: 'none', 'low'."}}"#,
            Field::Effort,
        ),
        (
            r#"{"error":{"message":"Parameter 'temperature' is not allowed for this model."}}"#,
            Field::Temperature,
        ),
        (
            r#"{"error":{"message":"The model does not accept max_tokens."}}"#,
            Field::MaxTokens,
        ),
        (
            r#"{"error":{"message":"invalid reasoning value: 'minimal' (must be \"high\", \"medium\", \"low\", or \"none\")"}}"#,
            Field::Effort,
        ),
        (
            r#"{"message":"Input should be 'low', 'medium' or 'high'","param":"***.effort"}"#,
            Field::Effort,
        ),
    ];
    for (body, expected) in told {
        assert_eq!(field(body), Some(expected), "{body}");
    }
}

#[test]
fn a_named_field_was_refused_in_whatever_language() {
    let told = [
        (
            r#"{"error":{"message":"该模型不支持此参数","param":"max_tokens","code":null}}"#,
            Field::MaxTokens,
        ),
        (
            r#"{"error":{"message":null,"param":"temperature"}}"#,
            Field::Temperature,
        ),
        (
            r#"{"error":{"message":"","param":"reasoning.effort"}}"#,
            Field::Effort,
        ),
        (
            r#"{"error":{"message":"max_tokens wird von diesem Modell nicht unterstützt."}}"#,
            Field::MaxTokens,
        ),
        (
            r#"{"error":{"message":"Le paramètre temperature n'est pas pris en charge."}}"#,
            Field::Temperature,
        ),
        (
            r#"{"error":{"message":"Please use max_completion_tokens."}}"#,
            Field::MaxTokens,
        ),
        (
            r#"{"detail":[{"type":"value_error","loc":["body","max_tokens"],"msg":"nicht erlaubt"}]}"#,
            Field::MaxTokens,
        ),
        (
            r#"{"error":{"code":"BadRequest","message":"Bad request","innererror":{"message":"nein","param":"max_tokens"}}}"#,
            Field::MaxTokens,
        ),
        (
            r#"{"error":{"message":"{\"error\":{\"message\":\"nein\",\"param\":\"temperature\"}}"}}"#,
            Field::Temperature,
        ),
        (
            r#"{"error":{"code":"BadRequest","message":"Bad","details":[{"code":"unsupported_parameter","target":"max_tokens","message":"nein"}]}}"#,
            Field::MaxTokens,
        ),
        (
            r#"{"error":{"message":"Bad","metadata":{"raw":"{\"error\":{\"message\":\"nein\",\"param\":\"temperature\"}}"}}}"#,
            Field::Temperature,
        ),
    ];
    for (body, expected) in told {
        assert_eq!(field(body), Some(expected), "{body}");
    }
    let trace = "x".repeat(100_000);
    let long = json!({"trace": trace, "error": {"message": "nein", "param": "max_tokens"}});
    assert_eq!(field(&long.to_string()), Some(Field::MaxTokens));
}

#[test]
fn what_was_not_sent_or_is_not_ours_was_not_refused() {
    for body in [
        r#"{"error":{"message":"Unsupported parameter: 'top_p' is not supported.","param":"top_p","code":"unsupported_parameter"}}"#,
        r#"{"error":{"message":"Unsupported parameter.","code":"unsupported_parameter"}}"#,
        r#"{"error":{"message":"API version not supported"}}"#,
        r#"{"error":{"message":"Questions about temperature are not allowed by the guardrail 'weather'","code":"guardrail"}}"#,
        r#"{"error":{"message":"Invalid value: 'x'. Supported values are: 'low', 'high', and 'auto'.","param":"messages[0].content[1].image_url.detail","code":"invalid_value"}}"#,
        r#"{"error":{"message":"Unsupported value: 'temperature' does not support 1.5 with this model. Only values from 0 to 1 are supported.","param":"temperature","code":"unsupported_value"}}"#,
        r#"{"error":{"message":"The prompt is too long for temperature"}}"#,
        r#"{"error":{"message":"'messages' does not support an empty temperature","param":"messages","code":"unsupported_value"}}"#,
        r#"{"error":{"message":"'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens.","param":"max_tokens"}}"#,
        r#"{"error":{"message":"Filtré: max_tokens","code":"content_filter"}}"#,
        r#"{"error":{"message":"Die Temperatur ist zu hoch: temperature"}}"#,
    ] {
        assert_eq!(field(body), None, "{body}");
    }
    for status in [500, 401, 429] {
        assert_eq!(
            Rejection::from_response(status, b"temperature is not supported"),
            None
        );
    }
}

#[test]
fn a_value_out_of_range_is_not_a_refused_field() {
    let read = |message: &str, code: &str| {
        let body = json!({"error": {"message": message, "param": "temperature", "code": code}});
        let sent = ChatRequest::from("x").temperature(1.5);
        let rejection = Rejection::from_response(400, body.to_string().as_bytes())?;
        let field = rejection.field(&sent)?;
        Some(rejection.may_be_about_value(field, &sent))
    };
    for (message, code) in [
        (
            "Invalid value for temperature: 1.5. Expected a value between 0 and 1",
            "invalid_value",
        ),
        ("Invalid temperature", "invalid_value"),
        (
            "1.5 is greater than the maximum of 1",
            "decimal_above_max_value",
        ),
        ("Invalid 'temperature': decimal above maximum value.", ""),
    ] {
        assert_eq!(read(message, code), None, "{message}");
    }
    // The field as such, or perhaps only this value of it.
    for (message, code, may_be_about_value) in [
        (
            "Unsupported value: 'temperature' does not support 1.5 with this model. Only the default (1) value is supported.",
            "unsupported_value",
            false,
        ),
        (
            "Unsupported value: temperature 1.5",
            "unsupported_value",
            true,
        ),
        (
            "Unsupported parameter: 'temperature'",
            "unsupported_parameter",
            false,
        ),
    ] {
        assert_eq!(read(message, code), Some(may_be_about_value), "{message}");
    }
}

#[test]
fn a_gateway_may_pass_a_rejection_on_with_a_status_of_its_own() {
    let body = br#"{"error":{"message":"litellm.APIError: Unsupported parameter: 'max_tokens' is not supported with this model.","code":"500"}}"#;
    for status in [403, 404, 405, 409, 424, 500, 502, 504, 529] {
        let rejection = Rejection::from_response(status, body).unwrap();
        assert_eq!(rejection.field(&sent()), Some(Field::MaxTokens), "{status}");
    }
    assert_eq!(Rejection::from_response(401, body), None);
}

#[test]
fn the_most_that_a_model_takes_is_read() {
    for message in [
        "max_tokens is too large: 20000. This model supports at most 16384 completion tokens, whereas you provided 20000.",
        "The parameter `max_completion_tokens` specified in the request are not valid: integer above maximum value, expected a value <= 16384, but got 20000 instead.",
        "max_tokens is limited to 16,384",
        "max_tokens: 20000 > 16384, which is the maximum allowed number of output tokens (16384)",
        "max_tokens must be less than or equal to `16384`",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 16384]",
        "max_completion_tokens must not exceed 16384.",
    ] {
        let body = json!({"error": {"message": message}}).to_string();
        let rejection = Rejection::from_response(400, body.as_bytes()).unwrap();
        assert_eq!(rejection.most_tokens(), Some(16_384), "{message}");
    }
    for message in [
        "temperature must be at most 2",
        "This model's maximum context length is 4096 tokens: lower max_tokens",
    ] {
        let body = json!({"error": {"message": message}}).to_string();
        let most = Rejection::from_response(400, body.as_bytes()).and_then(|it| it.most_tokens());
        assert_eq!(most, None, "{message}");
    }
}

#[test]
fn a_field_that_is_named_as_such_was_refused_in_weak_words_too() {
    for (message, expected) in [
        (
            "max_tokens is not allowed for this model",
            Some(Field::MaxTokens),
        ),
        (
            "Field [temperature] is not permitted",
            Some(Field::Temperature),
        ),
        ("«temperature» not available", Some(Field::Temperature)),
        (
            "“temperature” cannot be used here",
            Some(Field::Temperature),
        ),
        (
            "This model only supports temperature=1",
            Some(Field::Temperature),
        ),
        ("temperature must be equal to 1", Some(Field::Temperature)),
        ("temperature has been removed", Some(Field::Temperature)),
        ("Questions about temperature are not allowed", None),
        (
            "This guardrail only supports talk of the weather, not temperature",
            None,
        ),
        ("max_tokens of this size is too large and not allowed", None),
    ] {
        let body = json!({"error": {"message": message}}).to_string();
        assert_eq!(field(&body), expected, "{message}");
    }
}

proptest! {
    #[test]
    fn any_body_is_read(body in any::<Vec<u8>>()) {
        let _ = Rejection::from_response(400, &body).map(|rejection| rejection.field(&sent()));
    }

    #[test]
    fn any_message_is_read(message in "[a-z_.' :0-9éß]{0,60}(supported values|at most |temperature)[a-z_.' :0-9éß]{0,60}") {
        let body = json!({"error": {"message": message}}).to_string();
        let _ = Rejection::from_response(400, body.as_bytes()).map(|rejection| rejection.field(&sent()));
    }
}
