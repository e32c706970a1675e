//! Ask a language model the same question about different people, and learn
//! whether it is even-handed.

pub mod error;
mod runtime;
mod secret;

pub use error::{Error, ErrorKind, Result};
pub use secret::Secret;
