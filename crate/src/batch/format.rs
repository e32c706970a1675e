//! The lines of the Azure OpenAI Batch API's files, one JSON object each: requests (the input
//! file) and outcomes (the output and error files). The journal, `evenhand complete` and the
//! Batch API itself all read and write them.

use std::borrow::Cow;
use std::io;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use crate::error::ContentFilter;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Json, plain_text, repair_surrogates};
use crate::openai::ChatCompletion;

/// The longest line that is written or read, in bytes: four times the largest body that a
/// client reads.
pub(crate) const MAX_LINE: usize = 64 * 1024 * 1024;

/// One request, in the format of the Batch API's input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RequestLine {
    /// Identifies the answer.
    #[serde(deserialize_with = "name")]
    pub(crate) custom_id: String,
    #[serde(default = "post")]
    pub(crate) method: Cow<'static, str>,
    #[serde(default = "chat_completions")]
    pub(crate) url: Cow<'static, str>,
    /// The chat request, with the deployment in `model`.
    pub(crate) body: Value,
}

impl RequestLine {
    pub(crate) fn new(custom_id: impl Into<String>, body: Value) -> Self {
        Self {
            custom_id: custom_id.into(),
            method: post(),
            url: chat_completions(),
            body,
        }
    }
}

fn post() -> Cow<'static, str> {
    Cow::Borrowed("POST")
}

fn chat_completions() -> Cow<'static, str> {
    Cow::Borrowed("/v1/chat/completions")
}

/// The outcome of a request, in the format of the Batch API's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OutputLine {
    /// The ID of the line itself; Azure sometimes omits it.
    #[serde(default)]
    pub(crate) id: String,
    /// The `custom_id` of the request.
    #[serde(deserialize_with = "name")]
    pub(crate) custom_id: String,
    /// The service's response, including error responses; `None` if there was none.
    #[serde(default)]
    pub(crate) response: Option<ServiceResponse>,
    /// Why there is no answer.
    #[serde(default)]
    pub(crate) error: Option<LineError>,
    /// Values without a field in the format; other readers ignore them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evenhand: Option<Account>,
}

/// The service's response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceResponse {
    pub(crate) status_code: u16,
    #[serde(default, deserialize_with = "any_text")]
    pub(crate) request_id: Option<String>,
    #[serde(default)]
    pub(crate) body: Json,
}

/// Why a row has no answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Json")]
pub(crate) struct LineError {
    /// [`ErrorKind::name`] in our own lines, the service's code in the Batch API's.
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
}

/// How a row was requested.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) host: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) deployment: String,
    /// Where the outcome comes from; omitted in the journal, where all come from the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) latency_ms: u64,
    /// When the first request was sent, in seconds since 1970, like the service's timestamps; 0 if
    /// unknown.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) asked_at: u64,
    /// How the request was sent, if other than written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<String>,
    /// The answer was cut short, and is not taken from the journal: it is asked for again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) provisional: bool,
    /// What the user can do about the error; omitted in the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl OutputLine {
    /// The line of a row that was answered.
    pub(crate) fn answered(
        custom_id: impl Into<String>,
        answer: &ChatCompletion,
        account: Account,
    ) -> Self {
        let custom_id = custom_id.into();
        Self {
            id: custom_id.clone(),
            custom_id,
            response: Some(ServiceResponse {
                status_code: 200,
                request_id: answer.request_id().map(str::to_owned),
                body: answer.to_json(),
            }),
            error: None,
            evenhand: Some(account),
        }
    }

    /// The line of a row that failed.
    pub(crate) fn failed(custom_id: impl Into<String>, error: &Error, account: Account) -> Self {
        let custom_id = custom_id.into();
        Self {
            id: custom_id.clone(),
            custom_id,
            response: error.status().map(|status_code| ServiceResponse {
                status_code,
                request_id: error.request_id().map(str::to_owned),
                body: match error.body() {
                    Some(body) => body.clone(),
                    None => Json::from(&json!({"error": rejection(error)})),
                },
            }),
            error: Some(LineError {
                code: Some(error.kind().name().to_owned()),
                message: Some(error.message().to_owned()),
            }),
            evenhand: Some(account),
        }
    }

    /// The answer, if there is one.
    ///
    /// # Errors
    /// A success status with a body that is not a chat completion.
    pub(crate) fn completion(self) -> Result<Option<ChatCompletion>> {
        let profile = self.evenhand.and_then(|account| account.profile);
        let (Some(response), None) = (self.response, self.error) else {
            return Ok(None);
        };
        if !is_success(response.status_code) {
            return Ok(None);
        }
        ChatCompletion::from_json(response.body)
            .map(|completion| Some(completion.with_profile(profile)))
            .map_err(|why| Error::from(why).with_request_id(response.request_id))
    }
}

pub(crate) fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// The service's error object, reconstructed from the error.
fn rejection(error: &Error) -> Value {
    let mut rejection = json!({"code": error.code(), "message": error.message()});
    if let Some(filter) = error.content_filter() {
        rejection["innererror"] = json!({"content_filter_result": categories(filter)});
    }
    rejection
}

fn categories(filter: &ContentFilter) -> Value {
    let results = filter.categories.iter().map(|(name, result)| {
        let mut fields = Map::from_iter([("filtered".to_owned(), result.filtered.into())]);
        if let Some(severity) = &result.severity {
            fields.insert("severity".to_owned(), severity.as_str().into());
        }
        if let Some(detected) = result.detected {
            fields.insert("detected".to_owned(), detected.into());
        }
        (name.clone(), Value::Object(fields))
    });
    Value::Object(results.collect())
}

impl From<Json> for LineError {
    fn from(error: Json) -> Self {
        let [code, message] = json::fields(error.raw(), ["code", "message"]);
        Self {
            code: code.and_then(plain_text),
            message: message
                .and_then(plain_text)
                .or_else(|| plain_text(error.raw())),
        }
    }
}

/// A name, which other tools write as a number, too.
fn name<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    let named = optional_name(value)?;
    named.ok_or_else(|| D::Error::custom("the name is neither a string nor a number"))
}

/// The same where there may be none.
pub(crate) fn optional_name<'de, D: Deserializer<'de>>(
    value: D,
) -> Result<Option<String>, D::Error> {
    match Value::deserialize(value)? {
        Value::Null => Ok(None),
        Value::String(name) => Ok(Some(name)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(D::Error::custom(
            "the name is neither a string nor a number",
        )),
    }
}

fn any_text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Json::deserialize(value).map(|json| plain_text(json.raw()))
}

/// Parses a line, with or without its line end.
///
/// If that fails, the line is parsed again after [`repair_surrogates`].
pub(crate) fn parse<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(line).or_else(|_| serde_json::from_str(&repair_surrogates(line)))
}

/// Serializes a line, with its line end.
///
/// # Errors
/// The line is longer than [`MAX_LINE`].
pub(crate) fn write(line: &impl Serialize) -> Result<Vec<u8>> {
    let mut buffer = LineBuffer(Vec::new());
    serde_json::to_writer(&mut buffer, line).map_err(|error| {
        Error::new(ErrorKind::Argument, "the row can't be written as JSON").with_source(error)
    })?;
    let LineBuffer(mut bytes) = buffer;
    bytes.push(b'\n');
    if bytes.len() > MAX_LINE {
        return Err(Error::new(
            ErrorKind::Argument,
            format!(
                "the row is longer than the limit for a line ({} MB)",
                MAX_LINE >> 20
            ),
        ));
    }
    Ok(bytes)
}

/// Text of this length grows the buffer by itself and what usually follows, in bytes.
const LARGE: usize = 1 << 16;

/// A line in memory. A `Vec` would take twice the size of a large body as soon as a byte follows it.
struct LineBuffer(Vec<u8>);

impl io::Write for LineBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() >= LARGE {
            self.0.reserve_exact(bytes.len() + LARGE);
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
