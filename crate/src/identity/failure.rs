//! Why a way of signing in gave no token.

use crate::error::{Error, ErrorKind};
use crate::http::retry::Retry;
use crate::http::transport::Failed;

/// A way that gave no token.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// Nobody can sign in this way here: the next one is tried.
    Unavailable(String),
    /// It was tried, and this is why it failed. No other way is tried: it would sign in somebody
    /// else.
    Refused(Error),
    /// The same, and it may pass.
    Passing(Error, Retry),
}

impl Failure {
    /// A refusal in these words, with what its reader can do.
    pub(super) fn refused(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused(Error::new(ErrorKind::Authentication, what).with_hint(hint))
    }

    /// A call that was not carried through.
    pub(super) fn from_call((error, retry): Failed, hint: &str) -> Self {
        let told = Error::new(
            error.kind(),
            format!("the sign-in failed: {}", error.message()),
        )
        .with_hint(hint)
        .with_source(error);
        match retry.again {
            true => Self::Passing(told, retry),
            false => Self::Refused(told),
        }
    }
}
