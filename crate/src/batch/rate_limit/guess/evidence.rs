//! Weighs answers and rejections: whether rejections have to do with this client's rate.

use std::time::Duration;

use super::Rejection;

/// Requests that are sent within this time may arrive in any order.
const ORDER: Duration = Duration::from_millis(10);
/// This many requests that were in flight with a refused one, and were refused too, indicate a
/// quota.
const TOGETHER: u64 = 3;
/// The number of outcomes that count as evidence; beyond it, all counts are halved, so that recent
/// outcomes weigh more.
const MAX_EVIDENCE: u64 = 16;
/// This many later requests that are answered show that a rejection was unrelated.
const PASSED: u64 = 3;
/// The minimum ratio of answers to rejections if the rejections are unrelated.
const PASSED_TO_REFUSED: u64 = 3;
/// Requests in a row that are refused indicate a quota if that would happen by chance more seldom
/// than this.
const SELDOM: f64 = 1e-5;
/// After so many rejections in a row of requests that were sent alone, an answer shows nothing.
const LONG_RUN: u64 = 3;
/// The weight of one outcome in the share of rejections.
const WEIGHT: f64 = 1.0 / 64.0;
/// The share of rejections that is assumed at the beginning.
const FIRST_SHARE: f64 = 0.03;
/// The largest share of rejections that may be chance.
const CHANCE: f64 = 0.12;
/// The largest share of rejections that are called unrelated.
const MAX_SHARE: f64 = 0.4;
/// The largest number of trial requests that have to be answered.
const MAX_TRIALS: u64 = 2;

/// What the outcomes of requests show.
#[derive(Debug)]
pub(super) struct Evidence {
    /// When the first request of the current rejections was sent, and when it was refused.
    episode: Option<(Duration, Duration)>,
    /// The same before the last rejection.
    previous: Option<(Duration, Duration)>,
    /// Of the requests that were in flight with a refused one: how many were sent later and still
    /// answered, and how many were refused too.
    passed: u64,
    refused: u64,
    /// How many were answered that were sent at the same moment, and may have arrived before it.
    beside: u64,
    /// Requests in a row that were sent alone and refused.
    run: u64,
    /// Whether a trial request was refused, and nothing was answered since.
    has_failed_trial: bool,
    /// How many trials in a row were answered, and how many show that a rejection was unrelated.
    trials_answered: u64,
    trials_needed: u64,
    /// The share of rejections among the outcomes, of which the last weigh most: of all rejections, and
    /// of the first among requests that were in flight together.
    share: f64,
    share_of_first: f64,
    /// The longest time that an answer took lately.
    slowest: Duration,
    /// How many answers show that a rejection was unrelated.
    convincing: u64,
}

impl Evidence {
    pub(super) fn new() -> Self {
        Self {
            episode: None,
            previous: None,
            passed: 0,
            refused: 0,
            beside: 0,
            run: 0,
            has_failed_trial: false,
            trials_answered: 0,
            trials_needed: 1,
            share: FIRST_SHARE,
            share_of_first: FIRST_SHARE,
            slowest: Duration::ZERO,
            convincing: PASSED,
        }
    }

    /// A request that was sent at this time was answered. If it was a trial, one of them may not be enough
    /// (`is_sure`). Returns whether the answers show that the
    /// rejections are unrelated.
    pub(super) fn answered(
        &mut self,
        now: Duration,
        sent: Duration,
        is_trial: bool,
        is_sure: bool,
    ) -> bool {
        // After several rejections, a window of the service may have restarted.
        let shows_much = is_trial && self.run < LONG_RUN;
        self.run = 0;
        self.has_failed_trial = false;
        self.share -= self.share * WEIGHT;
        self.share_of_first -= self.share_of_first * WEIGHT;
        self.slowest = (self.slowest * 31 / 32).max(now.saturating_sub(sent));
        if let Some((first, _)) = self.episode.filter(|_| self.is_with_a_refused_one(sent)) {
            let is_later = sent >= first + ORDER;
            self.passed += u64::from(is_later);
            self.beside += u64::from(!is_later);
            self.forget();
        }
        self.trials_answered += u64::from(shows_much);
        let needed = match is_sure {
            true => self.trials_needed,
            false => MAX_TRIALS,
        };
        let tried = shows_much && self.trials_answered >= needed;
        let passed = self.passed >= self.convincing
            && self.passed > self.refused.saturating_mul(PASSED_TO_REFUSED);
        tried || passed
    }

    /// A request was refused.
    pub(super) fn refused(&mut self, rejection: Rejection, is_unrelated: bool) {
        self.previous = self.episode;
        // An answer takes longer than a rejection: where rejections are unrelated, the next one comes
        // before the answers to what was in flight with the last one.
        let is_pending = |heard| {
            let since = rejection.now.saturating_sub(heard);
            is_unrelated && rejection.in_flight > 0 && since < self.slowest
        };
        let last = self.previous.filter(|(_, heard)| is_pending(*heard));
        if let Some((first, _)) = last.filter(|_| rejection.is_first) {
            self.episode = Some((first, rejection.now));
            self.refused += 1;
            self.forget();
        } else if rejection.is_first {
            self.episode = Some((rejection.sent, rejection.now));
        } else if self.is_with_a_refused_one(rejection.sent) {
            self.refused += 1;
            self.forget();
        }
        self.share += (1.0 - self.share) * WEIGHT;
        if rejection.is_first || rejection.is_trial {
            self.share_of_first += (1.0 - self.share_of_first) * WEIGHT;
        }
        self.run += u64::from(rejection.is_first && rejection.in_flight == 0);
        if rejection.is_trial {
            self.has_failed_trial = true;
            self.trials_answered = self.trials_answered.saturating_sub(1);
        }
    }

    /// Whether a request that was sent at this time was in flight with a refused one, and was not sent
    /// before it.
    fn is_with_a_refused_one(&self, sent: Duration) -> bool {
        self.episode
            .is_some_and(|(first, heard)| sent + ORDER > first && sent <= heard)
    }

    /// Whether several requests that were in flight together were refused.
    pub(super) fn are_several(&self) -> bool {
        self.refused >= TOGETHER
    }

    /// Whether so many are refused that the rejections can't be called unrelated.
    pub(super) fn is_too_much(&self) -> bool {
        self.share >= MAX_SHARE
    }

    /// Whether the rejections indicate a quota. Requests in flight count as possible answers, because
    /// an answer takes longer than a rejection; but not if all that were in flight with the previous
    /// rejections must have been answered by now. Where rejections were found to be unrelated, it takes
    /// more.
    pub(super) fn shows_quota(&self, rejection: Rejection, is_unrelated: bool) -> bool {
        let since = self
            .previous
            .map(|(_, heard)| rejection.now.saturating_sub(heard));
        let is_over = since.is_some_and(|since| since > self.slowest);
        let in_flight = match rejection.is_first && is_over {
            true => 0,
            false => rejection.in_flight,
        };
        let factor = if is_unrelated { 2 } else { 1 };
        let may_pass = (self.passed + self.beside + in_flight) * factor;
        let together = self.refused >= TOGETHER && self.refused + 1 >= may_pass;
        let is_refuted = !is_unrelated && self.has_failed_trial;
        self.is_no_chance() || together || is_refuted
    }

    /// Whether so many requests in a row that were sent alone are hardly ever refused by chance.
    fn is_no_chance(&self) -> bool {
        let share = self.share_of_first.clamp(FIRST_SHARE, CHANCE);
        self.run as f64 >= SELDOM.ln() / share.ln()
    }

    fn forget(&mut self) {
        if self.passed + self.refused + self.beside > MAX_EVIDENCE {
            for count in [&mut self.passed, &mut self.refused, &mut self.beside] {
                *count /= 2;
            }
        }
    }

    /// The rejections were not unrelated after all: requires more evidence the next time.
    pub(super) fn distrust(&mut self) {
        self.convincing = (self.convincing * 2).min(MAX_EVIDENCE / 2);
        self.trials_needed = (self.trials_needed * 2).min(MAX_TRIALS);
        self.trials_answered = 0;
    }

    /// Begins to count anew, after a verdict.
    pub(super) fn weigh_anew(&mut self) {
        self.passed = 0;
        self.refused = 0;
        self.beside = 0;
        self.has_failed_trial = false;
    }
}
