//! How a batch asks: what the builder was told, with the defaults in the gaps.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Batch;
use super::cache::AnswerCache;
use super::driver::StopReason;
use super::engine::EngineConfig;
use super::progress::Listener;
use super::quota::Quota;
use super::rate_limit::RateLimiter;
use crate::cancel::CancelHandle;
use crate::error::{Error, ErrorKind, Result};

/// How many requests are under way at once, unless told otherwise.
const CONCURRENCY: usize = 8;

/// More requests than a machine has connections for are not under way at once, however many are
/// asked for.
const MOST_AT_ONCE: usize = 10_000;

/// What changes no answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchOptions {
    pub(crate) concurrency: Option<usize>,
    pub(crate) quota: Option<Quota>,
    pub(crate) retries: Option<u32>,
    pub(crate) journal: JournalChoice,
    /// Each request has parameters of its own.
    pub(crate) varied: bool,
    pub(crate) fresh: bool,
    pub(crate) stop: Option<CancelHandle>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) listener: Option<Listener>,
}

/// Where the journal is.
#[derive(Clone, Debug, Default)]
pub(crate) enum JournalChoice {
    /// In a notebook beside it, elsewhere nowhere.
    #[default]
    Usual,
    File(PathBuf),
    None,
}

/// An argument that makes a batch ask nothing.
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

/// The terms on which the engine asks.
pub(crate) fn engine_config<A>(
    batch: &Batch<A>,
    records: Option<Arc<AnswerCache>>,
) -> Result<EngineConfig> {
    let options = &batch.options;
    let quota = options.quota.clone().or_else(|| batch.client.quota());
    // Who says how many requests may be under way has no use for a careful start.
    let careful = options.concurrency.is_none();
    let pacer = RateLimiter::of(
        batch.client.host(),
        batch.answerer().unwrap_or_default(),
        quota.as_ref(),
        careful,
    )?;
    Ok(EngineConfig {
        client: batch.client.clone(),
        deployment: batch.answerer().map(str::to_owned),
        pacer,
        unlimited: quota.is_some_and(|quota| quota.is_unlimited()),
        concurrency: options.concurrency.unwrap_or(CONCURRENCY).min(MOST_AT_ONCE),
        retries: options.retries.unwrap_or(batch.client.max_retries()),
        cache: records,
        fresh: options.fresh,
    })
}

/// The error of rows that were not settled.
pub(crate) fn unasked(ended: Option<StopReason>) -> Error {
    ended.unwrap_or(StopReason::Stopped).error()
}
