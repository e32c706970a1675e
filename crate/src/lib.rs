//! Ask a language model the same question about different people, and learn
//! whether it is even-handed.

pub mod client;
pub mod error;
mod runtime;
mod secret;
pub mod settings;

pub use client::{ChatCompletion, ChatRequest, Client, Message};
pub use error::{Error, ErrorKind, Result};
pub use secret::Secret;
pub use settings::Settings;
