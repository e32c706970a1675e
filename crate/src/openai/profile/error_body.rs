//! What an error response says: its code, the field that it names, and its text. Gateways wrap the
//! service's error in their own, as an object or as text.

use serde_json::value::RawValue;

use crate::json::{Json, field, fields, is_null, items, plain_text};
use crate::openai::wrapped_error;

/// How much of a body is parsed, in bytes.
const MAX_BODY: usize = 1024 * 1024;
/// How much of a text is searched, in bytes.
const MAX_TEXT: usize = 16 * 1024;
/// How many errors may be inside each other.
const DEPTH: u32 = 3;

/// The parts of an error.
#[derive(Debug, Default)]
pub(super) struct ErrorBody {
    pub(super) code: String,
    /// The named field, in lower case; empty if none is named.
    pub(super) param: String,
    /// In lower case.
    pub(super) text: String,
}

impl ErrorBody {
    pub(super) fn from_body(body: &[u8]) -> Self {
        let body = body.get(..body.len().min(MAX_BODY)).unwrap_or_default();
        Self::inside(&String::from_utf8_lossy(body), DEPTH)
    }

    fn inside(body: &str, depth: u32) -> Self {
        let Ok(json) = Json::new(body.to_owned()) else {
            return Self {
                text: beginning(body),
                ..Self::default()
            };
        };
        // Gemini's body is a list with one error.
        let first = items(json.raw(), 1).into_iter().next();
        let whole = first.unwrap_or(json.raw());
        let error = field(whole, "error")
            .filter(|error| !is_null(error))
            .unwrap_or(whole);
        let names = [
            "code",
            "param",
            "target",
            "message",
            "innererror",
            "inner_error",
            "detail",
        ];
        let [code, param, target, message, inner, also_inner, detail] = fields(error, names);
        let text = |part: Option<_>| part.and_then(plain_text).unwrap_or_default();
        let message = text(message);
        let fields = Self {
            code: text(code),
            param: text(param).to_lowercase(),
            // If there is no message, the whole error is searched.
            text: beginning(match message.is_empty() {
                true => error.get(),
                false => &message,
            }),
        };
        let inner = match inner.or(also_inner) {
            Some(inner) => Some(inner.get().to_owned()),
            None if message.starts_with('{') => Some(message),
            None => wrapped_error::inside(error).map(|inner| inner.text().to_owned()),
        };
        match inner {
            Some(inner) if fields.param.is_empty() && depth > 0 => {
                fields.with(Self::inside(&inner, depth - 1))
            }
            _ if fields.param.is_empty() => Self {
                param: match text(target).is_empty() {
                    true => place(detail).to_lowercase(),
                    false => text(target).to_lowercase(),
                },
                ..fields
            },
            _ => fields,
        }
    }

    /// With what the error inside says.
    fn with(self, inner: Self) -> Self {
        Self {
            code: match inner.code.is_empty() {
                true => self.code,
                false => inner.code,
            },
            param: inner.param,
            text: format!("{} {}", self.text, inner.text),
        }
    }
}

/// The field that `detail.loc` names, as in `["body", "stop"]`.
fn place(detail: Option<&RawValue>) -> String {
    let detail = detail.and_then(|detail| items(detail, 1).into_iter().next().or(Some(detail)));
    let loc = detail.and_then(|detail| field(detail, "loc"));
    let parts = loc.map(|loc| items(loc, 8)).unwrap_or_default();
    let last = parts.last().and_then(|part| plain_text(part));
    last.unwrap_or_default()
}

fn beginning(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_TEXT);
    text.get(..end).unwrap_or_default().to_lowercase()
}
