//! What must hold for any bytes that the library reads from outside: a service, a file, a model.
//!
//! Each function is one fuzz target. `crate/fuzz` drives them by coverage; the tests below replay
//! its corpus, which holds the seeds and what long runs found, and mutate it at random. A finding
//! is a panic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a finding is a panic; the targets are documented as a whole"
)]

use serde_json::Value;
use unicode_normalization::char::is_combining_mark;

use crate::batch::format::{self, OutputLine, RequestLine};
use crate::http::redact::Redactor;
use crate::json::Json;
use crate::openai::ChatCompletion;
use crate::secret::Secret;
use crate::text::invisible::is_invisible;
use crate::text::terminal::{sanitize, sanitize_styled};
use crate::text::{escape_invisible_in_json, sanitize_line};

/// The key that a hostile text tries to carry through.
const KEY: &str = "sk-0123/45\"6\\789";

/// The body of an answer.
pub fn answer(body: &[u8]) {
    let Ok(answer) = ChatCompletion::from_body(body.to_vec()) else {
        return;
    };
    let json = answer.to_json();
    assert!(!json.text().contains('\n'), "it is more than one line");
    let again = ChatCompletion::from_json(json).unwrap();
    assert_eq!(again.text(), answer.text());
    assert_eq!(again.usage, answer.usage);
    assert_eq!(again.finish_reason(), answer.finish_reason());
    serde_json::to_string(&answer).unwrap();
}

/// A line of a journal or of the Batch API's files.
pub fn batch_line(line: &[u8]) {
    if let Ok(read) = format::parse::<OutputLine>(line) {
        let written = format::write(&read).unwrap();
        assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(format::parse::<OutputLine>(&written).unwrap(), read);
        let _ = read.completion();
    }
    if let Ok(read) = format::parse::<RequestLine>(line) {
        let written = format::write(&read).unwrap();
        assert_eq!(format::parse::<RequestLine>(&written).unwrap(), read);
    }
}

/// The text of a `.env` file.
pub fn dotenv(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    if let Ok(parsed) = crate::settings::dotenv::parse::parse(&text) {
        for (name, value) in &parsed.values {
            assert!(!name.is_empty() && !name.contains(|c: char| c == '=' || c.is_whitespace()));
            assert!(value.len() <= text.len(), "something was put into a value");
        }
        for line in &parsed.swallowed {
            assert!(line.begins >= 1 && line.begins <= text.split('\n').count());
        }
    }
}

/// JSON that is read without being built.
pub fn json(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let Ok(json) = Json::new(text.into_owned()) else {
        return;
    };
    let value = json.to_value();
    let is_number = json
        .text()
        .starts_with(|c: char| c == '-' || c.is_ascii_digit());
    assert!(
        !value.is_null() || json.text() == "null" || is_number,
        "lost"
    );
    assert_eq!(Json::new(json.text().to_owned()).unwrap(), json);
    if let Some(object) = value.as_object() {
        for (name, _) in object {
            assert!(crate::json::field(json.raw(), name).is_some(), "{name:?}");
        }
    }
}

/// A body in which a key is hidden.
pub fn redact(body: &[u8]) {
    let redactor = Redactor::new([Secret::new(KEY)]);
    let clean = redactor.bytes(body.to_vec());
    assert_eq!(redactor.line(body), clean);
    assert!(!shows_key(&String::from_utf8_lossy(&clean)), "as it is");
    let is_json = serde_json::from_slice::<Value>(body).is_ok();
    // As it is, its quotation mark is JSON's own, so that what is left need not be JSON.
    if is_json && !body.windows(KEY.len()).any(|part| part == KEY.as_bytes()) {
        assert_no_key_in(&serde_json::from_slice(&clean).unwrap());
    }
}

/// Whether a reader would see the key in the text.
fn shows_key(text: &str) -> bool {
    let is_seen = |c: &char| !is_invisible(*c) && !is_combining_mark(*c);
    let seen: String = text.chars().filter(is_seen).collect();
    seen.to_ascii_lowercase()
        .contains(&KEY.to_ascii_lowercase())
}

fn assert_no_key_in(value: &Value) {
    match value {
        Value::String(text) => assert!(!shows_key(text), "{text:?}"),
        Value::Array(values) => values.iter().for_each(assert_no_key_in),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            assert!(!shows_key(name), "{name:?}");
            assert_no_key_in(value);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text on its way to a terminal, a line, a page or a script.
pub fn shown_text(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let is_obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    let plain = sanitize(&text);
    assert!(!plain.contains(is_obeyed), "{plain:?}");
    assert_eq!(sanitize(&plain), plain);
    assert!(!sanitize_styled(&text, false).contains(is_obeyed));
    let line = sanitize_line(&text, 40);
    assert!(line.chars().count() <= 40 && !line.contains(|c: char| c.is_control()));
    if let Ok(value) = serde_json::from_str::<Value>(&text) {
        let escaped = escape_invisible_in_json(&text);
        let again: Value = serde_json::from_str(&escaped).unwrap();
        assert_eq!(again, value);
    }
    #[cfg(feature = "notebook")]
    {
        let html = crate::display::escape::escaped(&text);
        assert!(!html.contains(['<', '>', '"', '\'', '`']) && !html.contains(is_obeyed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::replay;

    #[test]
    fn no_body_of_an_answer_is_a_finding() {
        replay("answer", answer);
    }

    #[test]
    fn no_line_of_a_journal_or_batch_is_a_finding() {
        replay("batch_line", batch_line);
    }

    #[test]
    fn no_dotenv_file_is_a_finding() {
        replay("dotenv", dotenv);
    }

    #[test]
    fn no_json_is_a_finding() {
        replay("json", json);
    }

    #[test]
    fn no_body_with_a_key_is_a_finding() {
        replay("redact", redact);
    }

    #[test]
    fn no_text_to_be_shown_is_a_finding() {
        replay("shown_text", shown_text);
    }
}
