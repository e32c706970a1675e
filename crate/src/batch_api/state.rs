//! How far a submission is.

use std::fmt;
use std::time::Duration;

use crate::batch::Progress;

use crate::text::sanitize_line;

/// So much of what the service says of a batch is told on a line.
const WIDTH: usize = 300;

/// What the service does with a batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BatchState {
    /// It looks through the file.
    Validating,
    /// It asks.
    InProgress,
    /// It has asked, and gathers the answers.
    Finalizing,
    /// All rows are answered or have failed.
    Completed,
    /// The file was not accepted; nothing was asked.
    Failed,
    /// The time of 24 hours was over. What was answered until then is there.
    Expired,
    /// It is being cancelled, which takes up to ten minutes.
    Cancelling,
    /// It was cancelled. What was answered until then is there.
    Cancelled,
    /// Something else, in the service's words.
    Other(String),
}

impl BatchState {
    pub(super) fn of(word: &str) -> Self {
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

    /// The state in the service's words.
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

    /// Will nothing more come of it?
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

/// How far one batch is, as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchStatus {
    /// The service's name for it.
    pub id: String,
    /// What the service does with it.
    pub state: BatchState,
    /// Rows in it; 0 until the service has counted them.
    pub total: u64,
    /// Rows that are answered.
    pub completed: u64,
    /// Rows that have failed.
    pub failed: u64,
    /// Why its file was not accepted, a line each.
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

/// How far a submission is. Its `Display` says it in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// How many questions the prompts make.
    pub questions: usize,
    /// Of them, those that the journal answers.
    pub from_journal: usize,
    /// The batches that are under way, or wait to be collected.
    pub batches: Vec<BatchStatus>,
}

impl Status {
    /// Will nothing more come, so that [`collect`](super::Submission::collect) need not wait?
    pub fn is_over(&self) -> bool {
        self.batches.iter().all(|batch| batch.state.is_over())
    }
}

impl fmt::Display for Status {
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
    /// How far the service is with what was submitted. How long it will take nobody knows.
    pub(crate) fn of_submission(status: &Status, elapsed: Duration) -> Self {
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
