//! What ends a batch early: a stop that was requested, or a deadline.

use std::pin::pin;
use std::time::{Duration, Instant};

use super::options::BatchOptions;
use crate::cancel::{self, CancelHandle};
use crate::error::{Error, ErrorKind, Result};

/// How often stop requests and progress are checked.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// How long a request in flight may take to finish once the batch has been stopped: long
/// enough for most requests, and short enough for a user who pressed a button.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// What may stop a batch early.
pub(crate) struct StopCondition {
    stop: Option<CancelHandle>,
    deadline: Option<Duration>,
    started: Instant,
}

/// Why a batch was stopped early.
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

    /// Why the batch must stop now, if it must.
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
    /// Waits for this time or until the batch is stopped, which is checked at once and then
    /// ten times a second.
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

    /// Runs `work` to its end. Once the batch is stopped, `work` has [`GRACE`] to finish and is
    /// then dropped.
    ///
    /// # Errors
    /// The batch was stopped and `work` was dropped.
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
    /// The error of a row without an outcome, given why the batch ended early, if it did.
    pub(crate) fn unasked(ended: Option<Self>) -> Error {
        ended.unwrap_or(Self::Stopped).error()
    }

    /// The error of a row without an outcome.
    pub(crate) fn error(self) -> Error {
        let message = match self {
            Self::Stopped => "stopped before it was answered".to_owned(),
            Self::Deadline(limit) => format!(
                "not answered before the deadline of {} s",
                limit.as_secs_f64()
            ),
        };
        Error::new(ErrorKind::Cancelled, message)
            .with_hint("run it again: answers in the journal are not requested again")
    }
}
