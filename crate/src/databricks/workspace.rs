//! A workspace, by its address and whoever asks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

#[cfg(feature = "spark")]
use super::credential::Credential;
use super::price::{HourlyPrice, PriceList};
use super::rest::Rest;
use super::settings::DatabricksSettings;
use crate::cancel::CancelHandle;
use crate::error::Result;
use crate::identity::{Chain, TokenCache};
use crate::loopback_host::is_loopback;
use crate::settings::IdentitySettings;
use crate::waiting::{PollOptions, WaitProgress};

/// The pauses between two looks at a cluster, a run and the like.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// A workspace of Databricks. Clones mean the same workspace.
#[derive(Clone)]
pub struct Workspace {
    pub(super) rest: Rest,
    /// Where it is known in which region of Azure it is.
    pub(super) prices: Option<PriceList>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CurrentUser {
    user_name: Option<String>,
}

impl Workspace {
    /// The workspace that `DATABRICKS_HOST` names, in the environment or in a `.env` file as for a
    /// [`Client`](crate::Client), or else a profile of `~/.databrickscfg`; with the credential from the same
    /// source.
    ///
    /// # Errors
    /// No workspace is named; its address is malformed or unsafe; host and credential come from two
    /// sources; or it is not clear who asks.
    pub fn from_env() -> Result<Self> {
        match DatabricksSettings::from_env(None, true)? {
            Some(settings) => Self::new(&settings),
            None => Err(DatabricksSettings::missing()),
        }
    }

    /// Like [`from_env`](Self::from_env), from any source of named values. Signing in with Microsoft Entra
    /// still takes its variables from the environment and the `.env` file.
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
            rest: Rest::new(settings, PollOptions::new(FIRST_PAUSE, MAX_PAUSE))?,
            prices: None,
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
        polling: &PollOptions,
        prices: Option<PriceList>,
    ) -> Result<Self> {
        let polling = PollOptions {
            first: polling.first.min(FIRST_PAUSE),
            longest: MAX_PAUSE,
            ..polling.clone()
        };
        Ok(Self {
            rest: Rest::of_azure(host, identity, id, management, polling)?,
            prices,
        })
    }

    /// The host, such as `adb-1.2.azuredatabricks.net`.
    pub fn host(&self) -> &str {
        self.rest.host()
    }

    /// The address in a browser, such as `https://adb-1.2.azuredatabricks.net/`.
    pub fn address(&self) -> String {
        self.rest.origin().to_string()
    }

    /// The same, with waits that this handle stops. The workspace goes on with what it has begun.
    ///
    /// # Default
    /// None: in a notebook, the stop button ends waits.
    #[must_use]
    pub fn cancel_with(&self, stop: &CancelHandle) -> Self {
        let mut workspace = self.clone();
        workspace.rest.polling.stop = stop.clone();
        workspace
    }

    /// The same, with a callback that is told how far long work is, instead of a bar or lines.
    ///
    /// # Default
    /// A bar or, where there can be none, a line for each change of state; without the feature `notebook`,
    /// nothing.
    #[must_use]
    pub fn on_progress(&self, listener: impl Fn(&WaitProgress) + Send + Sync + 'static) -> Self {
        let mut workspace = self.clone();
        workspace.rest.polling.listener = Some(Arc::new(listener));
        workspace
    }

    /// Whether it is one of a practice cloud on this machine, in which nothing costs anything.
    pub fn is_practice(&self) -> bool {
        is_loopback(self.rest.host())
    }

    /// What a machine of this kind costs in a cluster, if the list of prices tells it.
    pub(super) async fn hourly_price(&self, machine: &str) -> Option<HourlyPrice> {
        self.prices.as_ref()?.of_machine(machine).await.ok()
    }

    /// The name of the user who asks.
    pub(super) async fn me(&self) -> Result<String> {
        let me: CurrentUser = self.rest.get("/api/2.0/preview/scim/v2/Me", &[]).await?;
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
