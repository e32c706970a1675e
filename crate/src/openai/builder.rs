//! Builds a client from individual settings.

use std::time::Duration;

use super::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use crate::settings::{Service, Settings};

/// Builds a [`Client`]. Nothing is read from the environment, unless you start from settings that
/// were: `ClientBuilder::from(Settings::from_env()?)`.
///
/// ```
/// use evenhand::Client;
///
/// let client = Client::builder()
///     .endpoint("https://example.openai.azure.com")
///     .api_key("not-a-real-key")
///     .api_version("2024-10-21")
///     .deployment("gpt-4o-mini")
///     .build()?;
/// assert_eq!(client.host(), "example.openai.azure.com");
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ClientBuilder {
    settings: Settings,
    /// The services whose address was given.
    addressed: Vec<Service>,
}

impl ClientBuilder {
    /// The Azure OpenAI resource's address, such as `https://NAME.openai.azure.com`.
    ///
    /// # Default
    /// None: either it or [`openai_base_url`](Self::openai_base_url) is required.
    pub fn endpoint(mut self, address: impl Into<String>) -> Self {
        self.settings.identity.is_apart = false;
        self.address(Service::Azure, address.into())
    }

    /// The base address of an OpenAI-compatible server, such as
    /// `http://localhost:11434/v1`, instead of an Azure endpoint.
    ///
    /// # Default
    /// None: either it or [`endpoint`](Self::endpoint) is required.
    pub fn openai_base_url(self, address: impl Into<String>) -> Self {
        self.address(Service::OpenAi, address.into())
    }

    fn address(mut self, service: Service, address: String) -> Self {
        self.settings.service = service;
        self.settings.endpoint = Some(address);
        self.addressed.push(service);
        self
    }

    /// The resource's key.
    ///
    /// # Default
    /// None: Azure requires a key or a token.
    pub fn api_key(mut self, key: impl Into<Secret>) -> Self {
        self.settings.api_key = Some(key.into());
        self
    }

    /// A Microsoft Entra token, which is sent instead of the key.
    ///
    /// # Default
    /// None.
    pub fn ad_token(mut self, token: impl Into<Secret>) -> Self {
        self.settings.ad_token = Some(token.into());
        self
    }

    /// The API version: a date such as `2024-10-21`, `v1` or `preview`.
    ///
    /// # Default
    /// The undated v1 path.
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.settings.api_version = Some(version.into());
        self
    }

    /// The deployment that answers when a request names none.
    ///
    /// # Default
    /// None: every request must then name its own.
    pub fn deployment(mut self, name: impl Into<String>) -> Self {
        self.settings.deployment = Some(name.into());
        self
    }

    /// How long a request may take in total, without the waits between retries.
    ///
    /// # Default
    /// 600 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = Some(timeout);
        self
    }

    /// How long establishing a connection may take.
    ///
    /// # Default
    /// 5 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = Some(timeout);
        self
    }

    /// How many times a request that failed for a transient reason is sent again.
    ///
    /// # Default
    /// 2.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.settings.max_retries = Some(retries);
        self
    }

    /// The deployment's quota in tokens per minute, which every batch of the client keeps to unless
    /// it is given [another](crate::Batch::quota).
    ///
    /// # Default
    /// None: a batch learns it from the service's responses.
    pub fn tokens_per_minute(mut self, tokens: u64) -> Self {
        self.settings.tokens_per_minute = Some(tokens);
        self
    }

    /// The quota in requests per minute.
    ///
    /// # Default
    /// Six per thousand [tokens](Self::tokens_per_minute), if these are given.
    pub fn requests_per_minute(mut self, requests: u64) -> Self {
        self.settings.requests_per_minute = Some(requests);
        self
    }

    /// Allows plain HTTP to other machines, as long as no key is set.
    ///
    /// # Default
    /// `false`, which allows it to this machine only.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.settings.allow_http = allow;
        self
    }

    /// Checks the settings and creates the client. Nothing is sent.
    ///
    /// # Errors
    /// A setting is missing or malformed, or there are two addresses; the message names it.
    pub fn build(self) -> Result<Client> {
        if [Service::Azure, Service::OpenAi]
            .iter()
            .all(|service| self.addressed.contains(service))
        {
            let message =
                "`endpoint` and `openai_base_url` were both given, and a client has one address";
            return Err(Error::new(ErrorKind::Settings, message).with_hint(
                "keep `endpoint` for Azure OpenAI, `openai_base_url` for any other server",
            ));
        }
        Client::new(self.settings)
    }
}

impl From<Settings> for ClientBuilder {
    fn from(settings: Settings) -> Self {
        Self {
            settings,
            addressed: Vec::new(),
        }
    }
}
