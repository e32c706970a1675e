//! Accounts of Azure OpenAI: made, found, deleted, and their keys.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arm::{Call, is_missing};
use super::{Azure, COGNITIVE, PROVIDER, Region, names};
use crate::display::log_line;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;
use crate::secret::Secret;
use crate::text::sanitize_line;

/// How long an account may take to be made or deleted.
const TIMEOUT: Duration = Duration::from_secs(20 * 60);

/// An account of Azure OpenAI: what deployments belong to, with one address and two keys. Clones mean the
/// same account.
#[derive(Clone)]
pub struct OpenAiAccount {
    pub(super) azure: Azure,
    name: String,
    region: String,
    endpoint: String,
    pub(super) has_keys: bool,
}

/// The two keys of an account. Both are good; one can be renewed while the other is in use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Keys {
    /// The first key.
    pub first: Secret,
    /// The second key.
    pub second: Secret,
}

/// Makes or finds an [`OpenAiAccount`] account.
#[derive(Clone, Debug)]
#[must_use]
pub struct OpenAiAccountBuilder {
    azure: Azure,
    name: String,
    region: Region,
    subdomain: Option<String>,
    restores: bool,
}

/// An account in Azure's words.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AccountResponse {
    kind: Option<String>,
    location: Option<String>,
    properties: Option<Properties>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Properties {
    endpoint: Option<String>,
    disable_local_auth: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct KeysResponse {
    key1: Option<String>,
    key2: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Availability {
    is_subdomain_available: Option<bool>,
}

impl Azure {
    /// An account of Azure OpenAI with this name in the resource group.
    ///
    /// ```no_run
    /// # use evenhand::azure::{Azure, Region};
    /// # let azure = Azure::sign_in()?;
    /// let openai = azure.openai("even-lab").region(Region::any_of_the_lab()).create()?;
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn openai(&self, name: impl Into<String>) -> OpenAiAccountBuilder {
        OpenAiAccountBuilder {
            azure: self.clone(),
            name: name.into(),
            region: Region::default(),
            subdomain: None,
            restores: false,
        }
    }

    /// Whether nobody in all of Azure has this subdomain.
    pub(super) async fn is_free(&self, subdomain: &str) -> Result<bool> {
        let path = ["providers", PROVIDER, "checkDomainAvailability"];
        let doing = format!("look up the name {subdomain}");
        let body = json!({"subdomainName": subdomain, "type": format!("{PROVIDER}/accounts")});
        let call = self
            .call(Method::POST, &path, COGNITIVE, &doing)
            .with(&body);
        let answer: Availability = self.arm().send_and_parse(&call, self.polling()).await?;
        Ok(answer.is_subdomain_available.unwrap_or(true))
    }
}

impl OpenAiAccountBuilder {
    /// Where to make it. An account that exists stays where it is.
    ///
    /// # Default
    /// One of the lab's four regions, at random.
    pub fn region(self, region: impl Into<Region>) -> Self {
        Self {
            region: region.into(),
            ..self
        }
    }

    /// The name in its address, `https://NAME.openai.azure.com`, which nobody else in all of Azure may
    /// have.
    ///
    /// # Default
    /// The account's name with a suffix that the subscription and the resource group determine.
    pub fn subdomain(self, name: impl Into<String>) -> Self {
        Self {
            subdomain: Some(name.into()),
            ..self
        }
    }

    /// Brings back an account of this name that was deleted in the last 48 hours, with its deployments.
    ///
    /// # Default
    /// No: such a name is refused, until the deleted account is
    /// [purged](Azure::purge_deleted_account).
    pub fn restore(self) -> Self {
        Self {
            restores: true,
            ..self
        }
    }

    /// Makes the account, with the resource group and the registration that it needs, or returns the one
    /// that exists.
    ///
    /// # Errors
    /// The name is taken or malformed; the user lacks a right; or Azure refuses for another reason, which
    /// the message names.
    pub fn create(&self) -> Result<OpenAiAccount> {
        runtime::wait(self.create_async())
    }

    /// Async version of [`create`](Self::create).
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_async(&self) -> impl Future<Output = Result<OpenAiAccount>> + Send + 'static {
        let builder = self.clone();
        runtime::run(async move { builder.create_here().await })
    }

    /// The account, if it exists.
    ///
    /// # Errors
    /// Azure refuses or can't be reached.
    pub fn get(&self) -> Result<Option<OpenAiAccount>> {
        runtime::wait(self.get_async())
    }

    /// Async version of [`get`](Self::get).
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_async(
        &self,
    ) -> impl Future<Output = Result<Option<OpenAiAccount>>> + Send + 'static {
        let builder = self.clone();
        runtime::run(async move { builder.get_here().await })
    }

    fn account(&self, method: Method, doing: &str) -> Result<Call> {
        let name = names::ACCOUNT.check(&self.name)?;
        let doing = format!("{doing} {}", self.what());
        let path = ["accounts", name];
        Ok(self
            .azure
            .call_in_group(method, PROVIDER, &path, COGNITIVE, &doing))
    }

    fn what(&self) -> String {
        format!("the OpenAI account {}", sanitize_line(&self.name, 80))
    }

    async fn get_here(&self) -> Result<Option<OpenAiAccount>> {
        let call = self.account(Method::GET, "look up")?;
        let (arm, polling) = (self.azure.arm(), self.azure.polling());
        let found = arm
            .find_settled(&call, &self.what(), TIMEOUT, polling)
            .await?;
        found.map(|found| self.account_from(found)).transpose()
    }

    async fn create_here(&self) -> Result<OpenAiAccount> {
        let call = self.account(Method::PUT, "create")?;
        if let Some(found) = self.get_here().await? {
            return Ok(found);
        }
        let region = self.region.drawn()?;
        self.azure.registered(PROVIDER).await?;
        self.azure.ensure_group(&region).await?;
        let mut properties = json!({"customSubDomainName": self.chosen_subdomain()?});
        if self.restores {
            properties["restore"] = Value::from(true);
        }
        let body = json!({
            "kind": "OpenAI", "sku": {"name": "S0"}, "location": region, "properties": properties,
        });
        let (arm, polling) = (self.azure.arm(), self.azure.polling());
        let call = call.with(&body);
        let made = arm.change(&call, &self.what(), TIMEOUT, polling).await?;
        let made = self.account_from(arm.parse(&made, &call.doing)?)?;
        log_line(&format!("{} was made in {}", self.what(), made.region));
        Ok(made)
    }

    pub(super) fn chosen_subdomain(&self) -> Result<String> {
        let place = [self.azure.subscription().id(), self.azure.resource_group()];
        let subdomain = match &self.subdomain {
            Some(name) => name.to_ascii_lowercase(),
            None => names::unique(&self.name, &place),
        };
        names::ACCOUNT.check(&subdomain)?;
        Ok(subdomain)
    }

    fn account_from(&self, answer: AccountResponse) -> Result<OpenAiAccount> {
        let kind = answer.kind.unwrap_or_default();
        if !["OpenAI", "AIServices", ""].contains(&&*kind) {
            let kind = sanitize_line(&kind, 40);
            let message = format!("{} is of the kind {kind}, not OpenAI", self.what());
            return Err(Error::new(ErrorKind::Conflict, message).with_hint("choose another name"));
        }
        let properties = answer.properties.unwrap_or_default();
        let endpoint = properties.endpoint.filter(|endpoint| !endpoint.is_empty());
        let endpoint = endpoint.ok_or_else(|| {
            Error::new(
                ErrorKind::Response,
                format!("{} has no address", self.what()),
            )
            .with_hint("make the call again in a minute; it may not be ready")
        })?;
        Ok(OpenAiAccount {
            azure: self.azure.clone(),
            name: self.name.clone(),
            region: sanitize_line(&answer.location.unwrap_or_default(), 60),
            endpoint: sanitize_line(&endpoint, 300),
            has_keys: !properties.disable_local_auth.unwrap_or(false),
        })
    }
}

impl OpenAiAccount {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its region, such as `swedencentral`.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Its address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its keys.
    ///
    /// # Errors
    /// The user may not see them.
    pub fn keys(&self) -> Result<Keys> {
        runtime::wait(self.keys_async())
    }

    /// Async version of [`keys`](Self::keys).
    ///
    /// # Errors
    /// As [`keys`](Self::keys).
    pub fn keys_async(&self) -> impl Future<Output = Result<Keys>> + Send + 'static {
        let account = self.clone();
        runtime::run(async move { account.keys_here().await })
    }

    pub(super) async fn keys_here(&self) -> Result<Keys> {
        let call = self.call(Method::POST, &["listKeys"], "read the keys of");
        let azure = &self.azure;
        let answer: KeysResponse = azure.arm().send_and_parse(&call, azure.polling()).await?;
        let secret =
            |key: Option<String>| key.filter(|key| !key.trim().is_empty()).map(Secret::new);
        let (first, second) = (secret(answer.key1), secret(answer.key2));
        match (first.clone().or(second.clone()), second.or(first)) {
            (Some(first), Some(second)) => Ok(Keys { first, second }),
            _ => Err(Error::new(
                ErrorKind::Response,
                format!("the OpenAI account {} has no keys", self.name),
            )
            .with_hint("sign in with Microsoft Entra: leave AZURE_OPENAI_API_KEY unset")),
        }
    }

    /// Deletes the account, its deployments first, and waits until it is gone. For 48 hours nobody may
    /// use its name, unless it is [purged](Azure::purge_deleted_account). It is no error if it is gone.
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
        let account = self.clone();
        runtime::run(async move { account.delete_here().await })
    }

    async fn delete_here(&self) -> Result<()> {
        match self.all_deployments().await {
            Ok(deployments) => {
                for deployment in deployments {
                    deployment.delete_here().await?;
                }
            }
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
        let call = self.call(Method::DELETE, &[], "delete");
        let what = format!("the OpenAI account {}", self.name);
        let azure = &self.azure;
        azure
            .arm()
            .delete(&call, &what, TIMEOUT, azure.polling())
            .await
    }

    /// A call about something in this account.
    pub(super) fn call(&self, method: Method, path: &[&str], doing: &str) -> Call {
        let mut whole = vec!["accounts", &self.name];
        whole.extend(path);
        let doing = format!("{doing} the OpenAI account {}", self.name);
        self.azure
            .call_in_group(method, PROVIDER, &whole, COGNITIVE, &doing)
    }
}

impl fmt::Debug for OpenAiAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiAccount")
            .field("name", &self.name)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for OpenAiAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the OpenAI account {} in {}", self.name, self.region)
    }
}
