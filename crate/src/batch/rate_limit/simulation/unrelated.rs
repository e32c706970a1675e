//! Rejections that this client's rate does not cause: those of a gateway, a fault or another client.

use std::time::Duration;

use fastrand::Rng;

use crate::openai::RateLimits;

#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    /// The request with this number.
    Nth(u64),
    /// The requests with these numbers.
    These(&'static [u64]),
    /// Each request, with this probability.
    Share(f64),
    /// Those that come while so many are in work.
    AtOnce(u64),
    /// All requests between these times after the start of the batch, in seconds.
    Between(f64, f64),
}

/// Which requests are refused, and which wait the rejections ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnrelatedRejections {
    which: Which,
    retry_after: Option<f64>,
    seen: u64,
}

impl UnrelatedRejections {
    pub(super) fn new(which: Which, retry_after: Option<f64>) -> Self {
        Self {
            which,
            retry_after,
            seen: 0,
        }
    }

    /// What the rejection of a request says that arrives now, while so many are in work, if it is refused.
    pub(super) fn refuses(&mut self, now: f64, in_work: u64, dice: &mut Rng) -> Option<RateLimits> {
        self.seen += 1;
        let is_refused = match self.which {
            Which::Nth(number) => self.seen == number,
            Which::These(numbers) => numbers.contains(&self.seen),
            Which::Share(share) => dice.f64() < share,
            Which::AtOnce(most) => in_work >= most,
            Which::Between(from, to) => (from..to).contains(&now),
        };
        is_refused.then(|| RateLimits {
            retry_after: self.retry_after.map(Duration::from_secs_f64),
            ..RateLimits::default()
        })
    }
}
