//! Sends many prompts concurrently, keeps their order and loses no row.
//!
//! - [`Batch`] is the builder that `client.batch(..)` returns. `client.batch_requests(..)`
//!   builds one from complete requests, of which there may be any number.
//! - [`Answers`] is the result: one row per sample of a prompt, in the order of the prompts,
//!   each with its answer or its error. [`Totals`] sums them up.
//! - `plan` maps rows to questions, `engine` sends the requests, `rate_limit` keeps to the
//!   [`Quota`], `journal` stores every outcome in a file, and `cache` looks rows up in it.
//! - `profile_file` stores next to the journal which parameters a deployment accepts; `mixed_rows`
//!   reports rows of one batch that were sent in more than one way.
//! - `estimate` says what a batch would cost, and `budget` ends one that costs too much.
//! - `options` holds the builder's options; `run` and `stream` put outcomes (`row`) in order, `driver`
//!   stops them on request or at the deadline, `progress` reports progress, and `frame` converts
//!   rows to data frames.

pub(crate) mod answers;
mod batch_request;
mod budget;
pub(crate) mod cache;
pub(crate) mod driver;
pub(crate) mod engine;
mod engine_config;
mod estimate;
#[cfg(feature = "notebook")]
pub(crate) mod filter_columns;
pub(crate) mod format;
#[cfg(feature = "notebook")]
mod frame;
mod guard;
mod health;
pub(crate) mod journal;
mod jsonl;
pub(crate) mod mixed_rows;
mod needed_settings;
mod occurrences;
pub(crate) mod options;
pub(crate) mod outcome;
pub(crate) mod plan;
mod profile_file;
pub(crate) mod progress;
pub(crate) mod quota;
mod rate_limit;
pub(crate) mod request_stats;
mod row;
pub(crate) mod run;
mod run_requests;
#[cfg(feature = "notebook")]
mod show;
pub(crate) mod stop_condition;
pub(crate) mod stream;
pub(crate) mod totals;
#[cfg(test)]
mod tracing_tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use answers::{Answer, Answers};
pub use batch_request::BatchRequest;
pub use estimate::Estimate;
use progress::Listener;
pub use progress::Progress;
pub use quota::Quota;
pub use request_stats::{AnswerSource, RequestStats};
pub use row::Row;
pub use stream::Requests;
pub use totals::{Price, Totals};

use options::{BatchOptions, JournalChoice};

use crate::cancel::CancelHandle;
use crate::error::Result;
use crate::openai::{ChatRequest, Client, Message};
use crate::runtime;

/// A batch of prompts, ready to run. See [`Client::batch`] and [`Client::batch_requests`].
///
/// It keeps the order of its prompts and loses no row: a prompt that fails becomes a row with
/// its error. It uses the deployment's full [quota](Self::quota) without exceeding it, and
/// writes every answer to a [journal](Self::journal) before the caller sees it.
///
/// A setter leaves the batch unchanged and returns another, so that a batch kept in a variable
/// can be run again.
#[derive(Clone, Debug)]
#[must_use = "a batch asks nothing until `run()`"]
pub struct Batch<A = Prompts> {
    pub(crate) client: Client,
    /// The prompts or requests.
    pub(crate) asked: A,
    /// The parameters that all requests share.
    pub(crate) common: ChatRequest,
    pub(crate) options: BatchOptions,
}

/// The prompts of a batch.
#[derive(Clone, Debug)]
pub struct Prompts {
    /// Shared, because each setter returns another batch of the same prompts.
    pub(crate) texts: Arc<[String]>,
    pub(crate) system: Option<String>,
    pub(crate) samples: u32,
}

impl Client {
    /// A batch that sends each of these prompts in a separate conversation.
    ///
    /// ```no_run
    /// use evenhand::prelude::*;
    ///
    /// let client = Client::from_env()?;
    /// let answers = client
    ///     .batch(["Describe a nurse.", "Describe a doctor."])
    ///     .system("You are free from bias.")
    ///     .max_tokens(100)
    ///     .run()?;
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn batch<P>(&self, prompts: P) -> Batch
    where
        P: IntoIterator,
        P::Item: AsRef<str>,
    {
        let texts = prompts
            .into_iter()
            .map(|prompt| prompt.as_ref().to_owned())
            .collect();
        self.batch_of(Prompts {
            texts,
            system: None,
            samples: 1,
        })
    }

    /// A batch without any options yet.
    pub(crate) fn batch_of<A>(&self, asked: A) -> Batch<A> {
        Batch {
            client: self.clone(),
            asked,
            common: ChatRequest::default(),
            options: BatchOptions::default(),
        }
    }
}

impl Batch {
    /// The system message that precedes every prompt.
    ///
    /// # Default
    /// No system message.
    pub fn system(&self, prompt: impl Into<String>) -> Self {
        let mut batch = self.clone();
        batch.asked.system = Some(prompt.into());
        batch
    }

    /// How many times each prompt is sent. Each sample is a separate row; a batch may have at
    /// most 10,000,000 rows. With a [`seed`](Self::seed), sample `i` uses the seed `seed + i`.
    ///
    /// # Default
    /// 1.
    pub fn samples(&self, samples: u32) -> Self {
        let mut batch = self.clone();
        batch.asked.samples = samples;
        batch
    }

    /// Sends all prompts and waits for the answers. Progress goes to standard error.
    ///
    /// A prompt that fails becomes a row with its error and does not affect the other rows.
    ///
    /// # Errors
    /// A concurrency, a number of samples or a quota of 0; more rows than a batch may have; an
    /// invalid request parameter; a journal that can't be used; and an error that every row
    /// would meet (a wrong key, an unknown deployment), which ends the batch at once if nothing
    /// has been answered yet.
    pub fn run(&self) -> Result<Answers> {
        runtime::wait(self.run_async())
    }

    /// Async version of [`run`](Self::run). Dropping
    /// the future stops the batch.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_async(&self) -> impl Future<Output = Result<Answers>> + Send + use<> {
        runtime::run(run::run(self.clone()))
    }

    /// The request for a sample of a prompt.
    pub(crate) fn request(&self, prompt: usize, sample: u32) -> ChatRequest {
        let mut request = self.common.clone();
        request.seed = request
            .seed
            .map(|seed| seed.wrapping_add(i64::from(sample)));
        let system = self.asked.system.as_deref().map(Message::system);
        let prompt = self.asked.texts.get(prompt).map(Message::user);
        request.messages.extend(system.into_iter().chain(prompt));
        request
    }
}

impl<A: Clone> Batch<A> {
    /// The maximum length of an answer, in tokens. A longer answer is cut and has the finish
    /// reason `length`. For a reasoning model,
    /// [`thinking_allowance`](Self::thinking_allowance) is added.
    ///
    /// # Default
    /// The service's default: as long as the model's context allows.
    pub fn max_tokens(&self, tokens: u32) -> Self {
        self.with(|request| request.max_tokens(tokens))
    }

    /// The maximum length of an answer and its thinking together, in tokens. Nothing is added to
    /// it. Use it only to limit both: [`max_tokens`](Self::max_tokens) works for newer models too.
    ///
    /// # Default
    /// None.
    pub fn max_completion_tokens(&self, tokens: u32) -> Self {
        self.with(|request| request.max_completion_tokens(tokens))
    }

    /// The sampling temperature, from 0 (always the likeliest token) to 2. At 0, identical
    /// rows are sent once and share the answer. It is left out for a deployment that refuses it,
    /// which [`Totals::notes`] reports.
    ///
    /// # Default
    /// The service's default, 1.
    pub fn temperature(&self, temperature: f64) -> Self {
        self.with(|request| request.temperature(temperature))
    }

    /// The seed for reproducible answers, on a best-effort basis and only where the service
    /// supports it.
    ///
    /// # Default
    /// No seed.
    pub fn seed(&self, seed: i64) -> Self {
        self.with(|request| request.seed(seed))
    }

    /// The deployment to use instead of the client's.
    ///
    /// # Default
    /// The client's deployment, from `AZURE_OPENAI_DEPLOYMENT` or its builder.
    pub fn deployment(&self, name: impl Into<String>) -> Self {
        self.with(|request| request.deployment(name))
    }

    /// Sets any other request parameter.
    ///
    /// ```
    /// # let client = evenhand::Client::builder()
    /// #     .endpoint("https://contoso.openai.azure.com").api_key("key").build()?;
    /// let batch = client
    ///     .batch(["Describe a nurse."])
    ///     .with(|request| request.top_p(0.9).logprobs(3));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Default
    /// Whatever the service does without the parameter.
    pub fn with(&self, change: impl FnOnce(ChatRequest) -> ChatRequest) -> Self {
        Self {
            common: change(self.common.clone()),
            ..self.clone()
        }
    }

    /// The maximum number of requests in flight; never more than 10,000.
    ///
    /// # Default
    /// 8. If the deployment's quota is not known yet, the first request is sent alone.
    pub fn concurrency(&self, requests: usize) -> Self {
        self.set(|options| options.concurrency = Some(requests))
    }

    /// The deployment's quota per minute, shared by all batches of this process that use the
    /// deployment.
    ///
    /// # Default
    /// `AZURE_OPENAI_TPM` and `AZURE_OPENAI_RPM`; otherwise the limits that the service reports
    /// in its response headers.
    pub fn quota(&self, quota: Quota) -> Self {
        self.set(|options| options.quota = Some(quota))
    }

    /// How many times a request that failed for a transient reason is sent again. Requests
    /// refused because of the quota do not count: they are resent when the service allows, up
    /// to ten times.
    ///
    /// # Default
    /// The client's setting, 2.
    pub fn max_retries(&self, retries: u32) -> Self {
        self.set(|options| options.retries = Some(retries))
    }

    /// How many reasoning tokens are allowed in addition to [`max_tokens`](Self::max_tokens). The
    /// request is sent, and charged against the quota, with the sum of both. If thinking uses up
    /// all of it, the answer is empty and its row is an error that names a sufficient number. A
    /// deployment that doesn't reason, or whose effort is `none`, gets no allowance.
    ///
    /// # Default
    /// Depends on the reasoning effort: 128 for `minimal`, 512 for `low`, 2,048 for `medium` or
    /// when the effort is unknown, 8,192 for `high`. It starts small because the quota is charged
    /// for all of it, used or not, and grows with the thinking that is observed. A row whose
    /// answer is empty is sent again with four times as much, at most twice, up to 16,384.
    pub fn thinking_allowance(&self, tokens: u32) -> Self {
        self.set(|options| options.thinking_allowance = Some(tokens))
    }

    /// Stores every outcome in this file and reuses the answers already in it, so an
    /// interrupted run continues where it stopped. The requests are stored next to it in
    /// `NAME.requests.jsonl`. Both files use the formats of the Azure OpenAI Batch API. They
    /// hold prompts and answers, never a key.
    ///
    /// # Default
    /// In a notebook, a file in `.evenhand/` next to the notebook, or in the folder that
    /// `EVENHAND_JOURNAL` names (`off`: no journal). In a program, no journal.
    pub fn journal(&self, file: impl Into<PathBuf>) -> Self {
        self.set(|options| options.journal = JournalChoice::File(file.into()))
    }

    /// Keeps no journal: answers that are not used before the process ends are lost.
    ///
    /// # Default
    /// That of [`journal`](Self::journal).
    pub fn without_journal(&self) -> Self {
        self.set(|options| options.journal = JournalChoice::None)
    }

    /// Sends every request again, even if the journal has its answer, and adds the new answers
    /// to the journal.
    ///
    /// # Default
    /// What the journal answers is not sent.
    pub fn fresh(&self) -> Self {
        self.set(|options| options.fresh = true)
    }

    /// Stops the batch when this handle is cancelled. The batch returns the answers it has; the
    /// remaining rows have an error of the kind [`Cancelled`](crate::ErrorKind::Cancelled).
    ///
    /// # Default
    /// None: in a notebook, the stop button stops it.
    pub fn cancel_with(&self, stop: &CancelHandle) -> Self {
        self.set(|options| options.stop = Some(stop.clone()))
    }

    /// Stops the batch after this time. The batch returns the answers it has; the remaining
    /// rows have an error of the kind [`Cancelled`](crate::ErrorKind::Cancelled).
    ///
    /// # Default
    /// No deadline.
    pub fn deadline(&self, time: Duration) -> Self {
        self.set(|options| options.deadline = Some(time))
    }

    /// Calls this function with the batch's progress, about ten times a second.
    ///
    /// # Default
    /// In a notebook, a progress bar or a line below the cell, at most every two seconds. In a
    /// program, no progress is reported.
    pub fn on_progress(&self, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.set(|options| options.listener = Some(Listener(Arc::new(tell))))
    }

    fn set(&self, change: impl FnOnce(&mut BatchOptions)) -> Self {
        let mut batch = self.clone();
        change(&mut batch.options);
        batch
    }
}

impl<A> Batch<A> {
    /// The deployment that the requests go to.
    pub(crate) fn target_deployment(&self) -> Option<&str> {
        let own = self.common.model.as_deref();
        own.or_else(|| self.client.deployment())
    }
}

#[cfg(test)]
mod tests;
