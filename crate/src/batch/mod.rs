//! Many prompts, asked side by side: order kept, no row lost.
//!
//! - [`Batch`] is the builder that `client.batch(..)` returns; `client.batch_requests(..)`
//!   makes one of ready requests, as many as there may be.
//! - [`Answers`] is what it gives back: one row a sample of a prompt, in the prompts' order,
//!   each with its answer or with its error; [`Totals`] sums them up.
//! - `plan` says what is asked for which row, `engine` asks, `rate_limit` keeps to the [`Quota`],
//!   `journal` keeps every outcome in a file, and `cache` says how.
//! - `options` is what the builder was told; `run` and `stream` put outcomes in order, `driver` ends
//!   them in time, `progress` tells how far they are; `frame` makes data frames of the rows.

pub(crate) mod answers;
pub(crate) mod cache;
pub(crate) mod driver;
pub(crate) mod engine;
pub(crate) mod format;
#[cfg(feature = "notebook")]
mod frame;
mod guard;
pub(crate) mod journal;
mod jsonl;
pub(crate) mod options;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod quota;
mod rate_limit;
pub(crate) mod run;
#[cfg(feature = "notebook")]
mod show;
pub(crate) mod stream;
pub(crate) mod totals;
#[cfg(test)]
mod traced;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use answers::{Answer, Answers, RequestStats, Source};
use progress::Listener;
pub use progress::Progress;
pub use quota::Quota;
pub use stream::{BatchRequest, Requests, Row};
pub use totals::{Price, Totals};

use options::{BatchOptions, JournalChoice};

use crate::cancel::CancelHandle;
use crate::error::Result;
use crate::openai::{ChatRequest, Client, Message};
use crate::runtime;

/// A batch of prompts, ready to be asked. See [`Client::batch`] and
/// [`Client::batch_requests`].
///
/// It keeps the order of its prompts and loses no row: a prompt that fails is a row with its
/// error. It fills the deployment's [quota](Self::quota) without bouncing off it, and a
/// [journal](Self::journal) holds every answer before its caller sees it.
///
/// A setter leaves the batch as it is and returns another, so that a notebook may keep one in a
/// variable, run it, and run it again.
#[derive(Clone, Debug)]
#[must_use = "a batch asks nothing until `run()`"]
pub struct Batch<A = Prompts> {
    pub(crate) client: Client,
    /// What is asked.
    pub(crate) asked: A,
    /// What all requests have in common.
    pub(crate) common: ChatRequest,
    pub(crate) options: BatchOptions,
}

/// What a batch of prompts asks.
#[derive(Clone, Debug)]
pub struct Prompts {
    /// Shared, since each setter makes another batch of them.
    pub(crate) texts: Arc<[String]>,
    pub(crate) system: Option<String>,
    pub(crate) samples: u32,
}

impl Client {
    /// A batch that asks each of these prompts, in a conversation of its own.
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

    fn batch_of<A>(&self, asked: A) -> Batch<A> {
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
    /// None is sent.
    pub fn system(&self, prompt: impl Into<String>) -> Self {
        let mut batch = self.clone();
        batch.asked.system = Some(prompt.into());
        batch
    }

    /// How often each prompt is asked. Each sample is a row of its own, of which a batch may have
    /// 10,000,000; with a [`seed`](Self::seed), sample `i` has the seed `seed + i`.
    ///
    /// # Default
    /// 1.
    pub fn samples(&self, samples: u32) -> Self {
        let mut batch = self.clone();
        batch.asked.samples = samples;
        batch
    }

    /// Asks all prompts and waits for the answers. Progress goes to standard error.
    ///
    /// A prompt that fails is a row with its error, and costs the others nothing.
    ///
    /// # Errors
    /// A concurrency, a number of samples or a quota of 0; more rows than a batch may have; a
    /// parameter that no request may have; a journal that can't be used; and an error that no row can escape (a wrong key,
    /// an unknown deployment), which ends the batch at once when nothing has been answered.
    pub fn run(&self) -> Result<Answers> {
        runtime::wait(self.run_async())
    }

    /// The same for programs that have a runtime of their own. Dropping it stops the batch.
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
    /// The longest answer, in tokens; a longer one is cut and has the finish reason `length`.
    ///
    /// # Default
    /// The service's own: as long as the model's context allows.
    pub fn max_tokens(&self, tokens: u32) -> Self {
        self.with(|request| request.max_tokens(tokens))
    }

    /// As [`max_tokens`](Self::max_tokens), for newer models that reject that parameter.
    pub fn max_completion_tokens(&self, tokens: u32) -> Self {
        self.with(|request| request.max_completion_tokens(tokens))
    }

    /// How freely the model chooses its words, from 0 (always the likeliest) to 2. At 0, rows
    /// that ask the same are asked once and share the answer.
    ///
    /// # Default
    /// The service's own, 1.
    pub fn temperature(&self, temperature: f64) -> Self {
        self.with(|request| request.temperature(temperature))
    }

    /// The seed with which a service that supports it repeats its answers, as far as it can.
    ///
    /// # Default
    /// None is sent.
    pub fn seed(&self, seed: i64) -> Self {
        self.with(|request| request.seed(seed))
    }

    /// Another deployment than the client's.
    ///
    /// # Default
    /// The client's own, from `AZURE_OPENAI_DEPLOYMENT` or its builder.
    pub fn deployment(&self, name: impl Into<String>) -> Self {
        self.with(|request| request.deployment(name))
    }

    /// Any other parameter that a request has.
    ///
    /// ```
    /// # let client = evenhand::Client::builder()
    /// #     .endpoint("https://contoso.openai.azure.com").api_key("key").build()?;
    /// let batch = client
    ///     .batch(["Describe a nurse."])
    ///     .with(|request| request.top_p(0.9).logprobs(3));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn with(&self, change: impl FnOnce(ChatRequest) -> ChatRequest) -> Self {
        Self {
            common: change(self.common.clone()),
            ..self.clone()
        }
    }

    /// How many requests are under way at once; never more than 10,000.
    ///
    /// # Default
    /// 8; of a deployment whose quota is not known yet, the first request goes alone.
    pub fn concurrency(&self, requests: usize) -> Self {
        self.set(|options| options.concurrency = Some(requests))
    }

    /// What the deployment may use in a minute. All batches of the process that ask this
    /// deployment keep to it together.
    ///
    /// # Default
    /// `AZURE_OPENAI_TPM` and `AZURE_OPENAI_RPM`, else what the service's answers tell.
    pub fn quota(&self, quota: Quota) -> Self {
        self.set(|options| options.quota = Some(quota))
    }

    /// How often a request that failed in passing is sent again. What is refused for the
    /// quota's sake does not count: it is sent when the service said, up to ten times.
    ///
    /// # Default
    /// The client's, 2.
    pub fn retries(&self, retries: u32) -> Self {
        self.set(|options| options.retries = Some(retries))
    }

    /// Keeps every outcome in this file, and takes from it the answers that it has: a run
    /// that was cut off goes on where it was. The questions stand beside it in
    /// `NAME.requests.jsonl`. Both have the formats of the Azure OpenAI Batch API. They hold
    /// prompts and answers, never a key.
    ///
    /// # Default
    /// In a notebook a file in `.evenhand/` beside it, or in the folder that
    /// `EVENHAND_JOURNAL` names (`off`: none). In a program none.
    pub fn journal(&self, file: impl Into<PathBuf>) -> Self {
        self.set(|options| options.journal = JournalChoice::File(file.into()))
    }

    /// Keeps no journal: what is not used before the process ends is lost.
    pub fn without_journal(&self) -> Self {
        self.set(|options| options.journal = JournalChoice::None)
    }

    /// Asks everything anew, and adds the answers to the journal.
    pub fn fresh(&self) -> Self {
        self.set(|options| options.fresh = true)
    }

    /// Ends the batch when this handle says so. It returns what it has; the other rows say
    /// that they were stopped.
    pub fn cancel_with(&self, stop: &CancelHandle) -> Self {
        self.set(|options| options.stop = Some(stop.clone()))
    }

    /// Ends the batch after this time. It returns what it has; the other rows say so.
    ///
    /// # Default
    /// None.
    pub fn deadline(&self, time: Duration) -> Self {
        self.set(|options| options.deadline = Some(time))
    }

    /// Tells this function how far the batch is, about ten times a second.
    ///
    /// # Default
    /// In a notebook a line below the cell, at most every two seconds. In a program nobody is
    /// told.
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
    /// The deployment that answers.
    pub(crate) fn answerer(&self) -> Option<&str> {
        let own = self.common.model.as_deref();
        own.or_else(|| self.client.deployment())
    }
}
