//! Lines of JSON that may be read in a terminal.

use std::borrow::Cow;
use std::fmt::Write;

use super::invisible::replace_invisible;

/// The JSON with every invisible character spelled out (`\u009b`) that is no part of what is
/// written, so that a terminal shows it. It reads the same to every reader of JSON, whose writers
/// spell out C0 alone.
///
/// `json` must be JSON: outside its strings only a carriage return can be such a character, and
/// it becomes a line feed.
///
/// ```
/// use evenhand::text::escape_invisible_in_json;
///
/// assert_eq!(escape_invisible_in_json("\"a\u{9b}2J\u{E0041}\""), r#""a\u009b2J\udb40\udc41""#);
/// assert_eq!(escape_invisible_in_json("[\r\n1]"), "[\n\n1]");
/// ```
pub fn escape_invisible_in_json(json: &str) -> Cow<'_, str> {
    replace_invisible(json, |escaped, character| {
        // JSON allows it between two values only.
        if character == '\r' {
            return escaped.push('\n');
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing into a string can't fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    })
}
