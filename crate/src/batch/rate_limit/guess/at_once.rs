//! Infers a limit of requests at once: a service may refuse whatever comes while it works on so many.
//!
//! Its rejections look like those of a small quota: a few of the requests that were sent together are
//! answered. But a request is answered as soon as none is in flight, and then as many as before are
//! answered again and again; a quota soon refuses one. More are tried from time to time: one, then two,
//! then four, as long as they are answered.

use std::time::Duration;

use super::{MINUTE, Rejection};

/// So many requests beyond the limit must be answered to raise it. A single one may have arrived just
/// after another was answered.
const PASSED: u64 = 2;
/// After so many rejections in a row within the limit, it is lowered.
const TOO_MANY: u64 = 2;
/// The factor by which more are tried later after they were refused, and the longest pause, in rounds
/// of answers.
const LATER: u64 = 4;
const LATEST: u64 = 256;

/// What a rejection shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    Nothing,
    /// The request exceeded the limit.
    Limit,
    /// There is no such limit, but a quota: the wait that its first rejections asked for.
    Quota {
        asked: Option<Duration>,
    },
}

#[derive(Debug)]
pub(super) struct AtOnce {
    /// How many requests may be in flight.
    limit: Option<u64>,
    /// So many were in flight while others were refused, and the wait that these were to keep.
    suspected: Option<(u64, Option<Duration>)>,
    /// The limit is not certain yet: the wait of the rejections that led to it.
    doubted: Option<Option<Duration>>,
    /// The most that were in flight when one was answered, and when that was.
    most: Option<(u64, Duration)>,
    /// How many may exceed the limit now, and how many the next time.
    beyond: u64,
    step: u64,
    /// How many that exceeded it were answered.
    passed: u64,
    /// Answers since the last change, and after how many rounds of them more are tried.
    answers: u64,
    rounds: u64,
    /// Rejections within the limit since the last answer.
    refused: u64,
}

impl AtOnce {
    pub(super) fn new() -> Self {
        Self {
            limit: None,
            suspected: None,
            doubted: None,
            most: None,
            beyond: 0,
            step: 1,
            passed: 0,
            answers: 0,
            rounds: 1,
            refused: 0,
        }
    }

    /// How many requests may be in flight.
    pub(super) fn limit(&self) -> Option<u64> {
        self.limit.map(|limit| limit.saturating_add(self.beyond))
    }

    /// Whether the next request, which is sent alone, shows whether there may be a limit.
    pub(super) fn is_suspected(&self) -> bool {
        self.suspected.is_some()
    }

    /// Requests were refused while so many were in flight. Returns whether a limit may be the reason:
    /// about as many were in flight whenever one was answered in the last minute.
    pub(super) fn suspect(&mut self, rejection: Rejection, asked: Option<Duration>) -> bool {
        let Rejection { now, in_flight, .. } = rejection;
        let lately = |at: Duration| now.saturating_sub(at) < MINUTE;
        let most = self.most.filter(|(_, at)| lately(*at));
        let is_possible = in_flight > 0
            && most.is_none_or(|(most, _)| most <= in_flight.saturating_mul(2).saturating_add(2));
        self.suspected = is_possible.then_some((in_flight, asked));
        is_possible
    }

    /// A request was answered that was sent alone: if a limit was suspected, it is kept to.
    pub(super) fn begin(&mut self) -> bool {
        let Some((limit, asked)) = self.suspected else {
            return false;
        };
        *self = Self {
            limit: Some(limit),
            doubted: Some(asked),
            most: self.most,
            ..Self::new()
        };
        true
    }

    /// The rejections have another cause.
    pub(super) fn reject(&mut self) {
        *self = Self {
            most: self.most,
            ..Self::new()
        };
    }

    /// A request was answered that was the last of so many in flight when it was sent; now there are so
    /// many.
    pub(super) fn answered(&mut self, now: Duration, level: u64, in_flight: u64) {
        let is_past = |at: Duration| now.saturating_sub(at) >= MINUTE;
        if self
            .most
            .is_none_or(|(most, at)| in_flight >= most || is_past(at))
        {
            self.most = Some((in_flight, now));
        }
        let Some(limit) = self.limit else { return };
        if level >= limit {
            self.refused = 0;
        }
        if self.beyond > 0 {
            self.passed += u64::from(level > limit);
            if self.passed >= PASSED {
                self.limit = Some(limit.saturating_add(self.beyond));
                self.step = self.step.saturating_mul(2);
                self.end_test(1);
            }
            return;
        }
        self.answers += 1;
        if self.doubted.is_some() {
            if self.answers > limit.saturating_mul(2) {
                self.doubted = None;
            }
            return;
        }
        if self.answers >= self.rounds.saturating_mul(limit) {
            self.beyond = self.step;
        }
    }

    /// A request was refused that was the last of so many in flight when it was sent. Returns what that
    /// shows.
    pub(super) fn refused(&mut self, level: u64) -> Shows {
        let Some(limit) = self.limit else {
            return Shows::Nothing;
        };
        if level > limit && self.doubted.is_none() {
            self.step = 1;
            self.end_test(self.rounds.saturating_mul(LATER).min(LATEST));
            return Shows::Limit;
        }
        if let Some(asked) = self.doubted {
            self.reject();
            return Shows::Quota { asked };
        }
        self.refused += u64::from(level == limit);
        if self.refused >= TOO_MANY {
            self.refused = 0;
            self.limit = Some(limit.saturating_sub(1).max(1));
        }
        Shows::Nothing
    }

    fn end_test(&mut self, rounds: u64) {
        self.beyond = 0;
        self.passed = 0;
        self.answers = 0;
        self.rounds = rounds;
    }
}
