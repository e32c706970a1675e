//! Infers how many requests at once a deployment takes that reports nothing but refusals.
//!
//! A request's *level* is the number of requests in flight when it is sent, including itself. If a
//! request is refused, and none of its level or a higher one was answered lately, the deployment
//! may take fewer at once: the limit becomes the level below. It is raised again as answers arrive,
//! by one for each, and more slowly each time that the next level is refused.

use std::collections::VecDeque;
use std::time::Duration;

/// How many answers show which levels are possible.
const LATELY: usize = 64;
/// The factor by which answers are needed to raise the limit after the next level was refused.
const SLOWER: u64 = 8;
const MOST_ANSWERS: u64 = 1_024;
/// No batch sends more at once.
const UNLIMITED: u64 = 1_024;

/// The number of requests in flight that a deployment is thought to take.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    limit: u64,
    /// When it was last lowered, and to what level.
    lowered: Option<(Duration, u64)>,
    /// How many answers raise the limit by one, and how many there were.
    needed: u64,
    answers: u64,
    /// The levels of the last answers.
    answered: VecDeque<u64>,
}

impl ConcurrencyLimit {
    pub(super) fn new() -> Self {
        Self {
            limit: u64::MAX,
            lowered: None,
            needed: 1,
            answers: 0,
            answered: VecDeque::new(),
        }
    }

    /// The limit, if there is one.
    pub(super) fn limit(&self) -> Option<u64> {
        (self.limit < UNLIMITED).then_some(self.limit)
    }

    /// Begins with two at once, and doubles that with every round of answers.
    pub(super) fn ramp(&mut self) {
        self.limit = 2;
        self.needed = 1;
        self.answers = 0;
        self.answered.clear();
    }

    /// A request of this level was answered.
    pub(super) fn answered(&mut self, level: u64) {
        if self.answered.len() == LATELY {
            self.answered.pop_front();
        }
        self.answered.push_back(level);
        if self.lowered.is_some_and(|(_, to)| level > to) {
            self.lowered = None;
            self.needed = 1;
        }
        if self.limit().is_none_or(|limit| level < limit) {
            return;
        }
        self.answers += 1;
        if self.answers >= self.needed {
            self.answers = 0;
            self.limit += 1;
        }
    }

    /// A request of this level, sent at this time, was refused.
    pub(super) fn refused(&mut self, now: Duration, sent: Duration, level: u64) {
        if self.answered.iter().any(|answered| *answered >= level) {
            return;
        }
        let below = level.saturating_sub(1).max(1);
        match self.lowered {
            Some((at, _)) if sent <= at => self.limit = self.limit.min(below),
            _ => {
                if self.lowered.is_some() {
                    self.needed = (self.needed * SLOWER).min(MOST_ANSWERS);
                }
                self.limit = self.limit.min(below);
                self.answers = 0;
            }
        }
        self.lowered = Some((now, self.limit));
    }
}
