//! Accounts of Azure OpenAI, their keys, and those that were deleted.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde_json::{Value, json};

use super::azure::{busy, group_path};
use super::fields::{set, text};
use super::state::{Deleted, Thing, set_creating};
use super::{
    Cloud, CloudRequest, CloudResponse, Fault, SUBSCRIPTION, arm_error, not_found, regions,
};

const PROVIDER: &str = "Microsoft.CognitiveServices";

/// How long it takes to make an account, in seconds.
const CREATION: u64 = 2;
/// How long a deleted account keeps its name, in milliseconds.
const KEPT: u64 = 48 * 3600 * 1000;

impl Cloud {
    /// What the provider has besides the accounts of a group.
    pub(super) fn cognitive(
        &mut self,
        request: &CloudRequest<'_>,
        rest: &[&str],
    ) -> Result<CloudResponse, CloudResponse> {
        match (request.method, rest) {
            ("GET", ["locations", region, "models"]) => {
                regions::asked(region, "locations/models")?;
                Ok(CloudResponse::list(self.models()))
            }
            ("GET", ["locations", region, "usages"]) => {
                regions::asked(region, "locations/usages")?;
                Ok(CloudResponse::list(self.usages(region)))
            }
            ("POST", ["checkDomainAvailability"]) => {
                let body = request.json()?;
                let name = text(&body, &["subdomainName"]);
                let is_free = self.is_free(name, request.now);
                Ok(CloudResponse::ok(&json!({
                    "isSubdomainAvailable": is_free, "subdomainName": name,
                    "type": text(&body, &["type"]),
                })))
            }
            ("GET", ["deletedAccounts"]) => {
                Ok(CloudResponse::list(self.deleted_accounts(request.now)))
            }
            (
                "DELETE",
                [
                    "locations",
                    region,
                    "resourceGroups",
                    group,
                    "deletedAccounts",
                    name,
                ],
            ) => {
                let id = deleted_id(region, group, name);
                let before = self.state.deleted.len();
                self.state
                    .deleted
                    .retain(|one| !one.id.eq_ignore_ascii_case(&id));
                match self.state.deleted.len() == before {
                    true => Err(not_found()),
                    false => Ok(CloudResponse::text(200, "")),
                }
            }
            _ => Err(not_found()),
        }
    }

    pub(super) fn accounts(
        &mut self,
        request: &CloudRequest<'_>,
        group: &str,
        rest: &[&str],
    ) -> Result<CloudResponse, CloudResponse> {
        let ["accounts", name, rest @ ..] = rest else {
            return Err(not_found());
        };
        self.group_of(group)?;
        let path = format!(
            "{}providers/microsoft.cognitiveservices/accounts/{}",
            group_path(group),
            name.to_lowercase()
        );
        match (request.method, rest) {
            ("GET", []) => {
                let thing = self.state.things.get(&path).ok_or_else(not_found)?;
                Ok(CloudResponse::ok(&account_json(thing, request)))
            }
            ("PUT", []) => self.make_account(request, group, name, path),
            ("DELETE", []) => self.delete_account(request, &path),
            ("POST", ["listKeys"]) => {
                self.state.things.get(&path).ok_or_else(not_found)?;
                let [key1, key2] = self.keys(&path);
                Ok(CloudResponse::ok(&json!({"key1": key1, "key2": key2})))
            }
            (_, ["deployments", rest @ ..]) => self.deployments(request, &path, rest),
            _ => Err(not_found()),
        }
    }

    /// The keys of an account.
    pub(super) fn keys(&self, path: &str) -> [String; 2] {
        let of = |number: u8| {
            let mut hasher = DefaultHasher::new();
            (&self.state.identity.keys, path, number).hash(&mut hasher);
            let hash = hasher.finish();
            format!("practice-{}-{hash:016x}", self.state.identity.keys)
        };
        [of(1), of(2)]
    }

    // The same parameters as for another kind of resource, whose rules are its own.
    fn make_account(
        &mut self,
        request: &CloudRequest<'_>,
        group: &str,
        name: &str,
        path: String,
    ) -> Result<CloudResponse, CloudResponse> {
        let mut body = request.json()?;
        self.needs(PROVIDER, request.now)?;
        regions::made_in(
            text(&body, &["location"]),
            "Microsoft.CognitiveServices/accounts",
        )?;
        if self.has(Fault::FreeTrial) {
            let words = "The subscription does not have QuotaId/Feature required by SKU 'S0' from kind \
                         'OpenAI' or contains blocked QuotaId/Feature.";
            return Err(arm_error(400, "SpecialFeatureOrQuotaIdRequired", words));
        }
        let old = self.state.things.get(&path);
        let is_new = old.is_none();
        if old.is_some_and(|old| old.ready_at > request.now) {
            return Err(busy());
        }
        let subdomain = text(&body, &["properties", "customSubDomainName"]).to_lowercase();
        let region = text(&body, &["location"]).to_owned();
        if is_new {
            self.may_have_name(request, group, name, &subdomain, &body)?;
        }
        let properties = body.get_mut("properties");
        if let Some(properties) = properties.and_then(Value::as_object_mut) {
            properties.remove("restore");
        }
        let id = format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{PROVIDER}/accounts/{name}"
        );
        let ready_at = self.after(request.now, CREATION);
        let kind = "Microsoft.CognitiveServices/accounts";
        let thing = Thing::new(body, &id, name, kind, ready_at);
        self.state.things.insert(path.clone(), thing.clone());
        let place = format!("{PROVIDER}/locations/{region}");
        let address = self.begin(request, &place, ready_at);
        let mut told = account_json(&thing, request);
        set_creating(&mut told);
        let status = if is_new { 201 } else { 200 };
        Ok(CloudResponse::json(status, &told)
            .header("azure-asyncoperation", address)
            .header("retry-after", "0"))
    }

    fn may_have_name(
        &mut self,
        request: &CloudRequest<'_>,
        group: &str,
        name: &str,
        subdomain: &str,
        body: &Value,
    ) -> Result<(), CloudResponse> {
        let ending = format!("/resourcegroups/{group}/deletedaccounts/{name}").to_lowercase();
        let is_it =
            |one: &Deleted| one.id.to_lowercase().ends_with(&ending) && is_kept(one, request.now);
        if self.state.deleted.iter().any(is_it) {
            let restores = body.get("properties").and_then(|it| it.get("restore"));
            if restores != Some(&json!(true)) {
                let words = "An existing resource with ID has been soft-deleted. To restore the resource, \
                             you must specify 'restore' to be 'true' in the property. If you don't want to \
                             restore existing resource, please purge it first.";
                return Err(arm_error(409, "FlagMustBeSetForRestore", words));
            }
            self.state.deleted.retain(|one| !is_it(one));
        }
        if !subdomain.is_empty() && !self.is_free(subdomain, request.now) {
            let words = "Please pick a different name. The subdomain name is not available as it's \
                         already used by a resource.";
            return Err(arm_error(409, "CustomDomainInUse", words));
        }
        Ok(())
    }

    fn is_free(&self, subdomain: &str, now: u64) -> bool {
        let has = |body: &Value| {
            text(body, &["properties", "customSubDomainName"]).eq_ignore_ascii_case(subdomain)
        };
        let is_kept =
            |one: &Deleted| one.subdomain.eq_ignore_ascii_case(subdomain) && is_kept(one, now);
        !self.has(Fault::NameTaken)
            && !self.state.things.values().any(|thing| has(&thing.body))
            && !self.state.deleted.iter().any(is_kept)
    }

    fn delete_account(
        &mut self,
        request: &CloudRequest<'_>,
        path: &str,
    ) -> Result<CloudResponse, CloudResponse> {
        let prefix = format!("{path}/deployments/");
        if self
            .state
            .things
            .keys()
            .any(|path| path.starts_with(&prefix))
        {
            let words = "Can not delete resource before nested resources are deleted.";
            return Err(arm_error(409, "CannotDeleteResource", words));
        }
        match self.state.things.get(path) {
            None => Ok(CloudResponse::text(204, "")),
            Some(thing) if thing.ready_at > request.now => Err(busy()),
            Some(_) => {
                self.remove_thing(path, request.now);
                Ok(CloudResponse::text(200, ""))
            }
        }
    }

    pub(super) fn keep_deleted(&mut self, body: &Value, now: u64) {
        let id = text(body, &["id"]);
        let group = id.split('/').nth(4).unwrap_or_default();
        let (region, name) = (text(body, &["location"]), text(body, &["name"]));
        self.state.deleted.push(Deleted {
            id: deleted_id(region, group, name),
            name: name.to_owned(),
            subdomain: text(body, &["properties", "customSubDomainName"]).to_owned(),
            deleted_at: now,
        });
    }

    fn deleted_accounts(&self, now: u64) -> Vec<Value> {
        let kept = self.state.deleted.iter().filter(|one| is_kept(one, now));
        kept.map(|one| {
            json!({"id": one.id, "name": one.name, "properties": {
                "deletionDate": one.deleted_at.to_string(),
                "scheduledPurgeDate": one.deleted_at.saturating_add(KEPT).to_string()}})
        })
        .collect()
    }
}

pub(super) fn account_json(thing: &Thing, request: &CloudRequest<'_>) -> Value {
    let mut body = thing.to_json(request.now);
    let address = format!("{}/", request.origin);
    set(&mut body, &["properties", "endpoint"], json!(address));
    body
}

fn is_kept(one: &Deleted, now: u64) -> bool {
    one.deleted_at.saturating_add(KEPT) > now
}

fn deleted_id(region: &str, group: &str, name: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/providers/{PROVIDER}/locations/{region}/resourceGroups/{group}\
         /deletedAccounts/{name}"
    )
}
