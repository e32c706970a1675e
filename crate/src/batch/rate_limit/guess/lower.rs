//! Lowers a guessed limit after rejections.

use std::time::Duration;

use super::rejection::{Rejection, period, used_of_minute};
use super::{Guess, LOWER};
use crate::batch::rate_limit::limits::{MINUTE, SECOND, TEN_SECONDS};

impl Guess {
    /// Lowers the limit, or returns to it after a request beyond it was refused.
    pub(super) fn lower(&mut self, rejection: Rejection, mut passed: impl FnMut(Duration) -> u64) {
        if rejection.is_first {
            self.was_tested = self.is_testing;
            if self.was_tested {
                self.end_test();
                let is_known = self.base >= self.highest;
                self.limit = self
                    .limit
                    .min(self.base.saturating_add(u64::from(!is_known)));
                self.highest = self.highest.max(self.limit);
                self.missed_at = Some(rejection.now);
                self.pause(rejection.now);
            }
        }
        if self.lower_in_minute(rejection, &mut passed) {
            return;
        }
        if self.was_tested {
            return;
        }
        if self.limit == 1 {
            if rejection.is_first {
                let slow = self.slow.unwrap_or(self.periods()).saturating_sub(1);
                self.slow = Some(slow.max(1));
            }
            return;
        }
        if let Some(slow) = self.slow.filter(|_| rejection.is_first) {
            let in_minute = passed(MINUTE);
            if in_minute.saturating_mul(10) >= slow.saturating_mul(9) {
                self.slow = Some(in_minute.min(slow.saturating_sub(1)).max(1));
                return;
            }
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

    /// What was sent a period after the first rejection is refused, too, so that there is a limit in a
    /// minute as well: what was answered in it.
    pub(super) fn lengthen(
        &mut self,
        rejection: Rejection,
        mut passed: impl FnMut(Duration) -> u64,
    ) {
        let passed = passed(MINUTE);
        if !rejection.refuses_itself(passed) {
            self.slow = Some(passed.min(self.slow.unwrap_or(u64::MAX)));
        }
    }

    /// Lowers the limit in a minute if that is what a rejection shows.
    fn lower_in_minute(
        &mut self,
        rejection: Rejection,
        mut passed: impl FnMut(Duration) -> u64,
    ) -> bool {
        let Some(used) = used_of_minute(rejection.asked) else {
            return false;
        };
        let is_tiny = self.limit == 1;
        if self.period == MINUTE || is_tiny || rejection.refuses_itself(passed(MINUTE)) {
            return false;
        }
        let before = self.slow.unwrap_or(u64::MAX);
        if rejection.is_first {
            self.slow_floor = self.slow.map_or(1, |slow| (slow as f64 * LOWER) as u64);
        }
        let in_minute = passed(used).max(self.slow_floor).max(1);
        self.slow = Some(in_minute.min(before));
        true
    }
}
