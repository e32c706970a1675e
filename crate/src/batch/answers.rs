//! What a batch gives back.

use std::time::{Duration, SystemTime};

use super::totals::Totals;
use crate::error::{Error, Result};
use crate::openai::{ChatCompletion, Usage};

/// One row of a batch: what was asked, and what came of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The row's number in the batch, from 0.
    pub id: usize,
    /// What was asked.
    pub prompt: String,
    /// Which sample of its prompt the row is, from 0.
    pub sample: u32,
    /// The completion, or why there is none.
    pub outcome: Result<ChatCompletion>,
    /// What it took.
    pub effort: RequestStats,
    /// Where the outcome is from.
    pub source: Source,
}

/// What it took to settle a row. An answer out of a journal tells what it took then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestStats {
    /// How many requests were sent.
    pub attempts: u32,
    /// How many of them were refused for the quota's sake (429).
    pub refused: u32,
    /// How long the last attempt took, from sending the request to having its answer.
    pub latency: Duration,
    /// How long the row waited for the quota, or between attempts.
    pub waited: Duration,
    /// When the first request was sent. `None` where none was, or where that is not known: of
    /// what the Batch API did, the service does not say.
    pub asked_at: Option<SystemTime>,
}

/// Where a row's outcome is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The service was asked for this row.
    Service,
    /// The journal had the answer of an earlier run.
    Journal,
    /// Another row of the batch asked the same at temperature 0.
    SameQuestion,
    /// Nobody was asked: the batch ended first, or the request can't be sent.
    NotAsked,
}

impl Source {
    /// The source as it stands in tables, such as `journal`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Journal => "journal",
            Self::SameQuestion => "same_question",
            Self::NotAsked => "not_asked",
        }
    }
}

impl Answer {
    /// The model's words. `None` when the row failed, or the model said nothing.
    pub fn text(&self) -> Option<&str> {
        self.outcome.as_ref().ok().and_then(ChatCompletion::text)
    }

    /// What the answer cost, in tokens, if the service said so.
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

/// The answers of a batch: one row a sample of a prompt, in the order of the prompts.
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
#[derive(Debug)]
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

    /// What is to be known of the journal.
    pub(crate) fn noting(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }

    /// Why some rows are not in the journal, if so: a full disk, perhaps. They are here all
    /// the same.
    pub fn unsaved(&self) -> Option<&Error> {
        self.unsaved.as_ref()
    }

    /// The rows, in the order of the prompts; the samples of a prompt stand together.
    pub fn rows(&self) -> &[Answer] {
        &self.rows
    }

    /// How many rows there are.
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

    /// The model's words, in the order of the rows; `None` where a row failed.
    pub fn texts(&self) -> impl Iterator<Item = Option<&str>> {
        self.rows.iter().map(Answer::text)
    }

    /// How it went: rows, requests, tokens, times.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals {
            wall_time: self.wall_time,
            notes: self.notes.clone(),
            ..Totals::default()
        };
        for row in &self.rows {
            totals.add(&row.outcome, &row.effort, row.source);
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

    /// How it went, in a line.
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
