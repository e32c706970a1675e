//! The configuration of the engine for a batch: its options, and the defaults for the rest.

use std::sync::Arc;

use super::Batch;
use super::budget::Spending;
use super::cache::AnswerCache;
use super::engine::EngineConfig;
use super::rate_limit::RateLimiter;
use crate::error::Result;

/// The default number of requests in flight.
const CONCURRENCY: usize = 8;

/// The maximum concurrency, whatever the caller asks for: a machine has no more connections.
const MAX_CONCURRENT: usize = 10_000;

/// The engine's configuration for this batch.
pub(crate) fn engine_config<A>(
    batch: &Batch<A>,
    cache: Option<Arc<AnswerCache>>,
) -> Result<EngineConfig> {
    let options = &batch.options;
    let quota = options.quota.clone().or_else(|| batch.client.quota());
    // A caller who sets the concurrency does not want a careful start.
    let careful = options.concurrency.is_none();
    let rate_limiter = RateLimiter::for_deployment(
        batch.client.host(),
        batch.target_deployment().unwrap_or_default(),
        quota.as_ref(),
        careful,
    )?;
    Ok(EngineConfig {
        client: batch.client.clone(),
        deployment: batch.target_deployment().map(str::to_owned),
        rate_limiter,
        unlimited: quota.is_some_and(|quota| quota.is_unlimited()),
        concurrency: options
            .concurrency
            .unwrap_or(CONCURRENCY)
            .min(MAX_CONCURRENT),
        retries: options.retries.unwrap_or(batch.client.max_retries()),
        thinking_allowance: options.thinking_allowance,
        spending: Arc::new(Spending::new(options.budget)?),
        cache,
        fresh: options.fresh,
    })
}
