//! The names of what is made, what is charged for it, and the table that is shown before.

use std::path::Path;

use evenhand::SettingsFile;
use evenhand::azure::{Azure, Region};
use evenhand::databricks::HourlyPrice;
use evenhand::text::grouped;

use super::ledger::{Entries, Kind};
use super::{DEFAULT_MODEL, DEFAULT_TOKENS_PER_MINUTE, UpOptions};
use crate::terminal::out;

/// In what Azure sells quotas, in tokens per minute.
const UNIT: u64 = 1_000;

/// The account of a learner.
pub(super) fn account(suffix: &str) -> String {
    format!("even-lab-{suffix}")
}

/// The workspace of a learner.
pub(super) fn workspace(suffix: &str) -> String {
    format!("even-dbx-{suffix}")
}

/// The file for the settings of a learner, in which those of others stay.
pub(super) fn settings_file(path: &Path, suffix: &str) -> SettingsFile {
    SettingsFile::new(path).labeled(account(suffix))
}

/// What there is to be, in the order in which it is made.
pub(super) fn wanted(entries: &Entries, with_databricks: bool) -> Vec<(Kind, String)> {
    let suffix = &entries.suffix;
    let mut wanted = vec![
        (Kind::ResourceGroup, entries.resource_group.clone()),
        (Kind::Account, account(suffix)),
        (Kind::Deployment, entries.model.clone()),
    ];
    if with_databricks {
        wanted.push((Kind::Workspace, workspace(suffix)));
        wanted.push((Kind::Cluster, format!("even-{suffix}")));
    }
    wanted
}

/// What is charged. Prices differ by region and change, so they are looked up where they are true.
pub(super) fn charged(kind: Kind, is_practice: bool, cluster: Option<HourlyPrice>) -> String {
    if is_practice {
        return "nothing: this is practice".to_owned();
    }
    match kind {
        Kind::ResourceGroup => "nothing",
        Kind::Account => "nothing by itself",
        Kind::Deployment => "each token of a prompt or an answer; nothing while it is idle",
        Kind::Workspace => {
            "by the hour, what Azure puts into its managed group (storage, a NAT gateway), until it is deleted"
        }
        Kind::Cluster => {
            let price = cluster.map(|price| price.to_string());
            let price = price.unwrap_or_else(|| "its machine and Databricks units".to_owned());
            return format!("while it runs, {price}; it ends by itself after 20 idle minutes");
        }
    }
    .to_owned()
}

/// What a cluster costs in the region, if there is to be one.
pub(super) fn cluster_price(
    azure: &Azure,
    entries: &Entries,
    with_databricks: bool,
) -> Option<HourlyPrice> {
    match with_databricks {
        true => azure.cluster_price(&entries.region).ok(),
        false => None,
    }
}

/// What is chosen before anything is made.
pub(super) struct Choice {
    /// The model that is retired, if another one replaces it.
    pub(super) old_model: Option<String>,
    /// The deployment's quota: what Azure sells, or what the deployment has that exists.
    pub(super) tokens_per_minute: u64,
    /// What exists of it, as Azure says.
    pub(super) existing: Vec<Kind>,
}

/// The options that what exists has not been made with, and which change nothing in it.
fn left_aside(options: &UpOptions, entries: &Entries, choice: &Choice) -> Vec<&'static str> {
    let wanted = &options.wanted;
    let is_there = |kind: Kind| choice.existing.contains(&kind);
    let is_elsewhere = !wanted.regions.is_empty()
        && !wanted
            .regions
            .iter()
            .any(|region| Region::named(region) == Region::named(&entries.region));
    let has_another_quota = wanted.tokens_per_minute != DEFAULT_TOKENS_PER_MINUTE
        && wanted.tokens_per_minute.div_ceil(UNIT) != choice.tokens_per_minute.div_ceil(UNIT);
    let mut options = Vec::new();
    if is_there(Kind::Account) && is_elsewhere {
        options.push("--region");
    }
    if is_there(Kind::Deployment) {
        let is_another = ![DEFAULT_MODEL, entries.model.as_str()].contains(&wanted.model.as_str());
        options.extend(is_another.then_some("--model"));
        options.extend(has_another_quota.then_some("--tokens-per-minute"));
    }
    if is_there(Kind::Workspace) && wanted.without_databricks {
        options.push("--without-databricks");
    }
    options
}

/// Shows what will be made, where, and what is charged.
pub(super) fn show(options: &UpOptions, entries: &Entries, azure: &Azure, choice: &Choice) {
    let is_practice = azure.is_practice();
    let cluster = cluster_price(azure, entries, !options.wanted.without_databricks);
    let wanted = wanted(entries, !options.wanted.without_databricks);
    out!(
        "In {}, in the subscription {}:\n",
        entries.region,
        entries.subscription
    );
    let width = wanted
        .iter()
        .map(|(_, name)| name.len())
        .max()
        .unwrap_or_default();
    for (kind, name) in &wanted {
        let state = match choice.existing.contains(kind) {
            true => "exists",
            false => "new",
        };
        let words = kind.words();
        out!(
            "  {state:<7}{words:<21}{name:<width$}  {}",
            charged(*kind, is_practice, cluster)
        );
    }
    out!(
        "\nThe deployment is of {} with {} tokens per minute.",
        entries.model,
        grouped(choice.tokens_per_minute)
    );
    if let Some(old) = &choice.old_model {
        out!("{old} is retired: {} replaces it.", entries.model);
    }
    let left_aside = left_aside(options, entries, choice);
    if !left_aside.is_empty() {
        out!(
            "What exists stays as it is: {} would count after `evenhand cloud down`.",
            left_aside.join(", ")
        );
    }
    if !is_practice {
        out!(
            "List prices without taxes; yours may differ: https://azure.microsoft.com/pricing/calculator/"
        );
    }
    out!("The settings go into {}.", options.settings.display());
}
