//! Where the outcome of a row comes from, and what it took.

use std::time::{Duration, SystemTime};

use crate::openai::Usage;

/// How many attempts a row took, and how long. For an answer from the journal, these are the
/// values of the run that requested it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestStats {
    /// How many requests were sent.
    pub attempts: u32,
    /// How many of them were refused because of the quota (429).
    pub rate_limited: u32,
    /// How long the last attempt took, from sending the request to receiving its answer.
    pub latency: Duration,
    /// How long the row waited for the quota, or between attempts.
    pub waited: Duration,
    /// When the first request for the row was sent. `None` if none was sent, or if the time is not
    /// known, as for rows of the Batch API.
    pub asked_at: Option<SystemTime>,
    /// The usage of earlier attempts whose answers were discarded: they were empty, because
    /// thinking used up all tokens, or they revealed that the deployment thinks.
    pub discarded: Usage,
    /// Thinking has cut the answer short, and asking for a whole one failed: a later run asks again.
    pub(crate) is_provisional: bool,
}

impl RequestStats {
    /// Adds the usage of a discarded answer.
    pub(crate) fn discard(&mut self, usage: Usage) {
        self.discarded = self.discarded.plus(usage);
    }

    /// Takes back the usage of an answer that was discarded and counts after all.
    pub(crate) fn reclaim(&mut self, usage: Usage) {
        self.discarded = self.discarded.minus(usage);
    }
}

/// Where a row's outcome comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnswerSource {
    /// A request was sent for this row.
    Service,
    /// The journal had the answer from an earlier run.
    Journal,
    /// Shared with an identical row of the batch, at temperature 0.
    SameQuestion,
    /// No request was sent: the batch ended before, or the request is invalid.
    NotAsked,
}

impl AnswerSource {
    /// The source as written in tables, such as `journal`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Journal => "journal",
            Self::SameQuestion => "same_question",
            Self::NotAsked => "not_asked",
        }
    }
}
