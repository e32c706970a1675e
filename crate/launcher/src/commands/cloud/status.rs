//! `evenhand cloud status`: what the ledger holds, and how each thing stands now.

use evenhand::azure::Azure;
use evenhand::databricks::ClusterState;

use super::ledger::{Kind, Ledger, Progress};
use super::plan;
use super::session::Session;
use crate::error::Result;
use crate::terminal::out;

pub(super) fn run(session: &Session, ledger: &Ledger) -> Result<()> {
    if ledger.is_empty() {
        out!("nothing was made here: the ledger is empty");
        return Ok(());
    }
    let entries = &ledger.entries;
    let azure = session.azure.in_resource_group(&entries.resource_group)?;
    out!(
        "In {}, in the subscription {}:\n",
        entries.region,
        entries.subscription
    );
    let has_cluster = entries.things.iter().any(|it| it.kind == Kind::Cluster);
    let cluster = plan::cluster_price(&azure, entries, has_cluster);
    for thing in &entries.things {
        let state = match thing.progress {
            Progress::Making => format!(
                "{}, not finished",
                state(&azure, ledger, thing.kind, &thing.name)?
            ),
            Progress::Removing => "being removed".to_owned(),
            Progress::Made => state(&azure, ledger, thing.kind, &thing.name)?,
        };
        let words = thing.kind.words();
        out!("  {words:<21}{:<28}{state}", thing.name);
        out!(
            "  {:<21}charged: {}",
            "",
            plan::charged(thing.kind, session.azure.is_practice(), cluster)
        );
    }
    for deleted in &entries.deleted {
        out!(
            "  {:<21}{:<28}keeps its name for 48 hours",
            "deleted account",
            deleted.name
        );
    }
    Ok(())
}

/// How something stands, in words.
fn state(azure: &Azure, ledger: &Ledger, kind: Kind, name: &str) -> Result<String> {
    let told = match kind {
        Kind::ResourceGroup => azure.has_resource_group()?.then(|| "exists".to_owned()),
        Kind::Account => azure
            .openai(name)
            .get()?
            .map(|account| format!("exists in {}", account.region())),
        Kind::Deployment => ledger.find_deployment(azure)?.map(|it| it.to_string()),
        Kind::Workspace => azure
            .databricks(name)
            .get()?
            .map(|it| format!("exists at {}", it.host())),
        Kind::Cluster => match ledger.find_cluster(azure)? {
            Some(cluster) => Some(match cluster.state()? {
                ClusterState::Running if azure.is_practice() => "runs".to_owned(),
                ClusterState::Running => "runs, and is charged".to_owned(),
                ClusterState::Terminated => "has ended, and is not charged".to_owned(),
                other => format!("{other:?}").to_lowercase(),
            }),
            None => None,
        },
    };
    Ok(told.unwrap_or_else(|| "does not exist".to_owned()))
}
