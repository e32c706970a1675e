//! The result of a batch.

use std::time::Duration;

use super::request_stats::{AnswerSource, RequestStats};
use super::totals::Totals;
use crate::error::{ContentFilter, Error, Result};
use crate::openai::{ChatCompletion, Usage};

/// One row of a batch: the prompt and its outcome.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The row's number in the batch, from 0.
    pub id: usize,
    /// The name of the request; empty for a prompt, which has none.
    pub custom_id: String,
    /// The prompt. Of a complete request, the text of its last message.
    pub prompt: String,
    /// Which sample of its prompt the row is, from 0.
    pub sample: u32,
    /// The completion, or why there is none.
    pub outcome: Result<ChatCompletion>,
    /// How many attempts the row took, and how long.
    pub stats: RequestStats,
    /// Where the outcome comes from.
    pub source: AnswerSource,
}

impl Answer {
    /// The text of the answer. `None` if the row failed or the answer has no text.
    pub fn text(&self) -> Option<&str> {
        self.outcome.as_ref().ok().and_then(ChatCompletion::text)
    }

    /// What the service's content filter found in the answer, if the service has one. An answer that
    /// it withheld has findings, but no text.
    pub fn content_filter(&self) -> Option<&ContentFilter> {
        self.outcome.as_ref().ok()?.content_filter()
    }

    /// The token usage, if the service reported it.
    pub fn usage(&self) -> Option<Usage> {
        self.outcome.as_ref().ok()?.usage
    }

    /// Why the row failed.
    pub fn error(&self) -> Option<&Error> {
        self.outcome.as_ref().err()
    }
}

/// The answers of a batch: one row per sample of a prompt, in the order of the prompts.
///
/// ```
/// # let client = evenhand::Client::builder()
/// #     .endpoint("http://127.0.0.1:9").api_key("key").deployment("any").max_retries(0).build()?;
/// let answers = client.batch(["Describe a nurse."]).run()?;
/// for answer in &answers {
///     println!("{}: {:?}", answer.prompt, answer.text());
/// }
/// let errors: Vec<_> = answers.into_iter().filter_map(|answer| answer.outcome.err()).collect();
/// assert_eq!(errors.len(), 1);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Answers {
    rows: Vec<Answer>,
    wall_time: Duration,
    unsaved: Option<Error>,
    notes: Vec<String>,
}

impl Answers {
    pub(crate) fn new(rows: Vec<Answer>, wall_time: Duration, unsaved: Option<Error>) -> Self {
        Self {
            rows,
            wall_time,
            unsaved,
            notes: Vec::new(),
        }
    }

    /// Adds notes for the user about the journal and the quota.
    pub(crate) fn noting(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }

    /// Why some rows could not be written to the journal (a full disk, for example), if so.
    /// [`rows`](Self::rows) has them anyway.
    pub fn unsaved(&self) -> Option<&Error> {
        self.unsaved.as_ref()
    }

    /// The rows, in the order of the prompts; the samples of a prompt are adjacent.
    pub fn rows(&self) -> &[Answer] {
        &self.rows
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Answer> {
        self.rows.iter().filter(|row| row.outcome.is_err())
    }

    /// The texts of the answers, in the order of the rows; `None` where a row failed.
    pub fn texts(&self) -> impl Iterator<Item = Option<&str>> {
        self.rows.iter().map(Answer::text)
    }

    /// The totals: rows, requests, tokens and times.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals {
            wall_time: self.wall_time,
            notes: self.notes.clone(),
            ..Totals::default()
        };
        for row in &self.rows {
            totals.add(&row.outcome, &row.stats, row.source);
        }
        totals
    }

    /// The tokens of all prompts and completions, as the service counted them.
    pub fn total_tokens(&self) -> u64 {
        self.totals().tokens()
    }

    /// How long the whole batch took.
    pub fn wall_time(&self) -> Duration {
        self.wall_time
    }

    /// A one-line summary.
    ///
    /// ```
    /// let client = evenhand::Client::builder()
    ///     .endpoint("https://contoso.openai.azure.com")
    ///     .api_key("key")
    ///     .build()?;
    /// let nothing: [&str; 0] = [];
    /// let summary = client.batch(nothing).run()?.summary();
    /// assert_eq!(summary, "0 rows: 0 answered, 0 tokens, 0.0 s");
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn summary(&self) -> String {
        self.totals().to_string()
    }
}

impl IntoIterator for Answers {
    type Item = Answer;
    type IntoIter = std::vec::IntoIter<Answer>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<'a> IntoIterator for &'a Answers {
    type Item = &'a Answer;
    type IntoIter = std::slice::Iter<'a, Answer>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}
