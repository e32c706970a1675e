//! What a batch waits for, as text for its progress line.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::decision::Cause;
use super::guess::requests_in;
use super::limits::MINUTE;
use crate::text::grouped;

/// What requests wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LimiterStatus {
    /// Who has held the shared file for a long time, if anyone.
    pub(crate) holder: Option<Arc<str>>,
    /// `None` if requests may be sent.
    pub(crate) cause: Option<Cause>,
    /// The remaining wait, if known.
    pub(crate) left: Option<Duration>,
    /// How long requests have waited for the quota in total.
    pub(crate) waited: Duration,
}

/// For example `waits 7 s for tokens of the quota (5,000 a minute)`; empty if nothing waits.
impl fmt::Display for LimiterStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(holder) = &self.holder {
            return write!(f, "waits {holder}");
        }
        let seconds = whole_seconds(self.left.unwrap_or_default());
        match self.cause {
            None => Ok(()),
            Some(Cause::Answer) => {
                f.write_str("waits for an answer that shows whether more may be sent")
            }
            Some(Cause::Tokens { per_minute }) => {
                let quota = grouped(per_minute);
                write!(
                    f,
                    "waits {seconds} s for tokens of the quota ({quota} a minute)"
                )
            }
            Some(Cause::Requests { per_minute }) => {
                let quota = grouped(per_minute);
                write!(
                    f,
                    "waits {seconds} s for requests of the quota ({quota} a minute)"
                )
            }
            Some(Cause::Guess { limit, period }) => {
                let limit = requests_in(limit, period);
                write!(f, "waits {seconds} s for the guessed limit ({limit})")
            }
            Some(Cause::AtOnce { limit }) => {
                let limit = grouped(limit);
                write!(
                    f,
                    "waits for an answer, since the service seems to take {limit} at once"
                )
            }
            Some(Cause::Service { asked: Some(asked) }) if asked > MINUTE => {
                let asked = grouped(whole_seconds(asked));
                write!(
                    f,
                    "the service asks to wait {asked} s; trying again in {seconds} s"
                )
            }
            Some(Cause::Service { .. }) => {
                write!(f, "waits {seconds} s, since the service refused a request")
            }
        }
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::rate_limit::limits::SECOND;
    use insta::assert_snapshot;

    #[test]
    fn waits_are_told_in_words() {
        let reported = |cause| {
            LimiterStatus {
                holder: None,
                cause,
                left: Some(Duration::from_millis(6_200)),
                waited: Duration::ZERO,
            }
            .to_string()
        };
        let asked = |seconds| Cause::Service {
            asked: Some(Duration::from_secs(seconds)),
        };
        assert_eq!(reported(None), "");
        assert_snapshot!(reported(Some(Cause::Tokens { per_minute: 5_000 })), @"waits 7 s for tokens of the quota (5,000 a minute)");
        assert_snapshot!(reported(Some(Cause::Requests { per_minute: 30 })), @"waits 7 s for requests of the quota (30 a minute)");
        let guess = Cause::Guess {
            limit: 5,
            period: Duration::from_secs(10),
        };
        assert_snapshot!(reported(Some(guess)), @"waits 7 s for the guessed limit (5 requests in 10 s)");
        let one = Cause::Guess {
            limit: 1,
            period: SECOND,
        };
        assert_snapshot!(reported(Some(one)), @"waits 7 s for the guessed limit (1 request in 1 s)");
        assert_snapshot!(reported(Some(asked(86_400))), @"the service asks to wait 86,400 s; trying again in 7 s");
        assert_snapshot!(reported(Some(asked(7))), @"waits 7 s, since the service refused a request");
        assert_snapshot!(reported(Some(Cause::AtOnce { limit: 4 })), @"waits for an answer, since the service seems to take 4 at once");
        assert_snapshot!(reported(Some(Cause::Answer)), @"waits for an answer that shows whether more may be sent");
    }
}
