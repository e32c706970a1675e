//! Azure's control plane: makes what the lab needs, shows what exists, and removes it again.
//!
//! ```no_run
//! use evenhand::azure::{Azure, SetupPlan, Region};
//!
//! let azure = Azure::sign_in()?;
//! println!("{}", azure.check(&SetupPlan::lab())?);
//! let openai = azure.openai("even-lab").region(Region::any_of_the_lab()).create()?;
//! let model = openai.deploy("gpt-35-turbo").tokens_per_minute(5_000).create()?;
//! let client = model.client()?;
//! # Ok::<(), evenhand::Error>(())
//! ```
//!
//! Each call that makes something may run twice: what exists is returned as it is. What takes minutes
//! shows its progress, and stops waiting when the user presses the stop button; Azure goes on, and the
//! same call waits again.
//!
//! | variable | |
//! |---|---|
//! | `AZURE_SUBSCRIPTION_ID` | the subscription, if the user has several |
//! | `AZURE_RESOURCE_GROUP` | the resource group; `evenhand-lab` without it |
//! | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`, `AZURE_AUTHORITY_HOST` | a service principal that signs in, as for a [`Client`](crate::Client) |
//! | `ARM_ENVIRONMENT` | `public`, `usgovernment` or `china` |
//! | `AZURE_RESOURCE_MANAGER_URL` | another address of Azure Resource Manager. On this machine, it gets only tokens that come from this machine too |
//!
//! - `arm` sends requests and reads lists; `operation` waits for changes that take a while; `error_mapping`
//!   has the errors; `endpoint` says where Azure is, `names` what a name may be.
//! - `group`, `account`, `deployment`, `deployment_builder`, `model`, `quota`, `deleted` and `workspace` are what there is;
//!   `check` says beforehand what will work.

/// What a hint says about working without a subscription.
macro_rules! practice {
    () => {
        "`evenhand practice`, and `--practice` for `evenhand lab`, `run` and `cloud`, starts a cloud on this \
         machine, which needs no subscription and costs nothing"
    };
}

mod account;
mod arm;
mod check;
mod compute;
mod deleted;
mod deployment;
mod deployment_builder;
mod endpoint;
mod error_mapping;
mod group;
mod model;
mod names;
mod operation;
mod quota;
mod rate_limit;
mod region;
#[cfg(feature = "notebook")]
mod show;
mod subscription;
#[cfg(test)]
mod tests;
mod workspace;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;

pub use self::account::{Keys, OpenAiAccount, OpenAiAccountBuilder};
pub use self::check::{Check, Finding, FindingStatus, Placement, SetupPlan};
pub use self::deleted::DeletedAccount;
pub use self::deployment::Deployment;
pub use self::deployment_builder::DeploymentBuilder;
pub use self::model::{Model, Sku};
pub use self::quota::QuotaUsage;
pub use self::rate_limit::RateLimit;
pub use self::region::Region;
pub use self::subscription::Subscription;
pub use self::workspace::{DatabricksWorkspace, DatabricksWorkspaceBuilder};

use self::arm::{Arm, Call};
use self::endpoint::ManagerEndpoint;
use crate::cancel::CancelHandle;
use crate::databricks::{HourlyPrice, NODE_TYPE_OF_THE_LAB};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;
use crate::settings::{CloudSettings, IdentitySettings, Settings};
use crate::waiting::{PollOptions, WaitProgress};

/// The resource group of everything that is made if none is named.
const GROUP: &str = "evenhand-lab";

/// The provider of accounts and their deployments.
const PROVIDER: &str = "Microsoft.CognitiveServices";

/// The api-version of accounts, deployments, models and quotas.
const COGNITIVE: &str = "2025-09-01";

/// The pauses between two looks at an operation for which Azure names none: from a second on, twice as
/// long each, up to Azure's own default.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// The first pause on this machine.
const PRACTICE_PAUSE: Duration = Duration::from_millis(20);

/// A subscription of Azure, and who works in it. Clones share the sign-in.
#[derive(Clone)]
pub struct Azure(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    arm: Arc<Arm>,
    identity: IdentitySettings,
    subscription: Subscription,
    group: String,
    polling: PollOptions,
}

impl Azure {
    /// Signs in as a service principal of the environment, as the machine's managed identity, as the user
    /// of `az login`, or, in a notebook, in a browser; and takes the subscription that
    /// `AZURE_SUBSCRIPTION_ID` names, or else the only one.
    ///
    /// # Errors
    /// Nobody can sign in; or there is no subscription, or more than one, and none is named.
    pub fn sign_in() -> Result<Self> {
        runtime::wait(Self::sign_in_async())
    }

    /// Async version of [`sign_in`](Self::sign_in).
    ///
    /// # Errors
    /// As [`sign_in`](Self::sign_in).
    pub fn sign_in_async() -> impl Future<Output = Result<Self>> + Send + 'static {
        runtime::run(async {
            let mut settings = Settings::from_env_in(Path::new(""))?;
            let cloud = CloudSettings::from_env()?;
            settings.identity.asks_reader = runtime::in_kernel() && cloud.manager.is_none();
            Self::with(cloud, settings.identity).await
        })
    }

    /// Like [`sign_in`](Self::sign_in), with variables from any source of named values.
    ///
    /// # Errors
    /// As [`sign_in`](Self::sign_in).
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        runtime::wait(Self::from_lookup_async(lookup))
    }

    /// Async version of [`from_lookup`](Self::from_lookup).
    ///
    /// # Errors
    /// As [`sign_in`](Self::sign_in).
    pub fn from_lookup_async(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> impl Future<Output = Result<Self>> + Send + 'static {
        let cloud = CloudSettings::from_lookup(&lookup);
        let identity = IdentitySettings::from_lookup(&lookup);
        runtime::run(Self::with(cloud, identity))
    }

    /// Signs in with these settings.
    async fn with(cloud: CloudSettings, identity: IdentitySettings) -> Result<Self> {
        let endpoint = ManagerEndpoint::new(&cloud, &identity)?;
        let first = match endpoint.is_practice {
            true => PRACTICE_PAUSE,
            false => FIRST_PAUSE,
        };
        let polling = PollOptions::new(first, MAX_PAUSE);
        let arm = Arc::new(Arm::new(endpoint, &identity)?);
        let group = cloud.group.as_deref().unwrap_or(GROUP);
        let group = names::GROUP.check(group)?.to_owned();
        let named = cloud.subscription.as_deref();
        let subscription = subscription::chosen(&arm, &polling, named).await?;
        Ok(Self(Arc::new(Inner {
            arm,
            identity,
            subscription,
            group,
            polling,
        })))
    }

    /// The subscription in which everything is made.
    pub fn subscription(&self) -> &Subscription {
        &self.0.subscription
    }

    /// The resource group in which everything is made.
    pub fn resource_group(&self) -> &str {
        &self.0.group
    }

    /// Who is signed in, in words.
    pub fn identity(&self) -> String {
        self.0.arm.who()
    }

    /// Whether this is a practice cloud on this machine (`evenhand practice`), in which nothing costs
    /// anything.
    pub fn is_practice(&self) -> bool {
        self.arm().endpoint.is_practice
    }

    /// What a cluster of the lab (one machine of the kind that `cluster()` takes) is charged per hour in
    /// this region, by Azure's public list of prices.
    ///
    /// # Errors
    /// The list can't be reached in ten seconds, or has no such machine in the region; the cloud has no
    /// such list, as in practice.
    pub fn cluster_price(&self, region: &str) -> Result<HourlyPrice> {
        runtime::wait(self.cluster_price_async(region))
    }

    /// Async version of [`cluster_price`](Self::cluster_price).
    ///
    /// # Errors
    /// As [`cluster_price`](Self::cluster_price).
    pub fn cluster_price_async(
        &self,
        region: &str,
    ) -> impl Future<Output = Result<HourlyPrice>> + Send + 'static + use<> {
        let prices = self.arm().endpoint.prices(region);
        runtime::run(async move {
            let prices = prices.ok_or_else(|| {
                Error::new(
                    ErrorKind::NotFound,
                    "this cloud has no public list of prices",
                )
                .with_hint("practice costs nothing; for Azure in China, see azure.cn/pricing")
            })?;
            prices.of_machine(NODE_TYPE_OF_THE_LAB).await
        })
    }

    /// The same, with another resource group, which is made when it is needed.
    ///
    /// # Default
    /// `AZURE_RESOURCE_GROUP`, or `evenhand-lab`.
    ///
    /// # Errors
    /// Azure does not accept such a name.
    pub fn in_resource_group(&self, name: &str) -> Result<Self> {
        let group = names::GROUP.check(name)?.to_owned();
        Ok(self.changed(|inner| inner.group = group))
    }

    /// The same, with waits that this handle stops. Azure goes on with what it has begun.
    ///
    /// # Default
    /// None: in a notebook, the stop button ends waits.
    #[must_use]
    pub fn cancel_with(&self, stop: &CancelHandle) -> Self {
        self.changed(|inner| inner.polling.stop = stop.clone())
    }

    /// The same, with a callback that is told how far long work is, instead of a bar or lines.
    ///
    /// # Default
    /// A bar or, where there can be none, a line for each change of state; without the feature `notebook`,
    /// nothing.
    #[must_use]
    pub fn on_progress(&self, listener: impl Fn(&WaitProgress) + Send + Sync + 'static) -> Self {
        self.changed(|inner| inner.polling.listener = Some(Arc::new(listener)))
    }

    fn changed(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Inner::clone(&self.0);
        change(&mut inner);
        Self(Arc::new(inner))
    }

    fn arm(&self) -> &Arm {
        &self.0.arm
    }

    fn polling(&self) -> &PollOptions {
        &self.0.polling
    }

    /// A call about the subscription.
    fn call(&self, method: Method, path: &[&str], version: &str, doing: &str) -> Call {
        let mut whole = vec!["subscriptions", self.0.subscription.id()];
        whole.extend(path);
        self.arm().call(method, &whole, version, doing)
    }

    /// A call about something in the resource group.
    fn call_in_group(
        &self,
        method: Method,
        provider: &str,
        path: &[&str],
        version: &str,
        doing: &str,
    ) -> Call {
        let mut whole = vec!["resourceGroups", &self.0.group, "providers", provider];
        whole.extend(path);
        self.call(method, &whole, version, doing)
    }
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Azure")
            .field("host", &self.arm().host())
            .field("subscription", &self.0.subscription)
            .field("resource_group", &self.0.group)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.is_practice() {
            "practice"
        } else {
            "Azure"
        };
        let Inner {
            subscription,
            group,
            ..
        } = &*self.0;
        write!(
            f,
            "{name}: the subscription {subscription}, resource group {group}"
        )
    }
}
