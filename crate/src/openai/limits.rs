//! The quota, as the service reports it in response headers.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

use crate::http::retry;

/// What the service reported about the quota. Any header may be missing; a negative number, which some
/// gateways send, counts as missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimits {
    /// Requests per period.
    pub limit_requests: Option<u64>,
    /// Tokens per minute.
    pub limit_tokens: Option<u64>,
    /// Requests that remain in this period.
    pub remaining_requests: Option<u64>,
    /// Tokens that remain in this minute.
    pub remaining_tokens: Option<u64>,
    /// How long until requests are available again.
    pub reset_requests: Option<Duration>,
    /// How long until tokens are available again.
    pub reset_tokens: Option<Duration>,
    /// How long the service asked to wait, unmodified.
    pub retry_after: Option<Duration>,
}

// The names of each header: services differ in a hyphen. They are constants, because every response
// is searched for all of them.
const LIMIT_REQUESTS: [&str; 2] = ["x-ratelimit-limit-requests", "x-rate-limit-limit-requests"];
const LIMIT_TOKENS: [&str; 2] = ["x-ratelimit-limit-tokens", "x-rate-limit-limit-tokens"];
const REMAINING_REQUESTS: [&str; 2] = [
    "x-ratelimit-remaining-requests",
    "x-rate-limit-remaining-requests",
];
const REMAINING_TOKENS: [&str; 2] = [
    "x-ratelimit-remaining-tokens",
    "x-rate-limit-remaining-tokens",
];
const RESET_REQUESTS: [&str; 2] = ["x-ratelimit-reset-requests", "x-rate-limit-reset-requests"];
const RESET_TOKENS: [&str; 2] = ["x-ratelimit-reset-tokens", "x-rate-limit-reset-tokens"];

impl RateLimits {
    pub(super) fn from_headers(headers: &HeaderMap, now: SystemTime) -> Self {
        let text = |names: [&str; 2]| {
            let value = names.into_iter().find_map(|name| headers.get(name));
            value.and_then(|value| value.to_str().ok()).map(str::trim)
        };
        let number = |names| text(names).and_then(|text| text.parse().ok());
        let wait = |names| text(names).and_then(retry::duration);
        Self {
            limit_requests: number(LIMIT_REQUESTS),
            limit_tokens: number(LIMIT_TOKENS),
            remaining_requests: number(REMAINING_REQUESTS),
            remaining_tokens: number(REMAINING_TOKENS),
            reset_requests: wait(RESET_REQUESTS),
            reset_tokens: wait(RESET_TOKENS),
            retry_after: retry::asked_wait(headers, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_odd_ones_left_out() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-limit-tokens", "5000".parse().unwrap());
        headers.insert("x-ratelimit-remaining-tokens", "-1".parse().unwrap());
        headers.insert("x-ratelimit-remaining-requests", "29".parse().unwrap());
        headers.insert("x-rate-limit-reset-tokens", "7".parse().unwrap());
        headers.insert("retry-after", "86400".parse().unwrap());
        let limits = RateLimits::from_headers(&headers, SystemTime::now());
        let expected = RateLimits {
            limit_tokens: Some(5000),
            remaining_requests: Some(29),
            reset_tokens: Some(Duration::from_secs(7)),
            retry_after: Some(Duration::from_secs(86_400)),
            ..RateLimits::default()
        };
        assert_eq!(limits, expected);
    }
}
