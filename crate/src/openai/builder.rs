//! Builds a client from individual settings.

use std::time::Duration;

use super::Client;
use crate::error::Result;
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
pub struct ClientBuilder(Settings);

impl ClientBuilder {
    /// The Azure OpenAI resource's address, such as `https://NAME.openai.azure.com`.
    ///
    /// # Default
    /// None: either it or [`openai_base_url`](Self::openai_base_url) is required.
    pub fn endpoint(mut self, address: impl Into<String>) -> Self {
        self.0.service = Service::Azure;
        self.0.endpoint = Some(address.into());
        self.0.identity.is_apart = false;
        self
    }

    /// The base address of an OpenAI-compatible server, such as
    /// `http://localhost:11434/v1`, instead of an Azure endpoint.
    pub fn openai_base_url(mut self, address: impl Into<String>) -> Self {
        self.0.service = Service::OpenAi;
        self.0.endpoint = Some(address.into());
        self
    }

    /// The resource's key.
    ///
    /// # Default
    /// None: Azure requires a key or a token.
    pub fn api_key(mut self, key: impl AsRef<str>) -> Self {
        self.0.api_key = Some(Secret::new(key));
        self
    }

    /// A Microsoft Entra token, which is sent instead of the key.
    ///
    /// # Default
    /// None.
    pub fn ad_token(mut self, token: impl AsRef<str>) -> Self {
        self.0.ad_token = Some(Secret::new(token));
        self
    }

    /// The API version: a date such as `2024-10-21`, `v1` or `preview`.
    ///
    /// # Default
    /// The undated v1 path.
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.0.api_version = Some(version.into());
        self
    }

    /// The deployment that answers when a request names none.
    ///
    /// # Default
    /// None: every request must then name its own.
    pub fn deployment(mut self, name: impl Into<String>) -> Self {
        self.0.deployment = Some(name.into());
        self
    }

    /// How long a request may take in total, without the waits between retries.
    ///
    /// # Default
    /// 600 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = Some(timeout);
        self
    }

    /// How long establishing a connection may take.
    ///
    /// # Default
    /// 5 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.0.connect_timeout = Some(timeout);
        self
    }

    /// How many times a request that failed for a transient reason is sent again.
    ///
    /// # Default
    /// 2.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.0.max_retries = Some(retries);
        self
    }

    /// Checks the settings and creates the client. Nothing is sent.
    ///
    /// # Errors
    /// A setting is missing or malformed; the message names it.
    pub fn build(self) -> Result<Client> {
        Client::new(self.0)
    }
}

impl From<Settings> for ClientBuilder {
    fn from(settings: Settings) -> Self {
        Self(settings)
    }
}
