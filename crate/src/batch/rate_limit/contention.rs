//! Detects other clients' use of the same quota from the response headers, and judges whether
//! the headers can be trusted.

use std::time::Duration;

use super::limits::MINUTE;
use super::window::Used;

/// How long to wait at first before testing a report that nothing is left.
const FIRST_PATIENCE: Duration = Duration::from_millis(500);
/// After this many wrong reports in a row, the service's reports are ignored.
const MAX_STRIKES: u32 = 2;

/// Follows one `x-ratelimit-remaining` header.
#[derive(Debug)]
pub(super) struct ContentionMonitor {
    /// Our account when none of our requests was last in flight.
    last: Option<QuietPeriod>,
    /// The smallest remainder since then: responses arrive in any order.
    least_left: Option<u64>,
    /// The largest remainder since then.
    most_left: Option<u64>,
    /// The remainder in the last response.
    heard: Option<u64>,
    /// By the service's report, the last accepted request left no room for another one.
    was_spent: bool,
    strikes: u32,
    patience: Duration,
    believed: bool,
    /// The last reported remainder, of which some may still be used.
    reported: Option<Reported>,
}

#[derive(Clone, Copy, Debug)]
struct Reported {
    left: u64,
    at: Duration,
    /// `own_ever` once everything that `left` includes or may include was sent.
    own_ever: u64,
    /// When the window restarts.
    until: Duration,
}

#[derive(Clone, Copy, Debug)]
struct QuietPeriod {
    left: u64,
    /// The largest possible remainder at the end: more than `left` if the window restarted.
    most: u64,
    window: Used,
    ever: Used,
}

/// Our own account of the use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Account {
    /// The use in the header's window.
    pub(super) window: Used,
    /// The use since the start.
    pub(super) ever: Used,
}

/// The remainder reported in a response, with our own account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    pub(super) limit: u64,
    pub(super) left: u64,
    /// Everything that the service may have counted.
    pub(super) account: Account,
    /// The use that is certainly still in the window now.
    pub(super) remains: Used,
    /// Whether no other request of ours is in flight.
    pub(super) quiet: bool,
    /// The possible error of our own account.
    pub(super) slack: u64,
}

impl Account {
    /// Everything that the service may have counted when it received a request: `self` is the
    /// account when the request was sent, `now` the one when its response arrived.
    pub(super) fn until(self, now: Self) -> Self {
        let mut window = self.window;
        window.add(now.ever.since(self.ever));
        Self { window, ..now }
    }
}

impl ContentionMonitor {
    pub(super) fn new() -> Self {
        Self {
            last: None,
            least_left: None,
            most_left: None,
            heard: None,
            was_spent: false,
            strikes: 0,
            patience: FIRST_PATIENCE,
            believed: true,
            reported: None,
        }
    }

    /// Records the remainder of all clients together until the window restarts. In a fixed
    /// window it can only decrease, whatever expires from our own account.
    pub(super) fn observe(
        &mut self,
        now: Duration,
        left: u64,
        reset: Option<Duration>,
        in_flight: u64,
        account: Account,
    ) {
        self.heard = Some(left);
        let sane = reset.filter(|reset| !reset.is_zero() && *reset <= MINUTE);
        self.reported = sane.map(|reset| Reported {
            left: left.saturating_sub(in_flight),
            at: now,
            own_ever: account.ever.own,
            until: now.saturating_add(reset),
        });
    }

    /// When `more` may be used according to the reported remainder, minus what others have
    /// probably used of it since.
    pub(super) fn ready(
        &self,
        now: Duration,
        more: u64,
        own_ever: u64,
        others_a_minute: u64,
        guard: Duration,
    ) -> Duration {
        let Some(reported) = self
            .reported
            .filter(|reported| self.believed && now < reported.until + guard)
        else {
            return now;
        };
        let age = now.saturating_sub(reported.at).as_secs_f64();
        let others = (others_a_minute as f64 * (age + 1.0) / 60.0).ceil() as u64;
        let own = own_ever.saturating_sub(reported.own_ever);
        if own.saturating_add(others).saturating_add(more) <= reported.left {
            now
        } else {
            reported.until + guard
        }
    }

    /// The least that others must have used without our knowledge: what the service counts and
    /// we do not. Our requests in flight may or may not be in its count; they are assumed to be.
    pub(super) fn unseen(&mut self, look: Observation) -> u64 {
        let Observation {
            limit,
            left,
            account,
            remains,
            quiet,
            slack,
        } = look;
        if !self.believed || left > limit {
            return 0;
        }
        let least = self.least_left.map_or(left, |least| least.min(left));
        self.least_left = Some(least);
        let most = self.most_left.map_or(left, |most| most.max(left));
        self.most_left = Some(most);
        let by_level = (limit - left).saturating_sub(account.window.all());
        // The remainders differ by more than everything that was used, so the window restarted
        // between two responses, and the difference is not a count.
        let before = self.last.map_or(Used::default(), |last| last.ever);
        let used = account.ever.since(before).all();
        let is_apart = most - least >= used.saturating_add(slack);
        let by_change = self.last.map_or(0, |last| {
            // Estimates are not counts.
            let counted = if quiet && slack == 0 { used } else { 0 };
            // More came back than can have expired from a sliding window: it has restarted.
            let gone = (last.window.all().saturating_add(used)).saturating_sub(remains.all());
            let most = last
                .most
                .saturating_add(gone)
                .saturating_add(remains.others);
            let is_anew = least.saturating_add(counted) > most.saturating_add(slack);
            let before = if is_anew && !is_apart {
                limit
            } else {
                last.left
            };
            before.saturating_sub(least).saturating_sub(used)
        });
        let unseen = by_level.max(by_change);
        let unseen = if unseen > slack { unseen } else { 0 };
        if quiet {
            let Account {
                mut window,
                mut ever,
            } = account;
            window.add(Used::others(unseen));
            ever.add(Used::others(unseen));
            self.last = Some(QuietPeriod {
                left: least,
                most: if is_apart { most } else { left },
                window,
                ever,
            });
            self.least_left = None;
            self.most_left = None;
        }
        unseen
    }

    /// Whether, by the service's report, there is no room for `more`.
    pub(super) fn is_spent(&self, more: u64) -> bool {
        self.heard.is_some_and(|left| left < more)
    }

    /// A request was refused or failed, so it is not known whether the service counted it.
    pub(super) fn lost_count(&mut self) {
        self.last = None;
        self.least_left = None;
        self.most_left = None;
    }

    /// How long to wait before testing a report that nothing is left.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Records that a request of this size was accepted, with this remainder. After a report of
    /// no room, no request can be accepted until some of our use expires from the window. If one
    /// is, the report was wrong, and after several such reports the service is no longer trusted.
    /// Returns whether trust was lost just now.
    pub(super) fn passed(&mut self, size: u64, left: u64, account: Account) -> bool {
        let spent = left < size;
        let impossible = spent && self.was_spent && account.ever.own == account.window.own;
        self.was_spent = spent;
        self.strikes = if impossible { self.strikes + 1 } else { 0 };
        let lost = self.believed && self.strikes >= MAX_STRIKES;
        self.believed &= !lost;
        lost
    }

    /// A request that tested the report was accepted.
    pub(super) fn proved_wrong(&mut self) {
        self.patience /= 2;
    }

    /// A request that tested the report was refused: from now on the reports are trusted.
    pub(super) fn proved_right(&mut self) {
        self.believed = true;
        self.patience = MINUTE;
    }
}
