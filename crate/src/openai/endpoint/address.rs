//! The address of a service as users paste it: with or without a slash, a path, a deployment. Whatever
//! is unambiguous is accepted; whatever would be unsafe is refused with a hint.

use reqwest::Url;

use super::foundry::AZURE_EXAMPLE;
use super::{foundry, refused};
use crate::error::Result;
use crate::loopback_host::is_loopback;
use crate::secret::Secret;
use crate::settings::{ALLOW_HTTP_VARIABLE, Service, Settings, clean};

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
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let pasted = settings.endpoint.as_deref();
        let pasted = pasted.map(copied).filter(|address| !address.is_empty());
        let plain = PlainHttp::from_settings(settings);
        match settings.service {
            Service::Azure => {
                let pasted = pasted.ok_or_else(|| {
                    refused("there is no endpoint to ask").with_hint(format!(
                        "set AZURE_OPENAI_ENDPOINT to the resource's address, such as \
                         {AZURE_EXAMPLE} (in the Azure portal: the resource, 'Keys and Endpoint')"
                    ))
                })?;
                let whole = match foundry::is_azures(pasted) {
                    true => &format!("https://{pasted}"),
                    false => pasted,
                };
                foundry::check_place(whole)?;
                Self::azure(checked(
                    whole,
                    "AZURE_OPENAI_ENDPOINT",
                    AZURE_EXAMPLE,
                    plain,
                )?)
            }
            Service::OpenAi => Ok(Self::openai(checked(
                pasted.unwrap_or(OPENAI),
                "OPENAI_BASE_URL",
                OPENAI,
                plain,
            )?)),
        }
    }

    fn azure(mut url: Url) -> Result<Self> {
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
        let foundry::Parts {
            prefix,
            rest,
            inference,
        } = foundry::parts(&path)?;
        let ends_with = |end: &[&str]| {
            let at = prefix.len().saturating_sub(end.len());
            let last = prefix.get(at..).unwrap_or_default().iter();
            last.map(|part| part.to_ascii_lowercase())
                .eq(end.iter().copied())
        };
        let others = [&["v1"][..], &["v1", "chat", "completions"]];
        if let Some(end) = others.into_iter().find(|end| ends_with(end)) {
            return Err(refused(format!(
                "AZURE_OPENAI_ENDPOINT is not an Azure OpenAI address: it ends in /{}",
                end.join("/")
            ))
                .with_hint(
                    "for an OpenAI-compatible server unset it and set OPENAI_BASE_URL; Azure's own ends in /openai/v1",
                ));
        }
        // The inference API has versions of its own, which Azure OpenAI does not accept.
        let api_version = api_version.filter(|_| !inference);
        let v1 = inference
            || rest
                .first()
                .is_some_and(|first| first.eq_ignore_ascii_case("v1"));
        let deployment = match rest {
            [first, name, ..]
                if first.eq_ignore_ascii_case("deployments") && !name.contains('%') =>
            {
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

/// The address without what ends it in the sentence or the JSON that it was copied from.
fn copied(pasted: &str) -> &str {
    clean(clean(pasted).trim_end_matches([',', ';']))
}

/// Whether plain HTTP may leave this machine.
#[derive(Clone, Copy)]
enum PlainHttp {
    /// No key is sent, and the user has allowed it.
    Allowed,
    /// A key would be sent.
    WithKey,
    /// The user has not allowed it.
    Unasked,
}

impl PlainHttp {
    fn from_settings(settings: &Settings) -> Self {
        let is_set = |secret: &Option<Secret>| {
            let secret = secret.as_ref();
            secret.is_some_and(|secret| !clean(secret.expose()).is_empty())
        };
        // Azure always requires a credential.
        if settings.service == Service::Azure
            || is_set(&settings.api_key)
            || is_set(&settings.ad_token)
        {
            Self::WithKey
        } else if settings.allow_http {
            Self::Allowed
        } else {
            Self::Unasked
        }
    }
}

/// The address, if a key may be sent to it. No message repeats what was pasted, because it may contain
/// a password, or be a key in the wrong place.
fn checked(pasted: &str, variable: &str, example: &str, plain: PlainHttp) -> Result<Url> {
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
    if matches!(url.host_str(), Some("http" | "https")) {
        return Err(malformed("begins with https:// twice"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(malformed("holds a user name or password"));
    }
    if url.fragment().is_some() || url.query_pairs().any(|(name, _)| name != "api-version") {
        return Err(malformed(
            "has something after ? or # that would not be sent",
        ));
    }
    if url.scheme() == "http" && !url.host_str().is_some_and(is_loopback) {
        let begins = format!("{variable} begins with http://");
        let here = "http:// is only for this machine: localhost, 127.0.0.1";
        match plain {
            PlainHttp::Allowed => {}
            PlainHttp::WithKey => {
                return Err(refused(format!(
                    "{begins}: the key would travel where anyone can read it"
                ))
                .with_hint(format!("write https:// ({here})")));
            }
            PlainHttp::Unasked => {
                return Err(refused(format!(
                    "{begins}: prompts and answers would travel where anyone can read them"
                ))
                .with_hint(format!(
                    "write https:// ({here}); for a server in your own network that takes no key, \
                     set {ALLOW_HTTP_VARIABLE}=1"
                )));
            }
        }
    }
    Ok(url)
}

/// The address with its missing scheme, if it looks like an address and not like a key.
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
