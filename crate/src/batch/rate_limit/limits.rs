//! The limits of a deployment: given by the user, reported in headers, or estimated.

use std::time::Duration;

use crate::batch::quota;
use crate::openai::RateLimits;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const TEN_SECONDS: Duration = Duration::from_secs(10);
pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// More than any deployment has: a header with a larger number means something else, and a user
/// who gives one wants no effective limit. Sums of such numbers do not overflow a `u64`.
const ABSURD: u64 = 10_000_000_000;

/// The limits per minute; `None` if no limit is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) tokens: Option<u64>,
    pub(super) requests: Option<u64>,
}

impl Limits {
    /// The limits that the user gave.
    pub(super) fn given(tokens: Option<u64>, requests: Option<u64>) -> Self {
        let sane = |limit: u64| limit.min(ABSURD);
        Self {
            tokens: tokens.map(sane),
            requests: requests.map(sane),
        }
    }

    pub(super) fn is_unknown(self) -> bool {
        self == Self::default()
    }

    /// The lower limits of the two.
    pub(super) fn lower(self, other: Self) -> Self {
        let lower = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        Self {
            tokens: lower(self.tokens, other.tokens),
            requests: lower(self.requests, other.requests),
        }
    }

    /// These limits, or `those` where these are not known.
    pub(super) fn or(self, those: Self) -> Self {
        Self {
            tokens: self.tokens.or(those.tokens),
            requests: self.requests.or(those.requests),
        }
    }

    /// If only tokens are limited, adds the requests that come with them.
    pub(super) fn completed(self) -> Self {
        let requests = self
            .requests
            .or(self.tokens.map(quota::requests_with_tokens));
        Self { requests, ..self }
    }

    /// Scales the limits, to at least one.
    pub(super) fn scaled(self, share: f64) -> Self {
        let scale = |limit: u64| ((limit as f64 * share + 1e-6) as u64).max(1);
        Self {
            tokens: self.tokens.map(scale),
            requests: self.requests.map(scale),
        }
    }

    /// The requests that fit into a part of a minute. Some services round up, some down: rounding
    /// down is right for both, except that zero would be too few.
    pub(super) fn requests_in(self, part: Duration) -> Option<u64> {
        let parts = (MINUTE.as_secs() / part.as_secs().max(1)).max(1);
        self.requests.map(|requests| (requests / parts).max(1))
    }
}

/// The limits that the response headers reported.
#[derive(Debug, Default)]
pub(super) struct ServerLimits {
    pub(super) limits: Limits,
    /// The period of the service's request count.
    pub(super) period: Option<Duration>,
    /// The count's reset was once more than ten seconds away, so that its period is a minute,
    /// even when the minute is nearly over.
    is_long: bool,
}

/// What this limiter used recently, by its own account.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Own {
    pub(super) tokens: u64,
    pub(super) requests: u64,
    /// Requests of the last ten seconds that the service has certainly counted.
    pub(super) counted: u64,
    /// Requests of the last ten seconds that it has certainly accepted.
    pub(super) passed: u64,
    /// The largest number of tokens that it accepted in one request.
    pub(super) accepted: u64,
}

impl ServerLimits {
    /// Updates the limits from the headers of one response, given the user's limits.
    pub(super) fn hear(&mut self, rate_limits: &RateLimits, own: Own, given: Limits) {
        let sane = |limit: Option<u64>, remaining: Option<u64>, at_least: u64| {
            limit.filter(|limit| {
                (at_least.max(1)..ABSURD).contains(limit)
                    && remaining.is_none_or(|remaining| remaining <= *limit)
            })
        };
        // If a service reports only what is left, the first responses reveal the limit.
        let whole = |known: Option<u64>, remaining: Option<u64>, own: u64| {
            let remaining = remaining.filter(|remaining| (1..ABSURD).contains(remaining))?;
            let fresh = own <= (remaining / 4).max(1);
            (fresh && known.is_none()).then(|| remaining.saturating_add(own))
        };
        self.is_long |= rate_limits.reset_requests > Some(TEN_SECONDS);
        let known = self.limits.or(given);
        let tokens = sane(
            rate_limits.limit_tokens,
            rate_limits.remaining_tokens,
            own.accepted,
        )
        .or_else(|| whole(known.tokens, rate_limits.remaining_tokens, own.tokens));
        self.limits.tokens = tokens.or(self.limits.tokens);
        // A window may restart between two bursts, so that twice the limit is accepted.
        let passed = own.passed.div_ceil(2);
        let requests = sane(
            rate_limits.limit_requests,
            rate_limits.remaining_requests,
            passed,
        )
        .or_else(|| whole(known.requests, rate_limits.remaining_requests, own.requests));
        if let Some(count) = requests {
            let period = self.period_of(count, given);
            let parts = MINUTE.as_secs() / period.as_secs().max(1);
            self.limits.requests = Some(count.saturating_mul(parts));
            self.period = Some(period);
        } else if let (Some(remaining), None) = (rate_limits.remaining_requests, self.period) {
            // The first count without a limit. If it fits the limit of ten seconds, that is its
            // period: of a minute's limit, hardly anything would be left.
            let sixth = given.requests_in(TEN_SECONDS);
            let fits = sixth.is_some_and(|sixth| remaining.saturating_add(own.counted) <= sixth);
            self.period = Some(if fits { TEN_SECONDS } else { MINUTE });
        }
    }

    /// Azure counts requests over ten seconds, and grants six requests per minute with every
    /// thousand tokens. Other services count over a minute.
    fn period_of(&self, count: u64, given: Limits) -> Duration {
        let by_tokens = |tokens: u64| count.abs_diff(tokens / 1000) <= 1 && tokens >= 2000;
        let short = self.limits.tokens.is_some_and(by_tokens)
            || given.requests_in(TEN_SECONDS) == Some(count) && given.requests != Some(count);
        if short && !self.is_long {
            TEN_SECONDS
        } else {
            MINUTE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(rate_limits: RateLimits) -> ServerLimits {
        let mut reported = ServerLimits::default();
        let own = Own {
            tokens: 10,
            requests: 1,
            counted: 1,
            passed: 1,
            accepted: 10,
        };
        reported.hear(&rate_limits, own, Limits::default());
        reported
    }

    fn limits(tokens: u64, requests: u64) -> RateLimits {
        RateLimits {
            limit_tokens: Some(tokens),
            limit_requests: Some(requests),
            ..RateLimits::default()
        }
    }

    #[test]
    fn a_count_of_ten_seconds_is_told_from_one_of_a_minute() {
        assert_eq!(reported(limits(5_000, 5)).limits.requests, Some(30));
        assert_eq!(reported(limits(5_000, 30)).limits.requests, Some(30));
        assert_eq!(reported(limits(250_000, 250)).limits.requests, Some(1_500));
        assert_eq!(reported(limits(200_000, 500)).limits.requests, Some(500));
        // Newer models come with one request per thousand tokens, and reset every minute.
        let newer = RateLimits {
            reset_requests: Some(Duration::from_secs(60)),
            ..limits(50_000, 50)
        };
        assert_eq!(reported(newer).limits.requests, Some(50));
    }

    #[test]
    fn a_count_of_a_minute_stays_one_until_the_minute_is_over() {
        let mut reported = ServerLimits::default();
        for reset in [60, 11, 10, 1, 0, 60] {
            let rate_limits = RateLimits {
                reset_requests: Some(Duration::from_secs(reset)),
                ..limits(38_000, 37)
            };
            reported.hear(&rate_limits, Own::default(), Limits::default());
            assert_eq!(
                reported.limits.requests,
                Some(37),
                "{reset} s before its end"
            );
            assert_eq!(reported.period, Some(MINUTE));
        }
    }

    #[test]
    fn what_is_left_tells_the_limit_where_nothing_else_does() {
        let reported = reported(RateLimits {
            remaining_tokens: Some(9_990),
            remaining_requests: Some(9),
            ..RateLimits::default()
        });
        assert_eq!(reported.limits.tokens, Some(10_000));
        assert_eq!(reported.limits.requests, Some(60));
    }

    #[test]
    fn nonsense_is_left_out() {
        for (limit, remaining) in [(0, 0), (5, 3), (5_000, 5_001), (u64::MAX, 7)] {
            let reported = reported(RateLimits {
                limit_tokens: Some(limit),
                remaining_tokens: Some(remaining),
                limit_requests: Some(0),
                remaining_requests: Some(0),
                ..RateLimits::default()
            });
            let expected = (remaining > 4_000).then_some(remaining + 10);
            assert_eq!(reported.limits.tokens, expected, "{limit} {remaining}");
            assert_eq!(reported.limits.requests, None);
        }
    }

    #[test]
    fn parts_of_a_minute_are_rounded_down() {
        let requests_in = |requests, part| {
            let limits = Limits {
                tokens: None,
                requests: Some(requests),
            };
            limits.requests_in(part)
        };
        assert_eq!(requests_in(30, TEN_SECONDS), Some(5));
        assert_eq!(requests_in(11, TEN_SECONDS), Some(1));
        assert_eq!(requests_in(3, TEN_SECONDS), Some(1));
        assert_eq!(requests_in(600, SECOND), Some(10));
    }
}
