//! The tokens with which a workspace is asked: one that is given, or those of a sign-in, which are
//! renewed before they end, and after the workspace has refused one.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::settings::{Auth, DatabricksSettings};
use crate::display::log_line;
use crate::error::{Error, Result};
use crate::identity::{self, Chain, HeldToken, NO_CREDENTIAL, TokenCache, WorkspaceApplication};
use crate::secret::Secret;
use crate::settings::{IdentitySettings, Settings};

/// Azure Databricks, as Microsoft Entra knows it.
const RESOURCE: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d";

const HINT: &str = "set DATABRICKS_TOKEN; or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET; or, on \
     Azure, sign in with `az login`";

/// Who asks.
pub(crate) struct Credential {
    source: Source,
    /// The token that was last sent.
    sent: Mutex<Option<HeldToken>>,
}

enum Source {
    Token(Secret),
    Application(Arc<TokenCache<WorkspaceApplication>>),
    Entra(Arc<TokenCache<Chain>>),
}

impl Credential {
    /// # Errors
    /// A setting of the sign-in is malformed or missing.
    pub(crate) fn new(settings: &DatabricksSettings) -> Result<Self> {
        let source = match &settings.auth {
            Auth::Token(token) => Source::Token(token.clone()),
            Auth::Application { client_id, secret } => {
                let application =
                    WorkspaceApplication::new(&settings.host, client_id, secret.clone())?;
                Source::Application(Arc::new(TokenCache::new(application, log_line)))
            }
            Auth::Entra => {
                let identity = Settings::from_env_in(Path::new(""))?.identity;
                return Self::of_azure(&identity);
            }
        };
        Ok(Self::from_source(source))
    }

    /// Whoever is signed in to Azure.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn of_azure(identity: &IdentitySettings) -> Result<Self> {
        let tokens = identity::tokens(identity, RESOURCE, log_line)?;
        Ok(Self::from_source(Source::Entra(tokens)))
    }

    fn from_source(source: Source) -> Self {
        Self {
            source,
            sent: Mutex::default(),
        }
    }

    /// The token to send now.
    ///
    /// # Errors
    /// Nobody can sign in.
    pub(crate) async fn token(&self) -> Result<Secret> {
        let held = match &self.source {
            Source::Token(token) => return Ok(token.clone()),
            Source::Application(tokens) => tokens.current().await,
            Source::Entra(tokens) => tokens.current().await,
        };
        let held = held.map_err(|(error, _)| refused(&error))?;
        let token = held.token.secret.clone();
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(token)
    }

    /// Another token, after the workspace has refused the one that was sent last. Whether there is
    /// one.
    ///
    /// # Errors
    /// Nobody can sign in any more.
    pub(crate) async fn renew(&self) -> Result<bool> {
        let sent = self
            .sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(sent) = sent else { return Ok(false) };
        let another = match &self.source {
            Source::Token(_) => return Ok(false),
            Source::Application(tokens) => tokens.after_rejection(&sent).await,
            Source::Entra(tokens) => tokens.after_rejection(&sent).await,
        };
        let another = another.map_err(|(error, _)| refused(&error))?;
        Ok(another.is_some())
    }

    /// The workspace has taken the token that was sent last.
    pub(crate) fn accepted(&self) {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = &*sent else { return };
        match &self.source {
            Source::Token(_) => {}
            Source::Application(tokens) => tokens.accepted(held),
            Source::Entra(tokens) => tokens.accepted(held),
        }
    }

    /// What the user can do if the workspace refuses the token.
    pub(crate) fn hint(&self) -> &'static str {
        match self.source {
            Source::Token(_) => {
                "make a new token in the workspace's settings, and set DATABRICKS_TOKEN"
            }
            _ => HINT,
        }
    }
}

fn refused(error: &Error) -> Error {
    let message = format!("nobody can sign in to Databricks: {}", error.message());
    // Whoever refused it knows better.
    let own = error.hint().filter(|hint| *hint != NO_CREDENTIAL);
    Error::new(error.kind(), message).with_hint(own.unwrap_or(HINT).to_owned())
}
