//! Takes outcomes from the engine until all are there, the deadline is reached or a stop is
//! requested, and reports progress meanwhile.

use std::time::Instant;

use super::engine::Engine;
use super::outcome::Outcome;
use super::progress::ProgressReporter;
use super::rate_limit::RateLimiter;
use super::stop_condition::{GRACE, StopCondition, StopReason, TICK};
use crate::error::Result;

/// Passes every outcome to `take`, in the order of completion. Returns why the batch was stopped
/// early, if it was.
///
/// # Errors
/// An error that `take` returns ends the loop and is returned.
pub(crate) async fn drive(
    engine: &mut Engine,
    until: &StopCondition,
    rate_limiter: &RateLimiter,
    reporter: &mut ProgressReporter,
    mut take: impl FnMut(Outcome) -> Result<()>,
) -> Result<Option<StopReason>> {
    let mut ended: Option<(StopReason, Instant)> = None;
    loop {
        match ended {
            None => {
                ended = until.stop_reason().map(|why| (why, Instant::now()));
                if ended.is_some() {
                    engine.close();
                }
            }
            Some((_, since)) if since.elapsed() >= GRACE => engine.abort(),
            Some(_) => {}
        }
        match tokio::time::timeout(TICK, engine.next()).await {
            Ok(Some(settled)) => {
                reporter.count(&settled.outcome, settled.source);
                take(settled)?;
            }
            // The engine ends on its own when the money is used up.
            Ok(None) => return Ok(ended.map(|(why, _)| why).or_else(|| until.out_of_money())),
            Err(_) => {}
        }
        reporter.tick(|| rate_limiter.status().to_string());
    }
}
