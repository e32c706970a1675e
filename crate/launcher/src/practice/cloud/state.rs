//! What there is in the practice cloud, as it is saved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fields::set;

/// Everything that there is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) identity: Identity,
    /// The providers, and since when each is registered.
    pub(super) providers: BTreeMap<String, u64>,
    /// By name in lower case.
    pub(super) groups: BTreeMap<String, Group>,
    /// Accounts, deployments and workspaces, by path in lower case.
    pub(super) things: BTreeMap<String, Thing>,
    pub(super) deleted: Vec<Deleted>,
    /// Operations, and when each is over.
    pub(super) operations: BTreeMap<u64, u64>,
    pub(super) clusters: BTreeMap<String, Cluster>,
    /// The number of the next cluster.
    #[serde(default)]
    pub(super) next_cluster: u64,
    /// The endpoints of workspaces, by workspace and name.
    pub(super) endpoints: BTreeMap<String, u64>,
    /// The notebooks and files of workspaces, and their lengths.
    pub(super) files: BTreeMap<String, u64>,
    pub(super) runs: BTreeMap<u64, Run>,
}

/// Who may ask. None of this is good anywhere else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    pub(crate) client_secret: String,
    pub(crate) token: String,
    /// A personal token of the workspaces.
    pub(crate) workspace_token: String,
    /// The beginning of all accounts' keys.
    pub(crate) keys: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) body: Value,
    pub(super) gone_at: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thing {
    pub(super) body: Value,
    pub(super) ready_at: u64,
    pub(super) gone_at: Option<u64>,
}

/// An account that was deleted and keeps its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deleted {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) subdomain: String,
    pub(super) deleted_at: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cluster {
    pub(super) workspace: String,
    pub(super) body: Value,
    pub(super) phase: Phase,
    /// When the phase began to end: when it runs, or has ended.
    pub(super) at: u64,
    pub(super) reason: Option<Value>,
    pub(super) events: Vec<Value>,
    /// Its packages, and when each is installed.
    pub(super) libraries: Vec<(String, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    Starting,
    Ending,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    pub(super) path: String,
    pub(super) ends_at: u64,
    pub(super) is_cancelled: bool,
}

impl Thing {
    /// Something with this ID, name and type, which is ready at this time.
    pub(super) fn new(mut body: Value, id: &str, name: &str, kind: &str, ready_at: u64) -> Self {
        set(&mut body, &["id"], json!(id));
        set(&mut body, &["name"], json!(name));
        set(&mut body, &["type"], json!(kind));
        Self {
            body,
            ready_at,
            gone_at: None,
        }
    }

    /// What is told of it now.
    pub(super) fn to_json(&self, now: u64) -> Value {
        let state = match (self.gone_at, self.ready_at <= now) {
            (Some(_), _) => "Deleting",
            (None, true) => "Succeeded",
            (None, false) => CREATING,
        };
        let mut body = self.body.clone();
        set_state(&mut body, state);
        body
    }
}

/// The state of what is being made.
const CREATING: &str = "Creating";

/// Says that something is being made, however soon it is ready.
pub(super) fn set_creating(body: &mut Value) {
    set_state(body, CREATING);
}

fn set_state(body: &mut Value, state: &str) {
    set(body, &["properties", "provisioningState"], json!(state));
}

impl State {
    /// An empty cloud.
    pub(crate) fn new(identity: Identity) -> Self {
        Self {
            identity,
            providers: BTreeMap::new(),
            groups: BTreeMap::new(),
            things: BTreeMap::new(),
            deleted: Vec::new(),
            operations: BTreeMap::new(),
            clusters: BTreeMap::new(),
            next_cluster: 0,
            endpoints: BTreeMap::new(),
            files: BTreeMap::new(),
            runs: BTreeMap::new(),
        }
    }

    /// What there is, and would cost money in a real cloud, in words.
    pub(crate) fn left(&self) -> Vec<String> {
        let groups = self.groups.keys().map(|name| format!("group {name}"));
        let things = self.things.keys().cloned();
        let clusters = self.clusters.keys().map(|id| format!("cluster {id}"));
        groups.chain(things).chain(clusters).collect()
    }
}
