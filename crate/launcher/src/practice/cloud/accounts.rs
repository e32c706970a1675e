//! Accounts of Azure OpenAI, their keys, and those that were deleted.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde_json::{Value, json};

use super::azure::{busy, group_path};
use super::fields::{set, text};
use super::state::{Deleted, Thing, set_creating};
use super::{Ask, Cloud, Fault, SUBSCRIPTION, Told, arm_error, not_found, regions};

const PROVIDER: &str = "Microsoft.CognitiveServices";

/// How long it takes to make an account, in seconds.
const CREATION: u64 = 2;
/// How long a deleted account keeps its name, in milliseconds.
const KEPT: u64 = 48 * 3600 * 1000;

impl Cloud {
    /// What the provider has besides the accounts of a group.
    pub(super) fn cognitive(&mut self, ask: &Ask<'_>, rest: &[&str]) -> Result<Told, Told> {
        match (ask.method, rest) {
            ("GET", ["locations", region, "models"]) => {
                regions::asked(region, "locations/models")?;
                Ok(Told::list(self.models()))
            }
            ("GET", ["locations", region, "usages"]) => {
                regions::asked(region, "locations/usages")?;
                Ok(Told::list(self.usages(region)))
            }
            ("POST", ["checkDomainAvailability"]) => {
                let body = ask.json()?;
                let name = text(&body, &["subdomainName"]);
                let is_free = self.is_free(name, ask.now);
                Ok(Told::ok(&json!({
                    "isSubdomainAvailable": is_free, "subdomainName": name,
                    "type": text(&body, &["type"]),
                })))
            }
            ("GET", ["deletedAccounts"]) => Ok(Told::list(self.deleted_accounts(ask.now))),
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
                    false => Ok(Told::text(200, "")),
                }
            }
            _ => Err(not_found()),
        }
    }

    pub(super) fn accounts(
        &mut self,
        ask: &Ask<'_>,
        group: &str,
        rest: &[&str],
    ) -> Result<Told, Told> {
        let ["accounts", name, rest @ ..] = rest else {
            return Err(not_found());
        };
        self.group_of(group)?;
        let path = format!(
            "{}providers/microsoft.cognitiveservices/accounts/{}",
            group_path(group),
            name.to_lowercase()
        );
        match (ask.method, rest) {
            ("GET", []) => {
                let thing = self.state.things.get(&path).ok_or_else(not_found)?;
                Ok(Told::ok(&account_told(thing, ask)))
            }
            ("PUT", []) => self.make_account(ask, group, name, path),
            ("DELETE", []) => self.delete_account(ask, &path),
            ("POST", ["listKeys"]) => {
                self.state.things.get(&path).ok_or_else(not_found)?;
                let [key1, key2] = self.keys(&path);
                Ok(Told::ok(&json!({"key1": key1, "key2": key2})))
            }
            (_, ["deployments", rest @ ..]) => self.deployments(ask, &path, rest),
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

    fn make_account(
        &mut self,
        ask: &Ask<'_>,
        group: &str,
        name: &str,
        path: String,
    ) -> Result<Told, Told> {
        let mut body = ask.json()?;
        self.needs(PROVIDER, ask.now)?;
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
        if old.is_some_and(|old| old.ready_at > ask.now) {
            return Err(busy());
        }
        let subdomain = text(&body, &["properties", "customSubDomainName"]).to_lowercase();
        let region = text(&body, &["location"]).to_owned();
        if is_new {
            self.may_have_name(ask, group, name, &subdomain, &body)?;
        }
        let properties = body.get_mut("properties");
        if let Some(properties) = properties.and_then(Value::as_object_mut) {
            properties.remove("restore");
        }
        let id = format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{PROVIDER}/accounts/{name}"
        );
        let ready_at = self.after(ask.now, CREATION);
        let kind = "Microsoft.CognitiveServices/accounts";
        let thing = Thing::new(body, &id, name, kind, ready_at);
        self.state.things.insert(path.clone(), thing.clone());
        let place = format!("{PROVIDER}/locations/{region}");
        let address = self.begin(ask, &place, ready_at);
        let mut told = account_told(&thing, ask);
        set_creating(&mut told);
        let status = if is_new { 201 } else { 200 };
        Ok(Told::json(status, &told)
            .header("azure-asyncoperation", address)
            .header("retry-after", "0"))
    }

    fn may_have_name(
        &mut self,
        ask: &Ask<'_>,
        group: &str,
        name: &str,
        subdomain: &str,
        body: &Value,
    ) -> Result<(), Told> {
        let ending = format!("/resourcegroups/{group}/deletedaccounts/{name}").to_lowercase();
        let is_it =
            |one: &Deleted| one.id.to_lowercase().ends_with(&ending) && is_kept(one, ask.now);
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
        if !subdomain.is_empty() && !self.is_free(subdomain, ask.now) {
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

    fn delete_account(&mut self, ask: &Ask<'_>, path: &str) -> Result<Told, Told> {
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
            None => Ok(Told::text(204, "")),
            Some(thing) if thing.ready_at > ask.now => Err(busy()),
            Some(_) => {
                self.remove_thing(path, ask.now);
                Ok(Told::text(200, ""))
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

pub(super) fn account_told(thing: &Thing, ask: &Ask<'_>) -> Value {
    let mut body = thing.told(ask.now);
    let address = format!("{}/", ask.origin);
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
