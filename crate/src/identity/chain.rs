//! The credentials in their order: service principal, managed identity, Azure CLI, device code.
//! The first that provides a token is used from then on.

use std::sync::OnceLock;

use super::azure_cli::AzureCli;
use super::client_secret::ClientSecret;
use super::device_code::DeviceCode;
use super::error_mapping::Failure;
use super::managed_identity::ManagedIdentity;
use super::token_cache::Issuer;
use super::{AccessToken, Notify};
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry::Retry;
use crate::http::transport::Failed;
use crate::settings::IdentitySettings;

/// What to do where there is nothing to sign in with. Whoever asks no model has a better hint.
pub(crate) const NO_CREDENTIAL: &str = "set AZURE_OPENAI_API_KEY, or run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID \
                                        and AZURE_CLIENT_SECRET; in a notebook \
                                        Client::from_env_or_prompt() signs in in a browser";

/// The credentials, and the resource that their tokens are for.
pub(crate) struct Chain {
    /// Such as `https://cognitiveservices.azure.com`.
    resource: String,
    sources: Vec<Source>,
    /// The credential that provided a token.
    chosen: OnceLock<usize>,
}

enum Source {
    ClientSecret(ClientSecret),
    ManagedIdentity(ManagedIdentity),
    AzureCli(AzureCli),
    DeviceCode(DeviceCode),
}

impl Chain {
    /// The credentials that these settings allow, for tokens for a resource.
    ///
    /// # Errors
    /// A setting is malformed, or a part of a service principal is missing; the message names it.
    pub(crate) fn new(settings: &IdentitySettings, resource: &str, notify: Notify) -> Result<Self> {
        let sources = match ClientSecret::new(settings)? {
            // Whoever names a service principal means that one only.
            Some(application) => vec![Source::ClientSecret(application)],
            None => {
                let mut sources = vec![
                    Source::ManagedIdentity(ManagedIdentity::new(settings)?),
                    Source::AzureCli(AzureCli::new(settings.azure_cli.clone())),
                ];
                if settings.asks_reader {
                    sources.push(Source::DeviceCode(DeviceCode::new(settings, notify)?));
                }
                sources
            }
        };
        Ok(Self {
            resource: resource.to_owned(),
            sources,
            chosen: OnceLock::new(),
        })
    }

    /// Whose tokens these are and what they are for, in words.
    pub(crate) fn describe(&self) -> String {
        let source = self.chosen.get().and_then(|at| self.sources.get(*at));
        let who = match source.or(self.sources.first()) {
            Some(Source::ClientSecret(application)) => application.who(),
            Some(Source::ManagedIdentity(identity)) => identity.who(),
            Some(Source::AzureCli(_)) => "the user of `az login`".to_owned(),
            Some(Source::DeviceCode(_)) => "the user who signed in in the browser".to_owned(),
            None => "nobody".to_owned(),
        };
        format!("{who}, for {}", self.resource)
    }

    async fn ask_source(&self, source: &Source) -> Result<AccessToken, Failure> {
        let scope = format!("{}/.default", self.resource);
        match source {
            Source::ClientSecret(application) => application.token(&scope).await,
            Source::ManagedIdentity(identity) => identity.token(&self.resource).await,
            Source::AzureCli(program) => program.token(&self.resource).await,
            Source::DeviceCode(person) => person.token(&scope).await,
        }
    }

    /// The credential that provided a token before, otherwise all of them.
    fn tried(&self) -> impl Iterator<Item = (usize, &Source)> {
        let chosen = self.chosen.get().copied();
        let sources = self.sources.iter().enumerate();
        sources.filter(move |(at, _)| chosen.is_none_or(|chosen| chosen == *at))
    }
}

impl Issuer for Chain {
    fn is_unattended(&self) -> bool {
        let chosen = self.chosen.get().and_then(|at| self.sources.get(*at));
        !matches!(chosen, Some(Source::DeviceCode(_)))
    }

    async fn issue(&self) -> Result<AccessToken, Failed> {
        let mut reasons = Vec::new();
        for (at, source) in self.tried() {
            match self.ask_source(source).await {
                Ok(token) => {
                    let _ = self.chosen.set(at);
                    return Ok(token);
                }
                Err(Failure::Unavailable(why)) => reasons.push(why),
                Err(Failure::Refused(error)) => return Err((error, Retry::NO)),
                Err(Failure::Transient(error, retry)) => return Err((error, retry)),
            }
        }
        let message = format!(
            "there is no key, and no way to sign in: {}",
            reasons.join("; ")
        );
        let error = Error::new(ErrorKind::Authentication, message).with_hint(NO_CREDENTIAL);
        Err((error, Retry::NO))
    }
}
