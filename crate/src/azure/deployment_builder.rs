//! Makes deployments: chooses the model of today, and a kind that has enough quota left.

use reqwest::Method;
use serde_json::json;

use super::account::OpenAiAccount;
use super::deployment::{Deployment, TIMEOUT};
use super::model::{self, Chosen, Model, SKUS, Sku};
use super::quota::QuotaUsage;
use super::rate_limit::per_minute;
use super::{Region, names};
use crate::display::log_line;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;
use crate::text::{grouped, sanitize_line};

/// The lab's quota.
const TOKENS_PER_MINUTE: u64 = 5_000;

/// What one unit of capacity is, in tokens per minute, if the model does not say.
const UNIT: u64 = 1_000;

/// Makes or finds a [`Deployment`].
#[derive(Clone, Debug)]
#[must_use]
pub struct DeploymentBuilder {
    account: OpenAiAccount,
    model: String,
    name: Option<String>,
    sku: Option<String>,
    tokens_per_minute: u64,
}

impl OpenAiAccount {
    /// A deployment of a model such as `gpt-5-mini`. A model that is retired is replaced by today's, and
    /// [`Deployment::replaces`](Deployment::replaces) tells so.
    pub fn deploy(&self, model: impl Into<String>) -> DeploymentBuilder {
        DeploymentBuilder::new(self.clone(), model.into())
    }
}

impl DeploymentBuilder {
    fn new(account: OpenAiAccount, model: String) -> Self {
        Self {
            account,
            model,
            name: None,
            sku: None,
            tokens_per_minute: TOKENS_PER_MINUTE,
        }
    }

    /// Its name, by which a client asks for it.
    ///
    /// # Default
    /// The model's name.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..self
        }
    }

    /// Its quota, in tokens per minute, rounded up to what Azure sells.
    ///
    /// # Default
    /// 5,000, as in the lab.
    pub fn tokens_per_minute(self, tokens: u64) -> Self {
        Self {
            tokens_per_minute: tokens,
            ..self
        }
    }

    /// Its kind: `Standard`, `GlobalStandard`, `DataZoneStandard` and the like.
    ///
    /// # Default
    /// The first of these three that the region has for the model, with enough quota left.
    pub fn sku(self, name: impl Into<String>) -> Self {
        Self {
            sku: Some(name.into()),
            ..self
        }
    }

    /// Makes the deployment, or returns the one that exists. A model that is retired is replaced by
    /// today's: the one that Azure names, or else a small one.
    ///
    /// # Errors
    /// The region has no such model; there is not enough quota left, and the message tells how much; or
    /// Azure refuses for another reason.
    pub fn create(&self) -> Result<Deployment> {
        runtime::wait(self.create_async())
    }

    /// Async version of [`create`](Self::create).
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_async(&self) -> impl Future<Output = Result<Deployment>> + Send + 'static {
        let builder = self.clone();
        runtime::run(async move { builder.create_here().await })
    }

    async fn create_here(&self) -> Result<Deployment> {
        if let Some(name) = &self.name {
            names::DEPLOYMENT.check(name)?;
        }
        if self.tokens_per_minute == 0 {
            return Err(Error::new(
                ErrorKind::Argument,
                "a deployment without tokens answers nothing",
            )
            .with_hint("`.tokens_per_minute(5_000)` is the lab's"));
        }
        let (account, azure) = (&self.account, &self.account.azure);
        let region = Region::named(account.region()).names().concat();
        let models = azure.models_of(&region).await?;
        let chosen = model::choose(&models, &self.model, &model::today())?;
        let name = self.name.as_ref().unwrap_or(&chosen.model.name).clone();
        let existing = account.all_deployments().await?;
        let existing = existing
            .into_iter()
            .find(|one| one.name().eq_ignore_ascii_case(&name));
        if let Some(existing) = existing {
            let existing = existing.described(&chosen);
            self.tell(&chosen, &existing, true);
            return Ok(existing);
        }
        let usages = azure.usages_of(&region).await?;
        let fitting = fitting(
            &chosen.model,
            self.sku.as_deref(),
            self.tokens_per_minute,
            &usages,
        )?;
        let model = &chosen.model;
        let body = json!({
            "sku": {"name": fitting.sku, "capacity": fitting.capacity},
            "properties": {
                "model": {"format": model.format, "name": model.name, "version": model.version},
            },
        });
        let what = format!("the deployment {name}");
        let doing = format!("create {what} in");
        let call = account
            .call(Method::PUT, &["deployments", &name], &doing)
            .with(&body);
        let made = azure
            .arm()
            .change(&call, &what, TIMEOUT, azure.polling())
            .await?;
        let made = Deployment::from_answer(account, azure.arm().parse(&made, &call.doing)?)
            .ok_or_else(|| {
                Error::new(ErrorKind::Response, format!("Azure says nothing of {what}"))
            })?;
        let made = made.described(&chosen);
        self.tell(&chosen, &made, false);
        Ok(made)
    }

    fn tell(&self, chosen: &Chosen, made: &Deployment, is_old: bool) {
        if let Some(asked) = &chosen.replaces {
            let asked = sanitize_line(asked, 80);
            log_line(&format!("{asked} is retired: {} replaces it", made.model()));
        }
        let tokens = made.tokens_per_minute();
        if is_old && tokens.is_some_and(|tokens| tokens < self.tokens_per_minute) {
            log_line(&format!(
                "the deployment {} exists, with {} tokens per minute; delete it to make another one",
                made.name(),
                grouped(tokens.unwrap_or_default())
            ));
        }
    }
}

/// A kind of deployment with enough quota left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fitting {
    pub(super) sku: String,
    pub(super) capacity: u64,
    /// What the capacity is in tokens.
    pub(super) tokens_per_minute: u64,
}

/// The kind of deployment that has this quota left.
///
/// # Errors
/// There is no such kind, or none with enough quota left.
pub(super) fn fitting(
    model: &Model,
    sku: Option<&str>,
    tokens: u64,
    usages: &[QuotaUsage],
) -> Result<Fitting> {
    let wanted: Vec<&Sku> = match sku {
        Some(name) => model.skus.iter().filter(|sku| sku.name == name).collect(),
        None => {
            let found = |name: &&str| model.skus.iter().find(|sku| sku.name == *name);
            SKUS.iter().filter_map(found).collect()
        }
    };
    let names = |skus: &[Sku]| {
        let names: Vec<&str> = skus.iter().map(|sku| sku.name.as_str()).collect();
        names.join(", ")
    };
    if wanted.is_empty() {
        let what = sku.unwrap_or("pay by the token");
        let what = sanitize_line(what, 60);
        let message = format!(
            "{} has no deployments of the kind {what:?} here",
            model.name
        );
        return Err(Error::new(ErrorKind::NotFound, message)
            .with_hint(format!("it has these kinds: {}", names(&model.skus))));
    }
    let mut short = Vec::new();
    for sku in wanted {
        let unit = per_minute(&sku.rate_limits, "token").unwrap_or(UNIT);
        let capacity = tokens.div_ceil(unit);
        // A quota that is not listed is not known: Azure decides.
        let usage = usages.iter().find(|usage| usage.name == sku.usage_name);
        let left = usage.map_or(u64::MAX, QuotaUsage::left);
        let most = sku.maximum.unwrap_or(u64::MAX).min(left);
        if capacity <= most {
            return Ok(Fitting {
                sku: sku.name.clone(),
                capacity,
                tokens_per_minute: capacity.saturating_mul(unit),
            });
        }
        let left = grouped(most.saturating_mul(unit));
        short.push(format!("{left} tokens per minute of {}", sku.name));
    }
    let message = format!(
        "{} tokens per minute of {} are more than is left: {}",
        grouped(tokens),
        model.name,
        short.join(", ")
    );
    Err(Error::new(ErrorKind::RateLimit, message)
        .with_code(Some("InsufficientQuota".to_owned()))
        .with_hint(
            "ask for fewer, delete a deployment that is not needed, or make the account in another \
             region; `azure.usages(region)` in a notebook lists the quotas",
        ))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::azure::RateLimit;

    fn model() -> Model {
        let sku = |name: &str| Sku {
            name: name.to_owned(),
            usage_name: format!("OpenAI.{name}.gpt-x"),
            maximum: Some(100),
            rate_limits: vec![
                RateLimit::new("request", 10.0, 1.0),
                RateLimit::new("token", 60.0, 1_000.0),
            ],
        };
        Model {
            name: "gpt-x".to_owned(),
            skus: vec![
                sku("ProvisionedManaged"),
                sku("GlobalStandard"),
                sku("Standard"),
            ],
            ..Model::default()
        }
    }

    fn usage(sku: &str, used: u64, limit: u64) -> QuotaUsage {
        QuotaUsage {
            name: format!("OpenAI.{sku}.gpt-x"),
            used,
            limit,
            ..QuotaUsage::default()
        }
    }

    #[test]
    fn the_first_kind_with_enough_quota_is_taken() {
        let full = usage("Standard", 8, 10);
        let fits = |usages: &[QuotaUsage]| fitting(&model(), None, 4_001, usages).unwrap();
        let five = |sku: &str| Fitting {
            sku: sku.to_owned(),
            capacity: 5,
            tokens_per_minute: 5_000,
        };
        assert_eq!(fits(&[]), five("Standard"));
        assert_eq!(fits(std::slice::from_ref(&full)), five("GlobalStandard"));
        let usages = [full, usage("GlobalStandard", 10, 10)];
        let error = fitting(&model(), None, 5_000, &usages).unwrap_err();
        assert_snapshot!(error, @r"
        5,000 tokens per minute of gpt-x are more than is left: 2,000 tokens per minute of Standard, 0 tokens per minute of GlobalStandard
          hint: ask for fewer, delete a deployment that is not needed, or make the account in another region; `azure.usages(region)` in a notebook lists the quotas
        ");
        let error = fitting(&model(), Some("Batch"), 5_000, &[]).unwrap_err();
        assert!(
            error
                .hint()
                .unwrap()
                .contains("ProvisionedManaged, GlobalStandard"),
            "{error}"
        );
        assert!(fitting(&model(), None, u64::MAX, &[]).is_err());
    }
}
