//! Limits on one output, so that a notebook can still be opened.
//!
//! The whole output stays under 2 MB for any frame: the static table takes 400 kB plus at most
//! one more row, which [`characters`] bounds, and the script's data takes the rest.

/// The default number of rows in the static table, and on a page of the interactive one.
pub(super) const ROWS: usize = 50;
/// The maximum number of rows held for the script, from the head of the frame.
pub(super) const HELD: usize = 10_000;
/// The maximum number of columns shown.
pub(super) const COLUMNS: usize = 100;
/// At this size the static table takes no further rows.
pub(super) const STATIC_BYTES: usize = 400_000;

/// A text with more characters than this is folded to its beginning, and expands on a click.
pub(super) const FOLDS: usize = 1_000;
/// The same limit for lists and structs.
pub(super) const NESTED_FOLDS: usize = 80;
/// The number of characters shown of a folded text.
pub(super) const FOLDED: usize = 200;
/// The number of characters shown of a folded list or struct.
pub(super) const NESTED_FOLDED: usize = 60;
/// The maximum length of the names of columns and types.
pub(super) const NAME: usize = 200;

/// The number of characters after which a text is cut, with a note: 10,000, or less if many
/// columns share a row.
pub(super) fn characters(columns: usize) -> usize {
    (50_000 / columns.max(1)).clamp(100, 10_000)
}

/// The text up to a number of characters, and how many characters were cut off.
pub(super) fn cut(text: &str, characters: usize) -> (&str, usize) {
    // No text has more characters than bytes.
    if text.len() <= characters {
        return (text, 0);
    }
    match text.char_indices().nth(characters) {
        None => (text, 0),
        Some((end, _)) => (&text[..end], text[end..].chars().count()),
    }
}
