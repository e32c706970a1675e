//! Limits of deployments and models: how many of what in which time.

use serde::Deserialize;

/// A limit of a deployment.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct RateLimit {
    /// What is counted: `request` or `token`.
    pub key: String,
    /// The window, in seconds.
    #[serde(rename = "renewalPeriod")]
    pub seconds: f64,
    /// How many in a window.
    pub count: f64,
}

impl RateLimit {
    #[cfg(test)]
    pub(super) fn new(key: &str, seconds: f64, count: f64) -> Self {
        Self {
            key: key.to_owned(),
            seconds,
            count,
        }
    }

    fn per_minute(&self) -> Option<u64> {
        let per_minute = self.count * 60.0 / self.seconds;
        let is_number = per_minute.is_finite() && per_minute >= 1.0;
        // A cast saturates.
        is_number.then_some(per_minute as u64)
    }
}

pub(super) fn per_minute(limits: &[RateLimit], key: &str) -> Option<u64> {
    let limits = limits.iter().filter(|limit| limit.key == key);
    limits.filter_map(RateLimit::per_minute).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_per_minute_whatever_their_windows() {
        let limits = [
            RateLimit::new("request", 10.0, 5.0),
            RateLimit::new("token", 60.0, 5_000.0),
        ];
        assert_eq!(per_minute(&limits, "request"), Some(30));
        assert_eq!(per_minute(&limits, "token"), Some(5_000));
        for odd in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            assert_eq!(
                per_minute(&[RateLimit::new("token", 60.0, odd)], "token"),
                None
            );
        }
        assert_eq!(
            per_minute(&[RateLimit::new("token", 0.0, 5.0)], "token"),
            None
        );
        assert_eq!(
            per_minute(&[RateLimit::new("token", 60.0, 1e300)], "token"),
            Some(u64::MAX)
        );
    }
}
