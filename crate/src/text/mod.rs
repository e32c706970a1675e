//! Text from a model, a file, a server or a name, on its way to a reader's eyes.
//!
//! A terminal obeys some characters, a page turns others around, and many more can't be seen at
//! all. All that is shown passes here, by one rule: what can't be seen, and is no part of what is
//! written, is shown as `�`.
//!
//! - [`terminal`] is for what is printed; HTML has `notebook::escape`, which applies the same
//!   rule and escapes the rest.
//! - [`sanitize_line`] is for a name or a message within a line.
//! - `invisible` is the table of characters, and marks them; `sequences` knows where such a
//!   character is a part of what is written: in emoji, and in scripts that join their letters.
//! - `json` spells them out where lines of JSON are printed.

pub(crate) mod invisible;
mod json;
mod line;
pub(crate) mod message;
mod sequences;
pub mod terminal;
#[cfg(test)]
mod tests;

pub use json::escape_invisible_in_json;
pub use line::sanitize_line;
pub(crate) use message::grouped;
