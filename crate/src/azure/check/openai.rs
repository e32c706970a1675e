//! The account's name, and the regions that have the model with enough quota.

use super::super::Azure;
use super::{Finding, SetupPlan};
use crate::azure::QuotaUsage;
use crate::error::{Error, Result};
use crate::runtime;
use crate::text::grouped;

/// The quota of accounts in a region.
pub(super) const ACCOUNTS: &str = "OpenAI.S0.AccountCount";

impl Azure {
    pub(super) async fn name(&self, plan: &SetupPlan) -> Vec<Finding> {
        let what = "account";
        vec![match self.name_finding(plan, what).await {
            Ok(finding) => finding,
            Err(error) => Finding::unknown(what, &error),
        }]
    }

    async fn name_finding(&self, plan: &SetupPlan, what: &str) -> Result<Finding> {
        let name = &plan.openai;
        let builder = self.openai(name);
        if let Some(account) = builder.get_async().await? {
            return Ok(Finding::works(
                what,
                format!("{account} exists and will be used"),
            ));
        }
        let group = self.resource_group();
        let deleted = self.all_deleted().await?;
        let mut deleted = deleted
            .iter()
            .filter(|it| it.resource_group.eq_ignore_ascii_case(group));
        if deleted.any(|it| it.name.eq_ignore_ascii_case(name)) {
            let detail =
                format!("an account {name} was deleted in the last 48 hours and keeps its name");
            return Ok(Finding::fails(what, detail).with_hint(format!(
                "purge it (in a notebook `azure.purge_deleted_account({name:?})`), restore it, or choose another \
                 name"
            )));
        }
        let subdomain = builder.chosen_subdomain()?;
        Ok(match self.is_free(&subdomain).await? {
            true => Finding::works(what, format!("{name} is free")),
            false => Finding::fails(what, format!("the address {subdomain} is taken"))
                .with_hint("choose another name, or, in a notebook, an address of your own with `.subdomain(..)`"),
        })
    }

    pub(super) async fn models_and_quotas(&self, plan: &SetupPlan) -> Vec<Finding> {
        let what = "model";
        let regions = plan.region.names().iter().map(|region| {
            let (azure, plan, region) = (self.clone(), plan.clone(), region.clone());
            runtime::spawn(async move {
                let found = azure.in_region(&plan, &region).await;
                (region, found)
            })
        });
        let regions: Vec<_> = regions.collect();
        let (mut good, mut bad): (Vec<String>, Vec<Error>) = (Vec::new(), Vec::new());
        let mut detail = String::new();
        for region in regions {
            let found = match region {
                Ok(work) => work.await,
                Err(error) => Err(error),
            };
            match found {
                Ok((region, Ok(words))) => {
                    detail = words;
                    good.push(region);
                }
                Ok((_, Err(error))) | Err(error) => bad.push(error),
            }
        }
        match (good.is_empty(), bad.first()) {
            (false, None) => vec![Finding::works(
                what,
                format!("{detail}, in {}", good.join(", ")),
            )],
            (false, Some(error)) => vec![
                Finding::works(
                    what,
                    format!(
                        "{detail}, in {} alone: elsewhere, {}",
                        good.join(", "),
                        error.message()
                    ),
                )
                .with_hint(format!("name only these regions: {}", good.join(", "))),
            ],
            (true, Some(error)) => vec![Finding::refused(what, error)],
            (true, None) => Vec::new(),
        }
    }

    /// What would be deployed in a region.
    ///
    /// # Errors
    /// It has no such model, or not enough quota.
    async fn in_region(&self, plan: &SetupPlan, region: &str) -> Result<String> {
        let offer = self.offer(plan, region).await?;
        let until = offer.retires.as_deref();
        let until = until.map_or(String::new(), |day| format!(", until {day}"));
        let words = format!(
            "{} ({}{until}) with {} tokens per minute",
            offer.model,
            offer.sku,
            grouped(offer.tokens_per_minute)
        );
        Ok(match offer.replaces {
            Some(asked) => format!("{asked} is retired: {words}"),
            None => words,
        })
    }
}

/// # Errors
/// The region has as many accounts as the subscription may have.
pub(super) fn full(accounts: &QuotaUsage, region: &str) -> Result<()> {
    if accounts.left() > 0 {
        return Ok(());
    }
    let message = format!(
        "{region} has {} OpenAI accounts, and the subscription may have no more",
        accounts.used
    );
    Err(Error::new(crate::error::ErrorKind::RateLimit, message)
        .with_hint("delete and purge one that is not needed, or choose another region"))
}
