//! The quota of an Azure OpenAI deployment, as a state machine without a clock.
//!
//! A request is charged on receipt with an estimate. Tokens are counted over a minute. Requests
//! are counted over a minute and, since the service wants them spread out, also over ten seconds
//! (Azure documents 'one or ten seconds'; a class can observe ten). A window opens with the first
//! request after the end of the previous window. A refused request counts as a request, but its
//! tokens are not counted.

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const BURST: Duration = Duration::from_secs(10);

/// What a deployment may use in a minute; `None` means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) tokens: Option<u64>,
    pub(crate) requests: Option<u64>,
}

impl Limits {
    /// Azure grants six requests a minute with every thousand tokens.
    pub(crate) fn new(tokens: Option<u64>, requests: Option<u64>) -> Self {
        let granted = |tokens: u64| (tokens.saturating_mul(6) / 1000).max(1);
        Self {
            tokens,
            requests: requests.or(tokens.map(granted)),
        }
    }
}

/// What has been used in the windows that are open.
#[derive(Debug)]
pub(crate) struct Quota {
    limits: Limits,
    tokens: Window,
    requests: Window,
    burst: Window,
}

/// What to answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    /// Why it is refused, if it is.
    pub(crate) refused: Option<Refused>,
    pub(crate) tokens: Option<WindowUsage>,
    pub(crate) requests: Option<WindowUsage>,
}

/// The limit that refuses a request, and when to retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) by: Limit,
    pub(crate) retry_after: Duration,
}

/// One of the two limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Tokens,
    Requests,
}

impl Limit {
    /// Azure's name for the limit in a 429 response.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tokens => "token rate limit",
            Self::Requests => "call rate limit",
        }
    }
}

/// A limit as reported in the response headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WindowUsage {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    pub(crate) reset: Duration,
}

impl Quota {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            tokens: Window::new(MINUTE),
            requests: Window::new(MINUTE),
            burst: Window::new(BURST),
        }
    }

    /// Charges a request that is estimated at `tokens` tokens. `now` is the time since any fixed
    /// moment and must not decrease.
    pub(crate) fn admit(&mut self, now: Duration, tokens: u64) -> Admission {
        for window in [&mut self.tokens, &mut self.requests, &mut self.burst] {
            window.open(now);
        }
        self.requests.used = self.requests.used.saturating_add(1);
        self.burst.used = self.burst.used.saturating_add(1);

        let over_requests = self.limits.requests.and_then(|limit| {
            let over_minute = self.requests.used > limit;
            let over_burst = self.burst.used > limit.div_ceil(6);
            let wait = match (over_minute, over_burst) {
                (true, _) => self.requests.left(now),
                (false, true) => self.burst.left(now),
                (false, false) => return None,
            };
            Some(Refused {
                by: Limit::Requests,
                retry_after: wait,
            })
        });
        let over_tokens = self.limits.tokens.and_then(|limit| {
            let over = self.tokens.used.saturating_add(tokens) > limit;
            over.then(|| Refused {
                by: Limit::Tokens,
                retry_after: self.tokens.left(now),
            })
        });
        let refused = over_requests.or(over_tokens);
        if refused.is_none() {
            self.tokens.used = self.tokens.used.saturating_add(tokens);
        }

        let usage = |limit: Option<u64>, window: &Window| {
            limit.map(|limit| WindowUsage {
                limit,
                remaining: limit.saturating_sub(window.used),
                reset: window.left(now),
            })
        };
        Admission {
            refused,
            tokens: usage(self.limits.tokens, &self.tokens),
            requests: usage(self.limits.requests, &self.requests),
        }
    }
}

/// A time window, and what has been used in it.
#[derive(Debug)]
struct Window {
    length: Duration,
    ends: Duration,
    used: u64,
}

impl Window {
    fn new(length: Duration) -> Self {
        Self {
            length,
            ends: Duration::ZERO,
            used: 0,
        }
    }

    fn open(&mut self, now: Duration) {
        if now >= self.ends {
            self.ends = now.saturating_add(self.length);
            self.used = 0;
        }
    }

    fn left(&self, now: Duration) -> Duration {
        self.ends.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn requests_follow_from_tokens() {
        let requests = |tokens| Limits::new(Some(tokens), None).requests;
        assert_eq!(requests(5_000), Some(30));
        assert_eq!(requests(1), Some(1));
        assert_eq!(Limits::new(Some(5_000), Some(7)).requests, Some(7));
        assert_eq!(Limits::new(None, None), Limits::default());
    }

    #[test]
    fn the_sixth_request_in_ten_seconds_waits_for_the_rest_of_them() {
        let mut quota = Quota::new(Limits::new(Some(5_000), None));
        for second in 0..5 {
            assert_eq!(quota.admit(seconds(second), 10).refused, None);
        }
        let refused = quota.admit(seconds(7), 10);
        assert_eq!(
            refused.refused,
            Some(Refused {
                by: Limit::Requests,
                retry_after: seconds(3)
            })
        );
        // The refused request counts as a request, but not its tokens.
        let left = |limit, remaining, reset| {
            Some(WindowUsage {
                limit,
                remaining,
                reset: seconds(reset),
            })
        };
        assert_eq!(refused.requests, left(30, 24, 53));
        assert_eq!(refused.tokens, left(5_000, 4_950, 53));
        assert_eq!(quota.admit(seconds(10), 10).refused, None);
    }

    #[test]
    fn tokens_come_back_with_the_minute() {
        let mut quota = Quota::new(Limits::new(Some(1_000), Some(60)));
        assert_eq!(quota.admit(seconds(0), 900).refused, None);
        assert_eq!(
            quota.admit(seconds(20), 101).refused,
            Some(Refused {
                by: Limit::Tokens,
                retry_after: seconds(40)
            })
        );
        assert_eq!(quota.admit(seconds(21), 100).refused, None);
        assert_eq!(quota.admit(seconds(60), 1_000).refused, None);
    }

    #[test]
    fn what_is_larger_than_the_quota_never_passes() {
        let mut quota = Quota::new(Limits::new(Some(1_000), Some(60)));
        assert!((0..10).all(|minute| quota.admit(seconds(60 * minute), 1_001).refused.is_some()));
    }

    #[test]
    fn without_limits_everything_passes_and_nothing_is_told() {
        let mut quota = Quota::new(Limits::default());
        let free = Admission {
            refused: None,
            tokens: None,
            requests: None,
        };
        assert!((0..100).all(|_| quota.admit(seconds(0), u64::MAX) == free));
    }

    proptest! {
        /// In any interval as long as `k` windows, at most `k + 1` times the limit passes, and within
        /// one window at most the limit.
        #[test]
        fn never_more_than_the_limit(
            tpm in 1u64..3_000,
            rpm in 1u64..60,
            arrivals in prop::collection::vec((0u64..4_000, 0u64..800), 1..200),
        ) {
            let mut quota = Quota::new(Limits::new(Some(tpm), Some(rpm)));
            let mut now = Duration::ZERO;
            let mut passed = Vec::new();
            for (pause, tokens) in arrivals {
                now += Duration::from_millis(pause);
                let admission = quota.admit(now, tokens);
                match admission.refused {
                    None => passed.push((now, tokens)),
                    Some(refused) => {
                        prop_assert!(refused.retry_after > Duration::ZERO);
                        prop_assert!(refused.retry_after <= MINUTE);
                    }
                }
                let (within_minute, within_burst) =
                    (quota.tokens.ends.saturating_sub(MINUTE), quota.burst.ends.saturating_sub(BURST));
                let since = |start: Duration| passed.iter().filter(move |(at, _)| *at >= start);
                prop_assert!(since(within_minute).map(|(_, tokens)| tokens).sum::<u64>() <= tpm);
                prop_assert!(since(quota.requests.ends.saturating_sub(MINUTE)).count() as u64 <= rpm);
                prop_assert!(since(within_burst).count() as u64 <= rpm.div_ceil(6));
            }
            for (start, _) in &passed {
                let sliding = |length| passed.iter().filter(move |(at, _)| at >= start && *at < *start + length);
                prop_assert!(sliding(MINUTE).map(|(_, tokens)| tokens).sum::<u64>() <= 2 * tpm);
                prop_assert!(sliding(BURST).count() as u64 <= 2 * rpm.div_ceil(6));
            }
        }

        /// A client that stays within the limits in every sliding window is never refused.
        #[test]
        fn who_keeps_the_limits_is_never_refused(
            rpm in 1u64..60,
            wishes in prop::collection::vec((0u64..9_000, 1u64..400), 1..120),
        ) {
            let limits = Limits::new(Some(1_000), Some(rpm));
            let mut quota = Quota::new(limits);
            let mut now = Duration::ZERO;
            let mut sent: Vec<(Duration, u64)> = Vec::new();
            for (pause, tokens) in wishes {
                now += Duration::from_millis(pause);
                let within = |length: Duration, sent: &[(Duration, u64)], now: Duration| {
                    sent.iter().filter(|(at, _)| *at + length > now).fold((0, 0), |(count, sum), (_, tokens)| {
                        (count + 1, sum + tokens)
                    })
                };
                let (in_minute, tokens_in_minute) = within(MINUTE, &sent, now);
                let (in_burst, _) = within(BURST, &sent, now);
                if in_minute < rpm && in_burst < rpm.div_ceil(6) && tokens_in_minute + tokens <= 1_000 {
                    prop_assert_eq!(quota.admit(now, tokens).refused, None);
                    sent.push((now, tokens));
                }
            }
        }
    }
}
