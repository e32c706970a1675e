//! The options of a batch: the values given to the builder.

use std::path::PathBuf;
use std::time::Duration;

use super::budget::Budget;
use super::progress::Listener;
use super::quota::Quota;
use crate::cancel::CancelHandle;
use crate::error::{Error, ErrorKind, Result};

/// The options that do not change the answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchOptions {
    pub(crate) concurrency: Option<usize>,
    pub(crate) quota: Option<Quota>,
    pub(crate) retries: Option<u32>,
    pub(crate) thinking_allowance: Option<u32>,
    pub(crate) journal: JournalChoice,
    /// Each request has its own parameters.
    pub(crate) varied: bool,
    pub(crate) fresh: bool,
    pub(crate) stop: Option<CancelHandle>,
    /// Cancelled when the future that runs the batch on another thread is dropped.
    pub(crate) dropped: Option<CancelHandle>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) budget: Option<Budget>,
    pub(crate) listener: Option<Listener>,
}

/// Where the journal is.
#[derive(Clone, Debug, Default)]
pub(crate) enum JournalChoice {
    /// Next to the notebook; no journal outside of notebooks.
    #[default]
    Usual,
    File(PathBuf),
    None,
}

/// The error for an argument with which a batch would send nothing.
pub(crate) fn zero(message: &str) -> Error {
    Error::new(ErrorKind::Argument, message)
}

pub(crate) fn check(options: &BatchOptions) -> Result<()> {
    if options.concurrency == Some(0) {
        return Err(zero("a batch with concurrency 0 asks nothing")
            .with_hint("use `.concurrency(1)` to ask one prompt after the other"));
    }
    Ok(())
}
