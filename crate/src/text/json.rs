//! Lines of JSON that may be read in a terminal.

use std::borrow::Cow;
use std::fmt::Write;

use super::mark::replace_invisible;

/// The JSON with every invisible character that is not part of the writing escaped (`\u009b`), so
/// that a terminal shows it. Every JSON parser reads the same value from it. Serializers usually
/// escape only C0.
///
/// `json` must be valid JSON. Outside its strings, the only such character is a carriage return,
/// which becomes a line feed.
///
/// ```
/// use evenhand::text::escape_invisible_in_json;
///
/// assert_eq!(escape_invisible_in_json("\"a\u{9b}2J\u{E0041}\""), r#""a\u009b2J\udb40\udc41""#);
/// assert_eq!(escape_invisible_in_json("[\r1]"), "[\n1]");
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
