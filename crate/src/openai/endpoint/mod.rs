//! Where a request is sent: converts the address that a user pastes to the paths of Azure OpenAI and of
//! OpenAI-compatible servers.

mod address;
mod foundry;
mod model_versions;
mod version;

use std::fmt;

use reqwest::Url;

use crate::error::{Error, ErrorKind, Result};
use crate::loopback_host::is_loopback;
use crate::settings::{Service, Settings, clean};
use crate::text::invisible::is_invisible;
use address::Address;
use version::Version;

pub(super) use version::GENERALLY_AVAILABLE;

/// Which form of the protocol a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// Azure OpenAI with the deployment in the path and a dated API version.
    AzureDated,
    /// Azure OpenAI's undated v1 path, with the deployment in `model`.
    AzureV1,
    /// OpenAI, or a server compatible with it.
    OpenAi,
}

impl Protocol {
    /// The form in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AzureDated => "Azure OpenAI, dated",
            Self::AzureV1 => "Azure OpenAI, v1",
            Self::OpenAi => "OpenAI-compatible",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

pub(super) struct Endpoint {
    root: Url,
    host: String,
    loopback: bool,
    protocol: Protocol,
    api_version: Option<String>,
    deployment: Option<String>,
}

impl Endpoint {
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let address = Address::new(settings)?;
        let stated = |value: &Option<String>| {
            value
                .as_deref()
                .map(clean)
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
        };
        let deployment = stated(&settings.deployment).or(address.deployment);
        if let Some(name) = &deployment {
            check_deployment(name)?;
        }
        let (protocol, api_version) = match settings.service {
            Service::OpenAi => (Protocol::OpenAi, None),
            Service::Azure => {
                let version = stated(&settings.api_version).or(address.api_version);
                match Version::parse(version.as_deref())? {
                    Version::Preview => (Protocol::AzureV1, Some("preview".to_owned())),
                    Version::Dated(date) if !address.v1 => (Protocol::AzureDated, Some(date)),
                    Version::V1 | Version::Dated(_) => (Protocol::AzureV1, None),
                }
            }
        };
        let name = address.url.host_str().unwrap_or_default();
        let host = match address.url.port() {
            Some(port) => format!("{name}:{port}"),
            None => name.to_owned(),
        };
        let loopback = address.url.host_str().is_some_and(is_loopback);
        Ok(Self {
            root: address.url,
            host,
            loopback,
            protocol,
            api_version,
            deployment,
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.loopback
    }

    pub(super) fn is_plain_http(&self) -> bool {
        self.root.scheme() == "http"
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(super) fn api_version(&self) -> Option<&str> {
        self.api_version.as_deref()
    }

    pub(super) fn deployment(&self) -> Option<&str> {
        self.deployment.as_deref()
    }

    /// The variable that contains the address.
    pub(super) fn address_variable(&self) -> &'static str {
        match self.protocol {
            Protocol::OpenAi => "OPENAI_BASE_URL",
            Protocol::AzureDated | Protocol::AzureV1 => "AZURE_OPENAI_ENDPOINT",
        }
    }

    /// The variable that names the deployment.
    pub(super) fn deployment_variable(&self) -> &'static str {
        match self.protocol {
            Protocol::OpenAi => "OPENAI_MODEL",
            Protocol::AzureDated | Protocol::AzureV1 => "AZURE_OPENAI_DEPLOYMENT",
        }
    }

    /// The deployment for a request: its own, or else the client's.
    pub(super) fn choose<'a>(&'a self, wanted: Option<&'a str>) -> Result<&'a str> {
        match wanted.or(self.deployment()) {
            Some(name) => check_deployment(name).map(|()| name),
            None => Err(
                Error::new(ErrorKind::Settings, "there is no deployment to ask").with_hint(
                    format!(
                        "set {}, or name it with .deployment()",
                        self.deployment_variable()
                    ),
                ),
            ),
        }
    }

    /// The URL of chat requests for the deployment.
    pub(super) fn chat_url(&self, deployment: &str) -> Url {
        match self.protocol {
            Protocol::AzureDated => self.url(&["deployments", deployment, "chat", "completions"]),
            Protocol::AzureV1 | Protocol::OpenAi => self.url(&["chat", "completions"]),
        }
    }

    /// The URL of a path below the endpoint.
    pub(super) fn url(&self, below: &[&str]) -> Url {
        let mut url = self.root.clone();
        // An http address always has segments.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            match self.protocol {
                Protocol::AzureDated => path.push("openai"),
                Protocol::AzureV1 => path.extend(["openai", "v1"]),
                Protocol::OpenAi => &mut path,
            }
            .extend(below);
        }
        if let Some(version) = &self.api_version {
            url.query_pairs_mut().append_pair("api-version", version);
        }
        url
    }
}

fn check_deployment(name: &str) -> Result<()> {
    let refused = |what: &str| {
        Err(
            Error::new(ErrorKind::Argument, format!("the deployment's name {what}"))
                .with_hint("take the name from the list of deployments in the Azure portal"),
        )
    };
    match name {
        "" => refused("is empty"),
        // These parts of a path have a meaning of their own, and would lead elsewhere.
        "." | ".." => refused("can't be dots alone"),
        _ if name.starts_with('<') && name.ends_with('>') => refused("is still a placeholder"),
        _ if name.contains(|c: char| is_invisible(c) || c.is_whitespace()) => {
            refused("holds white space or a character that nobody can see")
        }
        _ => Ok(()),
    }
}

fn refused(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Settings, what)
}

#[cfg(test)]
mod tests;
