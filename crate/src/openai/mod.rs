//! The client: sends one request and returns one answer. It implements Azure OpenAI's paths,
//! credentials, errors and retries; `batch` sends many requests at once.

mod builder;
mod credential;
mod embedded_error;
mod empty_answer;
mod endpoint;
pub(crate) mod error_mapping;
mod event_stream;
mod limits;
mod message;
mod parse;
pub(crate) mod profile;
#[cfg(feature = "notebook")]
mod prompt_user;
mod request;
mod response;
pub(crate) mod rest;
#[cfg(feature = "notebook")]
mod show;
mod shown_thinking;
mod wrapped_error;

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::display::note_once;
use crate::error::Result;
use crate::http::proxy::Destination;
use crate::http::transport;
use crate::runtime;
use crate::settings::{Allowance, MAX_RETRIES, Settings};

pub use builder::ClientBuilder;
pub use credential::CredentialKind;
pub use endpoint::Protocol;
pub use limits::RateLimits;
pub use message::{Message, Role};
pub use request::ChatRequest;
pub use response::{ChatCompletion, Choice, ChoiceMessage, FinishReason, TokenLogprob, Usage};

use credential::Credential;
use endpoint::Endpoint;
use profile::{NextStep, SharedProfile};

/// Asks a deployment of Azure OpenAI, or any server with OpenAI's chat completions.
///
/// A client is cheap to clone: clones share their connections. Its `Debug` shows
/// where it asks and with what kind of credential, never the credential.
///
/// ```no_run
/// use evenhand::Client;
///
/// let client = Client::from_env()?;
/// let answer = client.complete("Describe a nurse in one sentence.")?;
/// println!("{}", answer.text().unwrap_or_default());
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    credential: Credential,
    http: reqwest::Client,
    limits: transport::Limits,
    max_retries: u32,
    allowance: Allowance,
    /// The profile of the client's own deployment, once it is needed.
    profile: OnceLock<Arc<SharedProfile>>,
}

impl Client {
    /// Creates a client from the environment's settings; [`Settings`] lists the variables.
    ///
    /// # Errors
    /// A setting is missing or malformed, or the address comes from elsewhere than its key; the
    /// message names it.
    pub fn from_env() -> Result<Self> {
        let settings = Settings::from_env()?;
        note_once(settings.notes());
        Self::new(settings)
    }

    /// Creates a client from these settings.
    ///
    /// # Errors
    /// A setting is missing or malformed; the message names it. A missing deployment
    /// is found out at the first request that names none itself.
    pub fn new(settings: Settings) -> Result<Self> {
        let endpoint = Endpoint::new(&settings)?;
        let credential = Credential::new(&settings, &endpoint)?;
        let destination = Destination {
            is_loopback: endpoint.is_loopback(),
            is_plain_http: endpoint.is_plain_http(),
        };
        let limits = transport::Limits::new(&settings)?;
        let limits = limits.on_the_way_to(endpoint.host(), destination);
        let http = transport::client(destination, &limits)?;
        tracing::debug!(
            host = endpoint.host(),
            credential = credential.kind().as_str(),
            "a client is made"
        );
        let max_retries = settings.max_retries.unwrap_or(MAX_RETRIES);
        let allowance = Allowance::new(&settings)?;
        Ok(Self(Arc::new(Inner {
            endpoint,
            credential,
            http,
            limits,
            max_retries,
            allowance,
            profile: OnceLock::new(),
        })))
    }

    /// Builds a client from settings given one by one; the environment is not read.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Asks, and waits for the answer. A request that failed for a transient reason is sent again. A
    /// parameter that the deployment refuses is translated, such as `max_tokens` to
    /// `max_completion_tokens`, or left out.
    ///
    /// # Errors
    /// There is no answer; [`Error::kind`](crate::Error::kind) classifies the reason.
    pub fn complete(&self, prompt: impl Into<ChatRequest>) -> Result<ChatCompletion> {
        runtime::wait(self.complete_async(prompt))
    }

    /// Async version of [`complete`](Self::complete).
    ///
    /// # Errors
    /// There is no answer; [`Error::kind`](crate::Error::kind) classifies the reason.
    pub fn complete_async(
        &self,
        prompt: impl Into<ChatRequest>,
    ) -> impl Future<Output = Result<ChatCompletion>> + Send + 'static {
        let (client, request) = (self.clone(), prompt.into());
        runtime::run(async move { client.complete_here(&request).await })
    }

    async fn complete_here(&self, request: &ChatRequest) -> Result<ChatCompletion> {
        let mut negotiation = self.negotiate(request, None, false)?;
        let (mut retries, mut attempts) = (0_u32, 0_u32);
        loop {
            let prepared = negotiation.prepare().await;
            if !negotiation.is_current(&prepared) {
                continue;
            }
            let mut attempt = self.attempt(&prepared).await;
            attempts = attempts.saturating_add(1);
            if let NextStep::Again(_) = negotiation.judge(&prepared, &mut attempt) {
                continue;
            }
            match attempt.outcome {
                Ok(answer) => return Ok(answer.after_attempts(attempts, attempt.limits)),
                Err(error) if retries < self.0.max_retries && attempt.retry.again => {
                    let pause = attempt.retry.pause_unless_stopped(retries, &error, None);
                    pause.await?;
                    retries = retries.saturating_add(1);
                }
                Err(error) => {
                    return match negotiation.take_held_answer(Some(&error)) {
                        Some(held) => Ok(held.answer.after_attempts(attempts, attempt.limits)),
                        None => Err(error),
                    };
                }
            }
        }
    }

    /// The host to which requests are sent, with its port unless that is the default.
    pub fn host(&self) -> &str {
        self.0.endpoint.host()
    }

    /// The deployment (or model) that answers when a request names none.
    pub fn deployment(&self) -> Option<&str> {
        self.0.endpoint.deployment()
    }

    /// The API version that is sent; the v1 path has none except `preview`.
    pub fn api_version(&self) -> Option<&str> {
        self.0.endpoint.api_version()
    }

    /// The form of the protocol that is used.
    pub fn protocol(&self) -> Protocol {
        self.0.endpoint.protocol()
    }

    /// The kind of credential that is sent.
    pub fn credential_kind(&self) -> CredentialKind {
        self.0.credential.kind()
    }

    /// What this process has learned about the parameters of the client's deployment, such as
    /// `takes max_completion_tokens, no temperature; it thinks with effort minimal`. `None` while
    /// requests are sent as written.
    pub fn deployment_profile(&self) -> Option<String> {
        self.shared_profile(self.deployment()?).describe()
    }

    /// How many times a request that failed for a transient reason is sent again.
    pub fn max_retries(&self) -> u32 {
        self.0.max_retries
    }

    /// The deployment's quota according to the settings.
    pub(crate) fn allowance(&self) -> Allowance {
        self.0.allowance
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.host())
            .field("deployment", &self.deployment())
            .field("api_version", &self.api_version())
            .field("protocol", &self.protocol())
            .field("credential", &self.credential_kind())
            .finish()
    }
}

#[cfg(test)]
mod tests;
