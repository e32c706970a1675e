//! Workspaces of Azure Databricks, with the group that each keeps its machines in.

use serde_json::{Value, json};

use super::azure::{busy, group_path};
use super::fields::{set, text};
use super::state::{Group, Thing, set_creating};
use super::{
    Cloud, CloudRequest, CloudResponse, Fault, SUBSCRIPTION, arm_error, not_found, regions,
};

const PROVIDER: &str = "Microsoft.Databricks";

/// How long it takes to make and to delete a workspace, in seconds.
const CREATION: u64 = 180;
const DELETION: u64 = 120;

impl Cloud {
    pub(super) fn workspace(
        &mut self,
        request: &CloudRequest<'_>,
        group: &str,
        name: &str,
    ) -> Result<CloudResponse, CloudResponse> {
        self.group_of(group)?;
        let path = format!(
            "{}providers/microsoft.databricks/workspaces/{}",
            group_path(group),
            name.to_lowercase()
        );
        match request.method {
            "GET" => {
                let thing = self.state.things.get(&path).ok_or_else(not_found)?;
                Ok(CloudResponse::ok(&workspace_json(thing, request)))
            }
            "PUT" => self.make_workspace(request, group, name, path),
            "DELETE" => {
                let done = self.after(request.now, DELETION);
                match self.state.things.get_mut(&path) {
                    None => return Ok(CloudResponse::text(204, "")),
                    Some(thing) if thing.ready_at > request.now => return Err(busy()),
                    Some(thing) => thing.gone_at.get_or_insert(done),
                };
                let address = self.begin(request, &format!("{PROVIDER}/locations/any"), done);
                Ok(CloudResponse::text(202, "")
                    .header("azure-asyncoperation", address)
                    .header("retry-after", "0"))
            }
            _ => Err(not_found()),
        }
    }

    // The same parameters as for another kind of resource, whose rules are its own.
    fn make_workspace(
        &mut self,
        request: &CloudRequest<'_>,
        group: &str,
        name: &str,
        path: String,
    ) -> Result<CloudResponse, CloudResponse> {
        let body = request.json()?;
        self.needs(PROVIDER, request.now)?;
        regions::made_in(
            text(&body, &["location"]),
            "Microsoft.Databricks/workspaces",
        )?;
        let old = self.state.things.get(&path);
        let is_new = old.is_none();
        if old.is_some_and(|old| old.ready_at > request.now || old.gone_at.is_some()) {
            return Err(busy());
        }
        let id = format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{PROVIDER}/workspaces/{name}"
        );
        let managed = text(&body, &["properties", "managedResourceGroupId"]);
        let managed = managed.rsplit('/').next().unwrap_or_default().to_owned();
        if managed.is_empty() {
            let words = "The managed resource group ID is missing.";
            return Err(arm_error(400, "InvalidRequestContent", words));
        }
        if is_new {
            self.make_managed_group(&managed, &id, &body)?;
        }
        let ready_at = self.after(request.now, CREATION);
        let kind = "Microsoft.Databricks/workspaces";
        let thing = Thing::new(body, &id, name, kind, ready_at);
        let mut answer = workspace_json(&thing, request);
        set_creating(&mut answer);
        self.state.things.insert(path, thing);
        let address = self.begin(request, &format!("{PROVIDER}/locations/any"), ready_at);
        Ok(CloudResponse::json(if is_new { 201 } else { 200 }, &answer)
            .header("azure-asyncoperation", address)
            .header("retry-after", "0"))
    }

    /// The group for the workspace's own machines, which must not exist yet.
    fn make_managed_group(
        &mut self,
        name: &str,
        owner: &str,
        body: &Value,
    ) -> Result<(), CloudResponse> {
        let key = name.to_lowercase();
        if self.state.groups.contains_key(&key) {
            let words = format!("The managed resource group '{name}' already exists.");
            return Err(arm_error(409, "ManagedResourceGroupAlreadyExists", &words));
        }
        let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}");
        let body = json!({"id": id, "name": name, "location": text(body, &["location"]),
            "managedBy": owner, "properties": {"provisioningState": "Succeeded"}});
        self.state.groups.insert(
            key,
            Group {
                body,
                gone_at: None,
            },
        );
        Ok(())
    }

    /// Removes what was in a workspace that is gone.
    pub(super) fn empty_workspace(&mut self, path: &str, body: &Value) {
        self.state
            .clusters
            .retain(|_, cluster| cluster.workspace != path);
        let prefix = format!("{path} ");
        self.state
            .endpoints
            .retain(|name, _| !name.starts_with(&prefix));
        self.state
            .files
            .retain(|name, _| !name.starts_with(&prefix));
        let managed = text(body, &["properties", "managedResourceGroupId"]);
        let managed = managed
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_lowercase();
        if !self.has(Fault::Leftovers) {
            self.state.groups.remove(&managed);
        }
    }
}

pub(super) fn workspace_json(thing: &Thing, request: &CloudRequest<'_>) -> Value {
    let mut body = thing.to_json(request.now);
    let address = request.origin.trim_start_matches("http://");
    set(&mut body, &["properties", "workspaceUrl"], json!(address));
    body
}
