//! What other clients take of the same quota, as far as the headers show it, and how far
//! these are to be believed.

use std::time::Duration;

use super::limits::MINUTE;
use super::window::Used;

/// How long a claim that nothing is left is taken at its word before it is tried.
const FIRST_PATIENCE: Duration = Duration::from_millis(500);
/// So many claims that proved wrong in a row, and the service is not believed any more.
const MOST_STRIKES: u32 = 2;

/// Follows one `x-ratelimit-remaining` header.
#[derive(Debug)]
pub(super) struct ContentionMonitor {
    /// Our account when last no request of ours was under way.
    last: Option<Quiet>,
    /// The least that was left since then: answers come in any order.
    least_left: Option<u64>,
    /// The most.
    most_left: Option<u64>,
    /// What was left by the last answer.
    heard: Option<u64>,
    /// The last request that passed left no room for another one, the service said.
    was_spent: bool,
    strikes: u32,
    patience: Duration,
    believed: bool,
    /// What may still be used of what the service said is left.
    said: Option<Said>,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    left: u64,
    at: Duration,
    /// `own_ever` when all that was counted in `left` or might have been was sent.
    own_ever: u64,
    /// When the window begins anew.
    until: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Quiet {
    left: u64,
    /// What may have been left at the end: more than `left` if the window began anew meanwhile.
    most: u64,
    window: Used,
    ever: Used,
}

/// Our own account of what was used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Account {
    /// In the window of the header.
    pub(super) window: Used,
    /// Since the beginning.
    pub(super) ever: Used,
}

/// What an answer says is left, beside our own account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    pub(super) limit: u64,
    pub(super) left: u64,
    /// All that the service may have counted.
    pub(super) account: Account,
    /// What is still in the window now, in any case.
    pub(super) remains: Used,
    /// Nothing else of ours is under way.
    pub(super) quiet: bool,
    /// By how much our own account may be wrong.
    pub(super) slack: u64,
}

impl Account {
    /// All that the service may have counted when it received a request: this was the account
    /// when the request went, `now` is the one when its answer came.
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
            said: None,
        }
    }

    /// Notes what is left until the window begins anew, of all clients' use. In a window that
    /// is fixed it can only become less, whatever leaves our own account.
    pub(super) fn note(
        &mut self,
        now: Duration,
        left: u64,
        reset: Option<Duration>,
        in_flight: u64,
        account: Account,
    ) {
        self.heard = Some(left);
        let sane = reset.filter(|reset| !reset.is_zero() && *reset <= MINUTE);
        self.said = sane.map(|reset| Said {
            left: left.saturating_sub(in_flight),
            at: now,
            own_ever: account.ever.own,
            until: now.saturating_add(reset),
        });
    }

    /// When so much more may be used by what the service said is left, with what others
    /// are likely to have taken of it since.
    pub(super) fn ready(
        &self,
        now: Duration,
        more: u64,
        own_ever: u64,
        others_a_minute: u64,
        guard: Duration,
    ) -> Duration {
        let Some(said) = self
            .said
            .filter(|said| self.believed && now < said.until + guard)
        else {
            return now;
        };
        let age = now.saturating_sub(said.at).as_secs_f64();
        let others = (others_a_minute as f64 * (age + 1.0) / 60.0).ceil() as u64;
        let own = own_ever.saturating_sub(said.own_ever);
        if own.saturating_add(others).saturating_add(more) <= said.left {
            now
        } else {
            said.until + guard
        }
    }

    /// What others took without our knowing, at the least: what the service counts and we do
    /// not. Requests of ours that are under way may be in its count or not, and are taken as if.
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
        // Further apart than all that was used: the window began anew between two answers, and
        // what was left before and after is no count.
        let before = self.last.map_or(Used::default(), |last| last.ever);
        let used = account.ever.since(before).all();
        let is_apart = most - least >= used.saturating_add(slack);
        let by_change = self.last.map_or(0, |last| {
            // Guesses are no count.
            let counted = if quiet && slack == 0 { used } else { 0 };
            // More came back than can have left a window that slides: it has begun anew.
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
            self.last = Some(Quiet {
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

    /// Does the service say that there is no room for so much more?
    pub(super) fn is_spent(&self, more: u64) -> bool {
        self.heard.is_some_and(|left| left < more)
    }

    /// A request was refused or failed: whether the service counted it is not known.
    pub(super) fn lost_count(&mut self) {
        self.last = None;
        self.least_left = None;
        self.most_left = None;
    }

    /// How long to wait before the claim that nothing is left is tried.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// A request of this size passed, and so much is left. After one that left no room for it
    /// none can pass, as long as nothing of ours has left the window: the service is wrong, and
    /// after some more of these it is not believed. True when it is the last straw.
    pub(super) fn passed(&mut self, size: u64, left: u64, account: Account) -> bool {
        let spent = left < size;
        let impossible = spent && self.was_spent && account.ever.own == account.window.own;
        self.was_spent = spent;
        self.strikes = if impossible { self.strikes + 1 } else { 0 };
        let lost = self.believed && self.strikes >= MOST_STRIKES;
        self.believed &= !lost;
        lost
    }

    /// A request passed that was sent to try the claim.
    pub(super) fn proved_wrong(&mut self) {
        self.patience /= 2;
    }

    /// A request was refused, as the claim had it: from now on it is taken at its word.
    pub(super) fn proved_right(&mut self) {
        self.believed = true;
        self.patience = MINUTE;
    }
}
