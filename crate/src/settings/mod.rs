//! The settings of a client, read once and in one place: from the environment, and from a
//! `.env` file in the current folder or one above it (`sources` decides which of them counts).
//! Numbers are read here; all other values are checked when a client is built from them.

mod allowance;
mod clean;
pub(crate) mod cloud;
pub(crate) mod dotenv;
mod file;
pub(crate) mod identity;
mod lookup;
mod private_file;
mod sources;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::error::Result;
use crate::secret::Secret;

pub(crate) use allowance::Allowance;
pub(crate) use clean::clean;
pub(crate) use cloud::CloudSettings;
pub use file::SettingsFile;
pub(crate) use identity::IdentitySettings;
pub(crate) use lookup::{Group, lookup};
pub(crate) use private_file::replace_private;

/// The variable with the quota's tokens per minute.
const TPM_VARIABLE: &str = "AZURE_OPENAI_TPM";
/// The variable with the quota's requests per minute.
const RPM_VARIABLE: &str = "AZURE_OPENAI_RPM";
/// The variable that allows plain HTTP to other machines.
pub(crate) const ALLOW_HTTP_VARIABLE: &str = "EVENHAND_ALLOW_HTTP";
/// The default time limit of a request.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(600);
/// The default time limit for establishing a connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The address of a service that nobody chose: it stands in as long as no `.env` file names one. Whoever sets
/// the variables of such a service repeats its address here.
#[doc(hidden)]
pub const STAND_IN_VARIABLE: &str = "EVENHAND_STAND_IN_ENDPOINT";
/// How many times a failed request is sent again by default.
pub(crate) const MAX_RETRIES: u32 = 2;

/// The kind of service that answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Azure OpenAI, or a server that speaks its protocol.
    #[default]
    Azure,
    /// OpenAI, or any server with its chat completions API (vLLM, Ollama, llama.cpp).
    OpenAi,
}

/// The settings of a [`Client`](crate::Client). Every field may be set by hand before
/// [`Client::new`](crate::Client::new) checks them all.
///
/// | variable | field |
/// |---|---|
/// | `AZURE_OPENAI_ENDPOINT` | `endpoint` |
/// | `AZURE_OPENAI_API_KEY` | `api_key` |
/// | `AZURE_OPENAI_AD_TOKEN` | `ad_token`, which takes precedence over the key |
/// | `AZURE_OPENAI_API_VERSION`, else `OPENAI_API_VERSION` | `api_version` |
/// | `AZURE_OPENAI_DEPLOYMENT` | `deployment` |
/// | `AZURE_OPENAI_TPM` | `tokens_per_minute`, the deployment's quota |
/// | `AZURE_OPENAI_RPM` | `requests_per_minute`, the deployment's quota |
/// | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`, `AZURE_AUTHORITY_HOST` | a service principal that signs in if there is neither key nor token |
/// | `EVENHAND_ALLOW_HTTP` | `allow_http` if it is `1` or `true` |
/// | `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_MODEL` | `endpoint`, `api_key`, `deployment` of an OpenAI-compatible server |
///
/// The `OPENAI_` variables count only if no Azure endpoint, key or token is set, so that a
/// missing Azure endpoint never sends the prompts to another service. A service that the
/// environment specifies completely is used, whichever service a `.env` file names.
///
/// Without a key and a token, an Azure client signs in with Microsoft Entra. It tries, in the order
/// of Azure's own tools: the service principal above; the managed identity of the machine
/// (`IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, or the metadata service of virtual machines, with
/// `AZURE_CLIENT_ID` to choose one of several identities); the user who ran `az login`.
///
/// Address and credential come from one source: both from the environment or both from the
/// same `.env` file. The other variables may come from either.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Settings {
    /// The kind of service. Default: Azure OpenAI.
    pub service: Service,
    /// The resource's address, such as `https://NAME.openai.azure.com`.
    pub endpoint: Option<String>,
    /// The resource's key.
    pub api_key: Option<Secret>,
    /// A Microsoft Entra token, sent instead of the key.
    pub ad_token: Option<Secret>,
    /// The API version: a date such as `2024-10-21`, `v1`, `preview`, or nothing for v1.
    pub api_version: Option<String>,
    /// The deployment (for an OpenAI-compatible server the model) that answers
    /// when a request names none.
    pub deployment: Option<String>,
    /// The deployment's quota in tokens per minute, which a batch keeps to.
    pub tokens_per_minute: Option<u64>,
    /// The quota in requests per minute. Default: six per thousand tokens.
    pub requests_per_minute: Option<u64>,
    /// How long a request may take in total. Default: 600 seconds.
    pub timeout: Option<Duration>,
    /// How long establishing a connection may take. Default: 5 seconds.
    pub connect_timeout: Option<Duration>,
    /// How many times a request that failed for a transient reason is sent again. Default: 2.
    pub max_retries: Option<u32>,
    /// Allows plain HTTP to other machines, as long as no key is set. Default: `false`, which
    /// allows it to this machine only.
    pub allow_http: bool,
    /// How to sign in with Microsoft Entra if there is neither key nor token.
    pub(crate) identity: IdentitySettings,
    pub(crate) notes: Vec<String>,
}

/// A setting that every request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Missing {
    /// The address.
    Endpoint,
    /// The key or token.
    Credential,
    /// The deployment or model.
    Deployment,
}

impl Settings {
    /// Reads the environment and, for variables it lacks, a `.env` file: the nearest one in the
    /// current folder or above it, up to the root of the repository (a folder with `.git`) or
    /// the home folder; outside of both, only in the current folder. The environment itself is
    /// not changed.
    ///
    /// A file that belongs to another user, or that others can write to, is ignored, and
    /// [`notes`](Self::notes) says so. Values in a file are literal: `$` is not expanded.
    ///
    /// # Errors
    /// A `.env` file exists but can't be read; a quota is not a whole number; or the address comes
    /// from the environment and its credential from the file, or vice versa: the message names both.
    pub fn from_env() -> Result<Self> {
        Self::from_env_in(Path::new(""))
    }

    /// Like [`from_env`](Self::from_env), with this folder instead of the current one.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_env_in(folder: &Path) -> Result<Self> {
        let sources = sources::sources(folder)?;
        let mut settings = sources.settings()?;
        settings.identity.is_azure_machine = identity::is_azure_machine();
        settings.notes.splice(..0, sources.notes);
        Ok(settings)
    }

    /// Like [`from_env_in`](Self::from_env_in), from the `.env` file alone.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_dotenv_in(folder: &Path) -> Result<Self> {
        sources::of_file_alone(folder)?.settings()
    }

    /// Notes for the user about where the settings were found: which `.env` files or variables were
    /// ignored, and why. They never contain a value.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether there is an address, a key or a token. Without any of them, no service is set.
    pub fn names_a_service(&self) -> bool {
        self.endpoint.is_some() || self.api_key.is_some() || self.ad_token.is_some()
    }

    /// Reads the settings from any source of named values. White space and quotes around a
    /// value are removed, and an empty value counts as unset.
    ///
    /// ```
    /// use evenhand::Settings;
    ///
    /// let settings = Settings::from_lookup(|name| {
    ///     (name == "AZURE_OPENAI_DEPLOYMENT").then(|| "\"gpt-4o\"".to_owned())
    /// })?;
    /// assert_eq!(settings.deployment.as_deref(), Some("gpt-4o"));
    /// assert_eq!(settings.missing().len(), 2);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// A quota is not a whole number: the message names its variable.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        Self::without_quota(&lookup).with_quota(lookup, |_| String::new())
    }

    /// The settings with the quota of this source. `place` tells where a variable was found, such as
    /// ` in the environment`.
    fn with_quota(
        self,
        lookup: impl Fn(&str) -> Option<String>,
        place: impl Fn(&str) -> String,
    ) -> Result<Self> {
        let number = |variable| allowance::number(variable, &place, lookup(variable));
        Ok(Self {
            tokens_per_minute: number(TPM_VARIABLE)?,
            requests_per_minute: number(RPM_VARIABLE)?,
            ..self
        })
    }

    fn without_quota(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| {
            lookup(name)
                .map(|value| clean(&value).to_owned())
                .filter(|value| !value.is_empty())
        };
        let secret = |name: &str| text(name).map(Secret::new);
        let azure = Self {
            service: Service::Azure,
            endpoint: text("AZURE_OPENAI_ENDPOINT"),
            api_key: secret("AZURE_OPENAI_API_KEY"),
            ad_token: secret("AZURE_OPENAI_AD_TOKEN"),
            api_version: text("AZURE_OPENAI_API_VERSION").or_else(|| text("OPENAI_API_VERSION")),
            deployment: text("AZURE_OPENAI_DEPLOYMENT"),
            allow_http: is_on(text(ALLOW_HTTP_VARIABLE).as_deref()),
            identity: IdentitySettings::from_lookup(&lookup),
            ..Self::default()
        };
        if azure.names_a_service() {
            return azure;
        }
        let base_url = text("OPENAI_BASE_URL");
        let api_key = secret("OPENAI_API_KEY");
        if base_url.is_none() && api_key.is_none() {
            return azure;
        }
        Self {
            service: Service::OpenAi,
            endpoint: base_url,
            api_key,
            deployment: text("OPENAI_MODEL").or(azure.deployment),
            allow_http: azure.allow_http,
            ..Self::default()
        }
    }

    /// The settings that are still missing. If a way to sign in is configured, no key is missing.
    /// An OpenAI-compatible server may work without a key; without an address, the service is
    /// OpenAI itself.
    pub fn missing(&self) -> Vec<Missing> {
        let credential = self.api_key.is_some() || self.ad_token.is_some();
        let credential = credential || self.identity.is_configured();
        let (endpoint, credential) = match self.service {
            Service::Azure => (self.endpoint.is_some(), credential),
            Service::OpenAi => (true, credential || self.endpoint.is_some()),
        };
        [
            (endpoint, Missing::Endpoint),
            (credential, Missing::Credential),
            (self.deployment.is_some(), Missing::Deployment),
        ]
        .into_iter()
        .filter_map(|(there, setting)| (!there).then_some(setting))
        .collect()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An unchecked address may contain a password or a key.
        let endpoint = self.endpoint.as_deref().map(|address| {
            if address.contains(['@', '?', '#']) {
                "…"
            } else {
                address
            }
        });
        f.debug_struct("Settings")
            .field("service", &self.service)
            .field("endpoint", &endpoint)
            .field("api_key", &self.api_key)
            .field("ad_token", &self.ad_token)
            .field("api_version", &self.api_version)
            .field("deployment", &self.deployment)
            .field("tokens_per_minute", &self.tokens_per_minute)
            .field("requests_per_minute", &self.requests_per_minute)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("max_retries", &self.max_retries)
            .field("allow_http", &self.allow_http)
            .finish()
    }
}

/// Is a switch on? Any other value leaves it off.
pub(crate) fn is_on(value: Option<&str>) -> bool {
    value.is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "true"))
}

/// One value, for a part that has a setting of its own. An empty one counts as none.
///
/// # Errors
/// A `.env` file exists but can't be read.
pub(crate) fn variable(folder: &Path, name: &str) -> Result<Option<String>> {
    let value = sources::sources(folder)?.value(name);
    Ok(value.map(|value| clean(&value).to_owned()))
}

#[cfg(test)]
mod tests;
