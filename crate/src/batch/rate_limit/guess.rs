//! What refusals teach where nobody told the quota: whether there is one in the way at all, and
//! how many requests it lets pass.
//!
//! A refusal may have another cause than this client's own pace: another client, a gateway, a
//! fault. So it is weighed first:
//!
//! - A quota that is used up refuses everything that comes later. Requests that were sent after a
//!   refused one and passed show that the refusal is *foreign*: it then concerns its own row.
//! - Several refusals and nothing that passes show a *quota*, whose limit is what passed before.
//! - Where too few requests are under way to show either, one is sent in the middle of the wait that
//!   the second refusal asks for: a quota refuses it.
//!
//! A limit found in this way stays a guess. Where it is reached, one request goes beyond it, then
//! two, then four, as long as they pass; after a refusal it is left alone for a while, four
//! times as long each time.

use std::time::Duration;

use super::limits::{Limits, MINUTE, SECOND, TEN_SECONDS};
use crate::text::grouped;

/// Requests that were sent within so short a time may arrive in any order.
const ORDER: Duration = Duration::from_millis(10);
/// So many requests that went alone and were refused, one after the other, met a quota.
const RUN: u64 = 4;
/// So many requests that were under way with a refused one, and were refused too, met a quota.
const TOGETHER: u64 = 3;
/// So much evidence is kept: what came later weighs more.
const MOST_EVIDENCE: u64 = 16;
/// So many later requests that pass show that a refusal was foreign.
const PASSED: u64 = 3;
/// So many answers to one refusal, at the least, where refusals are foreign.
const PASSED_TO_REFUSED: u64 = 3;
/// A guess that was refused lower is at least so much of what it was.
const LOWER: f64 = 0.6;
/// How long a limit is kept to after it has been refused beyond it for the first time.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// How much longer than the service asked the log may hold what it refused.
const SETTLED: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// What refusals are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Undecided,
    /// A quota is used up: the deployment waits, and keeps to the guessed limit.
    Quota,
    /// Something that this client's pace has no part in: the refused row waits, and no other.
    Foreign,
}

/// The limit of a deployment of which nothing is known but its refusals.
#[derive(Debug)]
pub(super) struct Guess {
    verdict: Verdict,
    /// How many requests pass in a period.
    limit: u64,
    period: Duration,
    /// The present refusals leave so much of the limit, at the least and at the most.
    floor: u64,
    ceiling: u64,
    /// The limit before requests went beyond it, and the highest that was refused beyond.
    base: u64,
    highest: u64,
    /// How many requests may still go beyond the limit, and how many at the next trial.
    beyond: u64,
    step: u64,
    is_testing: bool,
    /// The present refusals came of requests beyond the limit.
    was_tested: bool,
    test_at: Duration,
    pause: Duration,
    /// When a request beyond the limit was last refused. Services count such a one too.
    missed_at: Option<Duration>,
    /// From when on a refusal may be doubted again, and for how long not after the next trial.
    trial_at: Duration,
    trial_pause: Duration,
    /// When the first request of the present refusals was sent, and when it was refused.
    episode: Option<(Duration, Duration)>,
    /// The shortest wait that the present refusals asked for.
    asked: Option<Duration>,
    /// Of the requests that were under way with a refused one: how many passed although they
    /// were sent later, and how many were refused too.
    passed: u64,
    refused: u64,
    /// And how many passed that were sent at the same moment, and may have come before it.
    beside: u64,
    /// Requests in a row that went alone and were refused.
    run: u64,
    /// How many passing requests show that a refusal was foreign.
    convincing: u64,
    /// The limit has been told.
    is_told: bool,
}

/// One refusal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) now: Duration,
    /// When the request was sent.
    pub(super) sent: Duration,
    /// The first of those that were under way together.
    pub(super) is_first: bool,
    /// Nothing has passed since the refusals before.
    pub(super) is_again: bool,
    /// It was sent in the middle of a wait.
    pub(super) is_trial: bool,
    /// How long the service asked to wait.
    pub(super) asked: Option<Duration>,
    /// How many requests are still under way.
    pub(super) in_flight: u64,
}

impl Guess {
    pub(super) fn new() -> Self {
        Self {
            verdict: Verdict::Undecided,
            limit: u64::MAX,
            period: SECOND,
            floor: 0,
            ceiling: u64::MAX,
            base: 0,
            highest: 0,
            beyond: 0,
            step: 1,
            is_testing: false,
            was_tested: false,
            test_at: Duration::ZERO,
            pause: FIRST_PAUSE,
            missed_at: None,
            trial_at: Duration::ZERO,
            trial_pause: FIRST_PAUSE,
            episode: None,
            asked: None,
            passed: 0,
            refused: 0,
            beside: 0,
            run: 0,
            convincing: PASSED,
            is_told: false,
        }
    }

    /// The window that the guessed limit is about, and how many requests fit into it.
    pub(super) fn window(&self) -> Option<(Duration, u64)> {
        (self.verdict == Verdict::Quota).then_some((self.period, self.limit))
    }

    /// The same for a minute.
    pub(super) fn limits(&self) -> Limits {
        let in_minute = |(period, limit): (Duration, u64)| {
            limit.saturating_mul(MINUTE.as_secs() / period.as_secs().max(1))
        };
        Limits {
            tokens: None,
            requests: self.window().map(in_minute),
        }
    }

    /// Does a refusal concern no other request than the refused one?
    pub(super) fn is_foreign(&self) -> bool {
        self.verdict == Verdict::Foreign
    }

    /// Would a request in the middle of a wait tell what the refusals are?
    pub(super) fn is_doubtful(&self, now: Duration) -> bool {
        match self.verdict {
            Verdict::Undecided => true,
            // Below the limit nothing should be refused, nor where one more has passed.
            Verdict::Quota => {
                let is_expected = self.is_testing && self.step == 1 || self.missed_lately(now);
                !is_expected && now >= self.trial_at
            }
            Verdict::Foreign => false,
        }
    }

    /// What the user is to know of it, once.
    pub(super) fn take_note(&mut self) -> Option<String> {
        let (period, limit) = self.window().filter(|_| !self.is_told)?;
        self.is_told = true;
        let (limit, seconds) = (grouped(limit), period.as_secs());
        Some(format!(
            "the service refused requests and told no quota: its limit is guessed at {limit} \
             requests in {seconds} s, and more are tried from time to time; a quota that is \
             given is not guessed"
        ))
    }

    /// May requests go beyond the limit now?
    pub(super) fn may_test(&self, now: Duration) -> bool {
        self.verdict == Verdict::Quota && (self.beyond > 0 || now >= self.test_at)
    }

    /// One request goes beyond the limit. Only where `is_quiet` may more of them begin than
    /// were begun: then all that went before have passed, and the limit is higher.
    pub(super) fn test(&mut self, is_quiet: bool) -> bool {
        if self.beyond == 0 {
            if !is_quiet {
                return false;
            }
            if self.is_testing {
                self.limit = self.limit.saturating_add(self.step);
                self.step = self.step.saturating_mul(2);
            }
            // Windows that begin anew let a few more pass by chance, but not as many again.
            if !self.is_testing || self.limit >= self.base.saturating_mul(2) {
                self.base = self.limit;
            }
            self.is_testing = true;
            self.beyond = self.step;
        }
        self.beyond -= 1;
        true
    }

    /// A request passed that was sent at this time. True when it shows that the refusals
    /// are foreign, of which that was not known.
    pub(super) fn answered(&mut self, sent: Duration, is_trial: bool) -> bool {
        self.run = 0;
        if let Some((first, heard)) = self.episode
            && sent + ORDER > first
            && sent <= heard
        {
            let is_later = sent >= first + ORDER;
            self.passed += u64::from(is_later);
            self.beside += u64::from(!is_later);
            self.forget();
        }
        let shows = self.passed >= self.convincing
            && self.passed > self.refused.saturating_mul(PASSED_TO_REFUSED);
        let is_news = self.verdict != Verdict::Foreign && (is_trial || shows);
        if is_news {
            self.verdict = Verdict::Foreign;
            self.weigh_anew();
        }
        is_news
    }

    /// A request was refused. `passed` tells how many passed in the last so many seconds.
    pub(super) fn refused(&mut self, refusal: Refusal, passed: impl FnOnce(Duration) -> u64) {
        if refusal.is_first {
            self.episode = Some((refusal.sent, refusal.now));
            self.asked = refusal.asked;
            self.floor = (self.limit as f64 * LOWER) as u64;
            self.ceiling = self.limit.saturating_sub(1);
        } else {
            self.asked = self.asked.min(refusal.asked);
            self.refused += 1;
            self.forget();
        }
        self.run += u64::from(refusal.is_first && refusal.in_flight == 0);
        if refusal.is_trial {
            self.trial_at = refusal.now.saturating_add(self.trial_pause);
            self.trial_pause = (self.trial_pause * 2).min(LONGEST_PAUSE);
        }
        match self.verdict {
            Verdict::Quota if !refusal.is_again => self.lower(refusal, passed),
            Verdict::Quota => {}
            Verdict::Undecided | Verdict::Foreign if self.shows_quota(refusal) => {
                self.found(passed);
            }
            Verdict::Undecided | Verdict::Foreign => {}
        }
    }

    /// Requests that are still under way may pass: an answer takes longer than a refusal.
    fn shows_quota(&self, refusal: Refusal) -> bool {
        let may_pass = self.passed + self.beside + refusal.in_flight;
        let together = self.refused >= TOGETHER && self.refused + 1 >= may_pass;
        let is_refuted = self.verdict == Verdict::Undecided && refusal.is_trial;
        self.run >= RUN || together || is_refuted
    }

    fn forget(&mut self) {
        if self.passed + self.refused + self.beside > MOST_EVIDENCE {
            for count in [&mut self.passed, &mut self.refused, &mut self.beside] {
                *count /= 2;
            }
        }
    }

    /// It is a quota: what passed before is its limit.
    fn found(&mut self, passed: impl FnOnce(Duration) -> u64) {
        if self.verdict == Verdict::Foreign {
            // It was not foreign after all: the next time that is to be shown better.
            self.convincing = (self.convincing * 2).min(MOST_EVIDENCE / 2);
        }
        self.verdict = Verdict::Quota;
        self.weigh_anew();
        self.period = period(self.asked);
        self.limit = passed(self.period).max(1);
        // Those that are still under way may lower it by as much as they are.
        self.floor = 0;
        self.ceiling = self.limit;
        self.was_tested = false;
        self.step = 1;
    }

    /// The limit is lower, or was refused beyond.
    fn lower(&mut self, refusal: Refusal, passed: impl FnOnce(Duration) -> u64) {
        if refusal.is_first {
            self.was_tested = std::mem::take(&mut self.is_testing);
            self.step = 1;
            self.beyond = 0;
            if self.was_tested {
                let is_known = self.base >= self.highest;
                self.limit = self
                    .limit
                    .min(self.base.saturating_add(u64::from(!is_known)));
                self.highest = self.highest.max(self.limit);
                self.missed_at = Some(refusal.now);
                self.pause(refusal.now);
            }
        }
        if self.was_tested || self.missed_lately(refusal.now) {
            return;
        }
        let period = period(self.asked).min(TEN_SECONDS.max(self.period));
        let is_new = self.floor == 0;
        if is_new && period < self.period || self.period == SECOND && period > self.period {
            self.period = period;
            self.limit = passed(period).max(1);
        } else {
            let passed = passed(self.period).max(self.floor).min(self.ceiling);
            self.limit = self.limit.min(passed).max(1);
        }
    }

    /// The deployment waits until then. A little later the log has room by itself: until that
    /// a request that passes tells nothing of the limit.
    pub(super) fn closed(&mut self, until: Duration) {
        self.test_at = self.test_at.max(until.saturating_add(SETTLED));
    }

    /// For a while nothing goes beyond the limit, the next time four times as long.
    fn pause(&mut self, now: Duration) {
        self.test_at = now.saturating_add(self.pause);
        self.pause = (self.pause * 4).min(LONGEST_PAUSE);
    }

    fn missed_lately(&self, now: Duration) -> bool {
        let lately = |missed: Duration| now.saturating_sub(missed) <= MINUTE + TEN_SECONDS;
        self.missed_at.is_some_and(lately)
    }

    /// When requests may go beyond the limit.
    pub(super) fn test_at(&self) -> Duration {
        self.test_at
    }

    fn weigh_anew(&mut self) {
        self.passed = 0;
        self.refused = 0;
        self.beside = 0;
        self.run = 0;
        self.is_testing = false;
        self.beyond = 0;
    }
}

/// The windows that a service counts in are a second, ten, or a minute long, and it asks to wait
/// for what is left of one.
fn period(asked: Option<Duration>) -> Duration {
    let asked = asked
        .filter(|asked| *asked <= MINUTE)
        .unwrap_or(TEN_SECONDS);
    let fits = |length: &Duration| asked <= *length;
    [SECOND, TEN_SECONDS]
        .into_iter()
        .find(fits)
        .unwrap_or(MINUTE)
}
