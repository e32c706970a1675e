//! The launcher's errors: a message, a hint that the user can act on, and an exit code.

use std::fmt;

/// The result of everything in the launcher that can fail.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// What to do about a full disk.
pub const DISK_IS_FULL: &str = "the disk is full: evenhand needs about 4 GB. Free some space, or \
     set EVENHAND_HOME to a folder on another disk, and start again; it continues where it stopped";

/// A failure as the user reads it.
pub struct Failure {
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    exit_code: u8,
}

impl Failure {
    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            exit_code: 1,
        }
    }

    /// Sets what the user can do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The message, without causes and hint.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Puts the place where it happened before the message.
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Makes the launcher exit with this code instead of 1.
    pub fn exit_with(mut self, code: u8) -> Self {
        self.exit_code = code;
        self
    }

    /// The exit code of the launcher.
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// Adds why it happened, with the whole chain of causes. A full disk gets its own hint.
    pub fn because(mut self, cause: impl std::error::Error) -> Self {
        self.causes.push(cause.to_string());
        let mut next = cause.source();
        while let Some(error) = next {
            self.causes.push(error.to_string());
            next = error.source();
        }
        if self.causes.iter().any(|cause| is_full_disk(cause)) {
            self.hint.get_or_insert_with(|| DISK_IS_FULL.to_owned());
        }
        self
    }
}

/// Whether a message says that the disk, or the user's quota, is full.
pub fn is_full_disk(message: &str) -> bool {
    [
        "No space left on device",
        "os error 28",
        "Disk quota exceeded",
    ]
    .iter()
    .any(|words| message.contains(words))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        for cause in &self.causes {
            write!(f, "\n  because: {cause}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<evenhand::Error> for Failure {
    fn from(error: evenhand::Error) -> Self {
        let failure = Self::new(error.message());
        let failure = match std::error::Error::source(&error) {
            Some(cause) => failure.because(cause),
            None => failure,
        };
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Adds to an error what was being done.
pub trait Context<T> {
    /// Makes a failure with this message, and the error as its cause.
    fn with_context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: std::error::Error> Context<T> for Result<T, E> {
    fn with_context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure::new(what()).because(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_its_hint_unless_there_is_a_better_one() {
        let full = || std::io::Error::from_raw_os_error(28);
        let failure = Failure::new("could not write").because(full());
        assert!(failure.to_string().contains("hint: the disk is full"));
        let better = Failure::new("could not write")
            .because(full())
            .hint("other");
        assert!(better.to_string().ends_with("hint: other"));
    }
}
