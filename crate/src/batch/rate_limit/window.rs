//! Records what was used in a sliding window of time.

use std::collections::VecDeque;
use std::time::Duration;

/// Charges closer together than this share an entry, which keeps the log small at any rate.
const GRAIN: Duration = Duration::from_millis(10);

/// The most entries into which others' use is divided.
const MAX_PIECES: u64 = 30;

/// The use within the last `length`. A service may count in windows that begin with the first
/// request, that begin with the minute, or that slide: use that stays within a limit in every
/// interval of this length stays within it for all of these.
#[derive(Debug)]
pub(super) struct Window {
    length: Duration,
    log: VecDeque<Entry>,
    used: Used,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Duration,
    used: Used,
}

/// An amount used, by whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// The use through this limiter.
    pub(super) own: u64,
    /// The use by other clients, derived from the service's reports.
    pub(super) others: u64,
}

impl Used {
    pub(super) fn own(own: u64) -> Self {
        Self { own, others: 0 }
    }

    pub(super) fn others(others: u64) -> Self {
        Self { own: 0, others }
    }

    pub(super) fn all(self) -> u64 {
        self.own.saturating_add(self.others)
    }

    pub(super) fn add(&mut self, more: Self) {
        self.own = self.own.saturating_add(more.own);
        self.others = self.others.saturating_add(more.others);
    }

    /// The increase since `before`.
    pub(super) fn since(mut self, before: Self) -> Self {
        self.absorb(before);
        self
    }

    fn absorb(&mut self, gone: Self) {
        self.own = self.own.saturating_sub(gone.own);
        self.others = self.others.saturating_sub(gone.others);
    }
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        Self {
            length,
            log: VecDeque::new(),
            used: Used::default(),
        }
    }

    pub(super) fn add(&mut self, now: Duration, used: Used) {
        let at = up_to_grain(now);
        match self.log.back_mut() {
            Some(last) if last.at >= at => last.used.add(used),
            _ => self.log.push_back(Entry { at, used }),
        }
        self.used.add(used);
    }

    /// Adds others' use, spread evenly over this time.
    pub(super) fn add_others(&mut self, now: Duration, others: u64, within: Duration) {
        let pieces = others.min(MAX_PIECES);
        for piece in 0..pieces {
            let ago = within.mul_f64((piece as f64 + 0.5) / pieces as f64);
            let at = up_to_grain(now.saturating_sub(ago));
            let up_to = |piece: u64| {
                let share = u128::from(others) * u128::from(piece) / u128::from(pieces);
                u64::try_from(share).unwrap_or(others)
            };
            let used = Used::others(up_to(piece + 1) - up_to(piece));
            let place = self.log.partition_point(|entry| entry.at <= at);
            self.log.insert(place, Entry { at, used });
            self.used.add(used);
        }
    }

    /// The part of an amount that falls into the window, if it was used evenly over this time.
    pub(super) fn part_of(&self, used: u64, within: Duration) -> u64 {
        let share = self.length.as_secs_f64() / within.as_secs_f64().max(1e-9);
        (used as f64 * share.min(1.0)).ceil() as u64
    }

    /// The use within the window. The guard extends the window, because a request that was sent
    /// later may arrive earlier.
    pub(super) fn used(&mut self, now: Duration, guard: Duration) -> Used {
        while let Some(first) = self.log.front() {
            if first.at.saturating_add(self.length + guard) > now {
                break;
            }
            self.used.absorb(first.used);
            self.log.pop_front();
        }
        self.used
    }

    /// When `more` fits under the limit. An amount larger than the limit fits once the window is
    /// empty. `count` selects whose use counts.
    pub(super) fn ready(
        &mut self,
        now: Duration,
        guard: Duration,
        more: u64,
        limit: u64,
        count: fn(Used) -> u64,
    ) -> Duration {
        let used = count(self.used(now, guard));
        let room = limit.saturating_sub(more);
        let mut over = used.saturating_sub(room);
        let mut ready = now;
        for entry in &self.log {
            if over == 0 {
                break;
            }
            over = over.saturating_sub(count(entry.used));
            ready = entry.at.saturating_add(self.length + guard);
        }
        ready
    }

    /// Removes others' use: the service's reports were wrong.
    pub(super) fn forget_others(&mut self) {
        for entry in &mut self.log {
            entry.used.others = 0;
        }
        self.used.others = 0;
    }

    /// Replaces the log of the use by this process and those that share the quota; others' use
    /// stays. Returns how much is new.
    pub(super) fn replace_own(
        &mut self,
        now: Duration,
        guard: Duration,
        charges: impl Iterator<Item = (Duration, u64)>,
    ) -> u64 {
        let before = self.used(now, guard).own;
        let others = self.log.drain(..).filter(|entry| entry.used.others > 0);
        let others = others.map(|entry| (entry.at, Used::others(entry.used.others)));
        let own = charges.map(|(at, own)| (at, Used::own(own)));
        let mut all: Vec<_> = others.chain(own).collect();
        all.sort_by_key(|(at, _)| *at);
        self.used = Used::default();
        for (at, used) in all {
            self.add(at, used);
        }
        self.used(now, guard).own.saturating_sub(before)
    }

    /// What was used by ourselves within this time, which is at most the window's length.
    pub(super) fn own_since(&mut self, now: Duration, guard: Duration, within: Duration) -> u64 {
        self.used(now, guard);
        let is_within = |entry: &&Entry| entry.at.saturating_add(within + guard) > now;
        let recent = self.log.iter().rev().take_while(is_within);
        recent.map(|entry| entry.used.own).sum()
    }

    /// Whether the window is at least this long.
    pub(super) fn covers(&self, within: Duration) -> bool {
        self.length >= within
    }

    pub(super) fn is_of(&self, length: Duration) -> bool {
        self.length == length
    }
}

/// Rounds up, because an entry must not expire too soon.
fn up_to_grain(at: Duration) -> Duration {
    let grain = GRAIN.as_nanos();
    let nanoseconds = at.as_nanos().div_ceil(grain) * grain;
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LENGTH: Duration = Duration::from_secs(10);

    proptest! {
        /// Waiting until `ready` never exceeds the limit, and is never longer than needed.
        #[test]
        fn no_stretch_of_time_holds_more_than_the_limit(
            limit in 1u64..50,
            wishes in prop::collection::vec((0u64..3_000, 1u64..60), 1..80),
        ) {
            let mut window = Window::new(LENGTH);
            let mut now = Duration::ZERO;
            let mut sent: Vec<(Duration, u64)> = Vec::new();
            for (pause, more) in wishes {
                let more = more.min(limit);
                now += Duration::from_millis(pause);
                let ready = window.ready(now, Duration::ZERO, more, limit, Used::all);
                let used = |at: Duration| -> u64 {
                    let inside = sent.iter().filter(|(sent, _)| *sent + LENGTH > at);
                    inside.map(|(_, used)| used).sum()
                };
                prop_assert!(used(ready) + more <= limit);
                if ready > now + GRAIN {
                    prop_assert!(used(ready - GRAIN - Duration::from_nanos(1)) + more > limit);
                }
                now = ready;
                window.add(now, Used::own(more));
                sent.push((now, more));
            }
        }
    }

    #[test]
    fn the_log_stays_small_at_any_rate() {
        let mut window = Window::new(LENGTH);
        for microseconds in 0..200_000_u64 {
            let now = Duration::from_micros(100 * microseconds);
            window.add(now, Used::own(1));
            window.used(now, Duration::ZERO);
        }
        assert!(window.log.len() <= 1_001, "{}", window.log.len());
    }

    #[test]
    fn others_are_forgotten_and_companions_taken_over() {
        let mut window = Window::new(LENGTH);
        let used = |window: &mut Window| window.used(Duration::ZERO, Duration::ZERO);
        window.add(Duration::ZERO, Used { own: 2, others: 3 });
        let charges = [(Duration::ZERO, 2), (Duration::ZERO, 4)];
        let more = window.replace_own(Duration::ZERO, Duration::ZERO, charges.into_iter());
        assert_eq!(more, 4);
        assert_eq!(used(&mut window), Used { own: 6, others: 3 });
        window.forget_others();
        assert_eq!(used(&mut window), Used::own(6));
    }
}
