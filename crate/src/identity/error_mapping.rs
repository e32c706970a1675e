//! Why a credential provided no token.

use crate::error::{Error, ErrorKind};
use crate::http::retry::Retry;
use crate::http::transport::Failed;

/// The failure of one credential.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// It can't be used here: the next credential is tried.
    Unavailable(String),
    /// It was refused. No other credential is tried, because that would sign in as someone else.
    Refused(Error),
    /// It failed for a reason that may be transient.
    Transient(Error, Retry),
}

impl Failure {
    /// A refused sign-in with its message and hint.
    pub(super) fn refused(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused(Error::new(ErrorKind::Authentication, what).with_hint(hint))
    }

    /// The failure of a request that got no complete response.
    pub(super) fn from_call((error, retry): Failed, hint: &str) -> Self {
        let reported = Error::new(
            error.kind(),
            format!("the sign-in failed: {}", error.message()),
        )
        .with_hint(hint)
        .with_source(error);
        match retry.again {
            true => Self::Transient(reported, retry),
            false => Self::Refused(reported),
        }
    }
}
