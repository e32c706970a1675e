//! Tells how far a batch is: a line on standard error, at most every two seconds.

use std::time::{Duration, Instant};

use super::Answer;

const BETWEEN_LINES: Duration = Duration::from_secs(2);

/// Counts rows, and says so now and then. A batch that is done before the first
/// line was due says nothing, unless rows failed.
pub(super) struct Progress {
    total: usize,
    at_once: usize,
    done: usize,
    failed: usize,
    started: Instant,
    last_line: Instant,
    first_failure: Option<String>,
}

impl Progress {
    pub(super) fn new(total: usize, at_once: usize) -> Self {
        let now = Instant::now();
        Self {
            total,
            at_once,
            done: 0,
            failed: 0,
            started: now,
            last_line: now,
            first_failure: None,
        }
    }

    pub(super) fn advance(&mut self, row: &Answer) {
        self.done += 1;
        if let Some(error) = row.error() {
            self.failed += 1;
            self.first_failure
                .get_or_insert_with(|| error.message().to_owned());
        }
        if self.last_line.elapsed() >= BETWEEN_LINES && self.done < self.total {
            self.last_line = Instant::now();
            say(&self.line());
        }
    }

    pub(super) fn finish(self) {
        if let Some(reason) = &self.first_failure {
            say(&format!(
                "{} of {} prompts failed, the first because: {reason}",
                self.failed, self.total
            ));
        }
    }

    fn line(&self) -> String {
        let elapsed = self.started.elapsed();
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!(
            "{} of {} answered{failed}, {} s so far{}",
            self.done - self.failed,
            self.total,
            elapsed.as_secs(),
            self.left(elapsed),
        )
    }

    /// How long it may still take. The first rows tell nothing: they were all under way at once.
    fn left(&self, elapsed: Duration) -> String {
        if self.done <= self.at_once {
            return String::new();
        }
        let left = elapsed.mul_f64((self.total - self.done) as f64 / self.done as f64);
        format!(", about {} s left", left.as_secs() + 1)
    }
}

#[cfg(feature = "notebook")]
fn say(line: &str) {
    crate::notebook::note(line);
}

/// Without the notebook nobody asked to be told; the rows carry everything.
#[cfg(not(feature = "notebook"))]
fn say(_line: &str) {}
