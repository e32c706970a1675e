//! What can be wrong with a journal, in words.

use std::io;
use std::path::Path;

use super::location::VARIABLE;
use super::parameters::{Parameters, Recorded};
use super::scan::Scan;
use crate::batch::format::{OutputLine, RequestLine};
use crate::error::{Error, ErrorKind};

/// What the user should know of how a file was found.
pub(super) fn notes(path: &Path, scan: &Scan) -> Vec<String> {
    let path = path.display();
    let torn = (scan.torn > 0).then(|| {
        format!(
            "{path} ends in the middle of a row (its last {} bytes): the row counts as not finished",
            scan.torn
        )
    });
    let strange = scan.strange.map(|(count, first)| match count {
        1 => format!("{path}: line {first} is no row, and is left as it is"),
        _ => format!(
            "{path}: {count} lines are no rows, and are left as they are; the first is line {first}"
        ),
    });
    torn.into_iter().chain(strange).collect()
}

/// The answers are those of other requests; told as far as an answer and a request of
/// theirs tell it.
pub(super) fn other_parameters(
    path: &Path,
    ours: &Parameters,
    answer: Option<OutputLine>,
    request: Option<RequestLine>,
) -> Error {
    let account = answer.and_then(|answer| answer.evenhand);
    let (host, deployment) = account
        .map(|account| (account.host, account.deployment))
        .unzip();
    let difference = ours.difference(&Recorded {
        host: host.filter(|host| !host.is_empty()),
        deployment: deployment.filter(|deployment| !deployment.is_empty()),
        body: request.map(|request| request.body),
    });
    let what = if difference.is_empty() {
        "holds answers to requests with other parameters".to_owned()
    } else {
        format!("holds answers to other requests: {difference}")
    };
    wrong(path, &what).with_hint("give this batch a journal of its own, in another file")
}

pub(super) fn wrong(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Journal, format!("{} {what}", path.display()))
}

pub(super) fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("{} can't be read", path.display())).with_source(error)
}

pub(super) fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("{} can't be written", path.display()),
    )
    .with_source(error)
    .with_hint(format!(
        "the answers are kept there: set {} to a folder that can be written, or to off",
        VARIABLE
    ))
}

pub(super) fn unlockable(path: &Path, error: io::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!(
            "{} can't be locked, so two runs might write to it at once",
            path.display()
        ),
    )
    .with_source(error)
    .with_hint(format!(
        "the folder's file system has no locks: set {} to a folder on a local disk, or to off",
        VARIABLE
    ))
}

pub(super) fn no_journal(path: &Path, format: &str) -> Error {
    let what =
        format!("is not a journal: its first line is no row in the Batch API's {format} format");
    wrong(path, &what)
        .with_hint("it was left as it is; give the journal another name, or move the file away")
}

/// So many rows are not in the file.
pub(super) fn incomplete(path: &Path, rows: usize, error: io::Error) -> Error {
    let what = match rows {
        0 => "the last rows may not be on the disk".to_owned(),
        1 => "1 row is not on the disk".to_owned(),
        _ => format!("{rows} rows are not on the disk"),
    };
    Error::new(
        ErrorKind::Io,
        format!("{what}: {} can't be written", path.display()),
    )
    .with_source(error)
    .with_hint(
        "make room on the disk: the rows are kept in memory, and are written when it can be done",
    )
}
