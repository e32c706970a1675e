//! Limits of deployments and models: how many of what in which time.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// A limit of a deployment.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct RateLimit {
    /// What is counted: `request` or `token`.
    pub key: String,
    /// The window.
    #[serde(deserialize_with = "seconds")]
    pub renewal_period: Duration,
    /// How many in a window.
    pub count: f64,
}

impl RateLimit {
    #[cfg(test)]
    pub(super) fn new(key: &str, seconds: f64, count: f64) -> Self {
        Self {
            key: key.to_owned(),
            renewal_period: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
            count,
        }
    }

    fn per_minute(&self) -> Option<u64> {
        let per_minute = self.count * 60.0 / self.renewal_period.as_secs_f64();
        let is_number = per_minute.is_finite() && per_minute >= 1.0;
        // A cast saturates.
        is_number.then_some(per_minute as u64)
    }
}

/// A time in seconds. What is no time counts as zero, of which nothing follows.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
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
