//! What one output keeps to, so that a notebook stays one that opens.
//!
//! The whole output stays under 2 MB for any frame: the static table takes 400 kB and at most
//! one row more, which [`characters`] bounds, and what the script works on takes the rest.

/// So many rows stand in the static table, and on a page of the script's, unless asked
/// otherwise.
pub(super) const ROWS: usize = 50;
/// At most so many rows are held for the script, from the head of the frame.
pub(super) const HELD: usize = 10_000;
/// At most so many columns are shown.
pub(super) const COLUMNS: usize = 100;
/// The static table takes no further row at this size.
pub(super) const STATIC_BYTES: usize = 400_000;

/// A text of more characters than this folds to its beginning, and opens at a click.
pub(super) const FOLDS: usize = 1_000;
/// So do lists and structs.
pub(super) const NESTED_FOLDS: usize = 80;
/// What is left of a folded text.
pub(super) const FOLDED: usize = 200;
/// What is left of a folded list or struct.
pub(super) const NESTED_FOLDED: usize = 60;
/// The names of columns and types.
pub(super) const NAME: usize = 200;

/// A text is cut after so many characters, and says so: 10,000, or less where many columns
/// share a row.
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
