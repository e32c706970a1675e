//! What a batch gives back.

use std::time::Duration;

use crate::client::{ChatCompletion, Usage};
use crate::error::{Error, Result};

/// One row of a batch: what was asked, and what came of it.
#[derive(Debug)]
pub struct Answer {
    /// The row's number in the batch, from 0.
    pub id: usize,
    /// What was asked.
    pub prompt: String,
    /// The completion, or why there is none.
    pub outcome: Result<ChatCompletion>,
    /// From sending the request to having the answer, retries and their waits included.
    pub latency: Duration,
}

impl Answer {
    /// The model's words. `None` when the row failed, or the model said nothing.
    pub fn text(&self) -> Option<&str> {
        self.outcome.as_ref().ok().and_then(ChatCompletion::text)
    }

    /// What the row cost, in tokens, if the service said so.
    pub fn usage(&self) -> Option<Usage> {
        self.outcome
            .as_ref()
            .ok()
            .and_then(|completion| completion.usage)
    }

    /// Why the row failed.
    pub fn error(&self) -> Option<&Error> {
        self.outcome.as_ref().err()
    }
}

/// The answers of a batch: one row a prompt, in the order of the prompts.
#[derive(Debug)]
pub struct Answers {
    rows: Vec<Answer>,
    wall_time: Duration,
}

impl Answers {
    pub(super) fn new(rows: Vec<Answer>, wall_time: Duration) -> Self {
        Self { rows, wall_time }
    }

    /// The rows, in the order of the prompts.
    pub fn rows(&self) -> &[Answer] {
        &self.rows
    }

    /// How many prompts there were.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Was nothing asked?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Answer> {
        self.rows.iter().filter(|row| row.outcome.is_err())
    }

    /// The model's words, in the order of the prompts; `None` where a row failed.
    pub fn texts(&self) -> impl Iterator<Item = Option<&str>> {
        self.rows.iter().map(Answer::text)
    }

    /// The tokens of all prompts and completions, as the service counted them.
    pub fn total_tokens(&self) -> u64 {
        self.rows
            .iter()
            .filter_map(Answer::usage)
            .map(|usage| usage.total_tokens)
            .sum()
    }

    /// How long the whole batch took.
    pub fn wall_time(&self) -> Duration {
        self.wall_time
    }

    /// How it went, in a line.
    ///
    /// ```
    /// let client = evenhand::Client::builder()
    ///     .endpoint("https://contoso.openai.azure.com")
    ///     .api_key("key")
    ///     .build()?;
    /// let nothing: [&str; 0] = [];
    /// let summary = client.batch(nothing).run()?.summary();
    /// assert_eq!(summary, "0 prompts: 0 answered, 0 tokens, 0.0 s");
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn summary(&self) -> String {
        let failed = self.failed().count();
        let failures = match failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!(
            "{} prompt{}: {} answered{failures}, {} tokens, {:.1} s",
            self.len(),
            if self.len() == 1 { "" } else { "s" },
            self.len() - failed,
            self.total_tokens(),
            self.wall_time.as_secs_f64(),
        )
    }
}
