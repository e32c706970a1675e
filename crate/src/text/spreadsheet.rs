//! Texts in CSV that no spreadsheet computes: a text from a model that looks like a formula can even start
//! programs. The download of a table (`table/script/export.js`) follows the same rule.

use std::borrow::Cow;

/// The text with an apostrophe before each part that a spreadsheet would take for a formula: at the
/// beginning, and after each of these characters, at which a spreadsheet may split cells.
pub(crate) fn without_formulas<'t>(text: &'t str, separators: &[char]) -> Cow<'t, str> {
    let mut before = None;
    let mut starts = Vec::new();
    for (at, letter) in text.char_indices() {
        let is_start = match before {
            None => matches!(letter, '\t' | '\r') || begins_as_formula(text),
            Some(before) => separators.contains(&before) && begins_as_formula(&text[at..]),
        };
        if is_start {
            starts.push(at);
        }
        before = Some(letter);
    }
    if starts.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut harmless = String::with_capacity(text.len() + starts.len());
    let mut written = 0;
    for start in starts {
        harmless.push_str(&text[written..start]);
        harmless.push('\'');
        written = start;
    }
    harmless.push_str(&text[written..]);
    Cow::Owned(harmless)
}

/// Whether a spreadsheet would compute it; blanks and quotation marks before the sign are ignored.
fn begins_as_formula(text: &str) -> bool {
    let is_skipped = |c: char| c == '"' || (c.is_whitespace() && !matches!(c, '\t' | '\r' | '\n'));
    text.trim_start_matches(is_skipped)
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}
