//! The questions to the state and its decisions.

use std::time::Duration;

use super::contention::Account;
use super::cost::Cost;

/// Whether a request may be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// Yes, and it is charged.
    Go(Reservation),
    /// Not yet.
    Wait(Wait),
    /// The request is larger than the deployment's whole quota per minute.
    Never { estimate: u64, limit: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) cause: Cause,
    /// When to ask again; `None` means after the next answer.
    pub(super) until: Option<Duration>,
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Tokens of the quota, which has this many per minute.
    Tokens { per_minute: u64 },
    /// Requests of the quota, which has this many per minute.
    Requests { per_minute: u64 },
    /// A guessed limit of so many requests in a period.
    Guess { limit: u64, period: Duration },
    /// The service refused a request, and may have asked for this wait.
    Service { asked: Option<Duration> },
    /// A guessed limit of so many requests at once.
    AtOnce { limit: u64 },
    /// The answer to a request that was sent alone, to learn from it.
    Answer,
}

/// A request in flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reservation {
    pub(super) at: Duration,
    pub(super) cost: Cost,
    pub(super) tokens: u64,
    /// Sent although the service had reported that nothing was left.
    pub(super) against: Against,
    /// It was sent in the middle of a wait, to find out what the rejections are.
    pub(super) is_trial: bool,
    /// How many requests were in flight, including this one.
    pub(super) level: u64,
    /// Our own account at the time of sending.
    pub(super) accounts: Accounts,
}

/// The use of tokens, and of requests over the period that the header covers.
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
    /// Whether the cause is the quota or a rejection by the service.
    pub(super) fn is_quota(self) -> bool {
        !matches!(self, Self::Answer | Self::AtOnce { .. })
    }
}

/// The recorded use of the processes that share a quota.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    /// Time, number of requests, number of tokens.
    pub(super) charges: Vec<(Duration, u64, u64)>,
    pub(super) closed_until: Option<Duration>,
}
