//! Makes text from a model, a file, a server or a name safe to display.
//!
//! A terminal interprets some characters, others change the text direction, and many more are
//! invisible. Everything that is shown passes through here, under one rule: a character that is
//! invisible and not part of the writing is shown as `�`.
//!
//! - [`terminal`] is for printed text; for HTML, `display::escape` applies the same rule and
//!   escapes the rest.
//! - [`sanitize_line`] is for a name or a message within a line.
//! - `invisible` holds the table of characters; `sequences` determines where such a character is
//!   part of the writing: in emoji, and in scripts that join their letters; `mark` marks the others.
//! - `json` escapes them where lines of JSON are printed; `spreadsheet` keeps CSV from being computed.

pub(crate) mod invisible;
mod json;
mod line;
pub(crate) mod mark;
pub(crate) mod message;
mod sequences;
mod spreadsheet;
pub mod terminal;
#[cfg(test)]
mod tests;

pub use json::escape_invisible_in_json;
pub use line::sanitize_line;
pub(crate) use message::counted;
#[doc(hidden)]
pub use message::grouped;
pub(crate) use spreadsheet::without_formulas;
