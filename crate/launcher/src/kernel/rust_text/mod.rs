//! Rust source as tokens and as top-level items, without a parser.
//!
//! The code of a cell mixes Rust with evcxr's commands, and is often wrong or unfinished. Both
//! forms exist for any text.

mod items;
mod tokens;

pub use items::{Item, items, members, normalized};
pub use tokens::{Kind, tokens};
