//! A token, and how long it holds by a clock that nobody sets.

use std::time::Duration;

use tokio::time::Instant;

use crate::secret::Secret;

/// So long before its end a token is renewed.
const AHEAD: Duration = Duration::from_secs(300);
/// A token that holds longer is renewed after a day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A token for one resource.
#[derive(Clone)]
pub(crate) struct AccessToken {
    pub(crate) secret: Secret,
    renewed_from: Instant,
    ends: Instant,
}

/// What may be done with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validity {
    Fresh,
    /// It still holds, and a new one should be fetched.
    Due,
    Ended,
}

impl AccessToken {
    /// A token that was asked for at this moment and holds so long from then on. It is due five
    /// minutes before its end, and one of less than ten minutes in the middle of its time.
    pub(crate) fn new(secret: Secret, asked: Instant, lifetime: Duration) -> Self {
        let lifetime = lifetime.min(LONGEST);
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
