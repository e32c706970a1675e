//! The errors about a journal.

use std::io;
use std::path::Path;

use super::parameters::{Parameters, Recorded};
use crate::batch::format::{OutputLine, RequestLine};
use crate::error::{Error, ErrorKind};

/// The variable that names another folder for journals, or `off`.
pub(crate) const VARIABLE: &str = "EVENHAND_JOURNAL";

/// The error for a journal whose answers belong to other requests. It names the differences, as
/// far as one of the answers and its request show them.
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
    unusable(path, &what).with_hint("give this batch its own journal, in another file")
}

pub(super) fn unusable(path: &Path, what: &str) -> Error {
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
        "the folder's file system does not support locks: set {} to a folder on a local disk, or \
         to off",
        VARIABLE
    ))
}

pub(super) fn no_journal(path: &Path, format: &str) -> Error {
    let what =
        format!("is not a journal: its first line is not a row in the Batch API's {format} format");
    unusable(path, &what)
        .with_hint("it was left unchanged; give the journal another name, or move the file away")
}

/// The error for rows that are not in the file.
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
    .with_hint("free up disk space: the rows are kept in memory and are written once there is room")
}
