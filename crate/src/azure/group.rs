//! Resource groups, and the registration of providers, without which nothing can be made.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::Azure;
use super::arm::is_missing;
use crate::display::log_line;
use crate::error::{Error, ErrorKind, Result};
use crate::json::AnyObject;
use crate::runtime;
use crate::text::sanitize_line;

const VERSION: &str = "2025-04-01";

/// How long a registration and the deletion of a group may take.
const REGISTRATION: Duration = Duration::from_secs(15 * 60);
const DELETION: Duration = Duration::from_secs(60 * 60);

/// The part of the path before a group's name, in the published contract's case.
pub(super) const PATH: &str = "resourcegroups";

/// The mark of a resource group that was made here.
const TAG: &str = "made-by";
const MAKER: &str = "evenhand";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Provider {
    #[serde(rename = "registrationState")]
    state: Option<String>,
}

/// Something in a group, in Azure's words.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource {
    name: Option<String>,
}

impl Resource {
    fn shown(self) -> Option<String> {
        self.name.map(|name| sanitize_line(&name, 120))
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Group {
    tags: Option<BTreeMap<String, String>>,
    managed_by: Option<String>,
}

impl Group {
    /// Whether it was made here, or by a Databricks workspace, which left it behind: Azure protects the
    /// group of a workspace that exists.
    fn may_be_deleted(&self) -> bool {
        let tag = self.tags.as_ref().and_then(|tags| tags.get(TAG));
        let managed_by = self.managed_by.as_deref().unwrap_or_default();
        tag.is_some_and(|by| by == MAKER)
            || managed_by
                .to_ascii_lowercase()
                .contains("/microsoft.databricks/workspaces/")
    }
}

impl Azure {
    /// Registers a provider such as `Microsoft.CognitiveServices` with the subscription, unless it is,
    /// and waits until it is done. Making an account or a workspace does this by itself.
    ///
    /// # Errors
    /// Azure refuses: the user lacks the right, for instance.
    pub fn register_provider(&self, namespace: &str) -> Result<()> {
        runtime::wait(self.register_provider_async(namespace))
    }

    /// Async version of [`register_provider`](Self::register_provider).
    ///
    /// # Errors
    /// As [`register_provider`](Self::register_provider).
    pub fn register_provider_async(
        &self,
        namespace: &str,
    ) -> impl Future<Output = Result<()>> + Send + 'static {
        let (azure, namespace) = (self.clone(), namespace.to_owned());
        runtime::run(async move { azure.registered(&namespace).await })
    }

    /// Deletes the resource group with everything in it, and waits until it is gone. It is no error if
    /// there is none.
    ///
    /// # Errors
    /// evenhand did not make the group, which may hold what others work with; Azure refuses, or something
    /// in the group can't be deleted.
    pub fn delete_resource_group(&self) -> Result<()> {
        runtime::wait(self.delete_resource_group_async())
    }

    /// Async version of [`delete_resource_group`](Self::delete_resource_group).
    ///
    /// # Errors
    /// As [`delete_resource_group`](Self::delete_resource_group).
    pub fn delete_resource_group_async(&self) -> impl Future<Output = Result<()>> + Send + 'static {
        let azure = self.clone();
        runtime::run(async move {
            let group = azure.resource_group();
            let what = format!("the resource group {group}");
            let path = [PATH, group];
            match azure.group(group).await? {
                None => return Ok(()),
                Some(found) if !found.may_be_deleted() => return Err(not_ours(&what)),
                Some(_) => {}
            }
            let call = azure.call(Method::DELETE, &path, VERSION, &format!("delete {what}"));
            azure
                .arm()
                .delete(&call, &what, DELETION, azure.polling())
                .await
        })
    }

    /// Whether the resource group exists.
    ///
    /// # Errors
    /// Azure refuses or can't be reached.
    pub fn has_resource_group(&self) -> Result<bool> {
        runtime::wait(self.has_resource_group_async())
    }

    /// Async version of [`has_resource_group`](Self::has_resource_group).
    ///
    /// # Errors
    /// As [`has_resource_group`](Self::has_resource_group).
    pub fn has_resource_group_async(&self) -> impl Future<Output = Result<bool>> + Send + 'static {
        let azure = self.clone();
        runtime::run(async move { azure.has_group(azure.resource_group()).await })
    }

    /// Whether the resource group exists and evenhand made it, or Databricks for a workspace: then
    /// [`delete_resource_group`](Self::delete_resource_group) deletes it.
    ///
    /// # Errors
    /// Azure refuses or can't be reached.
    pub fn owns_resource_group(&self) -> Result<bool> {
        runtime::wait(self.owns_resource_group_async())
    }

    /// Async version of [`owns_resource_group`](Self::owns_resource_group).
    ///
    /// # Errors
    /// As [`owns_resource_group`](Self::owns_resource_group).
    pub fn owns_resource_group_async(&self) -> impl Future<Output = Result<bool>> + Send + 'static {
        let azure = self.clone();
        runtime::run(async move {
            let group = azure.group(azure.resource_group()).await?;
            Ok(group.is_some_and(|group| group.may_be_deleted()))
        })
    }

    /// The names of what there is in the resource group, whoever made it; nothing if there is no group.
    ///
    /// # Errors
    /// Azure refuses or can't be reached.
    pub fn resources(&self) -> Result<Vec<String>> {
        runtime::wait(self.resources_async())
    }

    /// Async version of [`resources`](Self::resources).
    ///
    /// # Errors
    /// As [`resources`](Self::resources).
    pub fn resources_async(&self) -> impl Future<Output = Result<Vec<String>>> + Send + 'static {
        let azure = self.clone();
        runtime::run(async move {
            let group = azure.resource_group();
            let doing = format!("list what is in the resource group {group}");
            let path = [PATH, group, "resources"];
            let call = azure.call(Method::GET, &path, VERSION, &doing);
            let found: Result<Vec<Resource>> = azure.arm().list(&call, azure.polling()).await;
            match found {
                Err(error) if is_missing(&error) => Ok(Vec::new()),
                found => Ok(found?.into_iter().filter_map(Resource::shown).collect()),
            }
        })
    }

    pub(super) async fn provider_state(&self, namespace: &str) -> Result<String> {
        let doing = format!("look up the provider {namespace}");
        let call = self.call(Method::GET, &["providers", namespace], VERSION, &doing);
        let provider: Provider = self.arm().send_and_parse(&call, self.polling()).await?;
        Ok(provider.state.unwrap_or_default())
    }

    pub(super) async fn registered(&self, namespace: &str) -> Result<()> {
        let is_done = |state: &str| state.eq_ignore_ascii_case("Registered");
        let mut state = self.provider_state(namespace).await?;
        if is_done(&state) {
            return Ok(());
        }
        let doing = format!("register the provider {namespace}");
        let path = ["providers", namespace, "register"];
        let call = self.call(Method::POST, &path, VERSION, &doing);
        let _: AnyObject = self.arm().send_and_parse(&call, self.polling()).await?;
        let what = format!("the provider {namespace}");
        let mut wait = self.polling().begin(what, REGISTRATION);
        while !is_done(&state) {
            wait.report(&state);
            wait.pause(None).await?;
            state = self.provider_state(namespace).await?;
        }
        wait.end("registered");
        Ok(())
    }

    /// Whether the resource group exists.
    pub(super) async fn has_group(&self, name: &str) -> Result<bool> {
        Ok(self.group(name).await?.is_some())
    }

    async fn group(&self, name: &str) -> Result<Option<Group>> {
        let doing = format!("look up the resource group {name}");
        let call = self.call(Method::GET, &[PATH, name], VERSION, &doing);
        self.arm().find(&call, self.polling()).await
    }

    /// Makes the resource group unless it exists.
    pub(super) async fn ensure_group(&self, region: &str) -> Result<()> {
        let group = self.resource_group();
        if self.has_group(group).await? {
            return Ok(());
        }
        let doing = format!("create the resource group {group}");
        let body = json!({"location": region, "tags": {TAG: MAKER}});
        let call = self.call(Method::PUT, &[PATH, group], VERSION, &doing);
        let _: AnyObject = self
            .arm()
            .send_and_parse(&call.with(&body), self.polling())
            .await?;
        log_line(&format!("the resource group {group} was made in {region}"));
        Ok(())
    }
}

fn not_ours(what: &str) -> Error {
    let message =
        format!("{what} was not made by evenhand and may hold other things: it was not deleted");
    Error::new(ErrorKind::Settings, message).with_hint(
        "delete what you made in it one by one, or the group in the portal; or name another one in \
          AZURE_RESOURCE_GROUP",
    )
}
