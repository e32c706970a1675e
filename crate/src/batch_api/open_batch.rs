//! A batch of prompts with its journal open: which of its questions are answered, which are in
//! an open batch, and which are still to be submitted.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use super::service::{Made, Service};
use crate::batch::cache::{self, AnswerCache};
use crate::batch::journal::{BatchRecord, Sent};
use crate::batch::plan::Plan;
use crate::batch::stop_condition::StopCondition;
use crate::batch::{Batch, run};
use crate::display::note_line;
use crate::error::{Error, ErrorKind, Result};

pub(super) struct OpenBatch<'a> {
    pub(super) batch: &'a Batch,
    pub(super) plan: Plan,
    /// The ID of each question in the journal.
    pub(super) ids: Vec<String>,
    pub(super) cache: Arc<AnswerCache>,
    pub(super) batch_record: BatchRecord,
}

impl<'a> OpenBatch<'a> {
    /// Waits while another run holds the journal.
    pub(super) async fn open(batch: &'a Batch, until: &StopCondition) -> Result<Self> {
        run::check(batch)?;
        if batch.options.budget.is_some() {
            return Err(no_budget());
        }
        let plan = Plan::new(&batch.asked.texts, &batch.sampling());
        let cache = cache::open(&batch.client, &batch.options, batch.parameters(), until).await?;
        let cache = cache.ok_or_else(no_journal)?;
        let batch_record = cache.batch_record()?;
        batch_record.notes().iter().for_each(|line| note_line(line));
        let ids = run::ids(batch, &plan, &cache).collect();
        Ok(Self {
            batch,
            plan,
            ids,
            cache,
            batch_record,
        })
    }

    /// The unsettled batches that hold rows of this batch, oldest first.
    pub(super) fn open_batches(&self) -> Vec<Sent> {
        let open = self.batch_record.open().iter();
        let ours = open.filter(|sent| self.ids.iter().any(|id| sent.rows.contains(id)));
        ours.cloned().collect()
    }

    /// The number of questions that the journal answers.
    pub(super) fn answered(&self) -> usize {
        let answered = |id: &&String| self.cache.answer(id).is_some();
        self.ids.iter().filter(answered).count()
    }

    /// Fetches the status of the open batches that hold rows of this batch. If it is not known
    /// whether a batch was created, or the service no longer knows it, the batch is searched for
    /// by its file; if there is none, its rows can be submitted again.
    ///
    /// # Errors
    /// The service does not report the status.
    pub(super) async fn look(&mut self, service: &Service) -> Result<Vec<(Sent, Made)>> {
        let mut found = Vec::new();
        for sent in self.open_batches() {
            let known = match &sent.batch {
                Some(batch) => service.look(batch).await.map(Some),
                None => Ok(None),
            };
            let made = match known {
                Ok(Some(made)) => Some(made),
                Ok(None) => service.find(&sent.file).await?,
                // The service also says this if its address has changed.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    service.find(&sent.file).await?
                }
                Err(error) => return Err(error),
            };
            let Some(made) = made else {
                if let Some(batch) = &sent.batch {
                    note_line(&format!(
                        "the service no longer knows {batch}: submit its rows again"
                    ));
                }
                give_up(&mut self.batch_record, &sent.file, service).await?;
                continue;
            };
            let batch = Some(made.status.id.clone());
            if sent.batch != batch {
                self.batch_record.made(&sent.file, &made.status.id)?;
            }
            found.push((Sent { batch, ..sent }, made));
        }
        Ok(found)
    }

    /// The questions that are neither answered nor in an open batch.
    pub(super) fn left(&self) -> Vec<usize> {
        let open: Vec<&HashSet<String>> = self
            .batch_record
            .open()
            .iter()
            .map(|sent| &sent.rows)
            .collect();
        let is_left = |id: &str| {
            let under_way = open.iter().any(|rows| rows.contains(id));
            let answered = !self.batch.options.fresh && self.cache.answer(id).is_some();
            !under_way && !answered
        };
        let left = self.ids.iter().enumerate().filter(|(_, id)| is_left(id));
        left.map(|(index, _)| index).collect()
    }
}

/// Settles a file of which no batch will be created, and deletes it on the service.
pub(super) async fn give_up(
    batch_record: &mut BatchRecord,
    file: &str,
    service: &Service,
) -> Result<()> {
    batch_record.settled(file)?;
    // The file holds prompts. If the list of batches was outdated and there is a batch after all,
    // deleting the file makes it fail instead of costing money. A failed deletion loses nothing.
    let _ = service.delete(file).await;
    Ok(())
}

/// The stop condition from the batch's cancel handle and deadline.
pub(super) fn until(batch: &Batch) -> StopCondition {
    StopCondition::new(&batch.options, Instant::now())
}

/// Once submitted, all of a batch is answered.
fn no_budget() -> Error {
    Error::new(
        ErrorKind::Argument,
        "a budget can't limit a batch that is submitted to the Batch API",
    )
    .with_hint("leave `.budget(..)` out; `.estimate(price)` says what it may cost")
}

fn no_journal() -> Error {
    Error::new(
        ErrorKind::Argument,
        "a batch that is submitted outlives this process, so its name must be kept in a journal",
    )
    .with_hint("name a file for it with .journal(\"NAME.jsonl\")")
}
