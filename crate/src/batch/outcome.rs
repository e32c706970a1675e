//! The outcome of a question, and of one that was still without when its batch ended.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::request_stats::{AnswerSource, RequestStats};
use crate::error::{Error, Result};
use crate::openai::ChatCompletion;

/// The outcome of a question.
pub(crate) struct Outcome {
    pub(crate) index: usize,
    pub(crate) outcome: Result<ChatCompletion>,
    pub(crate) stats: RequestStats,
    pub(crate) source: AnswerSource,
}

impl Outcome {
    /// The outcome of a question that was not sent.
    pub(crate) fn unasked(index: usize, reason: &Error) -> Self {
        Self {
            index,
            outcome: Err(reason.clone()),
            stats: RequestStats::default(),
            source: AnswerSource::NotAsked,
        }
    }
}

/// The questions for which requests were sent and that have no outcome, because the batch ended:
/// their requests count all the same.
#[derive(Default)]
pub(crate) struct Interrupted(Mutex<Vec<(usize, RequestStats)>>);

impl Interrupted {
    /// Counts the requests of a question from now on.
    pub(crate) fn begin(&self, index: usize) -> Asking<'_> {
        Asking {
            interrupted: self,
            index,
            stats: RequestStats::default(),
        }
    }

    /// Takes these questions, each with the reason as its outcome.
    pub(crate) fn drain_unanswered(&self, reason: &Error) -> Vec<Outcome> {
        let taken = std::mem::take(&mut *self.locked());
        let outcome = |(index, stats)| Outcome {
            stats,
            source: AnswerSource::Service,
            ..Outcome::unasked(index, reason)
        };
        taken.into_iter().map(outcome).collect()
    }

    fn locked(&self) -> MutexGuard<'_, Vec<(usize, RequestStats)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question on its way. If it is dropped, even by an abort, it counts as interrupted.
pub(crate) struct Asking<'a> {
    interrupted: &'a Interrupted,
    index: usize,
    pub(crate) stats: RequestStats,
}

impl Asking<'_> {
    /// The question has its outcome.
    pub(crate) fn settle(mut self) -> RequestStats {
        std::mem::take(&mut self.stats)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.stats.attempts > 0 {
            self.interrupted.locked().push((self.index, self.stats));
        }
    }
}
