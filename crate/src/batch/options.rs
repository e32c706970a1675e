//! The options of a batch: the values given to the builder, and the defaults for the rest.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Batch;
use super::budget::{Budget, Spending};
use super::cache::AnswerCache;
use super::driver::StopReason;
use super::engine::EngineConfig;
use super::progress::Listener;
use super::quota::Quota;
use super::rate_limit::RateLimiter;
use crate::cancel::CancelHandle;
use crate::error::{Error, ErrorKind, Result};

/// The default number of requests in flight.
const CONCURRENCY: usize = 8;

/// The maximum concurrency, whatever the caller asks for: a machine has no more connections.
const MOST_AT_ONCE: usize = 10_000;

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

/// The engine's configuration for this batch.
pub(crate) fn engine_config<A>(
    batch: &Batch<A>,
    cache: Option<Arc<AnswerCache>>,
) -> Result<EngineConfig> {
    let options = &batch.options;
    let quota = options.quota.clone().or_else(|| batch.client.quota());
    // A caller who sets the concurrency does not want a careful start.
    let careful = options.concurrency.is_none();
    let rate_limiter = RateLimiter::of(
        batch.client.host(),
        batch.answerer().unwrap_or_default(),
        quota.as_ref(),
        careful,
    )?;
    Ok(EngineConfig {
        client: batch.client.clone(),
        deployment: batch.answerer().map(str::to_owned),
        rate_limiter,
        unlimited: quota.is_some_and(|quota| quota.is_unlimited()),
        concurrency: options.concurrency.unwrap_or(CONCURRENCY).min(MOST_AT_ONCE),
        retries: options.retries.unwrap_or(batch.client.max_retries()),
        thinking_allowance: options.thinking_allowance,
        spending: Arc::new(Spending::new(options.budget)?),
        cache,
        fresh: options.fresh,
    })
}

/// The error of rows without an outcome.
pub(crate) fn unasked(ended: Option<StopReason>) -> Error {
    ended.unwrap_or(StopReason::Stopped).error()
}
