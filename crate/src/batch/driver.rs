//! Takes outcomes from the engine until all are there, the time is over, or somebody asks
//! to stop; and tells meanwhile how far it is.

use std::pin::pin;
use std::time::{Duration, Instant};

use super::engine::{Engine, Outcome};
use super::options::BatchOptions;
use super::progress::Teller;
use super::rate_limit::RateLimiter;
use crate::cancel::{self, CancelHandle};
use crate::error::{Error, ErrorKind, Result};

/// How soon a wish to stop is seen, and how often progress is looked at.
const TICK: Duration = Duration::from_millis(100);

/// How long a request that is under way may take to end once the batch was stopped: long
/// enough for most, and short enough for a reader who pressed a button.
const GRACE: Duration = Duration::from_secs(1);

/// What ends a batch before its time.
pub(crate) struct StopCondition {
    stop: Option<CancelHandle>,
    deadline: Option<Duration>,
    started: Instant,
}

/// Why it ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    Stopped,
    Deadline(Duration),
}

impl StopCondition {
    pub(crate) fn new(options: &BatchOptions, started: Instant) -> Self {
        Self {
            stop: options.stop.clone(),
            deadline: options.deadline,
            started,
        }
    }

    /// Is it over?
    pub(crate) fn stop_reason(&self) -> Option<StopReason> {
        let stopped = self.stop.as_ref().is_some_and(CancelHandle::is_cancelled);
        if stopped || cancel::kernel_requested_stop() {
            return Some(StopReason::Stopped);
        }
        let deadline = self.deadline?;
        (self.started.elapsed() >= deadline).then_some(StopReason::Deadline(deadline))
    }
}

impl StopCondition {
    /// Waits so long, unless the end comes first, which is looked at before and ten times a
    /// second.
    pub(crate) async fn pause(&self, time: Duration) -> Option<StopReason> {
        let mut pause = pin!(tokio::time::sleep(time));
        loop {
            if let Some(ended) = self.stop_reason() {
                return Some(ended);
            }
            if tokio::time::timeout(TICK, pause.as_mut()).await.is_ok() {
                return None;
            }
        }
    }

    /// Works until it is done. When the end comes, what is under way has a little time more, and
    /// is then given up, wherever it is.
    ///
    /// # Errors
    /// It was given up.
    pub(crate) async fn hold<T>(&self, work: impl Future<Output = T>) -> Result<T, StopReason> {
        let mut work = pin!(work);
        let mut ended: Option<(StopReason, Instant)> = None;
        loop {
            match ended {
                None => ended = self.stop_reason().map(|why| (why, Instant::now())),
                Some((why, since)) if since.elapsed() >= GRACE => return Err(why),
                Some(_) => {}
            }
            if let Ok(done) = tokio::time::timeout(TICK, work.as_mut()).await {
                return Ok(done);
            }
        }
    }
}

impl StopReason {
    /// The error of a row that was not settled.
    pub(crate) fn error(self) -> Error {
        let message = match self {
            Self::Stopped => "stopped before it was answered".to_owned(),
            Self::Deadline(limit) => format!(
                "not answered before the deadline of {} s",
                limit.as_secs_f64()
            ),
        };
        Error::new(ErrorKind::Cancelled, message)
            .with_hint("run it again: what a journal holds is not asked twice")
    }
}

/// Hands on every outcome, in the order in which they come. Says why it ended, if that was
/// before its time.
///
/// # Errors
/// What `take` returns, which ends it.
pub(crate) async fn drive(
    engine: &mut Engine,
    until: &StopCondition,
    pacer: &RateLimiter,
    teller: &mut Teller,
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
                teller.count(&settled);
                take(settled)?;
            }
            Ok(None) => return Ok(ended.map(|(why, _)| why)),
            Err(_) => {}
        }
        teller.tick(|| pacer.status());
    }
}
