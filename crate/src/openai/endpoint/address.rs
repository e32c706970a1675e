//! The address of a service as people paste it: with or without a slash, a path, a
//! deployment. What is meant is taken, what would be unsafe is refused with a hint.

use reqwest::Url;

use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Service, clean};

const AZURE_EXAMPLE: &str = "https://NAME.openai.azure.com";
const OPENAI: &str = "https://api.openai.com/v1";

#[derive(Debug)]
pub(super) struct Address {
    /// Without query, and without the part of the path that the protocol adds.
    pub(super) url: Url,
    pub(super) v1: bool,
    pub(super) deployment: Option<String>,
    pub(super) api_version: Option<String>,
}

impl Address {
    pub(super) fn new(service: Service, pasted: Option<&str>) -> Result<Self> {
        let pasted = pasted.map(clean).filter(|address| !address.is_empty());
        match service {
            Service::Azure => {
                let pasted = pasted.ok_or_else(|| {
                    refused("there is no endpoint to ask").with_hint(format!(
                        "set AZURE_OPENAI_ENDPOINT to the resource's address, such as \
                         {AZURE_EXAMPLE} (in the Azure portal: the resource, 'Keys and Endpoint')"
                    ))
                })?;
                Self::azure(checked(pasted, "AZURE_OPENAI_ENDPOINT", AZURE_EXAMPLE)?)
            }
            Service::OpenAi => Ok(Self::openai(checked(
                pasted.unwrap_or(OPENAI),
                "OPENAI_BASE_URL",
                OPENAI,
            )?)),
        }
    }

    fn azure(mut url: Url) -> Result<Self> {
        let variable = "AZURE_OPENAI_ENDPOINT";
        match url.host_str().unwrap_or_default() {
            "portal.azure.com" | "oai.azure.com" | "ai.azure.com" => {
                return Err(
                    refused(format!("{variable} is the address of a portal")).with_hint(format!(
                        "copy the endpoint that the portal shows, such as {AZURE_EXAMPLE}"
                    )),
                );
            }
            "api.openai.com" => {
                return Err(
                    refused(format!("{variable} is OpenAI's address, not Azure's"))
                        .with_hint("unset it and set OPENAI_API_KEY and OPENAI_MODEL"),
                );
            }
            _ => {}
        }
        let api_version = url
            .query_pairs()
            .find(|(name, _)| name == "api-version")
            .map(|(_, value)| value.into_owned());
        let path: Vec<String> = url
            .path()
            .split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        let known = |rest: Option<&str>| {
            matches!(
                rest,
                None | Some("v1" | "deployments" | "responses" | "chat" | "models")
            )
        };
        let at = (0..path.len())
            .rev()
            .find(|&at| path[at] == "openai" && known(path.get(at + 1).map(String::as_str)));
        let (prefix, rest) = match at {
            Some(at) => (&path[..at], &path[at + 1..]),
            None => (&path[..], &path[path.len()..]),
        };
        if prefix.last().is_some_and(|last| last == "v1") {
            return Err(refused(format!("{variable} is no Azure OpenAI address: it ends in /v1"))
                .with_hint(
                    "for an OpenAI-compatible server unset it and set OPENAI_BASE_URL; Azure's own ends in /openai/v1",
                ));
        }
        let v1 = rest.first().is_some_and(|first| first == "v1");
        let deployment = match rest {
            [first, name, ..] if first == "deployments" && !name.contains('%') => {
                Some(name.clone())
            }
            _ => None,
        };
        url.set_path(&prefix.join("/"));
        url.set_query(None);
        Ok(Self {
            url,
            v1,
            deployment,
            api_version,
        })
    }

    fn openai(mut url: Url) -> Self {
        let path = url.path().trim_end_matches('/');
        let path = path
            .strip_suffix("/chat/completions")
            .unwrap_or(path)
            .to_owned();
        url.set_path(&path);
        url.set_query(None);
        Self {
            url,
            v1: false,
            deployment: None,
            api_version: None,
        }
    }
}

fn refused(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Settings, what)
}

/// The address, if a key may travel to it. No message repeats what was pasted: it may
/// hold a password, or be a key in the wrong place.
fn checked(pasted: &str, variable: &str, example: &str) -> Result<Url> {
    if pasted.contains(['<', '>', '{', '}']) {
        return Err(refused(format!("{variable} still holds a placeholder"))
            .with_hint(format!("set it to the real address, such as {example}")));
    }
    if !pasted.contains("://") {
        let hint = match with_scheme(pasted) {
            Some(address) => format!("did you mean {address} ?"),
            None => format!("set it to an address such as {example}"),
        };
        return Err(refused(format!("{variable} does not begin with https://")).with_hint(hint));
    }
    let malformed = |what: &str| {
        refused(format!("{variable} {what}"))
            .with_hint(format!("set it to an address such as {example}"))
    };
    let url =
        Url::parse(pasted).map_err(|error| malformed("is not a web address").with_source(error))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(malformed("does not begin with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(malformed("holds a user name or password"));
    }
    if url.fragment().is_some() || url.query_pairs().any(|(name, _)| name != "api-version") {
        return Err(malformed(
            "has something after ? or # that would not be sent",
        ));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(refused(format!(
            "{variable} begins with http://: the key would travel where anyone can read it"
        ))
        .with_hint("write https:// (http:// is for this machine alone: localhost, 127.0.0.1)"));
    }
    Ok(url)
}

/// The address with the scheme that it lacks, if it looks like one and not like a key.
fn with_scheme(pasted: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '/' | '_');
    let host = pasted.split('/').next()?;
    let name = host.split(':').next()?;
    let local = name == "localhost" || name.starts_with("127.");
    if !pasted.chars().all(plain) || host.len() > 100 || !(local || name.contains('.')) {
        return None;
    }
    let scheme = if local { "http" } else { "https" };
    Some(format!("{scheme}://{pasted}"))
}

/// Does the address lead to this machine?
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
