//! A rejection, and what the wait that it asks for says about the period in which the service counts.

use std::time::Duration;

use crate::batch::rate_limit::limits::{MINUTE, SECOND, TEN_SECONDS};

/// One rejection.
#[derive(Clone, Copy, Debug)]
pub(in crate::batch::rate_limit) struct Rejection {
    pub(in crate::batch::rate_limit) now: Duration,
    /// When the request was sent.
    pub(in crate::batch::rate_limit) sent: Duration,
    /// How many were in flight when it was sent, including it.
    pub(in crate::batch::rate_limit) level: u64,
    /// It is the first rejection among requests that were in flight together.
    pub(in crate::batch::rate_limit) is_first: bool,
    /// Nothing has been answered since the previous rejections.
    pub(in crate::batch::rate_limit) is_again: bool,
    /// It was a trial request, sent in the middle of a wait.
    pub(in crate::batch::rate_limit) is_trial: bool,
    /// The wait that the service asked for.
    pub(in crate::batch::rate_limit) asked: Option<Duration>,
    /// How many requests are still in flight.
    pub(in crate::batch::rate_limit) in_flight: u64,
    /// How many were refused in the last minute.
    pub(in crate::batch::rate_limit) in_minute: u64,
}

impl Rejection {
    /// Whether the refused requests of the last minute may have used it up by themselves: services
    /// count them too.
    pub(super) fn refuses_itself(&self, passed_in_minute: u64) -> bool {
        self.in_minute.saturating_mul(2) > passed_in_minute
    }
}

/// How much of a minute has passed at whose end the service asks to come again: what was answered in
/// this time has used it up, whether the minute is fixed or slides. Whole seconds are rounded up, so that
/// a second more may have passed: shortly after the beginning, half of the answers came in it.
pub(super) fn used_of_minute(asked: Option<Duration>) -> Option<Duration> {
    let asked = asked.filter(|asked| *asked > TEN_SECONDS)?;
    let rounded = match asked.subsec_nanos() {
        0 => SECOND,
        _ => Duration::ZERO,
    };
    Some(MINUTE.checked_sub(asked)? + rounded)
}

/// The period in which the service counts: a second, ten seconds, or a minute. The wait that it asks
/// for is the rest of a period.
pub(super) fn period(asked: Option<Duration>) -> Duration {
    let asked = asked
        .filter(|asked| *asked <= MINUTE)
        .unwrap_or(TEN_SECONDS);
    let fits = |length: &Duration| asked <= *length;
    [SECOND, TEN_SECONDS]
        .into_iter()
        .find(fits)
        .unwrap_or(MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_in_whole_seconds_may_be_a_second_too_long() {
        let used = |seconds| used_of_minute(Some(Duration::from_secs_f64(seconds)));
        assert_eq!(used(58.0), Some(Duration::from_secs(3)));
        assert_eq!(used(58.25), Some(Duration::from_millis(1_750)));
        assert_eq!(used(60.0), Some(SECOND));
        assert_eq!(used(10.0), None);
        assert_eq!(used(61.0), None);
    }
}
