//! What regions offer: models, kinds of machines, and quotas.

use serde_json::{Value, json};

use super::fields::{set, text};
use super::{Cloud, CloudResponse, Fault, not_found, regions};

const MODELS: &str = include_str!("data/models.json");
const MACHINES: &str = include_str!("data/machines.json");

/// The quotas of models, in thousands of tokens per minute.
const GLOBAL: u64 = 500;
const DATA_ZONE: u64 = 300;
/// What one deployment of the lab takes.
const OF_THE_LAB: u64 = 5;
/// How many accounts a region may have.
const ACCOUNTS: usize = 30;
/// The cores of a region, of which a cluster of the lab takes four.
const CORES: u64 = 200;
const OF_A_CLUSTER: u64 = 4;

impl Cloud {
    pub(super) fn models(&self) -> Vec<Value> {
        let listed: Value = serde_json::from_str(MODELS).unwrap_or_default();
        let mut models = listed
            .get("value")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        for model in &mut models {
            if self.has(Fault::ModelRetired) {
                let day = json!("2026-10-14T00:00:00Z");
                set(model, &["model", "deprecation", "inference"], day);
            }
            if self.has(Fault::WrongSku) {
                let sku = json!([{"name": "ProvisionedManaged", "usageName": "OpenAI.ProvisionedManaged"}]);
                set(model, &["model", "skus"], sku);
            }
        }
        models
    }

    /// The quota that a kind of deployment of a model takes.
    pub(super) fn usage_name(&self, model: &str, sku: &str) -> String {
        let models = self.models();
        let mut of = models
            .iter()
            .filter(|it| text(it, &["model", "name"]) == model);
        let skus = of.find_map(|it| it.get("model")?.get("skus")?.as_array().cloned());
        let skus = skus.unwrap_or_default();
        let known = skus.iter().find(|it| text(it, &["name"]) == sku);
        known.map_or(String::new(), |it| text(it, &["usageName"]).to_owned())
    }

    pub(super) fn limit_of(&self, usage: &str) -> u64 {
        let is_global = usage.contains(".GlobalStandard.");
        match (self.has(Fault::NoQuota), self.room, is_global) {
            (true, ..) => 2,
            (false, Some(room), true) => room.saturating_mul(OF_THE_LAB),
            (false, Some(_), false) => 0,
            (false, None, true) => GLOBAL,
            (false, None, false) => DATA_ZONE,
        }
    }

    pub(super) fn usages(&self, region: &str) -> Vec<Value> {
        let mut names: Vec<String> = Vec::new();
        for model in self.models() {
            let skus = model
                .get("model")
                .and_then(|it| it.get("skus"))
                .and_then(Value::as_array);
            let skus = skus.into_iter().flatten();
            names.extend(skus.map(|sku| text(sku, &["usageName"]).to_owned()));
        }
        names.sort();
        names.dedup();
        let accounts = self.state.things.iter().filter(|(path, thing)| {
            path.contains("/accounts/")
                && !path.contains("/deployments/")
                && text(&thing.body, &["location"]) == region
        });
        let accounts = accounts.count();
        let mut usages: Vec<Value> = names
            .iter()
            .map(|name| {
                json!({"name": {"value": name, "localizedValue": format!("Tokens Per Minute (thousands) - {name}")},
                    "currentValue": self.used_of(name, region), "limit": self.limit_of(name), "unit": "Count"})
            })
            .collect();
        usages.push(json!({"name": {"value": "OpenAI.S0.AccountCount",
            "localizedValue": "Maximum resources for OpenAI S0 sku."},
            "currentValue": accounts, "limit": ACCOUNTS, "unit": "Count"}));
        usages
    }

    /// Quotas of cores and kinds of machines.
    pub(super) fn compute(&self, rest: &[&str]) -> Result<CloudResponse, CloudResponse> {
        match rest {
            ["locations", region, "usages"] => {
                regions::asked(region, "locations/usages")?;
                let used = self.cores_used();
                let limit = if self.has(Fault::NoCores) {
                    used
                } else {
                    CORES
                };
                let usage = |name: &str, words: &str| {
                    json!({"limit": limit, "unit": "Count", "currentValue": used,
                        "name": {"value": name, "localizedValue": words}})
                };
                Ok(CloudResponse::list(vec![
                    usage("cores", "Total Regional vCPUs"),
                    usage("standardDDSv5Family", "Standard DDSv5 Family vCPUs"),
                ]))
            }
            ["skus"] => Ok(CloudResponse::text(200, MACHINES)),
            _ => Err(not_found()),
        }
    }

    fn cores_used(&self) -> u64 {
        let running = self
            .state
            .clusters
            .values()
            .filter(|cluster| cluster.is_up());
        (running.count() as u64).saturating_mul(OF_A_CLUSTER)
    }
}
