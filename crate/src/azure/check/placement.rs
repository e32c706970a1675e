//! Where a plan can be carried out: a region of the plan that has the model with enough quota, an account
//! to spare and, if there will be a cluster, its cores.

use super::super::{Azure, deployment_builder, model};
use super::SetupPlan;
use super::openai::{ACCOUNTS, full};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;

/// Where a plan can be carried out, and with which model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placement {
    /// The region.
    pub region: String,
    /// The model that will be deployed, such as `gpt-5-mini`.
    pub model: String,
    /// The kind of deployment that has enough quota left, such as `GlobalStandard`.
    pub sku: String,
    /// Its quota: what the plan wants, rounded up to what Azure sells.
    pub tokens_per_minute: u64,
    /// The model that was asked for, if it is retired and this one replaces it.
    pub replaces: Option<String>,
    /// The day after which the model answers no more, as `YYYY-MM-DD`, if it is known.
    pub retires: Option<String>,
}

impl Azure {
    /// One of the plan's regions in which it can be carried out, at random, so that a class spreads out.
    /// Nothing is made.
    ///
    /// # Errors
    /// No region of the plan has all that it takes; the message tells what each lacks.
    pub fn place(&self, plan: &SetupPlan) -> Result<Placement> {
        runtime::wait(self.place_async(plan))
    }

    /// Async version of [`place`](Self::place).
    ///
    /// # Errors
    /// As [`place`](Self::place).
    pub fn place_async(
        &self,
        plan: &SetupPlan,
    ) -> impl Future<Output = Result<Placement>> + Send + 'static {
        let (azure, plan) = (self.clone(), plan.clone());
        runtime::run(async move { azure.place_here(&plan).await })
    }

    async fn place_here(&self, plan: &SetupPlan) -> Result<Placement> {
        let mut refusals: Vec<Error> = Vec::new();
        for region in plan.region.shuffled()? {
            match self.place_in(plan, &region).await {
                Ok(placement) => return Ok(placement),
                Err(error) if is_about_the_region(&error) => refusals.push(error),
                Err(error) => return Err(error),
            }
        }
        let mut words: Vec<&str> = refusals.iter().map(Error::message).collect();
        words.sort_unstable();
        words.dedup();
        let words = words.join("; ");
        let Some(first) = refusals.first() else {
            return Err(Error::new(ErrorKind::NotFound, "no region is named"));
        };
        Err(Error::new(first.kind(), words)
            .with_code(first.code().map(str::to_owned))
            .with_hint(first.hint().unwrap_or("choose another region").to_owned()))
    }

    /// # Errors
    /// The region lacks something, or Azure can't be reached.
    async fn place_in(&self, plan: &SetupPlan, region: &str) -> Result<Placement> {
        let placement = self.offer(plan, region).await?;
        if plan.databricks.is_some()
            && let Some(lacks) = self.lacks(region).await?
        {
            return Err(Error::new(ErrorKind::RateLimit, lacks)
                .with_code(Some("InsufficientCores".to_owned()))
                .with_hint(
                    "take another region, or leave Databricks out; the portal takes requests for more \
                     cores",
                ));
        }
        Ok(placement)
    }

    /// What would be deployed in a region.
    ///
    /// # Errors
    /// It has no such model, or not enough quota.
    pub(super) async fn offer(&self, plan: &SetupPlan, region: &str) -> Result<Placement> {
        let models = self.models_of(region).await?;
        let chosen = model::choose(&models, &plan.model, &model::today())?;
        let usages = self.usages_of(region).await?;
        if let Some(accounts) = usages.iter().find(|usage| usage.name == ACCOUNTS) {
            full(accounts, region)?;
        }
        let tokens = plan.tokens_per_minute;
        let fitting = deployment_builder::fitting(&chosen.model, None, tokens, &usages)?;
        Ok(Placement {
            region: region.to_owned(),
            model: chosen.model.name,
            sku: fitting.sku,
            tokens_per_minute: fitting.tokens_per_minute,
            replaces: chosen.replaces,
            retires: chosen.model.retires,
        })
    }
}

/// Whether another region may have what this one lacks.
fn is_about_the_region(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::RateLimit | ErrorKind::NotFound)
        && error.status() != Some(429)
}
