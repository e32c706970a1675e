//! Normalization of accented letters and apostrophes.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Letters with their accents as one character each (Unicode's form NFC): `e` and U+0301 is `é`.
pub(super) fn composed(text: String) -> String {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    text.nfc().collect()
}

/// Excludes the characters that Unicode counts as letters but that are used as apostrophes.
pub(super) fn is_letter_or_digit(c: char) -> bool {
    match c.is_ascii() {
        // Most characters: no apostrophe is a letter in ASCII.
        true => c.is_ascii_alphanumeric(),
        false => c.is_alphanumeric() && !is_apostrophe(c),
    }
}

/// Runs of characters of a kind, including combining marks that have no composed form.
pub(super) fn runs(text: &str, of: fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(move |c: char| !of(c) && !is_combining_mark(c))
        // A combining mark alone is not a letter; emoji contain some.
        .map(|run| run.trim_start_matches(is_combining_mark))
        .filter(|run| !run.is_empty())
}

/// Whether the character is used as an apostrophe between two letters: quotation marks, primes,
/// standalone accents, and letters that some keyboards produce instead.
pub(super) fn is_apostrophe(c: char) -> bool {
    is_single_quote(c)
        || matches!(
            c,
            '`' | '´' | '′' | '＇' | '\u{2b9}' | '\u{2bb}' | '\u{2c8}'
        )
}

/// Whether the character is an apostrophe in any position.
pub(super) fn is_single_quote(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '‛' | '‚' | 'ʼ')
}

fn is_double_quote(c: char) -> bool {
    matches!(c, '“' | '”' | '„' | '‟' | '″')
}

/// The text with straight apostrophes and quotation marks.
pub(super) fn straightened(text: &str) -> Cow<'_, str> {
    // The grave accent is the only one of these characters in ASCII.
    if text.is_ascii() && !text.contains('`') {
        return Cow::Borrowed(text);
    }
    let mut straight = String::with_capacity(text.len());
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_letter = |c: &char| is_letter_or_digit(*c);
        let inside = before.as_ref().is_some_and(is_letter) && chars.peek().is_some_and(is_letter);
        straight.push(match c {
            c if is_single_quote(c) || inside && is_apostrophe(c) => '\'',
            c if is_double_quote(c) => '"',
            c => c,
        });
        before = Some(c);
    }
    Cow::Owned(straight)
}
