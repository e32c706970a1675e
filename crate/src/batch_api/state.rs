//! The progress of a submission.

use std::fmt;
use std::time::Duration;

use crate::batch::Progress;

use crate::text::sanitize_line;

/// The most characters of a text from the service that are shown on a line.
const WIDTH: usize = 300;

/// The state of a batch on the service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BatchState {
    /// The service is validating the file.
    Validating,
    /// The service is answering the requests.
    InProgress,
    /// All requests have been processed; the service is preparing the output files.
    Finalizing,
    /// All rows are answered or have failed.
    Completed,
    /// The file was not accepted; no request was processed.
    Failed,
    /// The batch did not finish within 24 hours. Answers completed until then are available.
    Expired,
    /// The batch is being cancelled, which takes up to ten minutes.
    Cancelling,
    /// The batch was cancelled. Answers completed until then are available.
    Cancelled,
    /// Another state, as the service names it.
    Other(String),
}

impl BatchState {
    pub(super) fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "validating" => Self::Validating,
            "in_progress" | "inprogress" | "running" => Self::InProgress,
            "finalizing" => Self::Finalizing,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "expired" => Self::Expired,
            "cancelling" | "canceling" => Self::Cancelling,
            "cancelled" | "canceled" => Self::Cancelled,
            _ => Self::Other(word.to_owned()),
        }
    }

    /// The service's name for the state.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Validating => "validating",
            Self::InProgress => "in_progress",
            Self::Finalizing => "finalizing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Other(word) => word,
        }
    }

    /// Whether the batch has ended.
    pub fn is_over(&self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Expired | Self::Cancelled
        )
    }
}

impl fmt::Display for BatchState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sanitize_line(self.as_str(), WIDTH))
    }
}

/// The progress of one batch, as the service reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchStatus {
    /// The service's ID of the batch.
    pub id: String,
    /// The batch's state.
    pub state: BatchState,
    /// Rows in the batch; 0 until the service has counted them.
    pub total: u64,
    /// Rows that are answered.
    pub completed: u64,
    /// Rows that have failed.
    pub failed: u64,
    /// The reasons why its file was not accepted, one per entry.
    pub errors: Vec<String>,
}

impl fmt::Display for BatchStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", sanitize_line(&self.id, WIDTH), self.state)?;
        if self.total > 0 {
            write!(f, ", {} of {} answered", self.completed, self.total)?;
        }
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        match self.errors.first() {
            Some(reason) => write!(f, " ({})", sanitize_line(reason, WIDTH)),
            None => Ok(()),
        }
    }
}

/// The progress of a submission. Its `Display` is one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubmissionStatus {
    /// The number of questions that the prompts make.
    pub questions: usize,
    /// Of these, the number that the journal answers.
    pub from_journal: usize,
    /// The batches that are in progress or waiting to be collected.
    pub batches: Vec<BatchStatus>,
}

impl SubmissionStatus {
    /// Whether all batches have ended, so that [`collect`](super::Submission::collect) need not
    /// wait.
    pub fn is_over(&self) -> bool {
        self.batches.iter().all(|batch| batch.state.is_over())
    }
}

impl fmt::Display for SubmissionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.questions == 1 { "" } else { "s" };
        write!(f, "{} question{plural}", self.questions)?;
        if self.from_journal > 0 {
            write!(f, " ({} answered by the journal)", self.from_journal)?;
        }
        match &self.batches[..] {
            [] => write!(f, ", no batch under way"),
            [batch] => write!(f, ", batch {batch}"),
            batches => {
                write!(f, ", {} batches", batches.len())?;
                batches.iter().try_for_each(|batch| write!(f, "; {batch}"))
            }
        }
    }
}

impl Progress {
    /// The progress of a submission. The remaining time can't be estimated.
    pub(crate) fn of_submission(status: &SubmissionStatus, elapsed: Duration) -> Self {
        let count = |rows: fn(&BatchStatus) -> u64| {
            let rows = status.batches.iter().map(rows).fold(0, u64::saturating_add);
            usize::try_from(rows).unwrap_or(usize::MAX)
        };
        let failed = count(|batch| batch.failed);
        let open = status.batches.iter().filter(|batch| !batch.state.is_over());
        Self {
            total: Some(status.questions),
            done: status
                .from_journal
                .saturating_add(count(|batch| batch.completed))
                .saturating_add(failed),
            failed,
            from_journal: status.from_journal,
            elapsed,
            waits_for: open.map(|batch| format!("for {batch}")).next(),
            at_once: usize::MAX,
            ..Self::default()
        }
    }
}
