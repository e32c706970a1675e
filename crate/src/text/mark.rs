//! Puts a mark in place of each invisible character.

use std::borrow::Cow;

use super::invisible::is_invisible;
use super::sequences;

/// The character that is shown in place of an invisible one.
pub(crate) const MARK: char = '\u{FFFD}';

/// The text with [`MARK`] in place of each invisible character that is not part of the writing. A
/// line ending of two characters becomes one.
///
/// The result has at most as many characters as the text, and a second pass leaves it unchanged.
pub(crate) fn mark_invisible(text: &str) -> Cow<'_, str> {
    replace_invisible(text, |marked, _| marked.push(MARK))
}

/// Like [`mark_invisible`], but `replace` appends the replacement instead of a mark.
pub(super) fn replace_invisible(
    text: &str,
    mut replace: impl FnMut(&mut String, char),
) -> Cow<'_, str> {
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        if !is_invisible(character) {
            shown.push(character);
        } else if !rest.starts_with("\r\n") {
            match sequences::written(shown.chars().next_back(), rest) {
                0 => replace(&mut shown, character),
                written => {
                    length = written;
                    shown.push_str(&rest[..length]);
                }
            }
        }
        rest = &rest[length..];
    }
    Cow::Owned(shown)
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\t')
}
