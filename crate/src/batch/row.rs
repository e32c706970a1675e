//! The outcome of one request of a batch of complete requests.

use super::request_stats::{AnswerSource, RequestStats};
use crate::error::{ContentFilter, Error, Result};
use crate::openai::{ChatCompletion, Usage};

/// The outcome of a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// The request's number, from 0.
    pub id: usize,
    /// The request's name.
    pub custom_id: String,
    /// The completion, or why there is none.
    pub outcome: Result<ChatCompletion>,
    /// How many attempts the request took, and how long.
    pub stats: RequestStats,
    /// Where the outcome comes from.
    pub source: AnswerSource,
}

// As for an `Answer`: the two share no type, since each documents what its outcome is about.
impl Row {
    /// The text of the answer. `None` if the request failed or the answer has no text.
    pub fn text(&self) -> Option<&str> {
        self.outcome.as_ref().ok()?.text()
    }

    /// What the service's content filter found in the answer, if the service has one.
    pub fn content_filter(&self) -> Option<&ContentFilter> {
        self.outcome.as_ref().ok()?.content_filter()
    }

    /// The token usage, if the service reported it.
    pub fn usage(&self) -> Option<Usage> {
        self.outcome.as_ref().ok()?.usage
    }

    /// Why the request failed.
    pub fn error(&self) -> Option<&Error> {
        self.outcome.as_ref().err()
    }
}
