//! Keys that cannot be printed.

use std::fmt;

/// A key or token. `Debug` and `Display` show three dots, never a prefix: what can't
/// be printed can't end up in a notebook, a log or an error message.
///
/// It is in the process's memory as long as a client has it, and a dump of that memory, such as
/// a core dump, holds it: `ulimit -c 0` where dumps go to others.
///
/// ```
/// let key = evenhand::Secret::new("sk-123");
/// assert_eq!(format!("{key} {key:?}"), "… Secret(…)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a key. White space around it, which pasting often adds, is dropped.
    pub fn new(key: impl AsRef<str>) -> Self {
        Self(key.as_ref().trim().to_owned())
    }

    /// The key itself, for the one place that writes it into a request header.
    pub(crate) fn expose(&self) -> &str {
        &self.0
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
