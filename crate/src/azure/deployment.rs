//! Deployments: a model under a name, with a quota.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;

use super::account::OpenAiAccount;
use super::model::Chosen;
use super::names;
use super::rate_limit::{RateLimit, per_minute};
use crate::error::Result;
use crate::openai::{Client, ClientBuilder};
use crate::runtime;
use crate::settings::Settings;
use crate::text::{grouped, sanitize_line};

/// How long a deployment may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// A deployment of a model. Clones mean the same deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    pub(super) account: OpenAiAccount,
    pub(super) name: String,
    model: String,
    version: String,
    sku: String,
    capacity: u64,
    rate_limits: Vec<RateLimit>,
    replaces: Option<String>,
    retires: Option<String>,
}

/// A deployment in Azure's words.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct DeploymentResponse {
    name: Option<String>,
    sku: Option<SkuResponse>,
    properties: Option<Properties>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SkuResponse {
    name: Option<String>,
    capacity: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Properties {
    model: Option<ModelResponse>,
    rate_limits: Option<Vec<RateLimit>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ModelResponse {
    name: Option<String>,
    version: Option<String>,
}

impl Deployment {
    /// Its name, by which a client asks for it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its model, such as `gpt-5-mini`.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The version of its model.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its kind, such as `GlobalStandard`.
    pub fn sku(&self) -> &str {
        &self.sku
    }

    /// Its capacity, in the units that Azure sells: usually thousands of tokens per minute.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// The account that it belongs to.
    pub fn account(&self) -> &OpenAiAccount {
        &self.account
    }

    /// The model that was asked for, if it is retired and this one replaces it.
    pub fn replaces(&self) -> Option<&str> {
        self.replaces.as_deref()
    }

    /// The day after which its model answers no more, as `YYYY-MM-DD`, if it is known.
    pub fn retires(&self) -> Option<&str> {
        self.retires.as_deref()
    }

    /// Its limits, as Azure states them.
    pub fn rate_limits(&self) -> &[RateLimit] {
        &self.rate_limits
    }

    /// Its quota in tokens per minute, if it is known.
    pub fn tokens_per_minute(&self) -> Option<u64> {
        per_minute(&self.rate_limits, "token")
    }

    /// Its quota in requests per minute, if it is known.
    pub fn requests_per_minute(&self) -> Option<u64> {
        per_minute(&self.rate_limits, "request")
    }

    /// The settings of a client for it: the account's address and key, its name and its quota. Without
    /// keys, the user who is signed in asks. [`SettingsFile`](crate::SettingsFile) writes them to a file.
    ///
    /// # Errors
    /// The user may not see the keys.
    pub fn settings(&self) -> Result<Settings> {
        runtime::wait(self.settings_async())
    }

    /// Async version of [`settings`](Self::settings).
    ///
    /// # Errors
    /// As [`settings`](Self::settings).
    pub fn settings_async(&self) -> impl Future<Output = Result<Settings>> + Send + 'static {
        let deployment = self.clone();
        runtime::run(async move { deployment.settings_here().await })
    }

    async fn settings_here(&self) -> Result<Settings> {
        let account = &self.account;
        let mut settings = Settings {
            endpoint: Some(account.endpoint().to_owned()),
            deployment: Some(self.name.clone()),
            tokens_per_minute: self.tokens_per_minute(),
            requests_per_minute: self.requests_per_minute(),
            ..Settings::default()
        };
        match account.has_keys {
            true => settings.api_key = Some(account.keys_here().await?.first),
            false => settings.identity = account.azure.0.identity.clone(),
        }
        Ok(settings)
    }

    /// A client for it, with the account's key and the deployment's quota. An account without keys is
    /// asked with a token of the user who is signed in.
    ///
    /// # Errors
    /// The user may not see the keys.
    pub fn client(&self) -> Result<Client> {
        runtime::wait(self.client_async())
    }

    /// Async version of [`client`](Self::client).
    ///
    /// # Errors
    /// As [`client`](Self::client).
    pub fn client_async(&self) -> impl Future<Output = Result<Client>> + Send + 'static {
        let deployment = self.clone();
        runtime::run(async move {
            let settings = deployment.settings_here().await?;
            ClientBuilder::from(settings).build()
        })
    }

    /// Deletes it. Its quota is free again at once. It is no error if it is gone.
    ///
    /// # Errors
    /// Azure refuses, or can't be reached.
    pub fn delete(&self) -> Result<()> {
        runtime::wait(self.delete_async())
    }

    /// Async version of [`delete`](Self::delete).
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub fn delete_async(&self) -> impl Future<Output = Result<()>> + Send + 'static {
        let deployment = self.clone();
        runtime::run(async move { deployment.delete_here().await })
    }

    pub(super) async fn delete_here(&self) -> Result<()> {
        let what = format!("the deployment {}", self.name);
        let path = ["deployments", &self.name];
        let call = self
            .account
            .call(Method::DELETE, &path, &format!("delete {what} in"));
        let azure = &self.account.azure;
        azure
            .arm()
            .delete(&call, &what, TIMEOUT, azure.polling())
            .await
    }

    pub(super) fn from_answer(account: &OpenAiAccount, answer: DeploymentResponse) -> Option<Self> {
        let shown = |text: Option<String>| sanitize_line(&text.unwrap_or_default(), 120);
        let name = answer.name?;
        names::DEPLOYMENT.check(&name).ok()?;
        let (sku, properties) = (
            answer.sku.unwrap_or_default(),
            answer.properties.unwrap_or_default(),
        );
        let model = properties.model.unwrap_or_default();
        Some(Self {
            account: account.clone(),
            name,
            model: shown(model.name),
            version: shown(model.version),
            sku: shown(sku.name),
            capacity: sku.capacity.unwrap_or_default(),
            rate_limits: properties.rate_limits.unwrap_or_default(),
            replaces: None,
            retires: None,
        })
    }

    /// The same, with what is known of its model.
    pub(super) fn described(self, chosen: &Chosen) -> Self {
        let is_same = chosen.model.name == self.model;
        Self {
            replaces: chosen.replaces.clone(),
            retires: chosen.model.retires.clone().filter(|_| is_same),
            ..self
        }
    }
}

impl OpenAiAccount {
    /// The account's deployments.
    ///
    /// # Errors
    /// Azure refuses or can't be reached.
    pub fn deployments(&self) -> Result<Vec<Deployment>> {
        runtime::wait(self.deployments_async())
    }

    /// Async version of [`deployments`](Self::deployments).
    ///
    /// # Errors
    /// As [`deployments`](Self::deployments).
    pub fn deployments_async(
        &self,
    ) -> impl Future<Output = Result<Vec<Deployment>>> + Send + 'static {
        let account = self.clone();
        runtime::run(async move { account.all_deployments().await })
    }

    pub(super) async fn all_deployments(&self) -> Result<Vec<Deployment>> {
        let call = self.call(Method::GET, &["deployments"], "list the deployments of");
        let answers: Vec<DeploymentResponse> =
            self.azure.arm().list(&call, self.azure.polling()).await?;
        let read = |answer| Deployment::from_answer(self, answer);
        Ok(answers.into_iter().filter_map(read).collect())
    }
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the deployment {} of {} {}",
            self.name, self.model, self.version
        )?;
        write!(f, " ({}", self.sku)?;
        if let Some(tokens) = self.tokens_per_minute() {
            write!(f, ", {} tokens per minute", grouped(tokens))?;
        }
        f.write_str(")")
    }
}
