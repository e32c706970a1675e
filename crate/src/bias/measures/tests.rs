//! The peers' own numbers, and what must hold for any texts.

mod golden;
mod properties;
mod words;
