//! Workspaces of Azure Databricks.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::arm::Call;
use super::{Azure, Region, names};
use crate::databricks::{ClusterBuilder, Workspace};
use crate::display::log_line;
use crate::error::{Error, ErrorKind, Result};
use crate::identity;
use crate::runtime;
use crate::text::sanitize_line;

pub(super) const PROVIDER: &str = "Microsoft.Databricks";

const VERSION: &str = "2026-01-01";

/// How long a workspace may take to be made or deleted. Five minutes are usual.
const TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// A workspace of Azure Databricks. Clones mean the same workspace.
#[derive(Clone)]
pub struct DatabricksWorkspace {
    pub(super) azure: Azure,
    name: String,
    region: String,
    id: String,
    host: String,
    workspace: Workspace,
}

/// Makes or finds a [`DatabricksWorkspace`].
#[derive(Clone, Debug)]
#[must_use]
pub struct DatabricksWorkspaceBuilder {
    azure: Azure,
    name: String,
    region: Region,
    is_trial: bool,
}

/// A workspace in Azure's words.
#[derive(Default, Deserialize)]
#[serde(default)]
struct WorkspaceResponse {
    id: Option<String>,
    location: Option<String>,
    properties: Option<Properties>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Properties {
    workspace_url: Option<String>,
}

impl Azure {
    /// A workspace of Azure Databricks with this name in the resource group.
    ///
    /// ```no_run
    /// # use evenhand::azure::Azure;
    /// # let azure = Azure::sign_in()?;
    /// let cluster = azure.databricks("even-dbx").create()?.cluster().single_node().create()?;
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn databricks(&self, name: impl Into<String>) -> DatabricksWorkspaceBuilder {
        DatabricksWorkspaceBuilder {
            azure: self.clone(),
            name: name.into(),
            region: Region::default(),
            is_trial: false,
        }
    }
}

impl DatabricksWorkspaceBuilder {
    /// Where to make it. A workspace that exists stays where it is.
    ///
    /// # Default
    /// One of the lab's four regions, at random.
    pub fn region(self, region: impl Into<Region>) -> Self {
        Self {
            region: region.into(),
            ..self
        }
    }

    /// The 14-day trial, in which Databricks' part is free and the machines are paid for.
    ///
    /// # Default
    /// The tier `premium`.
    pub fn trial(self) -> Self {
        Self {
            is_trial: true,
            ..self
        }
    }

    /// Makes the workspace, which takes some minutes, with the resource group and the registrations that
    /// it and its clusters need; or returns the one that exists.
    ///
    /// # Errors
    /// The name is malformed; the group for the workspace's own machines exists already; the user lacks a
    /// right; or Azure refuses for another reason, which the message names.
    pub fn create(&self) -> Result<DatabricksWorkspace> {
        runtime::wait(self.create_async())
    }

    /// Async version of [`create`](Self::create).
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_async(
        &self,
    ) -> impl Future<Output = Result<DatabricksWorkspace>> + Send + 'static {
        let builder = self.clone();
        runtime::run(async move { builder.create_here().await })
    }

    /// The workspace, if it exists.
    ///
    /// # Errors
    /// Azure refuses or can't be reached.
    pub fn get(&self) -> Result<Option<DatabricksWorkspace>> {
        runtime::wait(self.get_async())
    }

    /// Async version of [`get`](Self::get).
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_async(
        &self,
    ) -> impl Future<Output = Result<Option<DatabricksWorkspace>>> + Send + 'static {
        let builder = self.clone();
        runtime::run(async move { builder.get_here().await })
    }

    fn what(&self) -> String {
        format!("the Databricks workspace {}", sanitize_line(&self.name, 80))
    }

    fn call(&self, method: Method, doing: &str) -> Result<Call> {
        let name = names::WORKSPACE.check(&self.name)?;
        let doing = format!("{doing} {}", self.what());
        let path = ["workspaces", name];
        Ok(self
            .azure
            .call_in_group(method, PROVIDER, &path, VERSION, &doing))
    }

    /// The name of the group in which Databricks keeps the workspace's own machines.
    pub fn managed_group(&self) -> String {
        let place = [self.azure.subscription().id(), self.azure.resource_group()];
        format!("databricks-rg-{}", names::unique(&self.name, &place))
    }

    async fn get_here(&self) -> Result<Option<DatabricksWorkspace>> {
        let call = self.call(Method::GET, "look up")?;
        let (arm, polling) = (self.azure.arm(), self.azure.polling());
        let found = arm
            .find_settled(&call, &self.what(), TIMEOUT, polling)
            .await?;
        found.map(|found| self.workspace_from(found)).transpose()
    }

    async fn create_here(&self) -> Result<DatabricksWorkspace> {
        let call = self.call(Method::PUT, "create")?;
        if let Some(found) = self.get_here().await? {
            return Ok(found);
        }
        let azure = &self.azure;
        let region = self.region.drawn()?;
        // A cluster needs the third one, and would fail for it after minutes.
        for provider in [PROVIDER, super::compute::PROVIDER] {
            azure.registered(provider).await?;
        }
        azure.ensure_group(&region).await?;
        let managed = self.managed_group();
        let subscription = azure.subscription().id();
        let sku = if self.is_trial { "trial" } else { "premium" };
        let body = json!({
            "location": region,
            "sku": {"name": sku},
            "properties": {
                "computeMode": "Hybrid",
                "managedResourceGroupId": format!("/subscriptions/{subscription}/resourceGroups/{managed}"),
            },
        });
        let (arm, polling) = (azure.arm(), azure.polling());
        let call = call.with(&body);
        let made = arm.change(&call, &self.what(), TIMEOUT, polling).await.map_err(|error| {
            match error.message().contains(&managed) && error.kind() == ErrorKind::Conflict {
                true => error.with_hint(format!(
                    "the resource group {managed} is left over from a workspace: delete it, or choose \
                     another name"
                )),
                false => error,
            }
        })?;
        let made = self.workspace_from(arm.parse(&made, &call.doing)?)?;
        log_line(&format!("{} was made in {}", self.what(), made.region));
        Ok(made)
    }

    fn workspace_from(&self, answer: WorkspaceResponse) -> Result<DatabricksWorkspace> {
        let arm = self.azure.arm();
        let host = answer.properties.unwrap_or_default().workspace_url;
        let host = host.filter(|host| !host.is_empty()).ok_or_else(|| {
            Error::new(
                ErrorKind::Response,
                format!("{} has no address", self.what()),
            )
            .with_hint("make the call again in a minute; it may not be ready")
        })?;
        let url = arm.endpoint.databricks_host(&host)?;
        let region = sanitize_line(&answer.location.unwrap_or_default(), 60);
        let prices = arm.endpoint.prices(&region);
        let id = answer.id.unwrap_or_default();
        let identity = &self.azure.0.identity;
        let management = identity::tokens(identity, arm.endpoint.management, log_line)?;
        Ok(DatabricksWorkspace {
            azure: self.azure.clone(),
            name: self.name.clone(),
            region,
            workspace: Workspace::of_azure(
                url,
                identity,
                &id,
                management,
                self.azure.polling(),
                prices,
            )?,
            id: sanitize_line(&id, 400),
            host: sanitize_line(&host, 200),
        })
    }
}

impl DatabricksWorkspace {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Its ID in Azure.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The host of its address, such as `adb-1.2.azuredatabricks.net`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its address in a browser, such as `https://adb-1.2.azuredatabricks.net/`.
    pub fn address(&self) -> String {
        self.workspace.address()
    }

    /// What is in it: clusters, files, jobs and endpoints.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// A cluster in it.
    pub fn cluster(&self) -> ClusterBuilder {
        self.workspace.cluster()
    }

    /// Deletes the workspace with all that is in it, whoever made it, and waits until it is gone:
    /// [`Workspace::contents`] tells what that is. It is no error if it is
    /// gone. If Databricks leaves its group of machines behind, a note says so.
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
        let workspace = self.clone();
        runtime::run(async move {
            let azure = &workspace.azure;
            let builder = azure.databricks(&workspace.name);
            let mut call = builder.call(Method::DELETE, "delete")?;
            // Databricks keeps the data of its own catalog, as by default.
            call.url
                .query_pairs_mut()
                .append_pair("forceDeletion", "false");
            azure
                .arm()
                .delete(&call, &builder.what(), TIMEOUT, azure.polling())
                .await?;
            let managed = builder.managed_group();
            if azure.has_group(&managed).await? {
                let cost = match azure.is_practice() {
                    true => "",
                    false => ": delete it too, since it may cost money",
                };
                log_line(&format!(
                    "Databricks left the resource group {managed} behind{cost}"
                ));
            }
            Ok(())
        })
    }
}

impl fmt::Debug for DatabricksWorkspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabricksWorkspace")
            .field("name", &self.name)
            .field("region", &self.region)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for DatabricksWorkspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the Databricks workspace {} in {} ({})",
            self.name, self.region, self.host
        )
    }
}
