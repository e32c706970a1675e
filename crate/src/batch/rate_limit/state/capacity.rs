//! When the windows have room for one more request, and what is kept free for others.

use std::time::Duration;

use super::State;
use crate::batch::rate_limit::limits::{Limits, MINUTE, SECOND, TEN_SECONDS};
use crate::batch::rate_limit::window::Used;

/// For how many seconds in advance others' use is kept free.
const AHEAD: u64 = 2;

/// The times at which the windows have room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub(super) tokens: Duration,
    pub(super) requests: Duration,
}

impl Ready {
    pub(super) fn last(self) -> Duration {
        self.tokens.max(self.requests)
    }
}

/// Whose use counts against the limits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counted {
    Own,
    All,
}

/// Room in the windows that is kept free.
#[derive(Clone, Copy, Debug, Default)]
struct Reserve {
    tokens: u64,
    minute: u64,
    ten_seconds: u64,
}

impl State {
    /// The known limits.
    pub(super) fn known(&self) -> Limits {
        self.given.lower(self.reported.limits).completed()
    }

    /// The limits for our own use.
    pub(super) fn kept(&self) -> Limits {
        let known = self.known();
        if known.is_unknown() {
            self.guess.limits()
        } else {
            known.scaled(self.share)
        }
    }

    /// The limits for all clients together, of which a given quota may be a part.
    fn whole(&self) -> Limits {
        let reported = self.reported.limits.completed().scaled(self.share);
        let kept = self.kept();
        Limits {
            tokens: reported.tokens.or(kept.tokens),
            requests: reported.requests.or(kept.requests),
        }
    }

    /// The guessed limit, where none is known.
    pub(super) fn guessed_window(&self) -> Option<(Duration, u64)> {
        self.guess.window().filter(|_| self.known().is_unknown())
    }

    /// When the windows have room for one more request.
    pub(super) fn ready(&mut self, now: Duration, tokens: u64, counted: Counted) -> Ready {
        let guard = self.guard;
        if let Some((period, limit)) = self.guessed_window() {
            let window = match period {
                SECOND => &mut self.second,
                TEN_SECONDS => &mut self.ten_seconds,
                _ => &mut self.minute,
            };
            let requests = window.ready(now, guard, 1, limit, |used| used.own);
            // Services count refused requests too, in the minute that they count as well.
            let in_minute = self.guess.limits().requests.unwrap_or(u64::MAX);
            let own = |used: Used| used.own;
            let minute = self.minute.ready(now, guard, 1, in_minute, own);
            return Ready {
                tokens: now,
                requests: requests.max(minute),
            };
        }
        let (limits, reserve) = match counted {
            Counted::Own => (self.kept(), Reserve::default()),
            Counted::All => (self.whole(), self.reserve(now)),
        };
        let count = match counted {
            Counted::Own => |used: Used| used.own,
            Counted::All => Used::all,
        };
        let mut ready = match counted {
            Counted::Own => Ready {
                tokens: now,
                requests: now,
            },
            Counted::All => self.ready_by_word(now, tokens),
        };
        if let Some(limit) = limits.tokens {
            let limit = limit.saturating_sub(reserve.tokens);
            let room = self.tokens.ready(now, guard, tokens, limit, count);
            ready.tokens = ready.tokens.max(room);
        }
        let ten_seconds = limits.requests_in(TEN_SECONDS);
        let second = limits.requests_in(SECOND).filter(|_| self.per_second);
        let windows = [
            (&mut self.minute, limits.requests, reserve.minute),
            (&mut self.ten_seconds, ten_seconds, reserve.ten_seconds),
            (&mut self.second, second, 0),
        ];
        for (window, limit, reserve) in windows {
            if let Some(limit) = limit {
                let limit = limit.saturating_sub(reserve).max(1);
                let room = window.ready(now, guard, 1, limit, count);
                ready.requests = ready.requests.max(room);
            }
        }
        ready
    }

    /// When there is room according to the service's reports, if others use the quota too.
    fn ready_by_word(&mut self, now: Duration, tokens: u64) -> Ready {
        let guard = self.guard;
        let others = self.tokens.used(now, guard).others;
        let of_tokens = match others {
            0 => now,
            _ => self
                .token_watch
                .ready(now, tokens, self.tokens_ever.own, others, guard),
        };
        let others = self.minute.used(now, guard).others;
        let of_requests = match others {
            0 => now,
            _ => self
                .request_watch
                .ready(now, 1, self.requests_ever.own, others, guard),
        };
        Ready {
            tokens: of_tokens,
            requests: of_requests,
        }
    }

    /// What is kept free for other clients that were detected in the last minute.
    fn reserve(&mut self, now: Duration) -> Reserve {
        let tokens = self.tokens.used(now, self.guard).others;
        let minute = self.minute.used(now, self.guard).others;
        let ten_seconds = self.ten_seconds.used(now, self.guard).others;
        Reserve {
            tokens: tokens.saturating_mul(AHEAD) / MINUTE.as_secs(),
            minute: minute.saturating_mul(AHEAD).div_ceil(MINUTE.as_secs()),
            ten_seconds: self
                .share_of_others(now, minute)
                .saturating_sub(ten_seconds),
        }
    }

    /// How many requests others may send in ten seconds, given those of the last minute.
    fn share_of_others(&mut self, now: Duration, minute: u64) -> u64 {
        let tokens = self.tokens.used(now, self.guard);
        let own = self.minute.used(now, self.guard).own;
        // A count over ten seconds shows few of them, but their tokens are visible for a minute.
        let by_tokens = tokens.others.saturating_mul(own) / tokens.own.max(1);
        let spent = self.token_watch.is_spent(tokens.own / own.max(1));
        let seen = minute.max(if spent { 0 } else { by_tokens });
        if seen == 0 {
            return 0;
        }
        let mean = minute.div_ceil(6);
        // An interval of ten seconds may hold one more than the mean, and the mean of a client
        // that has just been detected is not known.
        let guess = match self.contested {
            Some(since) if now.saturating_sub(since) >= MINUTE => seen.saturating_add(3) / 6 + 1,
            _ => seen.saturating_add(1).saturating_mul(3),
        };
        let whole = self.whole().requests_in(TEN_SECONDS).unwrap_or(u64::MAX);
        mean.max(guess.min(whole.div_ceil(2)))
    }
}
