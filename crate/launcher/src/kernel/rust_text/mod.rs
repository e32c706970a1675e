//! Rust source as tokens, as top-level items, and without the bodies of functions; without a parser.
//!
//! The code of a cell mixes Rust with evcxr's commands, and is often wrong or unfinished. All
//! forms exist for any text.

mod bodies;
mod items;
mod tokens;

pub use bodies::without_bodies;
pub use items::{Item, items, members, normalized};
pub use tokens::{Kind, tokens};
