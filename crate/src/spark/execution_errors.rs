//! What the user is told about an operation that a broken connection, or the user, has ended.

use crate::error::{Error, ErrorKind};

/// Rows have not arrived, and the server no longer has them.
pub(super) fn incomplete(place: &str) -> Error {
    let message = format!(
        "rows are missing: the connection to {place} broke, and the server has dropped rows that had \
         not arrived"
    );
    Error::new(ErrorKind::Connection, message).with_hint("run the query again")
}

/// The statement is done, and its result lost.
pub(super) fn without_result(place: &str) -> Error {
    let message = format!(
        "the statement was applied, but the connection to {place} broke before its result arrived"
    );
    Error::new(ErrorKind::Connection, message)
        .with_hint("do not run it again: look at what it has changed")
}

/// Nobody can tell what became of the statement.
pub(super) fn unsure(place: &str, cause: Error) -> Error {
    let message = format!(
        "the connection to {place} broke, and what became of the statement is unknown: it may or may \
         not have been applied"
    );
    Error::new(ErrorKind::Connection, message)
        .with_hint(
            "check whether the server still runs, and look whether the statement has had its effect \
             before you run it again",
        )
        .with_source(cause)
}

/// The stream ends in good order, and is never complete.
pub(super) fn ended_too_early(place: &str) -> Error {
    let message = format!("{place} keeps ending the answer before its end");
    Error::new(ErrorKind::Response, message).with_hint("make the call again")
}

/// The user has pressed the stop button.
pub(super) fn stopped() -> Error {
    Error::new(ErrorKind::Cancelled, "the query was stopped")
        .with_hint("make the call again to ask for all of it")
}
