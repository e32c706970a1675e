//! The Batch API: prompts are uploaded as a file, answered within a day at half the price, and
//! then fetched. Open batches are recorded next to the journal, so that any kernel can fetch
//! their answers.
//!
//! - [`Submission`] is the handle; [`SubmissionStatus`] is its progress.
//! - `open_batch` is a batch with its journal open; `submit` submits the remaining questions,
//!   `collect` waits and fetches, `merge` writes one batch's lines to the journal.
//! - `upload_chunk` fills files up to the service's limits; `service` makes the calls, one
//!   function each; `state` holds the progress types, `hint` the hints for rejections.

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

pub use state::{BatchState, BatchStatus, SubmissionStatus};

use crate::batch::Batch;
use crate::batch::answers::Answers;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;
use service::Service;

impl Batch {
    /// Submits the prompts to the service's Batch API and returns at once. They are answered
    /// within 24 hours, at half the price, by a deployment of the type Global Batch or Data
    /// Zone Batch, which has a separate quota. [`Submission::collect`] fetches the answers.
    ///
    /// Prompts that the journal answers are not sent, nor are prompts that are already part of
    /// an open batch: running the same cell again, in any kernel, finds what it submitted. With
    /// [`fresh`](Self::fresh), answered prompts are sent again, but those in an open batch are
    /// not submitted twice. A journal is required; the IDs of batches are stored next to it in
    /// `NAME.batches.jsonl`. More than 100,000 prompts or 200 MB become several batches.
    ///
    /// Concurrency and quota are ignored: the service schedules the requests itself.
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
    /// There is no journal, or it can't be used; a request parameter is invalid; or the service
    /// does not accept the file or create the batch. Batches created until then are recorded,
    /// and the next `submit` continues from there.
    pub fn submit(&self) -> Result<Submission> {
        runtime::wait(self.submit_async())
    }

    /// Async version of [`submit`](Self::submit).
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn submit_async(&self) -> impl Future<Output = Result<Submission>> + Send + use<> {
        runtime::run(submit::submit(self.clone()))
    }

    /// Finds the open batches that were [submitted](Self::submit) with the same prompts and
    /// parameters. Submits nothing.
    ///
    /// # Errors
    /// There is no open batch and the journal does not answer all prompts; otherwise as for
    /// [`submit`](Self::submit).
    pub fn submitted(&self) -> Result<Submission> {
        runtime::wait(self.submitted_async())
    }

    /// Async version of [`submitted`](Self::submitted).
    ///
    /// # Errors
    /// As [`submitted`](Self::submitted).
    pub fn submitted_async(&self) -> impl Future<Output = Result<Submission>> + Send + use<> {
        runtime::run(submit::submitted(self.clone()))
    }
}

/// Prompts that were submitted to the Batch API. See [`Batch::submit`].
///
/// The handle may be dropped: `submit` and `submitted` find the batches again. Its `Display` and
/// `Debug` show the progress at the time when the handle was created.
#[derive(Clone)]
pub struct Submission(Arc<Inner>);

struct Inner {
    batch: Batch,
    /// The status at the time when the handle was created.
    status: SubmissionStatus,
}

impl Submission {
    fn new(batch: Batch, status: SubmissionStatus) -> Self {
        Self(Arc::new(Inner { batch, status }))
    }

    /// The batches at the time when this handle was created; empty if the journal answers all
    /// prompts.
    pub fn batches(&self) -> &[BatchStatus] {
        &self.0.status.batches
    }

    /// Asks the service for the progress of the batches.
    ///
    /// # Errors
    /// The service does not report it.
    pub fn status(&self) -> Result<SubmissionStatus> {
        runtime::wait(self.status_async())
    }

    /// Async version of [`status`](Self::status).
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub fn status_async(&self) -> impl Future<Output = Result<SubmissionStatus>> + Send + use<> {
        let submission = self.clone();
        runtime::run(async move { submission.status_here().await })
    }

    async fn status_here(&self) -> Result<SubmissionStatus> {
        let service = service_of(&self.0.batch)?;
        let mut status = self.0.status.clone();
        for batch in &mut status.batches {
            *batch = service.look(&batch.id).await?.status;
        }
        Ok(status)
    }

    /// Cancels the open batches. That takes the service up to ten minutes. Answers completed
    /// until then are paid for and can be [collected](Self::collect).
    ///
    /// # Errors
    /// The service does not accept the request.
    pub fn cancel(&self) -> Result<SubmissionStatus> {
        runtime::wait(self.cancel_async())
    }

    /// Async version of [`cancel`](Self::cancel).
    ///
    /// # Errors
    /// As [`cancel`](Self::cancel).
    pub fn cancel_async(&self) -> impl Future<Output = Result<SubmissionStatus>> + Send + use<> {
        let submission = self.clone();
        runtime::run(async move { submission.cancel_here().await })
    }

    async fn cancel_here(&self) -> Result<SubmissionStatus> {
        let service = service_of(&self.0.batch)?;
        for batch in self.status_here().await?.batches {
            if batch.state.is_over() || batch.state == BatchState::Cancelling {
                continue;
            }
            let refused = service.cancel(&batch.id).await;
            // The batch may have ended meanwhile.
            if let Err(error) = refused
                && !service.look(&batch.id).await?.status.state.is_over()
            {
                return Err(error);
            }
        }
        self.status_here().await
    }

    /// Waits until all batches have ended, writes their lines to the journal, and returns the
    /// answers as [`run`](Batch::run) does: one row per sample of a prompt, in the order of the
    /// prompts.
    ///
    /// The service is polled every minute, or less often if it asks for that. A row without an
    /// answer, because its batch expired, was cancelled or was refused, has an error that says
    /// so, and the next `submit` or `run` sends it again. If the batch is stopped or reaches its
    /// deadline, the available answers are returned; the batches continue on the service and can
    /// be collected later.
    ///
    /// For [`Totals::cost`](crate::Totals::cost), give half the usual price.
    ///
    /// Once every line of a batch is in the journal, the batch's files, which hold the prompts,
    /// are deleted from the service. Files with unusable lines are kept there.
    ///
    /// # Errors
    /// The journal can't be used; the service refuses, or fails to answer more than ten times in
    /// a row; or a file can't be fetched. Lines that were fetched are in the journal: collect
    /// again.
    pub fn collect(&self) -> Result<Answers> {
        runtime::wait(self.collect_async())
    }

    /// Async version of [`collect`](Self::collect).
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub fn collect_async(&self) -> impl Future<Output = Result<Answers>> + Send + use<> {
        let submission = self.clone();
        runtime::run(async move { submission.collect_here().await })
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
    let deployment = batch.target_deployment().ok_or_else(|| {
        Error::new(ErrorKind::Settings, "there is no deployment to ask")
            .with_hint("set AZURE_OPENAI_DEPLOYMENT, or name it with .deployment()")
    })?;
    let retries = batch.options.retries;
    let retries = retries.unwrap_or(batch.client.max_retries());
    Ok(Service::new(&batch.client, deployment, retries))
}
