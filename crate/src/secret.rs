//! Keys that can't be printed.

use std::fmt;

/// A key or token. `Debug` and `Display` show an ellipsis, never a prefix: a key that can't be
/// printed can't end up in a notebook, a log or an error message.
///
/// The key is in the memory of the process while a client holds it, and so is part of a core dump.
/// Use `ulimit -c 0` if others can read core dumps.
///
/// ```
/// let key = evenhand::Secret::new("sk-123");
/// assert_eq!(format!("{key} {key:?}"), "… Secret(…)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a key. Surrounding white space, which pasting often adds, is removed.
    pub fn new(key: impl AsRef<str>) -> Self {
        Self(key.as_ref().trim().to_owned())
    }

    /// The key itself, for a program that has to hand it on, such as to a file of settings that only its
    /// owner can read. Never print it or log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(key: &str) -> Self {
        Self::new(key)
    }
}

impl From<String> for Secret {
    fn from(key: String) -> Self {
        Self::new(key)
    }
}

impl From<&String> for Secret {
    fn from(key: &String) -> Self {
        Self::new(key)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
