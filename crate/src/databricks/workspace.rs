//! A workspace, by its address and whoever asks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

#[cfg(feature = "spark")]
use super::credential::Credential;
use super::rest::Rest;
use super::settings::DatabricksSettings;
use crate::cancel::CancelHandle;
use crate::error::Result;
use crate::identity::{Chain, TokenCache};
use crate::settings::IdentitySettings;
use crate::waiting::{WaitProgress, Waiter};

/// The pauses between two looks at a cluster, a run and the like.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A workspace of Databricks. Clones mean the same workspace.
#[derive(Clone)]
pub struct Workspace {
    pub(super) rest: Arc<Rest>,
    pub(super) waiter: Waiter,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Me {
    user_name: Option<String>,
}

impl Workspace {
    /// The workspace that `DATABRICKS_HOST` or a profile of `~/.databrickscfg` names, with the credential
    /// from the same source.
    ///
    /// # Errors
    /// No workspace is named; its address is malformed or unsafe; or it is not clear who asks.
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Like [`from_env`](Self::from_env), from any source of named values. Signing in with Microsoft Entra
    /// takes its variables from the environment still.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        match DatabricksSettings::of_lookup(None, true, lookup)? {
            Some(settings) => Self::new(&settings),
            None => Err(DatabricksSettings::missing()),
        }
    }

    /// # Errors
    /// The system's certificates can't be read, or the sign-in's settings are malformed.
    pub(crate) fn new(settings: &DatabricksSettings) -> Result<Self> {
        Ok(Self {
            rest: Arc::new(Rest::new(settings)?),
            waiter: Waiter::new(FIRST_PAUSE, LONGEST_PAUSE),
        })
    }

    /// The workspace that Azure names, asked by whoever is signed in there.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn of_azure(
        host: Url,
        identity: &IdentitySettings,
        id: &str,
        management: Arc<TokenCache<Chain>>,
        waiter: &Waiter,
    ) -> Result<Self> {
        let first = waiter.first.min(FIRST_PAUSE);
        Ok(Self {
            rest: Arc::new(Rest::of_azure(host, identity, id, management)?),
            waiter: Waiter {
                first,
                longest: LONGEST_PAUSE,
                ..waiter.clone()
            },
        })
    }

    /// The host, such as `adb-1.2.azuredatabricks.net`.
    pub fn host(&self) -> &str {
        self.rest.host()
    }

    /// The same, with waits that this handle stops. The workspace goes on with what it has begun.
    #[must_use]
    pub fn cancel_with(&self, stop: &CancelHandle) -> Self {
        let mut workspace = self.clone();
        workspace.waiter.stop = stop.clone();
        workspace
    }

    /// The same, with a callback that is told how far long work is, instead of a bar or lines.
    #[must_use]
    pub fn on_progress(&self, listener: impl Fn(&WaitProgress) + Send + Sync + 'static) -> Self {
        let mut workspace = self.clone();
        workspace.waiter.listener = Some(Arc::new(listener));
        workspace
    }

    /// The name of the user who asks.
    pub(super) async fn me(&self) -> Result<String> {
        let me: Me = self.rest.get("/api/2.0/preview/scim/v2/Me", &[]).await?;
        Ok(me.user_name.unwrap_or_default())
    }

    /// Where it is.
    #[cfg(feature = "spark")]
    pub(crate) fn origin(&self) -> &Url {
        self.rest.origin()
    }

    #[cfg(feature = "spark")]
    pub(crate) fn credential(&self) -> Arc<Credential> {
        Arc::clone(&self.rest.credential)
    }
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace")
            .field("host", &self.host())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Databricks workspace {}", self.host())
    }
}
