//! Decides whether a failed request is sent again and after what time, for all services. Pure but for
//! the pause itself: the clock and the random number are passed in.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap};

use crate::cancel::{self, CancelHandle};
use crate::civil_calendar;
use crate::error::{Error, ErrorKind, Result};

/// The longest wait that a service may ask for.
const MAX_REQUESTED_WAIT: Duration = Duration::from_secs(60);

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    /// Whether sending the request again may help.
    pub(crate) again: bool,
    /// How long the service asked to wait, unmodified.
    pub(crate) asked: Option<Duration>,
}

impl Retry {
    /// Sending again would not help.
    pub(crate) const NO: Self = Self {
        again: false,
        asked: None,
    };
    /// Sending again may help, and the service named no wait.
    pub(crate) const YES: Self = Self {
        again: true,
        asked: None,
    };

    /// The decision for a response with this status.
    pub(crate) fn after_status(status: u16, headers: &HeaderMap, now: SystemTime) -> Self {
        let wish = headers.get("x-should-retry").map(|value| value.as_bytes());
        let again = match wish {
            Some(b"true") => true,
            Some(b"false") => false,
            _ => matches!(status, 408 | 409 | 425 | 429 | 500..),
        };
        Self {
            again,
            asked: asked_wait(headers, now),
        }
    }

    /// The decision for a service that documents which statuses pass.
    pub(crate) fn after_one_of(
        statuses: &[u16],
        status: u16,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Self {
        Self {
            again: statuses.contains(&status),
            asked: asked_wait(headers, now),
        }
    }

    /// How long to wait before the next attempt, after this many retries. `dice` is a random
    /// number from 0 to 1. A wait that the service asks for is used up to a minute. Otherwise
    /// the wait doubles from half a second to eight seconds, minus a random part of up to a
    /// quarter, so that many clients spread out.
    pub(crate) fn wait(&self, retries: u32, dice: f64) -> Duration {
        match self.asked {
            Some(asked) if !asked.is_zero() && asked <= MAX_REQUESTED_WAIT => asked,
            _ => {
                let doubled = 0.5 * 2_f64.powi(retries.min(8).cast_signed());
                Duration::from_secs_f64(doubled.min(8.0) * (1.0 - 0.25 * dice.clamp(0.0, 1.0)))
            }
        }
    }
}

impl Retry {
    /// Waits before the next attempt, after this many retries, because of this error. Whoever waits for
    /// it looks for a stop.
    pub(crate) async fn pause(&self, retries: u32, error: &Error) {
        let wait = self.wait(retries, fastrand::f64());
        report(error, retries, wait);
        tokio::time::sleep(wait).await;
    }

    /// The same, for a caller that does not look for a stop.
    ///
    /// # Errors
    /// The wait was stopped.
    pub(crate) async fn pause_unless_stopped(
        &self,
        retries: u32,
        error: &Error,
        stop: Option<&CancelHandle>,
    ) -> Result<()> {
        let wait = self.wait(retries, fastrand::f64());
        pause_unless_stopped(wait, retries, error, stop).await
    }
}

/// Waits for this time before a request is sent again, after this many retries, because of this error.
///
/// # Errors
/// The wait was stopped.
pub(crate) async fn pause_unless_stopped(
    wait: Duration,
    retries: u32,
    error: &Error,
    stop: Option<&CancelHandle>,
) -> Result<()> {
    report(error, retries, wait);
    if !cancel::sleep(wait, stop).await {
        return Ok(());
    }
    let message = format!(
        "stopped while waiting to send a request again, after: {}",
        error.message()
    );
    Err(Error::new(ErrorKind::Cancelled, message)
        .with_hint("make the call again")
        .with_source(error.clone()))
}

/// The event of a retry. It leaves out the error's message, which may quote the service.
pub(crate) fn report(error: &Error, retries: u32, wait: Duration) {
    tracing::debug!(
        error = error.kind().name(),
        status = error.status(),
        retries,
        wait_ms = wait.as_millis() as u64,
        "a request failed temporarily and will be retried"
    );
}

/// When the response was sent, by the server's own clock.
pub(crate) fn sent_at(headers: &HeaderMap) -> Option<SystemTime> {
    let date = headers.get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok()
}

/// A number of seconds beyond this is a time since 1970.
const EPOCH: f64 = 1e9;
/// A longer wait means something else.
const ABSURD: Duration = Duration::from_secs(31 * 24 * 3600);

/// What `retry-after-ms` or `retry-after` (seconds, a duration with units as some gateways send it, or a
/// date in one of the usual forms) asks for. A date is compared with the server's clock if the response
/// has its time, because this machine's may be wrong.
pub(crate) fn asked_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let number = |name| text(name).and_then(|text| text.parse::<f64>().ok());
    let milliseconds = number("retry-after-ms").or_else(|| number("x-ms-retry-after-ms"));
    if let Some(milliseconds) = milliseconds {
        let wait = Duration::try_from_secs_f64(milliseconds / 1000.0).ok()?;
        return Some(wait).filter(|wait| *wait < ABSURD);
    }
    let text = text("retry-after")?.trim_matches('"');
    let seconds = text.parse::<f64>().ok();
    let wait = match seconds.filter(|seconds| *seconds >= EPOCH) {
        None => duration(text),
        Some(_) => None,
    };
    let wait = wait.or_else(|| {
        let date = match seconds {
            Some(seconds) => since_1970(seconds)?,
            None => httpdate::parse_http_date(text)
                .ok()
                .or_else(|| iso_date(text))?,
        };
        let now = sent_at(headers).unwrap_or(now);
        Some(date.duration_since(now).unwrap_or_default())
    });
    wait.filter(|wait| *wait < ABSURD)
}

fn since_1970(seconds: f64) -> Option<SystemTime> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Reads `2026-11-30T08:00:00Z`, with or without a part of a second, in UTC.
fn iso_date(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once(['T', ' '])?;
    let time = time.strip_suffix('Z').or(time.strip_suffix("+00:00"))?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u16>().ok());
    let [year, month, day] = [date.next()??, date.next()??, date.next()??].map(i64::from);
    let mut time = time.splitn(3, ':').map(|part| part.parse::<f64>().ok());
    let [hours, minutes, seconds] = [time.next()??, time.next()??, time.next()??];
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    let is_time = [(hours, 24.0), (minutes, 60.0), (seconds, 61.0)]
        .into_iter()
        .all(|(part, end)| (0.0..end).contains(&part));
    if !is_date || !is_time {
        return None;
    }
    let days = civil_calendar::days_to_month(year, month) + day - 1;
    since_1970(days as f64 * 86_400.0 + hours * 3_600.0 + minutes * 60.0 + seconds)
}

/// Reads `12`, `0.5`, `20ms`, `1s`, `6m0s`, `1h2m3.5s`; a number without a unit is in seconds.
pub(crate) fn duration(text: &str) -> Option<Duration> {
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

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn asked(pairs: &[(&'static str, &str)]) -> Option<Duration> {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        asked_wait(&headers(pairs), now)
    }

    #[test]
    fn statuses_that_may_pass_are_retried() {
        for status in 400..=599 {
            let expected = matches!(status, 408 | 409 | 425 | 429) || status >= 500;
            let retry = Retry::after_status(status, &HeaderMap::new(), SystemTime::now());
            assert_eq!(retry.again, expected, "{status}");
        }
    }

    #[test]
    fn the_service_has_the_last_word() {
        let now = SystemTime::now();
        assert!(!Retry::after_status(500, &headers(&[("x-should-retry", "false")]), now).again);
        assert!(Retry::after_status(400, &headers(&[("x-should-retry", "true")]), now).again);
        assert!(Retry::after_status(500, &headers(&[("x-should-retry", "maybe")]), now).again);
    }

    #[test]
    fn the_wish_is_read_in_every_form() {
        assert_eq!(asked(&[]), None);
        assert_eq!(
            asked(&[("retry-after", "1.5")]),
            Some(Duration::from_millis(1500))
        );
        assert_eq!(
            asked(&[("retry-after", "9"), ("retry-after-ms", "20")]),
            Some(Duration::from_millis(20))
        );
        assert_eq!(
            asked(&[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")]),
            Some(Duration::from_secs(10))
        );
        assert_eq!(
            asked(&[("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT")]),
            Some(Duration::ZERO)
        );
        assert_eq!(
            asked(&[
                ("date", "Sun, 06 Nov 1994 09:49:37 GMT"),
                ("retry-after", "Sun, 06 Nov 1994 09:49:39 GMT"),
            ]),
            Some(Duration::from_secs(2)),
            "this machine's clock is an hour behind"
        );
        assert_eq!(
            asked(&[("retry-after", "2s")]),
            Some(Duration::from_secs(2))
        );
        // The same moment, two seconds ahead, in other forms.
        for date in ["1994-11-06T08:49:39Z", "\"1994-11-06T08:49:39.000+00:00\""] {
            let wait = asked(&[("retry-after", date)]);
            assert_eq!(wait, Some(Duration::from_secs(2)), "{date}");
        }
        let of_today = [
            ("date", "Mon, 30 Nov 2026 08:00:00 GMT"),
            ("retry-after", "1796025602"),
        ];
        assert_eq!(asked(&of_today), Some(Duration::from_secs(2)));
        assert_eq!(
            asked(&[("x-ms-retry-after-ms", "1500")]),
            Some(Duration::from_millis(1500))
        );
        for nonsense in [
            "",
            "soon",
            "-1",
            "NaN",
            "1e300",
            "99999999",
            "1994-13-06T08:49:39Z",
            "1994-11-06T08:49:39",
            "T",
        ] {
            assert_eq!(asked(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
    }

    #[test]
    fn the_wish_counts_up_to_a_minute() {
        let wait = |seconds| {
            Retry {
                again: true,
                asked: Some(Duration::from_secs(seconds)),
            }
            .wait(0, 0.0)
        };
        assert_eq!(wait(60), Duration::from_secs(60));
        assert_eq!(wait(61), Duration::from_millis(500));
        assert_eq!(wait(0), Duration::from_millis(500));
    }

    #[test]
    fn without_a_wish_the_wait_doubles_up_to_eight_seconds() {
        let waits: Vec<_> = (0..6)
            .map(|retries| Retry::YES.wait(retries, 0.0).as_millis())
            .collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 8000]);
        assert_eq!(Retry::YES.wait(0, 1.0), Duration::from_millis(375));
    }

    #[test]
    fn times_are_read_in_every_form_that_was_seen() {
        let milliseconds = |text| duration(text).map(|wait| wait.as_millis());
        assert_eq!(milliseconds("12"), Some(12_000));
        assert_eq!(milliseconds("20ms"), Some(20));
        assert_eq!(milliseconds("6m0s"), Some(360_000));
        assert_eq!(milliseconds("1h2m3.5s"), Some(3_723_500));
        for text in ["", "-1", "s", "1x", "NaN", "inf", "1.2.3s"] {
            assert_eq!(milliseconds(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>()) {
            duration(&text);
        }

        #[test]
        fn no_wait_is_beyond_a_minute(retries in any::<u32>(), dice in any::<f64>(), asked in any::<u64>()) {
            let retry = Retry { again: true, asked: Some(Duration::from_millis(asked)) };
            prop_assert!(retry.wait(retries, dice) <= MAX_REQUESTED_WAIT);
            prop_assert!(Retry::YES.wait(retries, dice) <= Duration::from_secs(8));
        }
    }
}
