//! Parses a refusal: which field was refused, and which values are accepted.
//!
//! The service sends a 400 with `code` (`unsupported_parameter`, `unsupported_value`), `param`
//! and a message that lists the accepted values. Gateways leave out any of these or embed the
//! message in their own, some with a status of their own. Therefore the message is searched too, and a
//! field that it names counts only if the request set it.

use crate::json::{Json, field, fields, is_null, plain_text};
use crate::openai::ChatRequest;

/// The known efforts, lowest first.
pub(super) const EFFORTS: [&str; 6] = ["none", "minimal", "low", "medium", "high", "xhigh"];

/// The field of a request that sets the effort.
pub(super) const EFFORT: &str = "reasoning_effort";

/// How much of a body is searched, in bytes.
const LONGEST: usize = 16 * 1024;

/// Phrases of a message about an unsupported field or value.
const PHRASES: [&str; 22] = [
    "unsupported",
    "not supported",
    "not support",
    "n't support",
    "unrecognized",
    "unknown parameter",
    "unknown argument",
    "unknown field",
    "unknown name",
    "inputs are not permitted",
    "additional properties",
    "unexpected keyword",
    "only the default",
    "must be 1",
    "is deprecated",
    "only 1 is allowed",
    "only be set to 1",
    "not accept",
    "n't accept",
    "invalid parameter",
    "invalid argument",
    "not a valid parameter",
];

/// Phrases that other messages use too: they count if the message quotes the field's name.
const WEAK_PHRASES: [&str; 9] = [
    "not allowed",
    "not permitted",
    "not available",
    "not valid for",
    "invalid for",
    "cannot be used",
    "can't be used",
    "cannot both be",
    "remove",
];

/// Phrases that leave no doubt, whatever status a gateway gives them.
const EXPLICIT: [&str; 4] = [
    "unsupported parameter",
    "unsupported value",
    "unsupported_parameter",
    "unsupported_value",
];

/// Phrases of the error of a service whose model reached the limit before it could answer.
const EXHAUSTED: [&str; 2] = [
    "max_tokens or model output limit was reached",
    "could not finish the message because",
];

/// Phrases of a message about a value that is out of range: the row's own error.
const OUT_OF_RANGE: [&str; 6] = [
    "values from",
    "values between",
    "must be between",
    "out of range",
    "less than or equal",
    "greater than or equal",
];

/// Phrases that precede the list of accepted values.
const BEFORE_VALUES: [&str; 7] = [
    "supported values",
    "allowed values",
    "valid values",
    "must be one of",
    "expected one of",
    "input should be",
    "must be",
];

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

/// The service refuses a field of the request or its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    param: Option<String>,
    /// In lower case.
    text: String,
    /// The accepted efforts, if the message lists them.
    efforts: Vec<&'static str>,
    /// The maximum number of tokens, if the message states it.
    most_tokens: Option<u32>,
    /// The message is about the field that it quotes, if any.
    is_weak: bool,
    /// The error is about a parameter, even if it names none.
    is_about_parameter: bool,
    /// The limit was reached before there was an answer.
    is_exhausted: bool,
}

impl Refusal {
    /// Parses a response; `None` if it is about something else.
    pub(crate) fn read(status: u16, body: &[u8]) -> Option<Self> {
        let is_passed_on = matches!(status, 404 | 500..=503);
        if !matches!(status, 400 | 422) && !is_passed_on {
            return None;
        }
        let body = body.get(..body.len().min(LONGEST)).unwrap_or_default();
        let body = String::from_utf8_lossy(body);
        if is_passed_on {
            let body = body.to_ascii_lowercase();
            EXPLICIT.iter().find(|phrase| body.contains(*phrase))?;
        }
        let (code, param, text) = parts(&body);
        let text = text.to_ascii_lowercase();
        let efforts = listed_efforts(&text);
        let most_tokens = most_tokens(&text);
        let code = code.unwrap_or_default();
        let has = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
        let is_about_parameter = code == "unsupported_parameter" || code == "unknown_parameter";
        let is_about_field = is_about_parameter
            || code.starts_with("unsupported_")
            || has(&PHRASES)
            || !efforts.is_empty()
            || most_tokens.is_some();
        let is_weak = !is_about_field && has(&WEAK_PHRASES);
        let is_exhausted = has(&EXHAUSTED);
        (is_about_field || is_weak || is_exhausted).then_some(Self {
            param: param.map(|param| param.to_ascii_lowercase()),
            text,
            efforts,
            most_tokens,
            is_weak,
            is_about_parameter,
            is_exhausted,
        })
    }

    /// Did the model reach the limit of its tokens before there was an answer?
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_exhausted
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
        let names_none = self.param.as_deref().unwrap_or_default().is_empty();
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
        if let Some(param) = self.param.as_deref().filter(|param| !param.is_empty()) {
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
            (!self.is_weak || is_quoted(&self.text, place, name)).then_some((place, *field))
        });
        let first = named.min_by_key(|(place, _)| *place);
        first.map(|(_, field)| field).or_else(|| {
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

/// The code, field and message of an error.
fn parts(body: &str) -> (Option<String>, Option<String>, String) {
    let Ok(json) = Json::new(body.to_owned()) else {
        return (None, None, body.to_owned());
    };
    let error = field(json.raw(), "error")
        .filter(|error| !is_null(error))
        .unwrap_or(json.raw());
    let [code, param, message] =
        fields(error, ["code", "param", "message"]).map(|part| part.and_then(plain_text));
    // If there is no message, the whole error is searched.
    let text = message.unwrap_or_else(|| error.get().to_owned());
    (code, param, text)
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

/// The position of the name as a whole word.
fn position(text: &str, name: &str) -> Option<usize> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let found = text.match_indices(name).find(|(start, name)| {
        let before = text.get(..*start).unwrap_or_default();
        let after = text.get(start + name.len()..).unwrap_or_default();
        !before.ends_with(is_word) && !after.starts_with(is_word)
    });
    found.map(|(start, _)| start)
}

/// Is the name at this position in quotation marks?
fn is_quoted(text: &str, place: usize, name: &str) -> bool {
    const MARKS: [char; 3] = ['\'', '"', '`'];
    let (before, after) = (text.get(..place), text.get(place + name.len()..));
    before.is_some_and(|before| before.ends_with(MARKS))
        && after.is_some_and(|after| after.starts_with(MARKS))
}

/// The efforts that the message lists as accepted.
fn listed_efforts(text: &str) -> Vec<&'static str> {
    let starts = BEFORE_VALUES.iter().filter_map(|before| {
        let start = text.find(before)?;
        text.get(start + before.len()..)
    });
    let list = starts.min_by_key(|rest| text.len() - rest.len());
    let list = list.and_then(|rest| rest.split(['.', '\n']).next());
    let words = list.unwrap_or_default();
    let words = words.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter_map(|word| EFFORTS.into_iter().find(|effort| *effort == word))
        .collect()
}

/// 'This model supports at most 16384 completion tokens'.
fn most_tokens(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("supports at most ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|_| rest.contains("tokens"))
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
        for status in [404, 500, 502, 503] {
            let refusal = Refusal::read(status, body).unwrap();
            assert_eq!(refusal.field(&sent()), Some(Field::MaxTokens), "{status}");
        }
        assert_eq!(Refusal::read(401, body), None);
    }

    #[test]
    fn the_most_that_a_model_takes_is_read() {
        let body = br#"{"error":{"message":"max_tokens is too large: 20000. This model supports at most 16384 completion tokens, whereas you provided 20000."}}"#;
        let refusal = Refusal::read(400, body).unwrap();
        assert_eq!(refusal.most_tokens(), Some(16_384));
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
