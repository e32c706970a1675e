//! Reference values from other implementations, and properties that hold for any text.

mod golden;
mod judge;
mod properties;
mod words;
