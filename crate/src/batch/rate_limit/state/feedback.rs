//! Updates the state from answers and rejections.

use std::time::Duration;

use super::{Closed, State};
use crate::batch::rate_limit::contention::Observation;
use crate::batch::rate_limit::decision::{Accounts, Against, Reservation};
use crate::batch::rate_limit::guess::Rejection;
use crate::batch::rate_limit::limits::{MINUTE, Own, SECOND, TEN_SECONDS};
use crate::batch::rate_limit::window::Used;
use crate::openai::{RateLimits, Usage};

const MAX_GUARD: Duration = Duration::from_millis(400);
/// The longest wait that a service may ask for; after that time, it is asked again.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(60);
/// Shorter waits may be rounded up: a request in the middle of one shows nothing.
const MIN_TRIED: Duration = Duration::from_millis(500);
/// The factor by which an unexpected rejection reduces the share of the quota that is used.
const SLOWER: f64 = 0.6;
const SLOWEST: f64 = 0.2;

impl State {
    /// The service answered the request.
    pub(in crate::batch::rate_limit) fn answered(
        &mut self,
        now: Duration,
        charge: Reservation,
        rate_limits: &RateLimits,
        usage: Option<&Usage>,
    ) {
        if let Some(usage) = usage {
            self.estimator.learn(charge.cost, usage);
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        self.last_answer = Some(now);
        let surely = charge.cost.answers().max(charge.tokens / 2);
        self.accepted = self.accepted.max(surely);
        self.hear(now, charge, rate_limits);
        self.judge(now, charge, rate_limits);
        if self.refused_at.is_none_or(|refused| charge.at > refused) {
            self.alone = false;
            self.rejections_in_a_row = 0;
        }
        if self.guess.is_unrelated() {
            // Others are answered between the rejections: a refused row need not wait for longer.
            self.rejections_in_a_row = 0;
        }
        if self.guess.answered(now, charge, self.in_flight + 1) && self.known().is_unknown() {
            // The rejections have another cause, so the other rows need not wait.
            self.alone = false;
            self.closed = None;
            self.trial = None;
        }
    }

    /// The common part of failures and rejections.
    fn unanswered(&mut self, now: Duration, charge: Reservation, rate_limits: &RateLimits) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.last_answer = Some(now);
        self.hear(now, charge, rate_limits);
        self.lost_count();
    }

    /// The request failed for a reason other than the quota.
    pub(in crate::batch::rate_limit) fn failed(
        &mut self,
        now: Duration,
        charge: Reservation,
        rate_limits: &RateLimits,
    ) {
        self.unanswered(now, charge, rate_limits);
        // Without a rejection, only the very first request is sent alone.
        self.alone &= self.refused_at.is_some();
    }

    /// The caller no longer waits for the answer; the charge stays.
    pub(in crate::batch::rate_limit) fn dropped(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// An accepted request may show that the service's report of what is left was wrong.
    fn judge(&mut self, now: Duration, charge: Reservation, rate_limits: &RateLimits) {
        let Accounts { tokens, requests } = self.accounts(now);
        if charge.against.tokens {
            self.token_watch.proved_wrong();
        }
        if charge.against.requests {
            self.request_watch.proved_wrong();
        }
        let left = rate_limits.remaining_tokens.unwrap_or(u64::MAX);
        if self.token_watch.passed(charge.cost.answers(), left, tokens) {
            self.tokens.forget_others();
        }
        let left = rate_limits.remaining_requests.unwrap_or(u64::MAX);
        if self.request_watch.passed(1, left, requests) {
            for window in [&mut self.minute, &mut self.ten_seconds, &mut self.second] {
                window.forget_others();
            }
        }
    }

    /// After a 429. All requests to the deployment wait, and then one is sent alone; but if the rejections
    /// are unrelated, only the refused row waits. Returns how long that row waits.
    pub(in crate::batch::rate_limit) fn refused(
        &mut self,
        now: Duration,
        charge: Reservation,
        rate_limits: &RateLimits,
    ) -> Duration {
        self.unanswered(now, charge, rate_limits);
        let asked = asked_wait(rate_limits);
        let is_first = self.refused_at.is_none_or(|refused| charge.at > refused);
        let refused_before = self.refused_at;
        if is_first {
            self.react(now, charge);
        }
        let is_unknown = self.known().is_unknown();
        let lately = refused_before.is_some_and(|before| now.saturating_sub(before) < MINUTE);
        let is_at_an_edge = is_unknown && self.is_at_an_edge(asked);
        if is_at_an_edge {
            self.guard = match is_first {
                true => (self.guard * 2).min(MAX_GUARD),
                false => self.guard,
            };
        } else if is_unknown {
            self.guess(now, charge, asked, is_first);
        }
        // After waits that nobody asked for, each request that was sent alone was a trial.
        let is_tried = asked.is_none() && self.rejections_in_a_row > 2;
        let is_doubtful = (lately || self.guess.is_far_below())
            && is_unknown
            && !is_at_an_edge
            && !is_tried
            && self.guess.is_doubtful();
        let wait = match asked {
            Some(asked) => self.cut(asked),
            None => backoff(self.rejections_in_a_row),
        };
        if is_unknown && self.guess.is_unrelated() {
            self.alone = false;
            return wait;
        }
        let until = now.saturating_add(wait + self.guard);
        let later = self.closed.is_none_or(|closed| closed.until < until);
        if later {
            self.closed = Some(Closed { until, asked });
            self.guess.closed(until);
        }
        let tells = wait >= MIN_TRIED;
        let is_ambiguous = is_unknown && !is_first && self.guess.is_ambiguous();
        if is_ambiguous && tells && self.trial.is_none() {
            // A trial tells at once; else the next window would show the same.
            self.trial = Some(now);
        }
        if is_first {
            // A quota refuses a trial at any time. The row itself waits for half the time, in case
            // that there is no other row for the trial.
            let pause = match charge.is_trial {
                true => wait / 2,
                false => Duration::ZERO,
            };
            self.trial = (is_doubtful && tells).then(|| now.saturating_add(pause));
        }
        match self.trial.filter(|_| is_first) {
            Some(_) => wait / 2,
            None => wait,
        }
    }

    /// The wait that the service asks for, up to [`MAX_WAIT`]. One that is longer is noted.
    fn cut(&mut self, asked: Duration) -> Duration {
        if asked > MAX_WAIT {
            self.cut_wait = self.cut_wait.max(Some(asked));
        }
        asked.min(MAX_WAIT)
    }

    /// Handles the first rejection among requests that were in flight together.
    fn react(&mut self, now: Duration, charge: Reservation) {
        let lately = |refused: Duration| now.saturating_sub(refused) < MINUTE;
        let is_rare = !self.refused_at.is_some_and(lately);
        self.refused_at = Some(now);
        self.rejections_in_a_row += 1;
        self.calm_since = now;
        self.alone = true;
        if charge.against.tokens {
            self.token_watch.proved_right();
        }
        if charge.against.requests {
            self.request_watch.proved_right();
        }
        let is_explained = charge.against != Against::default();
        if self.known().is_unknown() || is_explained || is_rare && self.is_contested(now) {
            return;
        }
        if !self.per_second && self.minute.used(now, self.guard).others == 0 {
            self.per_second = true;
            self.guard = (self.guard * 2).min(MAX_GUARD);
        } else {
            self.share = (self.share * SLOWER).max(SLOWEST);
        }
    }

    /// Whether a request within the guessed limit was refused just before a window of the service
    /// ended: it has overtaken earlier ones on the network, so that more time between the windows is
    /// needed, and not a lower limit.
    fn is_at_an_edge(&self, asked: Option<Duration>) -> bool {
        let is_long = |(period, _): (Duration, u64)| period > SECOND;
        self.guessed_window().is_some_and(is_long)
            && !self.guess.is_testing()
            && asked.is_some_and(|asked| asked <= SECOND)
            && self.guard < MAX_GUARD
    }

    /// Learns from a rejection about a quota that is not known.
    fn guess(
        &mut self,
        now: Duration,
        charge: Reservation,
        asked: Option<Duration>,
        is_first: bool,
    ) {
        let guard = self.guard;
        let is_within =
            |sent: &Duration, period: Duration| now.saturating_sub(*sent) < period + guard;
        self.refused_lately.push_back(charge.at);
        self.refused_lately.retain(|sent| is_within(sent, MINUTE));
        let rejection = Rejection {
            now,
            sent: charge.at,
            level: charge.level,
            is_first,
            is_again: self.rejections_in_a_row > 1,
            is_trial: charge.is_trial,
            asked,
            in_flight: self.in_flight,
            in_minute: self.refused_lately.len() as u64,
        };
        let refused_lately = &self.refused_lately;
        let mut windows = [&mut self.second, &mut self.ten_seconds, &mut self.minute];
        self.guess.refused(rejection, |period| {
            let window = windows.iter_mut().find(|window| window.covers(period));
            let used = window.map_or(0, |window| window.own_since(now, guard, period));
            // Refused requests are charged too.
            let refused = refused_lately.iter();
            let refused = refused.filter(|sent| is_within(sent, period)).count() as u64;
            used.saturating_sub(refused)
        });
    }

    fn lost_count(&mut self) {
        self.token_watch.lost_count();
        self.request_watch.lost_count();
    }

    fn hear(&mut self, now: Duration, charge: Reservation, rate_limits: &RateLimits) {
        let guard = self.guard;
        let tokens = self.tokens.used(now, guard);
        let minute = self.minute.used(now, guard);
        let ten_seconds = self.ten_seconds.used(now, guard);
        let counted = ten_seconds.own.saturating_sub(self.in_flight);
        let own = Own {
            tokens: tokens.own,
            requests: minute.own,
            counted,
            passed: if self.refused_at.is_none() {
                counted
            } else {
                0
            },
            accepted: self.accepted,
        };
        self.reported.hear(rate_limits, own, self.given);
        self.tells = rate_limits
            .remaining_requests
            .or(rate_limits.remaining_tokens)
            .is_some();
        let whole = self.reported.limits.or(self.known());
        let accounts = self.accounts(now);
        let tokens = charge.accounts.tokens.until(accounts.tokens);
        let requests = charge.accounts.requests.until(accounts.requests);
        let quiet = self.in_flight == 0;
        if let (Some(limit), Some(left)) = (whole.tokens, rate_limits.remaining_tokens) {
            // Our own charges are estimates: a small difference is not others' use.
            let slack = tokens.window.own / 10 + 16;
            let others = self.token_watch.unseen(Observation {
                limit,
                left,
                account: tokens,
                remains: accounts.tokens.window,
                quiet,
                slack,
            });
            if others > 0 {
                let within = within(now, self.heard_tokens, rate_limits.reset_tokens);
                self.tokens
                    .add_others(now, others, within.unwrap_or_default());
                self.tokens_ever.add(Used::others(others));
            }
            self.heard_tokens = Some(now);
            let mean = tokens.window.own / minute.own.max(1);
            let in_flight = self.in_flight.saturating_mul(mean);
            self.token_watch
                .observe(now, left, rate_limits.reset_tokens, in_flight, tokens);
        }
        let limit = match self.reported.period {
            Some(TEN_SECONDS) => whole.requests_in(TEN_SECONDS),
            _ => whole.requests,
        };
        if let (Some(limit), Some(left)) = (limit, rate_limits.remaining_requests) {
            let others = self.request_watch.unseen(Observation {
                limit,
                left,
                account: requests,
                remains: accounts.requests.window,
                quiet,
                slack: 0,
            });
            if others > 0 {
                let within = within(now, self.heard_requests, rate_limits.reset_requests);
                self.add_others_requests(now, others, within);
            }
            self.heard_requests = Some(now);
            let in_flight = self.in_flight;

            self.request_watch
                .observe(now, left, rate_limits.reset_requests, in_flight, requests);
        }
        let is_contested = self.is_contested(now);
        self.contested = self.contested.or(Some(now)).filter(|_| is_contested);
    }
}

/// The time within which others used what is detected only now, if known.
fn within(now: Duration, heard: Option<Duration>, reset: Option<Duration>) -> Option<Duration> {
    let since = heard.map(|heard| now.saturating_sub(heard));
    let opened = reset
        .filter(|reset| !reset.is_zero())
        .and_then(|reset| MINUTE.checked_sub(reset));
    since.or(opened).map(|within| within.min(MINUTE))
}

/// How long the service asked to wait, or else the time until its counts restart.
fn asked_wait(rate_limits: &RateLimits) -> Option<Duration> {
    let spent = |left: Option<u64>, reset: Option<Duration>| {
        reset.filter(|_| left.is_none_or(|left| left == 0))
    };
    let reset = [
        spent(rate_limits.remaining_tokens, rate_limits.reset_tokens),
        spent(rate_limits.remaining_requests, rate_limits.reset_requests),
    ];
    let reset = reset.into_iter().flatten().max();
    rate_limits
        .retry_after
        .into_iter()
        .chain(reset)
        .find(|wait| !wait.is_zero())
}

/// 1, 2, 4, 8.. seconds.
fn backoff(rejections_in_a_row: u32) -> Duration {
    let doubled = 1_u64 << rejections_in_a_row.saturating_sub(1).min(6);
    Duration::from_secs(doubled).min(MAX_WAIT)
}
