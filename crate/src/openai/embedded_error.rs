//! Errors inside successful responses: some gateways and servers report errors with the status
//! 200.

use serde_json::value::RawValue;

use crate::json::{Json, deserialize, fields, is_null, items, plain_text};

/// Fields that explain why a response has no choices.
const SAYS_WHY: [&str; 10] = [
    "message",
    "msg",
    "reason",
    "fault",
    "detail",
    "errors",
    "error_message",
    "error_code",
    "error_msg",
    "title",
];

/// Words in an error's code or type, and the status that they stand for.
const WORDS: [(&str, u16); 24] = [
    ("429", 429),
    ("too_many_requests", 429),
    ("toomanyrequests", 429),
    ("ratelimit", 429),
    ("rate_limit", 429),
    ("throttl", 429),
    ("insufficient_quota", 429),
    ("quota_exceeded", 429),
    ("request_limit_exceeded", 429),
    ("resource_exhausted", 429),
    ("content_filter", 400),
    ("context_length", 400),
    ("invalid_request", 400),
    ("bad_request", 400),
    ("badrequest", 400),
    ("unsupported_", 400),
    ("invalid_api_key", 401),
    ("authentication", 401),
    ("unauthorized", 401),
    ("permission", 403),
    ("forbidden", 403),
    ("deploymentnotfound", 404),
    ("not_found", 404),
    ("timeout", 408),
];

/// Finish reasons of an answer that the service broke off, in lower case.
const BROKEN_OFF: [&str; 14] = [
    "error",
    "insufficient_system_resource",
    "network_error",
    "server_error",
    "internal_error",
    "engine_error",
    "abort",
    "aborted",
    "cancel",
    "cancelled",
    "canceled",
    "interrupted",
    "timeout",
    "timed_out",
];

/// An error in the body of a successful response.
pub(super) struct EmbeddedError<'a> {
    /// The object or text that describes it, or the whole body.
    pub(super) object: &'a RawValue,
    /// The status that it stands for, if known.
    pub(super) status: Option<u16>,
}

impl EmbeddedError<'_> {
    /// The finish reason, if nothing else tells why the service broke off its answer.
    pub(super) fn finish_reason(&self) -> Option<String> {
        let [error, finish_reason] = fields(self.object, ["error", "finish_reason"]);
        let reason = finish_reason.filter(|_| !error.is_some_and(is_error));
        deserialize::<String>(reason?).filter(|reason| reason != "error")
    }
}

/// The most choices that are searched.
const MAX_CHOICES: usize = 1_024;

/// Finds an error next to the choices, in one of them, or instead of them.
pub(super) fn find(body: &RawValue) -> Option<EmbeddedError<'_>> {
    let [error, choices] = fields(body, ["error", "choices"]);
    let choices = choices.map_or_else(Vec::new, |choices| items(choices, MAX_CHOICES));
    let each = choices.iter().map(|choice| ErrorFields::from_body(choice));
    if let Some(object) = error_description(error, each) {
        return Some(found(object, body));
    }
    let says_why = || {
        fields(body, SAYS_WHY)
            .into_iter()
            .flatten()
            .any(says_something)
    };
    (choices.is_empty() && says_why()).then(|| found(body, body))
}

/// A choice, and the fields of it that may report an error.
#[derive(Clone, Copy)]
pub(super) struct ErrorFields<'a> {
    pub(super) whole: &'a RawValue,
    pub(super) error: Option<&'a RawValue>,
    pub(super) finish_reason: Option<&'a RawValue>,
}

impl<'a> ErrorFields<'a> {
    fn from_body(whole: &'a RawValue) -> Self {
        let [error, finish_reason] = fields(whole, ["error", "finish_reason"]);
        Self {
            whole,
            error,
            finish_reason,
        }
    }
}

/// The description of the error in a response with this field `error` and these choices. An error of
/// one choice is one of the response: what was asked for is incomplete.
pub(super) fn error_description<'a>(
    error: Option<&'a RawValue>,
    choices: impl Iterator<Item = ErrorFields<'a>>,
) -> Option<&'a RawValue> {
    let of_choice = |choice: ErrorFields<'a>| {
        let is_failed = choice.finish_reason.is_some_and(is_broken_off);
        let object = choice.error.filter(|error| is_error(error));
        object.or(is_failed.then_some(choice.whole))
    };
    let object = error.filter(|error| is_error(error));
    object.or_else(|| {
        let mut choices = choices;
        choices.find_map(of_choice)
    })
}

/// The body as JSON, if it contains an error.
pub(super) fn json_with_error(body: &[u8]) -> Option<Json> {
    let json = Json::new(String::from_utf8(body.to_vec()).ok()?).ok()?;
    find(json.raw()).is_some().then_some(json)
}

/// Whether an answer that ended for this reason is only the beginning of one.
fn is_broken_off(finish_reason: &RawValue) -> bool {
    let reason = deserialize::<String>(finish_reason).unwrap_or_default();
    BROKEN_OFF
        .iter()
        .any(|known| known.eq_ignore_ascii_case(&reason))
}

/// Whether the field describes an error at all.
fn is_error(error: &RawValue) -> bool {
    match error.get().as_bytes().first() {
        Some(b'{') => {
            let object = fields(
                error,
                ["message", "code", "type", "status", "detail", "error"],
            );
            object.into_iter().flatten().any(says_something)
        }
        _ => says_something(error),
    }
}

fn says_something(json: &RawValue) -> bool {
    !is_null(json) && !matches!(json.get(), "\"\"" | "{}" | "[]" | "0" | "false" | "true")
}

fn found<'a>(object: &'a RawValue, body: &RawValue) -> EmbeddedError<'a> {
    let places = [object, body];
    let status = places.into_iter().find_map(number);
    EmbeddedError {
        object,
        status: status.or_else(|| places.into_iter().find_map(word)),
    }
}

/// A status given as a number.
fn number(json: &RawValue) -> Option<u16> {
    let named = fields(
        json,
        [
            "status",
            "status_code",
            "statusCode",
            "code",
            "error_code",
            "http_status",
        ],
    );
    let numbers = named.into_iter().flatten().filter_map(plain_text);
    let mut statuses = numbers.filter_map(|number| number.parse::<u16>().ok());
    statuses.find(|status| (400..600).contains(status))
}

/// A status given in words.
fn word(json: &RawValue) -> Option<u16> {
    let named = fields(json, ["code", "type", "error_code", "error", "status"]);
    let words = named
        .into_iter()
        .flatten()
        .filter_map(deserialize::<String>);
    let words = words.map(|word| word.to_ascii_lowercase());
    words
        .filter_map(|word| WORDS.iter().find(|(known, _)| word.contains(known)))
        .map(|(_, status)| *status)
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn status(body: &Value) -> Option<Option<u16>> {
        let json = Json::from(body);
        find(json.raw()).map(|error| error.status)
    }

    #[test]
    fn an_error_is_found_wherever_it_stands() {
        let choice = json!({"index": 0, "message": {"role": "assistant", "content": null}});
        for (body, expected) in [
            (
                json!({"error": {"code": 429, "message": "slow down"}}),
                Some(429),
            ),
            (
                json!({"error": {"code": "429"}, "choices": [choice]}),
                Some(429),
            ),
            (
                json!({"error": {"type": "rate_limit_error"}, "choices": null}),
                Some(429),
            ),
            (
                json!({"error": {"code": "insufficient_quota"}, "choices": []}),
                Some(429),
            ),
            (json!({"error": "model is loading"}), None),
            (
                json!({"error": {"message": "x", "code": null}, "code": 503}),
                Some(503),
            ),
            (json!({"detail": "Not Found"}), None),
            (
                json!({"detail": [{"loc": ["body"], "msg": "field required"}]}),
                None,
            ),
            (json!({"message": "Too many", "statusCode": 429}), Some(429)),
            (
                json!({"object": "error", "message": "x", "code": 40303}),
                None,
            ),
            (
                json!({"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "x"}),
                Some(429),
            ),
            (
                json!({"choices": [{"error": {"code": 502, "message": "down"}}]}),
                Some(502),
            ),
            (
                json!({"choices": [{"finish_reason": "network_error", "message": {"content": "a"}}]}),
                None,
            ),
            (
                json!({"choices": [{"finish_reason": "ABORT", "message": {"content": "a"}}]}),
                None,
            ),
            (
                json!({"choices": [{"finish_reason": "error", "message": {"content": "a"}}]}),
                None,
            ),
            (json!({"error": {"code": "DeploymentNotFound"}}), Some(404)),
            (json!({"code": 429, "msg": "throttled"}), Some(429)),
            (
                json!({"fault": {"faultstring": "Spike arrest violation"}}),
                None,
            ),
            (
                json!({"choices": [choice, {"error": {"code": 502, "message": "down"}}]}),
                Some(502),
            ),
        ] {
            assert_eq!(status(&body), Some(expected), "{body}");
        }
    }

    #[test]
    fn an_answer_is_none() {
        let choices = json!([{"finish_reason": "stop", "message": {"content": "error 429"}}]);
        for error in [
            json!(null),
            json!({}),
            json!(""),
            json!({"code": null, "message": ""}),
            json!(false),
        ] {
            assert_eq!(
                status(&json!({"choices": choices, "error": error})),
                None,
                "{error}"
            );
        }
        // A response that describes nothing is not an error.
        for body in [
            json!({}),
            json!([]),
            json!({"choices": []}),
            json!({"id": "1"}),
        ] {
            assert_eq!(status(&body), None, "{body}");
        }
    }
}
