//! Requests and rows as lines of JSON, for shells and files.

use std::io::{self, Write};

use serde::de::IgnoredAny;
use serde_json::json;
use serde_json::value::RawValue;

use super::batch_request::BatchRequest;
use super::format::{self, Account, OutputLine};
use super::request_stats::AnswerSource;
use super::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Json, entries, fields, is_null, plain_text, repair_surrogates};
use crate::openai::ChatRequest;
use crate::text::escape_invisible_in_json;
use crate::text::sanitize_line;

impl BatchRequest {
    /// Parses a line: a request in the input format of the Azure OpenAI Batch API, an object
    /// with `prompt` and optionally `system` and `custom_id`, or a JSON string. `custom_id` is a
    /// string or a number; if the line has none, `name` is used, which may be empty.
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
        let text = String::from_utf8(line.to_vec()).unwrap_or_else(|_| repair_surrogates(line));
        let Ok(json) = Json::new(text) else {
            return Self::unreadable(name, &why_none(line));
        };
        if let Some(prompt) = json::deserialize::<String>(json.raw()) {
            return Self {
                custom_id: name.to_owned(),
                request: Ok(prompt.into()),
            };
        }
        let [custom_id, body, prompt] =
            fields(json.raw(), ["custom_id", "body", "prompt"]).map(|it| it.filter(is_there));
        let request = match (body, prompt) {
            (Some(body), _) => request_of_body(body),
            (None, Some(_)) => request_of_prompt(json.raw()),
            (None, None) => Err(why_neither(json.raw())),
        };
        // A `custom_id` of another type can't be the row's name.
        match custom_id.map(plain_text) {
            Some(None) => Self::unreadable(name, "`custom_id` is neither a string nor a number"),
            own => Self {
                custom_id: own.flatten().unwrap_or_else(|| name.to_owned()),
                request: request.map_err(|why| unreadable(&why)),
            },
        }
    }
}

/// Why JSON is not a request.
const NEITHER: &str = "it is neither a request with its `body`, nor an object with a `prompt` and \
                       at most `system` and `custom_id`, nor a string";

/// Why an object is no request.
fn why_neither(line: &RawValue) -> String {
    let entries = entries(line, MAX_FIELDS);
    let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    if names.contains(&"messages") {
        return "it has `messages`: a request with all its fields stands in a field `body`"
            .to_owned();
    }
    match names.first() {
        Some(name) => {
            let name = sanitize_line(name, 40);
            format!("{NEITHER}; it has `{name}`")
        }
        None => NEITHER.to_owned(),
    }
}

/// The number of fields that are searched for an invalid one.
const MAX_FIELDS: usize = 64;

fn is_there(json: &&RawValue) -> bool {
    !is_null(json)
}

/// The request in a line of the Batch API's input format, or which of its fields is invalid.
fn request_of_body(body: &RawValue) -> Result<ChatRequest, String> {
    if !body.get().starts_with('{') {
        return Err("its `body` is not an object".to_owned());
    }
    let read = |json: &str| serde_json::from_str::<ChatRequest>(json);
    read(body.get()).map_err(|error| {
        // The parser does not name the field. Each field alone is a request, so the wrong one is found.
        let alone = |(name, value): (String, &RawValue)| {
            let field = json!({ name.as_str(): value });
            let error = read(&field.to_string()).err()?.to_string();
            let what = error
                .rsplit_once(" at line ")
                .map_or(&*error, |(what, _)| what);
            let [name, what] =
                [(&*name, 40), (what, 120)].map(|(text, most)| sanitize_line(text, most));
            Some(format!("`{name}` is wrong: {what}"))
        };
        let wrong = entries(body, MAX_FIELDS).into_iter().find_map(alone);
        let why = wrong.unwrap_or_else(|| parser_message(&error));
        format!("its body is not a chat request: {why}")
    })
}

/// The request in an object with a prompt, or which of its fields is invalid.
fn request_of_prompt(line: &RawValue) -> Result<ChatRequest, String> {
    let (mut prompt, mut system) = (None::<String>, None::<String>);
    for (name, value) in entries(line, MAX_FIELDS) {
        let text = || json::deserialize(value).ok_or_else(|| format!("`{name}` is not a string"));
        match name.as_str() {
            "prompt" => prompt = Some(text()?),
            "system" if is_null(value) => {}
            "system" => system = Some(text()?),
            "custom_id" => {}
            _ => {
                return Err(format!(
                    "`{}` is not allowed next to `prompt`, only `system` and `custom_id` are: a field of a \
                     request belongs in its `body`",
                    sanitize_line(&name, 40)
                ));
            }
        }
    }
    let request = ChatRequest::from(prompt.unwrap_or_default());
    Ok(match system {
        Some(system) => request.system(system),
        None => request,
    })
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
    match format::parse::<IgnoredAny>(line.trim_ascii_end()) {
        Err(error) => format!("it is not JSON: {}", parser_message(&error)),
        Ok(_) => NEITHER.to_owned(),
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
    Error::new(
        ErrorKind::Argument,
        format!("the line is not a valid request: {why}"),
    )
    .with_hint(
        "a line is {\"custom_id\": .., \"body\": {\"messages\": [..]}}, {\"prompt\": ..} or a \
         string in quotes",
    )
}

impl Row {
    /// Writes the row as a line in the output format of the Azure OpenAI Batch API. Values
    /// without a field in that format are written under `evenhand`.
    ///
    /// # Errors
    /// The line can't be written.
    pub fn write_json(&self, to: &mut impl Write) -> Result<()> {
        let completion = self.outcome.as_ref().ok();
        let error = self.outcome.as_ref().err();
        let account = Account {
            source: Some(self.source.name().to_owned()),
            profile: completion
                .and_then(|completion| completion.profile())
                .map(str::to_owned),
            hint: error.and_then(Error::hint).map(str::to_owned),
            ..Account::from(&self.stats)
        };
        let mut line = match &self.outcome {
            Ok(completion) => OutputLine::answered(&self.custom_id, completion, account),
            Err(error) => OutputLine::failed(&self.custom_id, error, account),
        };
        // The error then comes from another row, whose request the service did answer.
        line.response = line
            .response
            .filter(|_| self.source != AnswerSource::NotAsked);
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

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn parse_line(line: &str) -> (String, std::result::Result<ChatRequest, String>) {
        let asked = BatchRequest::from_json(line.as_bytes(), "line-1");
        let message = |error: Error| error.message().to_owned();
        (asked.custom_id, asked.request.map_err(message))
    }

    #[test]
    fn a_number_is_a_name() {
        for (line, name) in [
            (r#"{"prompt": "x", "custom_id": 7}"#, "7"),
            (
                r#"{"prompt": "x", "custom_id": 123456789012345678901234567890}"#,
                "123456789012345678901234567890",
            ),
            (r#"{"body": {"messages": []}, "custom_id": 0.5}"#, "0.5"),
            (r#"{"prompt": "x", "custom_id": null}"#, "line-1"),
            (r#"{"body": {"messages": []}}"#, "line-1"),
        ] {
            let (custom_id, request) = parse_line(line);
            assert_eq!(custom_id, name);
            assert!(request.is_ok(), "{request:?}");
        }
        let (name, request) = parse_line(r#"{"prompt": "x", "custom_id": [7]}"#);
        assert_eq!(name, "line-1");
        assert_snapshot!(request.unwrap_err(), @"the line is not a valid request: `custom_id` is neither a string nor a number");
    }

    #[test]
    fn a_field_that_is_refused_is_named() {
        let why = |line| parse_line(line).1.unwrap_err();
        assert_snapshot!(why(r#"{"prompt": "x", "temperature": 0}"#), @"the line is not a valid request: `temperature` is not allowed next to `prompt`, only `system` and `custom_id` are: a field of a request belongs in its `body`");
        assert_snapshot!(why(r#"{"messages": [], "temperature": 0}"#), @"the line is not a valid request: it has `messages`: a request with all its fields stands in a field `body`");
        assert_snapshot!(why(r#"{"text": "x"}"#), @"the line is not a valid request: it is neither a request with its `body`, nor an object with a `prompt` and at most `system` and `custom_id`, nor a string; it has `text`");
        assert_snapshot!(why(r#"{"prompt": 3}"#), @"the line is not a valid request: `prompt` is not a string");
        assert_snapshot!(why(r#"{"prompt": "x", "system": ["y"]}"#), @"the line is not a valid request: `system` is not a string");
        assert_snapshot!(why(r#"{"body": {"messages": [{"role": "user", "content": "x"}], "max_tokens": "many"}}"#), @r#"the line is not a valid request: its body is not a chat request: `max_tokens` is wrong: invalid type: string "many", expected u32"#);
        assert_snapshot!(why(r#"{"body": {"messages": [{"role": "user"}]}}"#), @"the line is not a valid request: its body is not a chat request: `messages` is wrong: a message has no content");
        assert_snapshot!(why(r#"{"body": 7}"#), @"the line is not a valid request: its `body` is not an object");
    }
}
