//! What other clients take of the same quota, as far as the headers show it, and how far
//! these are to be believed.

use std::time::Duration;

use super::limits::MINUTE;

/// How long a claim that nothing is left is taken at its word before it is tried.
const FIRST_PATIENCE: Duration = Duration::from_millis(500);
/// So many claims that proved wrong in a row, and the service is not believed any more.
const MOST_STRIKES: u32 = 2;

/// Follows one `x-ratelimit-remaining` header.
#[derive(Debug)]
pub(super) struct Watch {
    /// Our account when last no request of ours was under way.
    last: Option<Quiet>,
    /// The least that was left since then: answers come in any order.
    least_left: Option<u64>,
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
    own_ever: u64,
    others_ever: u64,
}

/// The state of our own account when an answer comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    /// In the window of the header, ours and what others are known to have taken.
    pub(super) own: u64,
    pub(super) others: u64,
    /// Ours and theirs since the beginning.
    pub(super) own_ever: u64,
    pub(super) others_ever: u64,
    /// Nothing else of ours is under way.
    pub(super) quiet: bool,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            last: None,
            least_left: None,
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
        let sane = reset.filter(|reset| !reset.is_zero() && *reset <= MINUTE);
        self.said = sane.map(|reset| Said {
            left: left.saturating_sub(in_flight),
            at: now,
            own_ever: account.own_ever,
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
    pub(super) fn unseen(&mut self, limit: u64, left: u64, account: Account) -> u64 {
        if !self.believed || left > limit {
            return 0;
        }
        let in_window = account.own.saturating_add(account.others);
        let by_level = (limit - left).saturating_sub(in_window);
        let by_change = self.last.map_or(0, |last| {
            let own = account.own_ever.saturating_sub(last.own_ever);
            let others = account.others_ever.saturating_sub(last.others_ever);
            last.left
                .saturating_sub(left)
                .saturating_sub(own.saturating_add(others))
        });
        let unseen = by_level.max(by_change);
        let least = self.least_left.map_or(left, |least| least.min(left));
        self.least_left = Some(least);
        if account.quiet {
            self.last = Some(Quiet {
                left: least,
                own_ever: account.own_ever,
                others_ever: account.others_ever.saturating_add(unseen),
            });
            self.least_left = None;
        }
        unseen
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
        let impossible = spent && self.was_spent && account.own_ever == account.own;
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
