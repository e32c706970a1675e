//! Infers an unknown quota from rejections: whether there is one at all, and how many requests it
//! allows.
//!
//! A rejection may have a cause other than this client's own rate: another client, a gateway, a
//! fault. The evidence decides:
//!
//! - A quota that is used up refuses everything that comes later. If requests that were sent after a
//!   refused one are answered, the rejection is *unrelated* to this client's rate, and delays only its
//!   own row.
//! - Several rejections without an answer indicate a *quota*. Its limit is the number of requests that
//!   were answered before.
//! - If too few requests are in flight to tell, one trial request is sent in the middle of the wait
//!   that the second rejection within a minute asks for, or the first ones if several came together: a
//!   quota refuses it. The first trial is sent as soon as nothing is in flight, later ones at least 15 s
//!   after one that was refused, each time twice as long.
//! - If a few of the requests that were sent together are answered, and never more, the service may
//!   limit the requests *at once* (`at_once`): as many as were answered are sent from then on, and if one
//!   of them is refused before long, it is a quota.
//! - Rejections of requests that were sent alone indicate a quota if so many in a row are hardly chance
//!   with the share of rejections that was seen so far.
//!
//! A limit that is found in this way remains a guess. When it is reached, one request exceeds it,
//! then two, then four, as long as they are answered. After a rejection the limit is kept for a
//! while, four times as long each time. A rejection below the limit lowers it: another client uses the
//! quota too. A limit of one request per period is lowered further by allowing fewer in a minute; so is
//! any limit if requests are refused after a period of waiting, or are to wait for longer than a period,
//! since then there is one in a minute. A limit that was lowered to a quarter is doubtful: a trial shows
//! whether the rejections come at any rate.

mod at_once;
mod evidence;
mod lower;
mod rejection;

use std::time::Duration;

use super::decision::Reservation;
use super::limits::{Limits, MINUTE, SECOND, TEN_SECONDS};
use crate::text::grouped;
use at_once::{AtOnce, Shows};
use evidence::Evidence;
pub(super) use rejection::Rejection;
use rejection::{period, used_of_minute};

/// A guess that is lowered keeps at least this share.
const LOWER: f64 = 0.6;
/// A limit that was lowered to this part of the one that was found is doubtful.
const FAR_BELOW: u64 = 4;
/// How long after a trial request was refused the next one may be sent; each time twice as long.
const FIRST_TRIAL_PAUSE: Duration = Duration::from_secs(15);
const MAX_TRIAL_PAUSE: Duration = Duration::from_secs(180);
/// How long a limit is not exceeded after the first rejection beyond it.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// How long after the end of a full window requests may still be counted in it.
const EDGE: Duration = Duration::from_millis(400);
/// How long after the end of a wait the windows may still contain what was refused.
const SETTLED: Duration = Duration::from_millis(300);
const MAX_PAUSE: Duration = Duration::from_secs(3_600);

/// What the rejections mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Undecided,
    /// A quota is used up: the whole deployment waits, and keeps to the guessed limit.
    Quota,
    /// The cause is not this client's rate: only the refused row waits.
    Unrelated,
}

/// The limit of a deployment that reports nothing but rejections.
#[derive(Debug)]
pub(super) struct Guess {
    verdict: Verdict,
    evidence: Evidence,
    at_once: AtOnce,
    /// How many requests are allowed in a period.
    limit: u64,
    period: Duration,
    /// How many are allowed in a minute, if that is less than one in each period. Below its lowest
    /// value a limit can only be lowered in this way.
    slow: Option<u64>,
    /// The limit when it was found, or the highest one since.
    found: u64,
    /// The bounds within which the current rejections may lower the limit.
    floor: u64,
    ceiling: u64,
    /// The limit before requests exceeded it, and the highest limit beyond which one was refused.
    base: u64,
    base_slow: Option<u64>,
    /// The bound within which the current rejections may lower the limit in a minute.
    slow_floor: u64,
    highest: u64,
    /// How many requests may still exceed the limit, and how many the next time.
    beyond: u64,
    step: u64,
    is_testing: bool,
    /// A trial request would show what the current rejections mean.
    is_doubtful: bool,
    /// The current rejections were caused by requests beyond the limit.
    was_tested: bool,
    test_at: Duration,
    pause: Duration,
    /// When a request beyond the limit was last refused. Services count refused requests too.
    missed_at: Option<Duration>,
    /// When the next trial request may be sent, and how long to wait after it.
    trial_at: Duration,
    trial_pause: Duration,
    /// The shortest wait that the current rejections asked for.
    asked: Option<Duration>,
    /// When the first of the rejections came after which nothing was answered.
    refused_since: Option<Duration>,
    /// One request may be sent after the wait that the service asked for.
    is_owed: bool,
    /// The user has been informed of the limit.
    is_noted: bool,
}

impl Guess {
    pub(super) fn new() -> Self {
        Self {
            verdict: Verdict::Undecided,
            evidence: Evidence::new(),
            at_once: AtOnce::new(),
            limit: u64::MAX,
            period: SECOND,
            slow: None,
            found: 0,
            floor: 0,
            ceiling: u64::MAX,
            base: 0,
            base_slow: None,
            slow_floor: 1,
            highest: 0,
            beyond: 0,
            step: 1,
            is_testing: false,
            is_doubtful: false,
            was_tested: false,
            test_at: Duration::ZERO,
            pause: FIRST_PAUSE,
            missed_at: None,
            trial_at: Duration::ZERO,
            trial_pause: FIRST_TRIAL_PAUSE,
            asked: None,
            refused_since: None,
            is_owed: false,
            is_noted: false,
        }
    }

    /// The period of the guessed limit, and how many requests fit into it.
    pub(super) fn window(&self) -> Option<(Duration, u64)> {
        (self.verdict == Verdict::Quota).then_some((self.period, self.limit))
    }

    /// The limit per minute.
    pub(super) fn limits(&self) -> Limits {
        let in_minute = |(_, limit): (Duration, u64)| {
            let whole = limit.saturating_mul(self.periods());
            self.slow.unwrap_or(whole).min(whole)
        };
        Limits {
            tokens: None,
            requests: self.window().map(in_minute),
        }
    }

    /// How many periods a minute has.
    fn periods(&self) -> u64 {
        MINUTE.as_secs() / self.period.as_secs().max(1)
    }

    /// Whether a rejection concerns only the refused request.
    pub(super) fn is_unrelated(&self) -> bool {
        self.verdict == Verdict::Unrelated
    }

    /// Whether requests exceed the limit to test it.
    pub(super) fn is_testing(&self) -> bool {
        self.is_testing
    }

    /// How many requests may be in flight, if rejections depend on that.
    pub(super) fn at_once(&self) -> Option<u64> {
        self.at_once.limit().filter(|_| self.is_unrelated())
    }

    /// Whether rejections may depend on the number of requests in flight: one that is sent alone tells.
    pub(super) fn suspects_at_once(&self) -> bool {
        self.at_once.is_suspected()
    }

    /// Whether a trial request would show what the last rejection means.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// The same for this rejection, after so many answers in a little more than the period.
    fn doubts(&self, rejection: Rejection, passed: u64) -> bool {
        let is_too_early = rejection.now < self.trial_at || self.missed_lately(rejection.now);
        match self.verdict {
            Verdict::Undecided => true,
            Verdict::Quota if is_too_early => false,
            // After a request beyond the limit was answered, the next one should not be refused.
            Verdict::Quota if self.is_testing => self.step > 1,
            // Nor should any below the limit. Close to it, requests may have overtaken one another,
            // of which nothing but the wait tells.
            Verdict::Quota => {
                let is_below = passed.saturating_mul(4) < self.limit.saturating_mul(3);
                rejection.asked.is_some() || is_below || self.is_far_below()
            }
            Verdict::Unrelated => false,
        }
    }

    /// Whether too many were refused to be chance, and too few to be a quota.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.verdict == Verdict::Undecided && self.evidence.are_several()
    }

    /// Whether the limit was lowered far below what was answered when it was found.
    pub(super) fn is_far_below(&self) -> bool {
        self.verdict == Verdict::Quota && self.limit.saturating_mul(FAR_BELOW) <= self.found
    }

    /// A note about the guess for the user; returned once.
    pub(super) fn take_note(&mut self) -> Option<String> {
        let (period, limit) = self.window().filter(|_| !self.is_noted)?;
        self.is_noted = true;
        Some(format!(
            "the service refused requests without reporting a quota: its limit is guessed to be {}, and \
             exceeded from time to time to test it; set the quota if you know it",
            requests_in(limit, period)
        ))
    }

    /// Whether requests may exceed the limit now. If there is one in a minute, it is the one to test; but
    /// not that of one request in a period, which is the same limit.
    pub(super) fn may_test(&self, now: Duration, is_minute_full: bool) -> bool {
        self.verdict == Verdict::Quota
            && (self.slow.is_none() || self.limit == 1 || is_minute_full)
            && (self.beyond > 0 || now >= self.test_at)
    }

    /// Whether a request was refused to which the service named a time, so that one may be sent then.
    /// Otherwise clients that send one in a period could refuse each other for ever.
    pub(super) fn take_owed(&mut self) -> bool {
        std::mem::take(&mut self.is_owed)
    }

    /// Lets one request exceed the limit, if it may. A new step begins only if `is_quiet`, which means
    /// that no request is in flight: all earlier ones were answered, so the limit is higher.
    pub(super) fn test(&mut self, is_quiet: bool) -> bool {
        if self.beyond == 0 {
            if !is_quiet {
                return false;
            }
            if self.is_testing {
                self.raise();
                self.step = self.step.saturating_mul(2);
            }
            // A few more may be allowed by chance when a window restarts, but not twice as many.
            if !self.is_testing || self.limit >= self.base.saturating_mul(2) {
                self.base = self.limit;
                self.base_slow = self.slow;
            }
            self.is_testing = true;
            self.beyond = self.step;
        }
        self.beyond -= 1;
        true
    }

    /// Raises the limit after requests beyond it were answered.
    fn raise(&mut self) {
        match self.slow {
            Some(slow) => {
                let raised = slow.saturating_add(self.step);
                let whole = self.limit.saturating_mul(self.periods());
                self.slow = Some(raised).filter(|raised| *raised < whole);
            }
            None => {
                self.limit = self.limit.saturating_add(self.step);
                self.found = self.found.max(self.limit);
            }
        }
    }

    /// A request was answered, while so many were in flight. Returns true if that shows that the
    /// rejections are unrelated, which was not known before.
    pub(super) fn answered(&mut self, now: Duration, charge: Reservation, in_flight: u64) -> bool {
        let Reservation {
            at,
            is_trial,
            level,
            ..
        } = charge;
        self.refused_since = None;
        self.at_once.answered(now, level, in_flight);
        if is_trial {
            self.trial_pause = FIRST_TRIAL_PAUSE;
        }
        // Where nobody asked for the wait, a window may have begun anew in the middle of it.
        let is_sure = self.verdict != Verdict::Quota || self.asked.is_some() || self.is_far_below();
        let shows = self.evidence.answered(now, at, is_trial, is_sure);
        let shows = is_trial && self.at_once.begin() || shows;
        let has_changed = shows && self.verdict != Verdict::Unrelated;
        if has_changed {
            self.verdict = Verdict::Unrelated;
            self.weigh_anew();
        }
        has_changed
    }

    /// A request was refused. `passed` returns how many requests were answered in the last period of
    /// this length.
    pub(super) fn refused(
        &mut self,
        rejection: Rejection,
        mut passed: impl FnMut(Duration) -> u64,
    ) {
        let shows = self.at_once.refused(rejection.level);
        if shows == Shows::Limit {
            return;
        }
        self.evidence.refused(rejection, self.is_unrelated());
        if rejection.is_first {
            let before = match shows {
                Shows::Quota { asked } => asked,
                _ => self.asked.filter(|_| rejection.is_trial),
            };
            // Where the minute is used up by refused requests, what was asked for before counts.
            let is_own = rejection.asked.is_none_or(|asked| asked <= TEN_SECONDS)
                || !rejection.refuses_itself(passed(MINUTE));
            self.asked = before.filter(|_| !is_own).or(rejection.asked);
            let passed = passed((self.period + EDGE).min(MINUTE));
            self.is_doubtful = self.doubts(rejection, passed);
            self.floor = (self.limit as f64 * LOWER) as u64;
            self.ceiling = self.limit.saturating_sub(1);
        } else {
            self.asked = self.asked.into_iter().chain(rejection.asked).min();
        }
        if matches!(shows, Shows::Quota { .. }) {
            self.verdict = Verdict::Undecided;
            self.found(passed);
            return;
        }
        if self.verdict == Verdict::Unrelated && self.evidence.is_too_much() {
            self.verdict = Verdict::Undecided;
            self.evidence.distrust();
            self.weigh_anew();
        }
        self.is_owed = self.limit == 1 && rejection.asked.is_some();
        let since = *self.refused_since.get_or_insert(rejection.now);
        if rejection.is_trial && self.verdict == Verdict::Quota {
            self.trial_at = rejection.now.saturating_add(self.trial_pause);
            self.trial_pause = (self.trial_pause * 2).min(MAX_TRIAL_PAUSE);
        }
        if rejection.is_first && rejection.is_again && self.is_testing {
            self.end_test();
            self.limit = self.base;
        }
        match self.verdict {
            Verdict::Quota if !rejection.is_again => self.lower(rejection, passed),
            Verdict::Quota
                if self.period < MINUTE && rejection.now.saturating_sub(since) > self.period =>
            {
                self.lengthen(rejection, passed);
            }
            Verdict::Quota => {}
            Verdict::Undecided | Verdict::Unrelated => {
                let is_unrelated = self.is_unrelated();
                let is_quota = self.evidence.shows_quota(rejection, is_unrelated);
                if is_quota && (rejection.is_trial || !self.at_once.suspect(rejection, self.asked))
                {
                    self.found(passed);
                }
            }
        }
    }

    /// It is a quota, and its limit is what was answered before.
    fn found(&mut self, mut passed: impl FnMut(Duration) -> u64) {
        if self.verdict == Verdict::Unrelated {
            self.evidence.distrust();
        }
        self.verdict = Verdict::Quota;
        self.at_once.reject();
        self.weigh_anew();
        self.period = period(self.asked);
        self.limit = match used_of_minute(self.asked) {
            Some(used) => passed(used).max(1),
            None => passed(self.period).max(1),
        };
        self.slow = None;
        self.found = self.limit;
        // Requests that are still in flight may lower it.
        self.floor = 0;
        self.ceiling = self.limit;
        self.was_tested = false;
        self.step = 1;
    }

    /// No request exceeds the limit any more.
    fn end_test(&mut self) {
        self.is_testing = false;
        self.step = 1;
        self.beyond = 0;
        self.slow = self.base_slow;
    }

    /// The deployment waits until then. Shortly after, the windows have capacity again; until then,
    /// an answer shows nothing about the limit.
    pub(super) fn closed(&mut self, until: Duration) {
        self.test_at = self.test_at.max(until.saturating_add(SETTLED));
    }

    /// Keeps to the limit for a while, the next time four times as long.
    fn pause(&mut self, now: Duration) {
        self.test_at = now.saturating_add(self.pause);
        self.pause = (self.pause * 4).min(MAX_PAUSE);
    }

    fn missed_lately(&self, now: Duration) -> bool {
        let lately = |missed: Duration| now.saturating_sub(missed) <= self.period * 2 + SECOND;
        self.missed_at.is_some_and(lately)
    }

    /// When requests may exceed the limit.
    pub(super) fn test_at(&self) -> Duration {
        self.test_at
    }

    fn weigh_anew(&mut self) {
        self.evidence.weigh_anew();
        self.is_testing = false;
        self.beyond = 0;
    }
}

/// `5 requests in 10 s`.
pub(super) fn requests_in(limit: u64, period: Duration) -> String {
    let plural = if limit == 1 { "" } else { "s" };
    let (limit, seconds) = (grouped(limit), period.as_secs());
    format!("{limit} request{plural} in {seconds} s")
}
