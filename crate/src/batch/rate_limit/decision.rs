//! What the state is asked and what it says.

use std::time::Duration;

use super::contention::Account;
use super::cost::Cost;

/// May the request go?
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// Yes, and it is charged.
    Go(Reservation),
    /// Not yet.
    Wait(Wait),
    /// It is larger than all that the deployment may use in a minute.
    Never { estimate: u64, limit: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) cause: Cause,
    /// When to ask again; `None` is after the next answer.
    pub(super) until: Option<Duration>,
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Tokens of the quota, which has so many a minute.
    Tokens { per_minute: u64 },
    /// Requests of the quota, which has so many a minute.
    Requests { per_minute: u64 },
    /// The limit that is guessed, of so many requests in a period.
    Guess { limit: u64, period: Duration },
    /// The service refused, and asked to wait so long, if it said so.
    Service { asked: Option<Duration> },
    /// The answer to a request that was sent alone, to learn from it.
    Answer,
}

/// A request under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reservation {
    pub(super) at: Duration,
    pub(super) cost: Cost,
    pub(super) tokens: u64,
    /// It went although the service had said that nothing was left.
    pub(super) against: Against,
    /// It went in the middle of a wait, to learn what the refusals are.
    pub(super) is_trial: bool,
    /// Our own account when it went.
    pub(super) accounts: Accounts,
}

/// What was used of tokens, and of requests over the time that the header is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Accounts {
    pub(super) tokens: Account,
    pub(super) requests: Account,
}

/// Which of the service's two counts left no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Against {
    pub(super) tokens: bool,
    pub(super) requests: bool,
}

impl Cause {
    /// Is it the quota, or what the service makes of it?
    pub(super) fn is_quota(self) -> bool {
        self != Self::Answer
    }
}

/// What the processes that share a quota did.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    /// When, how many requests, how many tokens.
    pub(super) charges: Vec<(Duration, u64, u64)>,
    pub(super) closed_until: Option<Duration>,
}
