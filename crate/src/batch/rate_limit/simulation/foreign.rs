//! Refusals that no pace of ours brings: a gateway's, a fault's, another client's.

use std::time::Duration;

use fastrand::Rng;

use crate::openai::RateLimits;

#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    /// The so many-th request.
    Nth(u64),
    /// Each, with this probability.
    Share(f64),
    /// All that come between these times after the batch's beginning.
    Between(f64, f64),
}

/// Which requests are refused, and what is said with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign {
    which: Which,
    retry_after: Option<f64>,
    seen: u64,
}

impl Foreign {
    pub(super) fn new(which: Which, retry_after: Option<f64>) -> Self {
        Self {
            which,
            retry_after,
            seen: 0,
        }
    }

    /// What the refusal of a request says that arrives now, if it is refused.
    pub(super) fn refuses(&mut self, now: f64, dice: &mut Rng) -> Option<RateLimits> {
        self.seen += 1;
        let is_refused = match self.which {
            Which::Nth(number) => self.seen == number,
            Which::Share(share) => dice.f64() < share,
            Which::Between(from, to) => (from..to).contains(&now),
        };
        is_refused.then(|| RateLimits {
            retry_after: self.retry_after.map(Duration::from_secs_f64),
            ..RateLimits::default()
        })
    }
}
