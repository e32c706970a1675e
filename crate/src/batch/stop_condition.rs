//! What ends a batch early: a stop that was requested, a deadline, or a budget.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::budget::{Spending, UsedUp, money};
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
    stop: [Option<CancelHandle>; 2],
    deadline: Option<Duration>,
    started: Instant,
    spending: Option<Arc<Spending>>,
}

/// Why a batch was stopped early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StopReason {
    Stopped,
    Deadline(Duration),
    Budget(UsedUp),
}

impl StopCondition {
    pub(crate) fn new(options: &BatchOptions, started: Instant) -> Self {
        Self {
            stop: [options.stop.clone(), options.dropped.clone()],
            deadline: options.deadline,
            started,
            spending: None,
        }
    }

    /// Also stops the batch when this money is used up.
    pub(crate) fn watch(&mut self, spending: Arc<Spending>) {
        self.spending = Some(spending);
    }

    /// Whether the money is used up.
    pub(super) fn out_of_money(&self) -> Option<StopReason> {
        let used_up = self.spending.as_deref().and_then(Spending::used_up);
        used_up.map(StopReason::Budget)
    }

    /// Why the batch must stop now, if it must.
    pub(crate) fn stop_reason(&self) -> Option<StopReason> {
        let stopped = self.stop.iter().flatten().any(CancelHandle::is_cancelled);
        if stopped || cancel::kernel_requested_stop() {
            return Some(StopReason::Stopped);
        }
        let deadline = self.deadline;
        let deadline = deadline.filter(|deadline| self.started.elapsed() >= *deadline);
        deadline
            .map(StopReason::Deadline)
            .or_else(|| self.out_of_money())
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
            Self::Budget(UsedUp { amount, paid }) => format!(
                "not asked: of the budget of {}, {} is spent, and no further request fits",
                money(amount),
                money(paid)
            ),
        };
        Error::new(ErrorKind::Cancelled, message)
            .with_hint("run it again: answers in the journal are not requested again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handle_of_the_caller_and_that_of_a_dropped_future_both_stop() {
        for is_callers in [true, false] {
            let handle = CancelHandle::new();
            let given = |is_given: bool| is_given.then(|| handle.clone());
            let options = BatchOptions {
                stop: given(is_callers),
                dropped: given(!is_callers),
                ..BatchOptions::default()
            };
            let until = StopCondition::new(&options, Instant::now());
            assert_eq!(until.stop_reason(), None);
            handle.cancel();
            assert_eq!(until.stop_reason(), Some(StopReason::Stopped));
        }
    }
}
