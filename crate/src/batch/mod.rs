//! Many prompts, asked side by side: order kept, no row lost.
//!
//! - [`Batch`] is the builder that `client.batch(..)` returns.
//! - [`Answers`] is what it gives back: one row a prompt, in the prompts' order, each
//!   with its answer or with its error.
//! - [`Quota`] is what the deployment may be asked in a minute; `pacing` keeps to it.
//! - `engine` asks; `progress` tells how far it is; `frame` makes data frames of the rows.

mod answers;
mod engine;
#[cfg(feature = "notebook")]
mod frame;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        unused_imports,
        reason = "the engine will keep its rows in it"
    )
)]
mod journal;
#[cfg_attr(not(test), expect(dead_code, reason = "the journal is made of them"))]
mod lines;
#[cfg_attr(not(test), expect(dead_code, reason = "the engine is yet to ask it"))]
mod pacing;
mod progress;
mod quota;

pub use answers::{Answer, Answers};
pub use quota::Quota;

use crate::client::{ChatRequest, Client, Message};
use crate::error::{Error, ErrorKind, Result};

/// How many requests are under way at once, unless told otherwise.
const CONCURRENCY: usize = 8;

/// A batch of prompts, ready to be asked. See [`Client::batch`].
#[derive(Clone, Debug)]
#[must_use = "a batch asks nothing until `run()`"]
pub struct Batch {
    client: Client,
    prompts: Vec<String>,
    system: Option<String>,
    /// What all requests have in common; each adds its messages.
    common: ChatRequest,
    concurrency: usize,
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
        Batch {
            client: self.clone(),
            prompts: prompts
                .into_iter()
                .map(|prompt| prompt.as_ref().to_owned())
                .collect(),
            system: None,
            common: ChatRequest::default(),
            concurrency: CONCURRENCY,
        }
    }
}

impl Batch {
    /// The system message that precedes every prompt.
    ///
    /// # Default
    /// None is sent.
    pub fn system(mut self, prompt: impl Into<String>) -> Self {
        self.system = Some(prompt.into());
        self
    }

    /// The longest answer, in tokens; a longer one is cut and has the finish reason `length`.
    ///
    /// # Default
    /// The service's own: as long as the model's context allows.
    pub fn max_tokens(mut self, tokens: u32) -> Self {
        self.common = self.common.max_tokens(tokens);
        self
    }

    /// As [`max_tokens`](Self::max_tokens), for newer models that reject that parameter.
    pub fn max_completion_tokens(mut self, tokens: u32) -> Self {
        self.common = self.common.max_completion_tokens(tokens);
        self
    }

    /// How freely the model chooses its words, from 0 (always the likeliest) to 2.
    ///
    /// # Default
    /// The service's own, 1.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.common = self.common.temperature(temperature);
        self
    }

    /// The seed with which a service that supports it repeats its answers, as far as it can.
    ///
    /// # Default
    /// None is sent.
    pub fn seed(mut self, seed: i64) -> Self {
        self.common = self.common.seed(seed);
        self
    }

    /// Another deployment than the client's.
    ///
    /// # Default
    /// The client's own, from `AZURE_OPENAI_DEPLOYMENT` or its builder.
    pub fn deployment(mut self, name: impl Into<String>) -> Self {
        self.common = self.common.deployment(name);
        self
    }

    /// How many requests are under way at once.
    ///
    /// # Default
    /// 8.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// Asks all prompts and waits for the answers. Progress goes to standard error.
    ///
    /// A prompt that fails is a row with its error, and costs the others nothing.
    ///
    /// # Errors
    /// A concurrency of 0; and an error that no row can escape (a wrong key, an unknown
    /// deployment), which ends the batch at once when nothing has been answered yet.
    pub fn run(self) -> Result<Answers> {
        crate::runtime::block_on(self.run_async())?
    }

    /// The same for programs that have a runtime of their own.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_async(self) -> Result<Answers> {
        if self.concurrency == 0 {
            return Err(Error::new(
                ErrorKind::Argument,
                "a batch with concurrency 0 asks nothing",
            )
            .with_hint("use `.concurrency(1)` to ask one prompt after the other"));
        }
        engine::ask_all(self).await
    }

    /// The request for one prompt.
    fn request(&self, prompt: &str) -> ChatRequest {
        let system = self.system.as_deref().map(Message::system);
        system
            .into_iter()
            .chain([Message::user(prompt)])
            .fold(self.common.clone(), ChatRequest::message)
    }
}
