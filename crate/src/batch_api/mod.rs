//! The Batch API: prompts are handed over as a file, answered within a day at half the
//! price, and fetched when they are. What is under way is kept beside the journal, so that
//! any kernel can fetch it.
//!
//! - [`Submission`] is the handle; [`Status`] tells how far it is.
//! - `open_batch` is a batch with its journal open; `submit` hands over what is left to be asked,
//!   `collect` waits and fetches, `merge` takes one batch's lines into the journal.
//! - `upload_chunk` fills files up to the service's limits; `service` makes the calls, one function
//!   each; `state` says how far things are, `hint` what helps when the service refuses.

mod collect;
mod hint;
mod merge;
mod open_batch;
mod service;
#[cfg(feature = "notebook")]
mod show;
mod state;
mod submit;
mod upload_chunk;

use std::fmt;
use std::sync::Arc;

pub use state::{BatchState, BatchStatus, Status};

use crate::batch::Batch;
use crate::batch::answers::Answers;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;
use service::Service;

impl Batch {
    /// Hands the prompts to the service's Batch API, and returns at once: they are answered
    /// within 24 hours, for half the price, by a deployment of the type Global Batch or Data
    /// Zone Batch, whose quota is a separate one. [`Submission::collect`] fetches the answers.
    ///
    /// Prompts that the journal answers are not sent, nor are those that are under way
    /// already: the same cell, run again in whatever kernel, finds what it submitted. Even
    /// with [`fresh`](Self::fresh), which asks answered ones anew, nothing under way is
    /// submitted twice. A journal is needed; the names of batches stand beside it in
    /// `NAME.batches.jsonl`. More than 100,000 prompts or 200 MB become several batches.
    ///
    /// Concurrency and quota play no part: the service keeps to its own.
    ///
    /// ```no_run
    /// use evenhand::prelude::*;
    ///
    /// let client = Client::from_env()?;
    /// let submission = client
    ///     .batch(["Describe a nurse.", "Describe a doctor."])
    ///     .max_tokens(100)
    ///     .journal("nurses.jsonl")
    ///     .submit()?;
    /// println!("{submission}");
    ///
    /// // Tomorrow, after the lines above in another kernel:
    /// let answers = submission.collect()?;
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// There is no journal, or it can't be used; a parameter that no request may have; the
    /// service does not take the file or make the batch. What was made until then is kept,
    /// and the next `submit` goes on from there.
    pub fn submit(&self) -> Result<Submission> {
        runtime::wait(self.submit_async())
    }

    /// The same for programs that have a runtime of their own.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub async fn submit_async(&self) -> Result<Submission> {
        runtime::run(submit::submit(self.clone())).await
    }

    /// Finds what was [submitted](Self::submit) with the same prompts and parameters, and
    /// submits nothing.
    ///
    /// # Errors
    /// Nothing is under way, and the journal does not answer all prompts; else as `submit`.
    pub fn submitted(&self) -> Result<Submission> {
        runtime::wait(self.submitted_async())
    }

    /// The same for programs that have a runtime of their own.
    ///
    /// # Errors
    /// As [`submitted`](Self::submitted).
    pub async fn submitted_async(&self) -> Result<Submission> {
        runtime::run(submit::submitted(self.clone())).await
    }
}

/// Prompts that were handed to the Batch API. See [`Batch::submit`].
///
/// It may be dropped: `submit` and `submitted` find it again. Its `Display` and `Debug` say
/// how far it was when it was made.
#[derive(Clone)]
pub struct Submission(Arc<Inner>);

struct Inner {
    batch: Batch,
    /// As of when it was made.
    status: Status,
}

impl Submission {
    fn new(batch: Batch, status: Status) -> Self {
        Self(Arc::new(Inner { batch, status }))
    }

    /// The batches as they were when this handle was made; none when the journal answers all.
    pub fn batches(&self) -> &[BatchStatus] {
        &self.0.status.batches
    }

    /// Asks the service how far the batches are.
    ///
    /// # Errors
    /// The service does not say.
    pub fn status(&self) -> Result<Status> {
        runtime::wait(self.status_async())
    }

    /// The same for programs that have a runtime of their own.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub async fn status_async(&self) -> Result<Status> {
        let submission = self.clone();
        runtime::run(async move { submission.status_here().await }).await
    }

    async fn status_here(&self) -> Result<Status> {
        let service = service_of(&self.0.batch)?;
        let mut status = self.0.status.clone();
        for batch in &mut status.batches {
            *batch = service.look(&batch.id).await?.status;
        }
        Ok(status)
    }

    /// Cancels what is under way. That takes the service up to ten minutes; what was answered
    /// until then is paid for, and can be [collected](Self::collect).
    ///
    /// # Errors
    /// The service does not take the wish.
    pub fn cancel(&self) -> Result<Status> {
        runtime::wait(self.cancel_async())
    }

    /// The same for programs that have a runtime of their own.
    ///
    /// # Errors
    /// As [`cancel`](Self::cancel).
    pub async fn cancel_async(&self) -> Result<Status> {
        let submission = self.clone();
        runtime::run(async move { submission.cancel_here().await }).await
    }

    async fn cancel_here(&self) -> Result<Status> {
        let service = service_of(&self.0.batch)?;
        for batch in self.status_here().await?.batches {
            if batch.state.is_over() || batch.state == BatchState::Cancelling {
                continue;
            }
            let refused = service.cancel(&batch.id).await;
            // It may have come to its end meanwhile.
            if let Err(error) = refused
                && !service.look(&batch.id).await?.status.state.is_over()
            {
                return Err(error);
            }
        }
        self.status_here().await
    }

    /// Waits until all batches are over, takes their lines into the journal, and returns the
    /// answers as [`run`](Batch::run) does: a row a sample of a prompt, in the prompts' order.
    ///
    /// The service is asked every minute, or less often if it says so. What a batch left
    /// without an answer, since it expired, was cancelled or refused, is a row with an error
    /// that says so, and the next `submit` or `run` asks it. When it is stopped or its
    /// deadline comes, it returns what there is; the batches go on, and can be collected
    /// later.
    ///
    /// The price of [`Totals::cost`](crate::Totals::cost) is yours to give: half of the usual.
    ///
    /// When the journal has every line of a batch, the batch's files, which hold the prompts,
    /// are deleted on the service. Files with lines that could not be used are kept there.
    ///
    /// # Errors
    /// The journal can't be used; the service does not answer for ten minutes or refuses, or
    /// a file can't be fetched. What was fetched is in the journal: collect again.
    pub fn collect(&self) -> Result<Answers> {
        runtime::wait(self.collect_async())
    }

    /// The same for programs that have a runtime of their own.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub async fn collect_async(&self) -> Result<Answers> {
        let submission = self.clone();
        runtime::run(async move { submission.collect_here().await }).await
    }

    async fn collect_here(&self) -> Result<Answers> {
        collect::collect(&self.0.batch).await
    }
}

impl fmt::Display for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.status.fmt(f)
    }
}

impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Submission({self})")
    }
}

fn service_of(batch: &Batch) -> Result<Service> {
    let deployment = batch.answerer().ok_or_else(|| {
        Error::new(ErrorKind::Settings, "there is no deployment to ask")
            .with_hint("set AZURE_OPENAI_DEPLOYMENT, or name it with .deployment()")
    })?;
    let retries = batch.options.retries;
    let retries = retries.unwrap_or(batch.client.max_retries());
    Ok(Service::new(&batch.client, deployment, retries))
}
