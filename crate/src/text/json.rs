//! Lines of JSON that may be read in a terminal.

use std::borrow::Cow;
use std::fmt::Write;

use super::invisible::replace_invisible;

/// The JSON with every invisible character spelled out (`\u009b`) that is no part of what is
/// written, so that a terminal shows it. It reads the same to every reader of JSON, whose writers
/// spell out C0 alone.
///
/// `json` must be JSON: outside of its strings no such character can stand.
///
/// ```
/// use evenhand::text::escape_invisible_in_json;
///
/// assert_eq!(escape_invisible_in_json("\"a\u{9b}2J\u{E0041}\""), r#""a\u009b2J\udb40\udc41""#);
/// ```
pub fn escape_invisible_in_json(json: &str) -> Cow<'_, str> {
    replace_invisible(json, |escaped, character| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing into a string can't fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    })
}
