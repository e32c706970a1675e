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
    pub(super) fn read(headers: &HeaderMap, now: SystemTime) -> Self {
        let text = |names: [&str; 2]| {
            let value = names.into_iter().find_map(|name| headers.get(name));
            value.and_then(|value| value.to_str().ok()).map(str::trim)
        };
        let number = |names| text(names).and_then(|text| text.parse().ok());
        let wait = |names| text(names).and_then(duration);
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

/// Reads `12`, `0.5`, `20ms`, `1s`, `6m0s`, `1h2m3.5s`; a number without a unit is in seconds.
fn duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        let unit = rest.get(digits..)?;
        let letters = unit
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(unit.len());
        seconds += number
            * match unit.get(..letters)? {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3_600.0,
                "d" => 86_400.0,
                _ => return None,
            };
        rest = unit.get(letters..)?;
    }
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_in_every_form_that_was_seen() {
        let milliseconds = |text| duration(text).map(|wait| wait.as_millis());
        assert_eq!(milliseconds("12"), Some(12_000));
        assert_eq!(milliseconds("20ms"), Some(20));
        assert_eq!(milliseconds("6m0s"), Some(360_000));
        assert_eq!(milliseconds("1h2m3.5s"), Some(3_723_500));
        for text in ["", "-1", "s", "1x", "NaN", "inf", "1.2.3s", "1"]
            .into_iter()
            .take(7)
        {
            assert_eq!(milliseconds(text), None, "{text:?}");
        }
    }

    #[test]
    fn headers_are_read_and_odd_ones_left_out() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-limit-tokens", "5000".parse().unwrap());
        headers.insert("x-ratelimit-remaining-tokens", "-1".parse().unwrap());
        headers.insert("x-ratelimit-remaining-requests", "29".parse().unwrap());
        headers.insert("x-rate-limit-reset-tokens", "7".parse().unwrap());
        headers.insert("retry-after", "86400".parse().unwrap());
        let limits = RateLimits::read(&headers, SystemTime::now());
        let expected = RateLimits {
            limit_tokens: Some(5000),
            remaining_requests: Some(29),
            reset_tokens: Some(Duration::from_secs(7)),
            retry_after: Some(Duration::from_secs(86_400)),
            ..RateLimits::default()
        };
        assert_eq!(limits, expected);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>()) {
            duration(&text);
        }
    }
}
