//! Requests and rows as lines of JSON, for shells and files.

use std::io::{self, Write};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::format::{self, Account, OutputLine, RequestLine};
use super::stream::{BatchRequest, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::openai::ChatRequest;
use crate::text::escape_invisible_in_json;
use crate::text::sanitize_line;

/// The forms that a line may have.
#[derive(Deserialize)]
#[serde(untagged)]
enum Asked {
    /// A line of the Batch API's input format.
    Request(RequestLine),
    Prompt(Prompt),
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Prompt {
    custom_id: Option<String>,
    system: Option<String>,
    prompt: String,
}

impl BatchRequest {
    /// Parses a line: a request in the input format of the Azure OpenAI Batch API, an object
    /// with `prompt` and optionally `system` and `custom_id`, or a JSON string. If the line has
    /// no `custom_id`, `name` is used.
    ///
    /// A line in none of these forms gives a request with an error, so that it becomes a row.
    ///
    /// ```
    /// use evenhand::batch::BatchRequest;
    ///
    /// let asked = BatchRequest::from_json(br#""Describe a nurse.""#, "line-1");
    /// assert_eq!(asked.request?.messages[0].content, "Describe a nurse.");
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn from_json(line: &[u8], name: &str) -> Self {
        match format::read(line) {
            Ok(Asked::Request(line)) => Self {
                custom_id: line.custom_id,
                request: serde_json::from_value(line.body).map_err(|error| {
                    unreadable(&format!(
                        "its body is not a chat request: {}",
                        parser_message(&error)
                    ))
                }),
            },
            Ok(Asked::Prompt(line)) => {
                let request = ChatRequest::from(line.prompt);
                Self {
                    custom_id: line.custom_id.unwrap_or_else(|| name.to_owned()),
                    request: Ok(match line.system {
                        Some(system) => request.system(system),
                        None => request,
                    }),
                }
            }
            Ok(Asked::Text(prompt)) => Self {
                custom_id: name.to_owned(),
                request: Ok(prompt.into()),
            },
            Err(_) => Self::unreadable(name, &why_none(line)),
        }
    }
}

impl BatchRequest {
    /// A request of which only the name is known: it becomes a row with this error.
    pub fn unreadable(custom_id: impl Into<String>, why: &str) -> Self {
        Self {
            custom_id: custom_id.into(),
            request: Err(unreadable(why)),
        }
    }
}

/// Why a line is not a request.
fn why_none(line: &[u8]) -> String {
    match format::read::<IgnoredAny>(line.trim_ascii_end()) {
        Err(error) => format!("it is not JSON: {}", parser_message(&error)),
        Ok(_) => "it is neither a request with its `body`, nor an object with a `prompt` and at most `system` and `custom_id`, nor a text".to_owned(),
    }
}

/// The parser's message, sanitized because it may quote its input. The parser saw a single line,
/// so the line number is left out.
fn parser_message(error: &serde_json::Error) -> String {
    let message = error
        .to_string()
        .replace(" at line 1 column ", " at column ");
    sanitize_line(&message, 120)
}

fn unreadable(why: &str) -> Error {
    Error::new(ErrorKind::Argument, format!("the line is not a valid request: {why}")).with_hint(
        "a line is {\"custom_id\": .., \"body\": {\"messages\": [..]}}, {\"prompt\": ..} or a text in quotes",
    )
}

impl Row {
    /// Writes the row as a line in the output format of the Azure OpenAI Batch API. Values
    /// without a field in that format are written under `evenhand`.
    ///
    /// # Errors
    /// The line can't be written.
    pub fn write_json(&self, to: &mut impl Write) -> Result<()> {
        let account = Account {
            source: Some(self.source.name().to_owned()),
            ..Account::from(&self.effort)
        };
        let line = match &self.outcome {
            Ok(completion) => OutputLine::answered(&self.custom_id, completion, account),
            Err(error) => OutputLine::failed(&self.custom_id, error, account),
        };
        let line = format::write(&line)?;
        // It is UTF-8, since JSON is.
        let line = String::from_utf8_lossy(&line);
        let line = escape_invisible_in_json(&line);
        to.write_all(line.as_bytes()).map_err(unwritable)
    }
}

fn unwritable(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, "the row can't be written")
        .with_source(error)
        .with_hint(
            "free up space where the rows are written and run it again: answers in the journal are \
             not requested again",
        )
}
