//! The rate limiter of one deployment, as a state machine without a clock.
//!
//! Every request is charged when it is sent. It may be sent when it fits into each window:
//! tokens over a minute, requests over a minute and over ten seconds (and over one second, once
//! a rejection showed that the service counts that way). Bursts are intended: the service counts
//! in windows, and a batch finishes soonest if each window is filled at its beginning.

mod capacity;
mod feedback;

use std::collections::VecDeque;
use std::time::Duration;

use super::contention::{Account, ContentionMonitor};
use super::cost::{Cost, Estimator};
use super::decision::{Accounts, Against, Cause, Decision, Reservation, Shared, Wait};
use super::guess::Guess;
use super::limits::{Limits, MINUTE, SECOND, ServerLimits, TEN_SECONDS};
use super::window::{Used, Window};
use crate::text::grouped;
use capacity::{Counted, Ready};
use feedback::MAX_WAIT;

/// The time by which requests on the network may overtake one another.
const GUARD: Duration = Duration::from_millis(50);
/// The share of the quota that is restored with each minute without a rejection.
const RECOVERY: f64 = 0.05;
/// After this time without a rejection, the service is assumed to count over ten seconds again.
const FORGIVEN: Duration = Duration::from_secs(600);
/// Others use little of the quota within this time. After a longer lull, one request is sent
/// ahead, to see how much they left.
const LULL: Duration = Duration::from_secs(1);
/// The longest time that requests wait for the answer to the one that was sent ahead.
const AHEAD_AT_MOST: Duration = Duration::from_secs(2);
/// The longest time that requests wait for the answer to one that was sent alone.
const ALONE_AT_MOST: Duration = Duration::from_secs(10);
/// The minimum time between a trial request and the end of the wait.
const TRIAL_AHEAD: Duration = Duration::from_millis(200);

/// The service refused a request: no request may be sent until this time.
#[derive(Clone, Copy, Debug)]
struct Closed {
    until: Duration,
    asked: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct State {
    given: Limits,
    reported: ServerLimits,
    /// Derived from rejections, if nothing better is known.
    guess: Guess,
    estimator: Estimator,

    tokens: Window,
    minute: Window,
    ten_seconds: Window,
    second: Window,
    tokens_ever: Used,
    requests_ever: Used,
    token_watch: ContentionMonitor,
    request_watch: ContentionMonitor,

    in_flight: u64,
    /// The next request is sent alone: its answer shows whether the others may follow.
    alone: bool,
    closed: Option<Closed>,
    refused_at: Option<Duration>,
    rejections_in_a_row: u32,
    /// When the requests were sent that were refused within the last minute.
    refused_lately: VecDeque<Duration>,
    /// When to send one request in the middle of the wait, to find out what the rejections are.
    trial: Option<Duration>,
    /// The time of the last change of `share` or of the last rejection.
    calm_since: Duration,
    share: f64,
    per_second: bool,
    guard: Duration,
    last_sent: Option<Duration>,
    last_answer: Option<Duration>,
    /// When the service last reported the remaining requests.
    heard_requests: Option<Duration>,
    /// When the service last reported the remaining tokens.
    heard_tokens: Option<Duration>,
    /// Whether its last response reported what is left.
    tells: bool,
    /// When the last request was sent ahead of the others.
    ahead: Option<Duration>,
    /// Since when other clients are known to use the quota too.
    contested: Option<Duration>,
    /// The largest certain charge that the service accepted.
    accepted: u64,
    /// The longest wait that it has asked for and that was cut short, until that is noted.
    cut_wait: Option<Duration>,
}

impl State {
    /// The state of a deployment with these limits. If none are known and `ramp` is true, the
    /// first request is sent alone.
    pub(super) fn new(given: Limits, ramp: bool) -> Self {
        Self {
            given,
            reported: ServerLimits::default(),
            guess: Guess::new(),
            estimator: Estimator::new(),
            tokens: Window::new(MINUTE),
            minute: Window::new(MINUTE),
            ten_seconds: Window::new(TEN_SECONDS),
            second: Window::new(SECOND),
            tokens_ever: Used::default(),
            requests_ever: Used::default(),
            token_watch: ContentionMonitor::new(),
            request_watch: ContentionMonitor::new(),
            in_flight: 0,
            alone: ramp && given.is_unknown(),
            closed: None,
            refused_at: None,
            rejections_in_a_row: 0,
            refused_lately: VecDeque::new(),
            trial: None,
            calm_since: Duration::ZERO,
            share: 1.0,
            per_second: false,
            guard: GUARD,
            last_sent: None,
            last_answer: None,
            heard_requests: None,
            heard_tokens: None,
            tells: true,
            ahead: None,
            contested: None,
            accepted: 0,
            cut_wait: None,
        }
    }

    /// Replaces the given limits; what was used and learned stays.
    pub(super) fn give(&mut self, limits: Limits) {
        self.given = limits;
        if !limits.is_unknown() {
            self.skip_ramp();
        }
    }

    /// What the request would be charged.
    pub(super) fn estimate(&self, cost: Cost) -> u64 {
        self.estimator.estimate(cost)
    }

    /// The limits that were given or reported.
    pub(super) fn limits(&self) -> Limits {
        self.known()
    }

    /// What the user should know about the quota; returned once.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        let is_guess = self.guessed_window().is_some();
        let guess = is_guess.then(|| self.guess.take_note()).flatten();
        let cut_wait = self.cut_wait.take().map(|asked| {
            let asked = grouped(asked.as_secs());
            format!(
                "the service asked to wait up to {asked} s; a batch asks again after {} s",
                MAX_WAIT.as_secs()
            )
        });
        guess.into_iter().chain(cut_wait).collect()
    }

    /// How long the service asked to wait, while that lasts. A batch may wait for a shorter time.
    pub(super) fn asked_wait(&self, now: Duration) -> Option<Duration> {
        let closed = self.closed.as_ref().filter(|closed| now < closed.until);
        closed.and_then(|closed| closed.asked)
    }

    /// Whether no request is in flight.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    /// Whether no window contains anything that was sent through it.
    pub(super) fn is_stale(&self, now: Duration) -> bool {
        let last = self.last_sent.max(self.refused_at);
        self.is_idle() && last.is_none_or(|last| now.saturating_sub(last) >= FORGIVEN)
    }

    /// The first request need not be sent alone.
    pub(super) fn skip_ramp(&mut self) {
        self.alone &= self.refused_at.is_some();
    }

    /// Like [`ask`](Self::ask), for a quota that is shared with other processes. Also returns
    /// until when all of them have to wait.
    pub(super) fn ask_shared(
        &mut self,
        now: Duration,
        cost: Cost,
        shared: Shared,
    ) -> (Decision, Option<Duration>) {
        let tokens = shared.charges.iter().map(|(at, _, tokens)| (*at, *tokens));
        let more = self.tokens.replace_own(now, self.guard, tokens);
        self.tokens_ever.add(Used::own(more));
        for window in [&mut self.ten_seconds, &mut self.second, &mut self.minute] {
            let requests = shared
                .charges
                .iter()
                .map(|(at, requests, _)| (*at, *requests));
            let more = window.replace_own(now, self.guard, requests);
            if window.is_of(MINUTE) {
                self.requests_ever.add(Used::own(more));
            }
        }
        let ours = self.closed.map(|closed| closed.until);
        if let Some(until) = shared
            .closed_until
            .filter(|until| ours.is_none_or(|ours| ours < *until))
        {
            self.closed = Some(Closed { until, asked: None });
        }
        (
            self.decide(now, cost),
            self.closed.map(|closed| closed.until),
        )
    }

    /// The whole quota of tokens a minute. A limit from the user takes precedence over one from headers.
    fn whole_tokens(&self) -> Option<u64> {
        self.given.or(self.reported.limits).tokens
    }

    /// By how many tokens the estimated charge of a request exceeds the whole quota, if it does.
    pub(super) fn excess(&self, cost: Cost) -> Option<u64> {
        let excess = self
            .estimator
            .estimate(cost)
            .checked_sub(self.whole_tokens()?)?;
        (excess > 0).then_some(excess)
    }

    /// Charges the request if it may be sent. `now` must not go backwards.
    pub(super) fn decide(&mut self, now: Duration, cost: Cost) -> Decision {
        self.recover(now);
        let tokens = self.estimator.estimate(cost);
        if let Some(limit) = self.whole_tokens().filter(|limit| tokens > *limit) {
            return Decision::Never {
                estimate: tokens,
                limit,
            };
        }
        if let Some(Closed { until, asked }) = self.closed {
            let trial = self.trial.map(|trial| self.trial_at(trial, until));
            let is_over = until.saturating_sub(now) < TRIAL_AHEAD;
            if !is_over && trial.is_some_and(|trial| trial <= now) {
                self.trial = None;
                let charge = self.charge(now, cost, tokens, Against::default());
                return Decision::Go(Reservation {
                    is_trial: true,
                    ..charge
                });
            }
            if now < until {
                let trial = trial.filter(|trial| *trial > now);
                return Decision::Wait(Wait {
                    cause: Cause::Service { asked },
                    until: Some(trial.unwrap_or(until)),
                });
            }
            self.closed = None;
            self.trial = None;
        }
        let answer = |until| {
            Decision::Wait(Wait {
                cause: Cause::Answer,
                until,
            })
        };
        if let Some(until) = self.waits_alone(now) {
            return answer(Some(until));
        }
        if let Some(limit) = self.at_once().filter(|limit| self.in_flight >= *limit) {
            return Decision::Wait(Wait {
                cause: Cause::AtOnce { limit },
                until: None,
            });
        }
        let ours = self.ready(now, tokens, Counted::Own);
        if ours.last() > now {
            return match self.goes_beyond(now) {
                true => Decision::Go(self.charge(now, cost, tokens, Against::default())),
                false => Decision::Wait(self.wait_for(ours, self.until_beyond(now, ours.last()))),
            };
        }
        if let Some(until) = self.waits_for_ahead(now) {
            return answer(Some(until));
        }
        let all = self.ready(now, tokens, Counted::All);
        if all.last() <= now {
            return Decision::Go(self.charge(now, cost, tokens, Against::default()));
        }
        // Only others' use is in the way, and the service may be wrong about that.
        let against = Against {
            tokens: all.tokens > now,
            requests: all.requests > now,
        };
        let tried = self.tried(tokens, against);
        if tried.is_none_or(|tried| now < tried) {
            let tried = tried.unwrap_or(Duration::MAX);
            return Decision::Wait(self.wait_for(all, all.last().min(tried)));
        }
        if self.in_flight > 0 {
            return answer(None);
        }
        Decision::Go(self.charge(now, cost, tokens, against))
    }

    /// When a trial request may be sent that is due from this time on: as soon as none is in flight, at
    /// the latest halfway through the wait.
    fn trial_at(&self, due: Duration, until: Duration) -> Duration {
        let refused = self.refused_at.unwrap_or(due);
        match self.in_flight {
            0 => due,
            _ if self.guess.suspects_at_once() => until,
            _ => due.max(refused + until.saturating_sub(refused) / 2),
        }
    }

    /// How many requests may be in flight, if that is known from rejections.
    fn at_once(&self) -> Option<u64> {
        self.guess.at_once().filter(|_| self.known().is_unknown())
    }

    /// Whether other clients use the quota too.
    fn is_contested(&mut self, now: Duration) -> bool {
        let guard = self.guard;
        self.minute.used(now, guard).others > 0 || self.tokens.used(now, guard).others > 0
    }

    /// Until when to wait for the answer to a request that was sent alone. If it takes longer, another
    /// one is sent alone: a single prompt without an end must not stop all others.
    fn waits_alone(&self, now: Duration) -> Option<Duration> {
        let sent = self
            .last_sent
            .filter(|_| self.alone && self.in_flight > 0)?;
        let until = sent.saturating_add(ALONE_AT_MOST);
        (now < until).then_some(until)
    }

    /// Until when to wait for the answer to the request that was sent ahead.
    fn waits_for_ahead(&self, now: Duration) -> Option<Duration> {
        let ahead = self.ahead.filter(|_| self.in_flight > 0)?;
        let answered = self.last_answer.is_some_and(|answer| answer >= ahead);
        let until = ahead.saturating_add(AHEAD_AT_MOST);
        (!answered && now < until).then_some(until)
    }

    /// Whether nothing was sent or answered for a while and the next response will report what
    /// is left, so that the next request is sent ahead of the others.
    fn goes_ahead(&self, now: Duration) -> bool {
        let fresh = |at: Duration| now.saturating_sub(at) < LULL;
        let ahead = self.ahead.map(|ahead| ahead.saturating_add(AHEAD_AT_MOST));
        let last = self.last_sent.max(self.last_answer).max(ahead);
        let is_lull = !last.is_some_and(fresh);
        is_lull && self.tells && !self.kept().is_unknown()
    }

    /// Whether the request may be sent although the guessed limit, which may be too low, is reached.
    fn goes_beyond(&mut self, now: Duration) -> bool {
        if self.guessed_window().is_none() {
            return false;
        }
        if self.guess.take_owed() {
            return true;
        }
        let in_minute = self.guess.limits().requests.unwrap_or(u64::MAX);
        let is_minute_full = self.minute.used(now, self.guard).own >= in_minute;
        self.guess.may_test(now, is_minute_full) && self.guess.test(self.in_flight == 0)
    }

    /// When there is room, or when requests may exceed the guessed limit, whichever is earlier.
    fn until_beyond(&self, now: Duration, room: Duration) -> Duration {
        let test_at = self.guess.test_at();
        match self.guessed_window() {
            Some(_) if test_at > now => room.min(test_at),
            _ => room,
        }
    }

    fn wait_for(&self, ready: Ready, until: Duration) -> Wait {
        let kept = self.kept();
        let cause = if let Some((period, limit)) = self.guessed_window() {
            Cause::Guess { limit, period }
        } else if ready.tokens > ready.requests {
            Cause::Tokens {
                per_minute: kept.tokens.unwrap_or_default(),
            }
        } else {
            Cause::Requests {
                per_minute: kept.requests.unwrap_or_default(),
            }
        };
        Wait {
            cause,
            until: Some(until),
        }
    }

    /// When to test a report of the service that nothing is left, if there is one.
    fn tried(&self, tokens: u64, against: Against) -> Option<Duration> {
        let claims = (!against.tokens || self.token_watch.is_spent(tokens))
            && (!against.requests || self.request_watch.is_spent(1));
        let of_tokens = against.tokens.then(|| self.token_watch.patience());
        let of_requests = against.requests.then(|| self.request_watch.patience());
        let patience = of_tokens
            .into_iter()
            .chain(of_requests)
            .max()
            .unwrap_or_default();
        let since = self.last_answer.unwrap_or_default();
        claims.then(|| since.saturating_add(patience))
    }

    fn charge(&mut self, at: Duration, cost: Cost, tokens: u64, against: Against) -> Reservation {
        if self.goes_ahead(at) {
            self.ahead = Some(at);
        }
        self.last_sent = Some(at);
        self.in_flight += 1;
        self.add_tokens(at, Used::own(tokens));
        self.add_request(at);
        Reservation {
            at,
            cost,
            tokens,
            against,
            is_trial: self.guess.suspects_at_once(),
            level: self.in_flight,
            accounts: self.accounts(at),
        }
    }

    fn accounts(&mut self, now: Duration) -> Accounts {
        let guard = self.guard;
        let counted = match self.reported.period {
            Some(TEN_SECONDS) => &mut self.ten_seconds,
            _ => &mut self.minute,
        };
        Accounts {
            tokens: Account {
                window: self.tokens.used(now, guard),
                ever: self.tokens_ever,
            },
            requests: Account {
                window: counted.used(now, guard),
                ever: self.requests_ever,
            },
        }
    }

    fn add_tokens(&mut self, now: Duration, used: Used) {
        self.tokens.add(now, used);
        self.tokens_ever.add(used);
    }

    fn add_request(&mut self, now: Duration) {
        let used = Used::own(1);
        for window in [&mut self.minute, &mut self.ten_seconds, &mut self.second] {
            window.add(now, used);
        }
        self.requests_ever.add(used);
    }

    /// Adds this many requests by others, sent within this time, if that is known.
    fn add_others_requests(&mut self, now: Duration, others: u64, within: Option<Duration>) {
        // If the time is not known, they stay in the window as long as possible.
        self.minute
            .add_others(now, others, within.unwrap_or_default());
        let within = within.unwrap_or(MINUTE);
        for window in [&mut self.ten_seconds, &mut self.second] {
            window.add(now, Used::others(window.part_of(others, within)));
        }
        self.requests_ever.add(Used::others(others));
    }

    /// Restores, over time without rejections, the share that they took.
    fn recover(&mut self, now: Duration) {
        while now.saturating_sub(self.calm_since) >= MINUTE && self.share < 1.0 {
            self.share = (self.share + RECOVERY).min(1.0);
            self.calm_since += MINUTE;
        }
        let forgiven = |refused: Duration| now.saturating_sub(refused) >= FORGIVEN;
        if self.per_second && self.refused_at.is_none_or(forgiven) {
            self.per_second = false;
            self.guard = GUARD;
        }
    }
}

#[cfg(test)]
mod tests;
