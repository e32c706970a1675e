//! What a request is expected to use, for an estimate before it is sent.

use super::{Cost, RateLimiter};

/// The tokens of a request that has not been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The tokens of the prompt.
    pub(crate) prompt: u64,
    /// The most tokens that all of its answers may have; `None` if they are not limited.
    pub(crate) longest_answers: Option<u64>,
    /// What the quota is charged.
    pub(crate) charged: u64,
}

impl RateLimiter {
    /// What the request is expected to use, counted as for the quota.
    pub(crate) fn expected(&self, cost: Cost) -> Expected {
        let charged = self.inner().state.estimate(cost);
        Expected {
            prompt: charged.saturating_sub(cost.answers()),
            longest_answers: cost.max_tokens.map(|_| cost.answers()),
            charged,
        }
    }

    /// The tokens and the requests per minute that the deployment allows, as far as they are known.
    pub(crate) fn per_minute(&self) -> [Option<u64>; 2] {
        let limits = self.inner().state.limits();
        [limits.tokens, limits.requests]
    }
}
