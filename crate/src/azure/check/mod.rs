//! What will work in a subscription, and what won't, before anything is made.

mod finding;
mod machines;
mod openai;
mod placement;
mod rights;

use std::fmt;

pub use finding::{Check, Finding, FindingStatus};
pub use placement::Placement;

use super::{Azure, Region};
use crate::error::Result;
use crate::runtime;

/// The machine of the lab's cluster, its family of quotas, and its cores.
const MACHINE: (&str, &str, u64) = ("Standard_D4ds_v5", "standardDDSv5Family", 4);

/// What is to be made, for [`Azure::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SetupPlan {
    model: String,
    tokens_per_minute: u64,
    region: Region,
    openai: String,
    databricks: Option<String>,
}

impl SetupPlan {
    /// The lab: a model with 5,000 tokens per minute in one of four regions, and a Databricks workspace
    /// with a cluster of one machine.
    pub fn lab() -> Self {
        Self {
            model: "gpt-35-turbo".to_owned(),
            tokens_per_minute: 5_000,
            region: Region::any_of_the_lab(),
            openai: "even-lab".to_owned(),
            databricks: Some("even-dbx".to_owned()),
        }
    }

    /// The same with another model.
    ///
    /// # Default
    /// `gpt-35-turbo`.
    pub fn model(self, name: impl Into<String>) -> Self {
        Self {
            model: name.into(),
            ..self
        }
    }

    /// The same with another quota.
    ///
    /// # Default
    /// 5,000.
    pub fn tokens_per_minute(self, tokens: u64) -> Self {
        Self {
            tokens_per_minute: tokens,
            ..self
        }
    }

    /// The same in another region.
    ///
    /// # Default
    /// One of four regions of the lab.
    pub fn region(self, region: impl Into<Region>) -> Self {
        Self {
            region: region.into(),
            ..self
        }
    }

    /// The same with another name of the account.
    ///
    /// # Default
    /// `even-lab`.
    pub fn openai(self, name: impl Into<String>) -> Self {
        Self {
            openai: name.into(),
            ..self
        }
    }

    /// The same with another name of the workspace.
    ///
    /// # Default
    /// `even-dbx`.
    pub fn databricks(self, name: impl Into<String>) -> Self {
        Self {
            databricks: Some(name.into()),
            ..self
        }
    }

    /// The same without Databricks.
    ///
    /// # Default
    /// With Databricks.
    pub fn without_databricks(self) -> Self {
        Self {
            databricks: None,
            ..self
        }
    }
}

impl fmt::Display for SetupPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.model, self.region)
    }
}

impl Azure {
    /// Says what of a plan will work in this subscription, and what to do about the rest. Nothing is made.
    ///
    /// # Errors
    /// The plan has a name that Azure can't have, or Azure can't be reached at all. What the user may not
    /// see is a finding, not an error.
    pub fn check(&self, plan: &SetupPlan) -> Result<Check> {
        runtime::wait(self.check_async(plan))
    }

    /// Async version of [`check`](Self::check).
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_async(
        &self,
        plan: &SetupPlan,
    ) -> impl Future<Output = Result<Check>> + Send + 'static {
        let (azure, plan) = (self.clone(), plan.clone());
        runtime::run(async move { azure.check_here(plan).await })
    }

    async fn check_here(&self, plan: SetupPlan) -> Result<Check> {
        plan.region.shuffled()?;
        super::names::ACCOUNT.check(&plan.openai)?;
        let mut findings = vec![self.subscription_finding()];
        let part = |number: usize| {
            let (azure, plan) = (self.clone(), plan.clone());
            runtime::spawn(async move {
                match number {
                    0 => azure.rights(&plan).await,
                    1 => azure.registrations(&plan).await,
                    2 => azure.name(&plan).await,
                    3 => azure.models_and_quotas(&plan).await,
                    4 => azure.workspace_finding(&plan).await,
                    _ => azure.machines(&plan).await,
                }
            })
        };
        // All at once: each asks Azure several times.
        let parts: Result<Vec<_>> = (0..6).map(part).collect();
        for part in parts? {
            findings.extend(part.await?);
        }
        Ok(Check { findings })
    }

    fn subscription_finding(&self) -> Finding {
        let subscription = self.subscription();
        let what = "subscription";
        if !subscription.is_enabled() {
            let detail = format!("{subscription} is {}", subscription.state());
            return Finding::fails(what, detail).with_hint(
                "activate it in the portal, or set AZURE_SUBSCRIPTION_ID to another one",
            );
        }
        match subscription.limits() {
            Some(limits) => {
                Finding::doubtful(what, format!("{subscription}: {limits}")).with_hint(concat!(
                    "use a pay-as-you-go subscription; or practice: ",
                    practice!()
                ))
            }
            None => Finding::works(what, subscription.to_string()),
        }
    }
}
