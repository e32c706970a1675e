//! Deployments of an account: what is refused, and which quota each is given.

use serde_json::{Value, json};

use super::azure::busy;
use super::fields::{set, text};
use super::state::Thing;
use super::{Cloud, CloudRequest, CloudResponse, Fault, arm_error, not_found};

/// How long it takes to make a deployment, in seconds.
const CREATION: u64 = 1;

/// A deployment that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) model: String,
    pub(crate) tokens_per_minute: u64,
}

impl Cloud {
    pub(super) fn deployments(
        &mut self,
        request: &CloudRequest<'_>,
        account: &str,
        rest: &[&str],
    ) -> Result<CloudResponse, CloudResponse> {
        self.state.things.get(account).ok_or_else(not_found)?;
        let prefix = format!("{account}/deployments/");
        match (request.method, rest) {
            ("GET", []) => {
                let things = self.state.things.iter();
                let inside = things.filter(|(path, _)| path.starts_with(&prefix));
                Ok(CloudResponse::list(
                    inside
                        .map(|(_, thing)| thing.to_json(request.now))
                        .collect(),
                ))
            }
            ("GET", [name]) => {
                let path = format!("{prefix}{}", name.to_lowercase());
                let thing = self.state.things.get(&path).ok_or_else(not_found)?;
                Ok(CloudResponse::ok(&thing.to_json(request.now)))
            }
            ("PUT", [name]) => {
                let path = format!("{prefix}{}", name.to_lowercase());
                self.make_deployment(request, account, name, path)
            }
            ("DELETE", [name]) => {
                let path = format!("{prefix}{}", name.to_lowercase());
                let is_there = self.state.things.remove(&path).is_some();
                Ok(CloudResponse::text(if is_there { 200 } else { 204 }, ""))
            }
            _ => Err(not_found()),
        }
    }

    fn make_deployment(
        &mut self,
        request: &CloudRequest<'_>,
        account: &str,
        name: &str,
        path: String,
    ) -> Result<CloudResponse, CloudResponse> {
        let mut body = request.json()?;
        let owner = self.state.things.get(account).ok_or_else(not_found)?;
        if owner.ready_at > request.now {
            return Err(busy());
        }
        let (id, region) = (
            text(&owner.body, &["id"]).to_owned(),
            text(&owner.body, &["location"]).to_owned(),
        );
        let capacity = body
            .get("sku")
            .and_then(|sku| sku.get("capacity"))
            .and_then(Value::as_u64);
        let capacity = capacity.unwrap_or(1);
        self.may_deploy(&body, &path, &region, capacity)?;
        let is_new = !self.state.things.contains_key(&path);
        set(
            &mut body,
            &["properties", "rateLimits"],
            json!([
                {"key": "request", "renewalPeriod": 10, "count": capacity},
                {"key": "token", "renewalPeriod": 60, "count": capacity.saturating_mul(1000)},
            ]),
        );
        let ready_at = self.after(request.now, CREATION);
        let id = format!("{id}/deployments/{name}");
        let kind = "Microsoft.CognitiveServices/accounts/deployments";
        let thing = Thing::new(body, &id, name, kind, ready_at);
        let answer = thing.to_json(request.now);
        self.state.things.insert(path, thing);
        Ok(CloudResponse::json(if is_new { 201 } else { 200 }, &answer))
    }

    /// Refuses in the words of recorded refusals.
    fn may_deploy(
        &self,
        body: &Value,
        path: &str,
        region: &str,
        capacity: u64,
    ) -> Result<(), CloudResponse> {
        let (name, version) = (
            text(body, &["properties", "model", "name"]),
            text(body, &["properties", "model", "version"]),
        );
        let sku = text(body, &["sku", "name"]);
        let models = self.models();
        let of = |model: &&Value| text(model, &["model", "name"]) == name;
        let model = models.iter().find(of).and_then(|it| it.get("model"));
        let Some(model) = model else {
            let words = format!(
                "The model 'Format: OpenAI, Name: {name}, Version: {version}' is not supported."
            );
            return Err(arm_error(400, "DeploymentModelNotSupported", &words));
        };
        if text(model, &["lifecycleStatus"]) == "Deprecated" || self.has(Fault::ModelRetired) {
            let words = format!(
                "The model 'Format: OpenAI, Name: {name}, Version: {version}' has been deprecated since \
                 {}.",
                text(model, &["deprecation", "inference"])
            );
            return Err(arm_error(400, "ServiceModelDeprecated", &words));
        }
        let skus = model.get("skus").and_then(Value::as_array);
        let known = skus
            .into_iter()
            .flatten()
            .find(|it| text(it, &["name"]) == sku);
        let Some(known) = known else {
            let words = format!(
                "The specified SKU '{sku}' for model '{name} {version}' is not supported in \
                                 this region '{region}'."
            );
            return Err(arm_error(400, "InvalidResourceProperties", &words));
        };
        let usage = text(known, &["usageName"]);
        let old = self
            .state
            .things
            .get(path)
            .map_or(0, |old| capacity_of(&old.body));
        let limit = self.limit_of(usage);
        let used = self.used_of(usage, region).saturating_sub(old);
        let left = limit.saturating_sub(used);
        if capacity > left {
            let words = format!(
                "This operation require {capacity} new capacity in quota Tokens Per Minute (thousands) - \
                 {name}, which is bigger than the current available capacity {left}. The current quota usage \
                 is {used} and the quota limit is {limit} for quota Tokens Per Minute (thousands) - {name}."
            );
            return Err(arm_error(400, "InsufficientQuota", &words));
        }
        Ok(())
    }

    /// What is used of a quota in a region.
    pub(super) fn used_of(&self, usage: &str, region: &str) -> u64 {
        let things = self.state.things.iter();
        let deployed = things.filter(|(path, _)| path.contains("/deployments/"));
        let mut used = 0_u64;
        for (path, thing) in deployed {
            let account = path.split("/deployments/").next().unwrap_or_default();
            let place = self.state.things.get(account);
            let is_here = place.is_some_and(|it| text(&it.body, &["location"]) == region);
            let (sku, model) = (
                text(&thing.body, &["sku", "name"]),
                text(&thing.body, &["properties", "model", "name"]),
            );
            if is_here && self.usage_name(model, sku) == usage {
                used = used.saturating_add(capacity_of(&thing.body));
            }
        }
        used
    }

    /// The deployment that a key and a name mean, if it is ready. A token of the practice cloud means the
    /// only deployment of the name.
    pub(crate) fn served(&self, key: &str, name: &str, now: u64) -> Option<Served> {
        let ending = format!("/deployments/{}", name.to_lowercase());
        let things = self.state.things.iter();
        let named = things.filter(|(path, thing)| path.ends_with(&ending) && thing.ready_at <= now);
        let mut known = named.filter_map(|(path, thing)| {
            let account = path.strip_suffix(&ending)?;
            let is_it =
                key == self.state.identity.token || self.keys(account).iter().any(|own| own == key);
            is_it.then_some((account, thing))
        });
        let (account, thing) = known.next()?;
        Some(Served {
            account: account.to_owned(),
            name: text(&thing.body, &["name"]).to_owned(),
            model: text(&thing.body, &["properties", "model", "name"]).to_owned(),
            tokens_per_minute: capacity_of(&thing.body).saturating_mul(1000),
        })
    }

    /// Whether this is the key of some account.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        let mut accounts = self
            .state
            .things
            .keys()
            .filter(|path| !path.contains("/deployments/"));
        let is_of = |path: &String| self.keys(path).iter().any(|own| own == key);
        key == self.state.identity.token || accounts.any(is_of)
    }
}

fn capacity_of(body: &Value) -> u64 {
    let capacity = body.get("sku").and_then(|sku| sku.get("capacity"));
    capacity.and_then(Value::as_u64).unwrap_or(1)
}
