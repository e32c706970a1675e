//! Parses a refusal: which field was refused, and which values are accepted.
//!
//! The service sends a 400 with `code` (`unsupported_parameter`, `unsupported_value`), `param`
//! and a message that lists the accepted values. Gateways leave out any of these or embed the
//! message in their own, some with a status of their own. Therefore the message is searched too (`error_body`,
//! `wording`), and a field that it names counts only if the request set it. An error in unknown words,
//! such as another language, counts if it names such a field and is not about a limit.

use super::error_body::ErrorBody;
use super::wording::{
    EXHAUSTED, EXPLICIT, OUT_OF_RANGE, PHRASES, WEAK_PHRASES, is_about_limit, is_marked,
    listed_efforts, most_tokens, names_as_field, position,
};
use crate::openai::ChatRequest;

/// The field of a request that sets the effort.
pub(super) const EFFORT: &str = "reasoning_effort";

/// A field that some deployments refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    MaxTokens,
    MaxCompletionTokens,
    Temperature,
    TopP,
    Seed,
    Effort,
}

impl Field {
    const EACH: [Self; 6] = [
        Self::MaxTokens,
        Self::MaxCompletionTokens,
        Self::Temperature,
        Self::TopP,
        Self::Seed,
        Self::Effort,
    ];

    const ALL: [(Self, &'static str); 9] = [
        (Self::MaxTokens, "max_tokens"),
        (Self::MaxCompletionTokens, "max_completion_tokens"),
        (Self::Temperature, "temperature"),
        (Self::TopP, "top_p"),
        (Self::Seed, "seed"),
        (Self::Effort, EFFORT),
        (Self::Effort, "reasoning.effort"),
        (Self::Effort, "reasoning effort"),
        (Self::Effort, "reasoningeffort"),
    ];

    /// Does it decide how the answer's words are drawn?
    pub(super) fn is_sampling(self) -> bool {
        matches!(self, Self::Temperature | Self::TopP | Self::Seed)
    }

    fn is_in(self, request: &ChatRequest) -> bool {
        match self {
            Self::MaxTokens => request.max_tokens.is_some(),
            Self::MaxCompletionTokens => request.max_completion_tokens.is_some(),
            Self::Temperature => request.temperature.is_some(),
            Self::TopP => request.top_p.is_some(),
            Self::Seed => request.seed.is_some(),
            Self::Effort => request.other.contains_key(EFFORT),
        }
    }
}

/// How clearly an error says that it is about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wording {
    Known,
    /// It is about the field that it names as such, if any.
    Weak,
    /// The same, of an error that is probably about a limit or the content: it is about the field that
    /// it quotes, if any.
    Weaker,
    /// Nothing is known about the words, as in another language.
    Unknown,
}

/// The service refuses a field of the request or its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// In lower case; empty if none is named.
    param: String,
    /// In lower case.
    text: String,
    /// The accepted efforts, if the message lists them.
    efforts: Vec<&'static str>,
    /// The maximum number of tokens, if the message states it.
    most_tokens: Option<u32>,
    wording: Wording,
    /// The error is about a parameter, even if it names none.
    is_about_parameter: bool,
    /// The limit was reached before there was an answer.
    is_exhausted: bool,
}

impl Refusal {
    /// Parses a response; `None` if it is about something else.
    pub(crate) fn read(status: u16, body: &[u8]) -> Option<Self> {
        let is_passed_on = !matches!(status, 400 | 422);
        if !(400..600).contains(&status) || matches!(status, 401 | 407 | 408 | 429) {
            return None;
        }
        let ErrorBody { code, param, text } = ErrorBody::of(body);
        let has = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
        let is_about_parameter = code == "unsupported_parameter" || code == "unknown_parameter";
        if is_passed_on && !has(&EXPLICIT) && !code.starts_with("unsupported_") {
            return None;
        }
        let efforts = listed_efforts(&text);
        let most_tokens = most_tokens(&text, &param);
        let is_about_field = is_about_parameter
            || code.starts_with("unsupported_")
            || has(&PHRASES)
            || !efforts.is_empty()
            || most_tokens.is_some();
        let is_exhausted = has(&EXHAUSTED);
        let is_about_other = code == "content_filter" || is_about_limit(&text);
        let wording = match is_about_field {
            true => Wording::Known,
            false if has(&WEAK_PHRASES) && is_about_other => Wording::Weaker,
            false if has(&WEAK_PHRASES) => Wording::Weak,
            false if is_exhausted => Wording::Known,
            false if is_about_other => return None,
            false => Wording::Unknown,
        };
        Some(Self {
            param,
            efforts,
            most_tokens,
            wording,
            is_about_parameter,
            is_exhausted,
            text,
        })
    }

    /// Did the model reach the limit of its tokens before there was an answer?
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// Does it refuse the field in words that are not clear, so that it may be about this request
    /// alone?
    pub(super) fn is_guess(&self, sent: &ChatRequest) -> bool {
        match self.wording {
            Wording::Known => false,
            Wording::Unknown => true,
            Wording::Weak | Wording::Weaker => !self.marks_a_field(sent),
        }
    }

    fn marks_a_field(&self, sent: &ChatRequest) -> bool {
        let mut named = Field::ALL.iter().filter(|(field, _)| field.is_in(sent));
        named.any(|(_, name)| {
            position(&self.text, name).is_some_and(|place| is_marked(&self.text, place, name))
        })
    }

    /// The field of this request that was refused, if it can be identified.
    pub(super) fn field(&self, sent: &ChatRequest) -> Option<Field> {
        let field = match self.is_exhausted {
            true => None,
            false => self.named_field(sent).or_else(|| self.only_field(sent)),
        }?;
        let is_out_of_range = || OUT_OF_RANGE.iter().any(|phrase| self.text.contains(phrase));
        (!field.is_sampling() || !is_out_of_range()).then_some(field)
    }

    /// The one field that an error about a parameter without a name can mean.
    fn only_field(&self, sent: &ChatRequest) -> Option<Field> {
        let names_none = self.param.is_empty();
        let others = sent.other.keys().any(|name| name != EFFORT);
        if !self.is_about_parameter || !names_none || others {
            return None;
        }
        if sent.n.is_some() || !sent.stop.is_empty() || self.text.contains(['\'', '`', '"']) {
            return None;
        }
        let mut sent = Field::EACH.into_iter().filter(|field| field.is_in(sent));
        sent.next().filter(|_| sent.next().is_none())
    }

    fn named_field(&self, sent: &ChatRequest) -> Option<Field> {
        let param = self.param.as_str();
        if !param.is_empty() {
            if param.starts_with("messages") {
                return None;
            }
            let name = param.rsplit('.').next().unwrap_or(param);
            let known = Field::ALL.iter().find(|(_, known)| *known == name);
            let field = match known {
                Some((field, _)) => Some(*field),
                None if matches!(name, "effort" | "reasoning") => Some(Field::Effort),
                None => None,
            };
            match field {
                Some(field) if field.is_in(sent) => return Some(field),
                // A field that must not be left out.
                None if is_sent(sent, name) => return None,
                _ => {}
            }
        }
        let named = Field::ALL.iter().filter(|(field, _)| field.is_in(sent));
        let named = named.filter_map(|(field, name)| {
            let place = position(&self.text, name)?;
            let counts = match self.wording {
                Wording::Known => true,
                Wording::Weaker => is_marked(&self.text, place, name),
                Wording::Weak | Wording::Unknown => names_as_field(&self.text, name),
            };
            counts.then_some((place, *field))
        });
        let first = named.min_by_key(|(place, _)| *place);
        // 'Please use max_completion_tokens.'
        let first = first.map(|(_, field)| field).or_else(|| {
            let is_other = position(&self.text, "max_completion_tokens").is_some();
            (is_other && sent.max_tokens.is_some()).then_some(Field::MaxTokens)
        });
        first.or_else(|| {
            // 'minimal' is not supported with the 'gpt-5.1' model. Supported values are: ..
            let is_effort = !self.efforts.is_empty() && Field::Effort.is_in(sent);
            is_effort.then_some(Field::Effort)
        })
    }

    pub(super) fn efforts(&self) -> &[&'static str] {
        &self.efforts
    }

    pub(super) fn most_tokens(&self) -> Option<u32> {
        self.most_tokens
    }
}

/// Does the request set this field, which must not be left out?
fn is_sent(request: &ChatRequest, name: &str) -> bool {
    match name {
        "messages" | "model" => true,
        "n" => request.n.is_some(),
        "stop" => !request.stop.is_empty(),
        name => request.other.contains_key(name),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn sent() -> ChatRequest {
        ChatRequest::from("x")
            .max_tokens(9)
            .temperature(0.0)
            .set(EFFORT, "minimal")
    }

    fn field(body: &str) -> Option<Field> {
        Refusal::read(400, body.as_bytes())?.field(&sent())
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
        let refusal = Refusal::read(400, effort.as_bytes()).unwrap();
        assert_eq!(refusal.efforts(), ["none", "low", "medium", "high"]);
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
            assert_eq!(Refusal::read(status, b"temperature is not supported"), None);
        }
    }

    #[test]
    fn a_gateway_may_pass_a_refusal_on_with_a_status_of_its_own() {
        let body = br#"{"error":{"message":"litellm.APIError: Unsupported parameter: 'max_tokens' is not supported with this model.","code":"500"}}"#;
        for status in [403, 404, 405, 409, 424, 500, 502, 504, 529] {
            let refusal = Refusal::read(status, body).unwrap();
            assert_eq!(refusal.field(&sent()), Some(Field::MaxTokens), "{status}");
        }
        assert_eq!(Refusal::read(401, body), None);
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
            let refusal = Refusal::read(400, body.as_bytes()).unwrap();
            assert_eq!(refusal.most_tokens(), Some(16_384), "{message}");
        }
        for message in [
            "temperature must be at most 2",
            "This model's maximum context length is 4096 tokens: lower max_tokens",
        ] {
            let body = json!({"error": {"message": message}}).to_string();
            let most = Refusal::read(400, body.as_bytes()).and_then(|it| it.most_tokens());
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
            let _ = Refusal::read(400, &body).map(|refusal| refusal.field(&sent()));
        }

        #[test]
        fn any_message_is_read(message in "[a-z_.' :0-9éß]{0,60}(supported values|at most |temperature)[a-z_.' :0-9éß]{0,60}") {
            let body = json!({"error": {"message": message}}).to_string();
            let _ = Refusal::read(400, body.as_bytes()).map(|refusal| refusal.field(&sent()));
        }
    }
}
