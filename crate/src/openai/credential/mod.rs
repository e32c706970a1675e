//! The one header that contains the key or token, and the removal of secrets from all other text.

pub(super) mod sending;
mod sign_in;

use std::fmt;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::error::{Error, ErrorKind, Result};
use crate::http::redact::Redactor;
use crate::identity::{Chain, TokenCache};
use crate::secret::Secret;
use crate::settings::{Service, Settings, clean};
use crate::text::sanitize_line;

use super::endpoint::Endpoint;

/// What kind of credential a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialKind {
    /// A resource's or an account's key.
    ApiKey,
    /// A Microsoft Entra token.
    EntraToken,
    /// None: a local or private server may not require any.
    None,
}

impl CredentialKind {
    /// The kind in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api key",
            Self::EntraToken => "Entra token",
            Self::None => "none",
        }
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much of a text is searched for an excerpt, in bytes.
const MAX_MESSAGE: usize = 256 * 1024;

type Tokens = TokenCache<Chain>;

/// What is sent with a request.
enum Sent {
    Nothing,
    Fixed(HeaderName, HeaderValue),
    /// A token that is fetched, and renewed.
    SignedIn(Arc<Tokens>),
}

pub(super) struct Credential {
    kind: CredentialKind,
    sent: Sent,
    redactor: Redactor,
    variable: &'static str,
}

impl Credential {
    pub(super) fn new(settings: &Settings, endpoint: &Endpoint) -> Result<Self> {
        let key_variable = match settings.service {
            Service::Azure => "AZURE_OPENAI_API_KEY",
            Service::OpenAi => "OPENAI_API_KEY",
        };
        let given = |secret: &Option<Secret>| {
            let cleaned = secret
                .as_ref()
                .map(|secret| Secret::new(clean(secret.expose())));
            cleaned.filter(|secret| !secret.expose().is_empty())
        };
        let key = given(&settings.api_key);
        // The portal and the command line may show the token with its scheme.
        let token = given(&settings.ad_token).map(|token| {
            Secret::new(
                token
                    .expose()
                    .strip_prefix("Bearer ")
                    .unwrap_or(token.expose()),
            )
        });
        let (kind, sent, variable) = match (&token, &key) {
            (Some(token), _) => {
                let variable = "AZURE_OPENAI_AD_TOKEN";
                let value = header_value("Bearer ", token, variable)?;
                (
                    CredentialKind::EntraToken,
                    Sent::Fixed(AUTHORIZATION, value),
                    variable,
                )
            }
            (None, Some(key)) => {
                let (name, scheme) = match settings.service {
                    Service::Azure => (HeaderName::from_static("api-key"), ""),
                    Service::OpenAi => (AUTHORIZATION, "Bearer "),
                };
                let value = header_value(scheme, key, key_variable)?;
                (
                    CredentialKind::ApiKey,
                    Sent::Fixed(name, value),
                    key_variable,
                )
            }
            (None, None) => match sign_in::sign_in_credential(settings, endpoint)? {
                Some(tokens) => (
                    CredentialKind::EntraToken,
                    Sent::SignedIn(tokens),
                    key_variable,
                ),
                None => (CredentialKind::None, Sent::Nothing, key_variable),
            },
        };
        if matches!(sent, Sent::Nothing) {
            check_needs_none(settings)?;
        }
        let of_sign_in = [
            settings.identity.client_secret.clone(),
            settings.identity.identity_header.clone(),
        ];
        // All secrets of the settings, whether they are sent or not.
        let secrets = token.into_iter().chain(key);
        let secrets = secrets.chain(of_sign_in.into_iter().flatten());
        Ok(Self {
            kind,
            sent,
            redactor: Redactor::new(secrets),
            variable,
        })
    }

    pub(super) fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// Whose tokens are sent and for which resource, if they are fetched.
    pub(super) fn signed_in_as(&self) -> Option<String> {
        match &self.sent {
            Sent::SignedIn(tokens) => Some(tokens.issuer().describe()),
            Sent::Nothing | Sent::Fixed(..) => None,
        }
    }

    /// The variable that provides this credential.
    pub(super) fn variable(&self) -> &'static str {
        self.variable
    }

    /// An untrusted text as it may be shown in an error: without secrets, on one line, and at most
    /// `limit` characters long.
    pub(super) fn excerpt(&self, text: &str, limit: usize) -> String {
        let end = text.floor_char_boundary(MAX_MESSAGE);
        let text = text.get(..end).unwrap_or_default();
        sanitize_line(&self.redactor.message(text), limit)
    }

    /// Removes the secrets from everything that the service sends.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }
}

/// Whether requests may be sent without a key.
fn check_needs_none(settings: &Settings) -> Result<()> {
    match settings.service {
        Service::Azure => Err(Error::new(
            ErrorKind::Settings,
            "there is no key for Azure OpenAI",
        )
        .with_hint(
            "set AZURE_OPENAI_API_KEY (in the Azure portal: the resource, \
             'Keys and Endpoint'), or AZURE_OPENAI_AD_TOKEN for a Microsoft Entra token; or sign in: \
             with `az login`, or with AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
        )),
        Service::OpenAi if settings.endpoint.is_none() => Err(Error::new(
            ErrorKind::Settings,
            "there is no key for OpenAI",
        )
        .with_hint("set OPENAI_API_KEY, or OPENAI_BASE_URL for a server without keys")),
        Service::OpenAi => Ok(()),
    }
}

fn header_value(scheme: &str, secret: &Secret, variable: &str) -> Result<HeaderValue> {
    let malformed = |what: &str, hint: &str| {
        Error::new(ErrorKind::Settings, format!("{variable} {what}")).with_hint(hint)
    };
    let text = secret.expose();
    if text.starts_with('<') && text.ends_with('>') {
        return Err(malformed(
            "still holds a placeholder",
            "replace all of it, including the angle brackets, with the key itself",
        ));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(malformed(
            "contains a character that no key has: white space, or one that is not ASCII",
            "copy the key again, alone and in one piece",
        ));
    }
    let mut value = HeaderValue::try_from(format!("{scheme}{text}"))
        .map_err(|_| malformed("can't be sent as a header", "copy the key again"))?;
    value.set_sensitive(true);
    Ok(value)
}
