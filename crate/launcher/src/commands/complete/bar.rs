//! The progress line.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use evenhand::batch::Progress;
use evenhand::text::sanitize_line;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::err;

/// More columns than any terminal has.
const MAX_LENGTH: usize = 1_000;

/// A shorter wait is not told where no progress is shown.
const LONG_WAIT: Duration = Duration::from_secs(10);

/// The same where nothing but the service's answers is waited for: a long answer takes its time.
const LONG_ANSWER: Duration = Duration::from_secs(30);
const AT_WORK: &str = "the service has not answered what it was sent";

/// A progress line on standard error. Where it is not shown, since it is not wanted or standard error
/// is not a terminal, the first long wait is told, because a program that does nothing and says
/// nothing seems to hang.
pub(in crate::commands) struct Bar(ProgressBar);

impl Bar {
    pub(in crate::commands) fn new(quiet: bool) -> Self {
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    pub(in crate::commands) fn listener(&self) -> impl Fn(&Progress) + Send + Sync + use<> {
        let bar = self.0.clone();
        let silence = Mutex::new(Silence::begun(Instant::now()));
        move |progress| {
            bar.set_message(sanitize_line(&progress.to_string(), MAX_LENGTH));
            let mut silence = silence.lock().unwrap_or_else(PoisonError::into_inner);
            let waits = progress.waits_for.as_deref();
            // Where the input has not ended, it may be what is waited for.
            let works = progress.total.map(|_| (LONG_ANSWER, AT_WORK));
            let waits_for = waits.map(|waits| (LONG_WAIT, waits)).or(works);
            if bar.is_hidden()
                && let Some(line) = silence.broken(Instant::now(), progress.done, waits_for)
            {
                err!("! {line}");
            }
        }
    }

    pub(in crate::commands) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// The time in which no row was answered.
struct Silence {
    since: Instant,
    done: usize,
    is_told: bool,
}

impl Silence {
    fn begun(now: Instant) -> Self {
        Self {
            since: now,
            done: 0,
            is_told: false,
        }
    }

    /// What is told of a wait that is long by now, the first time: how long that is, and what for.
    fn broken(
        &mut self,
        now: Instant,
        done: usize,
        waits_for: Option<(Duration, &str)>,
    ) -> Option<String> {
        if done != self.done {
            (self.done, self.since) = (done, now);
        }
        let took = now.saturating_duration_since(self.since);
        let (_, waits_for) = waits_for.filter(|(long, _)| took >= *long && !self.is_told)?;
        self.is_told = true;
        let line = format!("no answer for {} s: {waits_for}", took.as_secs());
        Some(sanitize_line(&line, MAX_LENGTH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_long_wait_is_told() {
        let begun = Instant::now();
        let mut silence = Silence::begun(begun);
        let mut told = |seconds, done, waits_for| {
            silence.broken(begun + Duration::from_secs(seconds), done, waits_for)
        };
        let waits = Some((LONG_WAIT, "waits 7 s, since the service refused a request"));
        assert_eq!(told(9, 0, waits), None);
        assert_eq!(told(11, 1, waits), None, "a row was answered");
        assert_eq!(told(21, 1, None), None, "nothing is waited for");
        assert_eq!(
            told(22, 1, waits).unwrap(),
            "no answer for 11 s: waits 7 s, since the service refused a request"
        );
        assert_eq!(told(90, 1, waits), None, "once");
        let mut silence = Silence::begun(begun);
        let mut told = |seconds| {
            let works = Some((LONG_ANSWER, AT_WORK));
            silence.broken(begun + Duration::from_secs(seconds), 0, works)
        };
        assert_eq!(told(29), None);
        assert_eq!(
            told(30).unwrap(),
            "no answer for 30 s: the service has not answered what it was sent"
        );
    }
}
