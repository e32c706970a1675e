//! An access token and its lifetime, measured by the monotonic clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::secret::Secret;

/// How long before its expiry a token is renewed.
const AHEAD: Duration = Duration::from_secs(300);
/// The longest lifetime that is believed.
const MAX_DURATION: Duration = Duration::from_secs(24 * 3600);

/// A token for one resource.
#[derive(Clone)]
pub(crate) struct AccessToken {
    pub(crate) secret: Secret,
    renewed_from: Instant,
    ends: Instant,
}

/// Whether a token can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validity {
    Fresh,
    /// It is still valid, but should be renewed.
    Due,
    Ended,
}

impl AccessToken {
    /// A token that was requested at `asked` and is valid for `lifetime` from then on. It is due
    /// for renewal five minutes before it expires, or at half its lifetime if that is shorter than
    /// ten minutes.
    pub(crate) fn new(secret: Secret, asked: Instant, lifetime: Duration) -> Self {
        let lifetime = lifetime.min(MAX_DURATION);
        let ahead = AHEAD.min(lifetime / 2);
        Self {
            secret,
            renewed_from: asked + (lifetime - ahead),
            ends: asked + lifetime,
        }
    }

    pub(super) fn validity(&self, now: Instant) -> Validity {
        if now >= self.ends {
            Validity::Ended
        } else if now >= self.renewed_from {
            Validity::Due
        } else {
            Validity::Fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(lifetime: u64, seconds: u64) -> Validity {
        let asked = Instant::now();
        let token = AccessToken::new(Secret::new("t"), asked, Duration::from_secs(lifetime));
        token.validity(asked + Duration::from_secs(seconds))
    }

    #[test]
    fn a_token_is_due_five_minutes_before_its_end() {
        assert_eq!(after(3600, 3299), Validity::Fresh);
        assert_eq!(after(3600, 3300), Validity::Due);
        assert_eq!(after(3600, 3599), Validity::Due);
        assert_eq!(after(3600, 3600), Validity::Ended);
    }

    #[test]
    fn a_short_one_in_the_middle_of_its_time() {
        assert_eq!(after(60, 29), Validity::Fresh);
        assert_eq!(after(60, 30), Validity::Due);
        assert_eq!(after(0, 0), Validity::Ended);
    }

    proptest! {
        #[test]
        fn no_token_is_held_for_ever(lifetime in any::<u64>()) {
            prop_assert_eq!(after(lifetime, 24 * 3600), Validity::Ended);
        }
    }
}
