//! The peers' own numbers, and what must hold for any texts.

mod golden;
mod judge;
mod properties;
mod words;
