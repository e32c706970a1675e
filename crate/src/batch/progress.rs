//! Progress of a batch, reported to the caller's listener or, without one, to the user of the
//! notebook: as a bar where the kernel can update an output, and otherwise as a line on
//! standard error, at most every two seconds.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::request_stats::AnswerSource;
use crate::display::{ProgressBar, note_line};
use crate::error::{ErrorKind, Result};
use crate::openai::ChatCompletion;
use crate::runtime::run_caller_code;

const BETWEEN_LINES: Duration = Duration::from_secs(2);

/// How often the bar is updated. A batch that ends before the first update shows none.
const BETWEEN_MOVES: Duration = Duration::from_millis(300);

/// The progress of a batch. Its `Display` is one line.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Progress {
    /// The total number of rows, if known.
    pub total: Option<usize>,
    /// Rows that are answered or have failed.
    pub done: usize,
    /// Of these, rows that failed.
    pub failed: usize,
    /// Of these, rows that the journal answered.
    pub from_journal: usize,
    /// Tokens of the prompts and completions of this run.
    pub tokens: u64,
    /// The time since the batch began.
    pub elapsed: Duration,
    /// A description of what the batch is waiting for, if it is waiting, such as `waits 7 s for
    /// tokens of the quota (5,000 a minute)`.
    pub waits_for: Option<String>,
    pub(crate) at_once: usize,
    /// Whether the batch has ended, possibly with rows left.
    pub(crate) is_over: bool,
}

impl Progress {
    /// The estimated remaining time, if it can be estimated. The first rows give no estimate
    /// because they were all in flight at once, and rows from the journal took no time.
    pub fn left(&self) -> Option<Duration> {
        let asked = self.done.saturating_sub(self.from_journal);
        let left = self.total?.saturating_sub(self.done);
        let seconds = self.elapsed.as_secs_f64() * (left as f64 / asked.max(1) as f64);
        let left = Duration::try_from_secs_f64(seconds).ok();
        left.filter(|_| asked > self.at_once)
    }

    /// Tokens per second since the batch began.
    pub fn tokens_per_second(&self) -> f64 {
        self.tokens as f64 / self.elapsed.as_secs_f64().max(0.001)
    }
}

impl Progress {
    fn move_bar(&self, bar: &mut ProgressBar) {
        bar.show(self.done, self.total, &self.to_string());
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.done.saturating_sub(self.failed))?;
        if let Some(total) = self.total {
            write!(f, " of {total}")?;
        }
        write!(f, " answered")?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        let is_whole = Some(self.done) == self.total;
        let so_far = match is_whole || self.is_over {
            true => "",
            false => " so far",
        };
        write!(
            f,
            ", {:.0} tokens/s, {} s{so_far}",
            self.tokens_per_second(),
            self.elapsed.as_secs()
        )?;
        if let Some(left) = self.left().filter(|_| !so_far.is_empty()) {
            write!(f, ", about {} s left", left.as_secs().saturating_add(1))?;
        }
        match &self.waits_for {
            Some(what) => write!(f, ", {what}"),
            None if self.is_over && self.total.is_some() && !is_whole => write!(f, ", stopped"),
            None => Ok(()),
        }
    }
}

/// The caller's progress callback.
#[derive(Clone)]
pub(crate) struct Listener(pub(crate) Arc<dyn Fn(&Progress) + Send + Sync>);

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener(..)")
    }
}

/// Reports that the batch can't begin yet, and what it waits for.
pub(crate) fn report_wait(listener: Option<&Listener>, what: String) {
    match listener {
        Some(Listener(tell)) => {
            let progress = Progress {
                waits_for: Some(what),
                ..Progress::default()
            };
            run_caller_code(|| tell(&progress));
        }
        None => note_line(&format!("waits {what}")),
    }
}

/// Counts outcomes and reports progress. A batch that ends before the first line is due prints
/// nothing, unless rows failed or the journal answered some.
pub(crate) struct ProgressReporter {
    progress: Progress,
    listener: Option<Listener>,
    bar: Option<ProgressBar>,
    started: Instant,
    last_report: Instant,
    first_failure: Option<String>,
}

impl ProgressReporter {
    pub(crate) fn new(total: Option<usize>, at_once: usize, listener: Option<Listener>) -> Self {
        let now = Instant::now();
        let progress = Progress {
            total,
            at_once,
            ..Progress::default()
        };
        Self {
            progress,
            bar: ProgressBar::new().filter(|_| listener.is_none()),
            listener,
            started: now,
            last_report: now,
            first_failure: None,
        }
    }

    pub(crate) fn count(&mut self, outcome: &Result<ChatCompletion>, source: AnswerSource) {
        let progress = &mut self.progress;
        progress.done += 1;
        match outcome {
            Ok(_) if source == AnswerSource::Journal => progress.from_journal += 1,
            Ok(answer) => {
                let tokens = answer.usage.map_or(0, |usage| usage.total_tokens);
                progress.tokens = progress.tokens.saturating_add(tokens);
            }
            Err(error) if error.kind() == ErrorKind::Cancelled => {}
            Err(error) => {
                progress.failed += 1;
                self.first_failure
                    .get_or_insert_with(|| error.message().to_owned());
            }
        }
    }

    /// Reports the progress, if that is due, and what the batch is waiting for, if anything.
    pub(crate) fn tick(&mut self, waits_for: impl FnOnce() -> String) {
        let over = Some(self.progress.done) == self.progress.total;
        let between = match (&self.listener, &self.bar) {
            (Some(_), _) => Duration::ZERO,
            (None, Some(_)) => BETWEEN_MOVES,
            (None, None) => BETWEEN_LINES,
        };
        if over || self.last_report.elapsed() < between {
            return;
        }
        self.last_report = Instant::now();
        self.progress.elapsed = self.started.elapsed();
        let waits_for = waits_for();
        self.progress.waits_for = (!waits_for.is_empty()).then_some(waits_for);
        match (&self.listener, &mut self.bar) {
            (Some(Listener(tell)), _) => run_caller_code(|| tell(&self.progress)),
            (None, Some(bar)) => self.progress.move_bar(bar),
            (None, None) => note_line(&self.progress.to_string()),
        }
    }

    /// Reports the final state.
    pub(crate) fn finish(mut self) {
        self.progress.elapsed = self.started.elapsed();
        self.progress.waits_for = None;
        self.progress.is_over = true;
        let Progress {
            done,
            failed,
            from_journal,
            ..
        } = &self.progress;
        if let Some(Listener(tell)) = &self.listener {
            return run_caller_code(|| tell(&self.progress));
        }
        if let Some(bar) = self.bar.as_mut().filter(|bar| bar.is_shown()) {
            self.progress.move_bar(bar);
        }
        if *from_journal > 0 {
            note_line(&format!(
                "{from_journal} of {done} were answered by the journal; `.fresh()` asks again"
            ));
        }
        if let Some(reason) = &self.first_failure {
            note_line(&format!(
                "{failed} of {done} failed, the first because: {reason}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_line_tells_how_far_it_is() {
        let mut progress = Progress {
            at_once: 8,
            ..Progress::default()
        };
        assert_snapshot!(progress, @"0 answered, 0 tokens/s, 0 s so far");
        progress = Progress {
            total: Some(600),
            done: 110,
            failed: 2,
            from_journal: 10,
            tokens: 5_000,
            elapsed: Duration::from_secs(20),
            waits_for: Some("waits 9 s for tokens of the quota (5,000 a minute)".to_owned()),
            ..progress
        };
        assert_snapshot!(progress, @"108 of 600 answered, 2 failed, 250 tokens/s, 20 s so far, about 99 s left, waits 9 s for tokens of the quota (5,000 a minute)");
    }

    #[test]
    fn what_was_stopped_is_not_so_far() {
        let mut progress = Progress {
            total: Some(400),
            done: 8,
            elapsed: Duration::from_secs(1),
            is_over: true,
            ..Progress::default()
        };
        assert_snapshot!(progress, @"8 of 400 answered, 0 tokens/s, 1 s, stopped");
        progress.done = 400;
        assert_snapshot!(progress, @"400 of 400 answered, 0 tokens/s, 1 s");
        (progress.total, progress.done) = (None, 8);
        assert_snapshot!(progress, @"8 answered, 0 tokens/s, 1 s");
    }

    #[test]
    fn the_rest_is_not_guessed_from_what_came_for_nothing() {
        let mut progress = Progress {
            total: Some(100),
            done: 58,
            from_journal: 50,
            elapsed: Duration::from_secs(8),
            at_once: 8,
            ..Progress::default()
        };
        // All eight were in flight at once, so there is no estimate yet.
        assert_eq!(progress.left(), None);
        progress.done = 66;
        assert_eq!(progress.left(), Some(Duration::from_secs(17)));
        progress.done = 100;
        assert_eq!(progress.left(), Some(Duration::ZERO));
        progress.total = None;
        assert_eq!(progress.left(), None);
    }
}
