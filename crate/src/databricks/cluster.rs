//! Clusters: started, waited for with their state on a bar, ended, deleted, and what happened to them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::price::HourlyPrice;
use super::workspace::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{AnyObject, first};
use crate::runtime;
use crate::text::sanitize_line;
use crate::waiting::Poller;

/// How long a cluster may take to start or to end.
const TIMEOUT: Duration = Duration::from_secs(20 * 60);

/// The longest text of the service that is shown, in characters.
const MAX_LENGTH: usize = 300;

/// The most pages of clusters.
const MAX_PAGES: usize = 200;

/// A cluster. Clones mean the same cluster.
#[derive(Clone)]
pub struct Cluster {
    pub(super) workspace: Workspace,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) node_type: String,
    pub(super) runtime: String,
    pub(super) autotermination_minutes: u64,
    pub(super) hourly_price: Option<HourlyPrice>,
}

/// What a cluster does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterState {
    /// It starts.
    Pending,
    /// It runs.
    Running,
    /// It starts again.
    Restarting,
    /// It runs, and machines come or go.
    Resizing,
    /// It ends.
    Terminating,
    /// It has ended, costs nothing, and can be started again.
    Terminated,
    /// It has failed.
    Error,
    /// Something else, in Databricks' words.
    Other(String),
}

/// Something that happened to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterEvent {
    /// When, in milliseconds since 1970.
    pub timestamp: u64,
    /// What, in Databricks' words, such as `TERMINATING`.
    pub kind: String,
    /// Why, if there is a reason.
    pub reason: String,
}

/// What the workspace says about a cluster.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    pub(super) cluster_id: String,
    pub(super) cluster_name: String,
    pub(super) cluster_source: String,
    pub(super) creator_user_name: Option<String>,
    state: String,
    state_message: String,
    node_type_id: Option<String>,
    spark_version: String,
    autotermination_minutes: u64,
    termination_reason: Option<TerminationReason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TerminationReason {
    code: String,
    #[serde(rename = "type")]
    kind: String,
    parameters: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    clusters: Vec<Info>,
    next_page_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Events {
    #[serde(deserialize_with = "first::<_, _, 500>")]
    events: Vec<Event>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event {
    timestamp: u64,
    #[serde(rename = "type")]
    kind: String,
    details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    reason: Option<TerminationReason>,
}

impl Workspace {
    /// The clusters of the workspace that people made, not those of jobs.
    ///
    /// # Errors
    /// The workspace refuses or can't be reached.
    pub fn clusters(&self) -> Result<Vec<Cluster>> {
        runtime::wait(self.clusters_async())
    }

    /// Async version of [`clusters`](Self::clusters).
    ///
    /// # Errors
    /// As [`clusters`](Self::clusters).
    pub fn clusters_async(&self) -> impl Future<Output = Result<Vec<Cluster>>> + Send + 'static {
        let workspace = self.clone();
        runtime::run(async move {
            let infos = workspace.cluster_infos().await?.into_iter();
            Ok(infos
                .map(|info| Cluster::from_info(&workspace, info))
                .collect())
        })
    }

    /// Starts the cluster unless it runs, and waits until it does. Whether it had to.
    #[cfg(feature = "spark")]
    pub(crate) async fn ensure_running(&self, id: &str) -> Result<bool> {
        ensure_running(self, id).await
    }

    pub(super) async fn cluster_infos(&self) -> Result<Vec<Info>> {
        let mut infos = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let query: Vec<_> = token.iter().map(|token| ("page_token", &**token)).collect();
            let page: Listed = self.rest.get("/api/2.1/clusters/list", &query).await?;
            infos.extend(page.clusters);
            token = page.next_page_token.filter(|token| !token.is_empty());
            if token.is_none() {
                infos.retain(|info| info.cluster_source != "JOB");
                return Ok(infos);
            }
        }
        let message = "the list of clusters does not end";
        Err(Error::new(ErrorKind::Response, message).with_hint("delete clusters that nobody needs"))
    }
}

impl Cluster {
    pub(super) fn from_info(workspace: &Workspace, info: Info) -> Self {
        Self {
            workspace: workspace.clone(),
            id: sanitize_line(&info.cluster_id, 120),
            name: shown(&info.cluster_name),
            node_type: shown(&info.node_type_id.unwrap_or_default()),
            runtime: shown(&info.spark_version),
            autotermination_minutes: info.autotermination_minutes,
            hourly_price: None,
        }
    }

    /// What it is charged per hour while it runs, by Azure's list of prices, as `create` has looked it up;
    /// `None` where the list can't be reached or the region is not known, as with a workspace that
    /// `DATABRICKS_HOST` names, and in practice.
    pub fn hourly_price(&self) -> Option<&HourlyPrice> {
        self.hourly_price.as_ref()
    }

    /// Its ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of its machines.
    pub fn node_type(&self) -> &str {
        &self.node_type
    }

    /// The key of its runtime, such as `17.3.x-scala2.13`.
    pub fn runtime(&self) -> &str {
        &self.runtime
    }

    /// After how many idle minutes it ends by itself; 0 is never.
    pub fn autotermination_minutes(&self) -> u64 {
        self.autotermination_minutes
    }

    /// The workspace that it belongs to.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// What it does now.
    ///
    /// # Errors
    /// It is gone, or the workspace refuses or can't be reached.
    pub fn state(&self) -> Result<ClusterState> {
        runtime::wait(self.state_async())
    }

    /// Async version of [`state`](Self::state).
    ///
    /// # Errors
    /// As [`state`](Self::state).
    pub fn state_async(&self) -> impl Future<Output = Result<ClusterState>> + Send + 'static {
        let cluster = self.clone();
        runtime::run(async move {
            let info = info(&cluster.workspace, &cluster.id).await?;
            Ok(ClusterState::from_state(&info.state))
        })
    }

    /// Starts it unless it runs, and waits until it does, which takes minutes.
    ///
    /// # Errors
    /// It is gone; the user may not start it; it ends or fails while it starts, and the message names the
    /// reason; it takes longer than 20 minutes; or the user stops waiting, while it goes on starting.
    pub fn start(&self) -> Result<()> {
        runtime::wait(self.start_async())
    }

    /// Async version of [`start`](Self::start).
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_async(&self) -> impl Future<Output = Result<()>> + Send + 'static {
        let cluster = self.clone();
        runtime::run(async move {
            ensure_running(&cluster.workspace, &cluster.id).await?;
            Ok(())
        })
    }

    /// Ends it, so that it costs nothing, and waits until it has ended. It can be started again.
    ///
    /// # Errors
    /// It is gone, or the user may not end it.
    pub fn terminate(&self) -> Result<()> {
        runtime::wait(self.terminate_async())
    }

    /// Async version of [`terminate`](Self::terminate).
    ///
    /// # Errors
    /// As [`terminate`](Self::terminate).
    pub fn terminate_async(&self) -> impl Future<Output = Result<()>> + Send + 'static {
        let cluster = self.clone();
        runtime::run(async move {
            cluster.send_action("delete").await?;
            let what = format!("the cluster {}", cluster.name);
            let mut wait = cluster.workspace.rest.polling.begin(what, TIMEOUT);
            loop {
                let info = info(&cluster.workspace, &cluster.id).await?;
                if matches!(&*info.state, "TERMINATED" | "ERROR") {
                    wait.end("terminated");
                    return Ok(());
                }
                tell(&mut wait, &info);
                wait.pause(None).await?;
            }
        })
    }

    /// Ends it and removes it from the workspace. It is no error if it is gone.
    ///
    /// # Errors
    /// The user may not delete it.
    pub fn delete(&self) -> Result<()> {
        runtime::wait(self.delete_async())
    }

    /// Async version of [`delete`](Self::delete).
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub fn delete_async(&self) -> impl Future<Output = Result<()>> + Send + 'static {
        let cluster = self.clone();
        runtime::run(async move {
            match cluster.send_action("permanent-delete").await {
                Err(error) if error.is_not_found() => Ok(()),
                deleted => deleted,
            }
        })
    }

    /// What happened to it, the newest first, at most 50 events.
    ///
    /// # Errors
    /// It is gone, or the workspace refuses or can't be reached.
    pub fn events(&self) -> Result<Vec<ClusterEvent>> {
        runtime::wait(self.events_async())
    }

    /// Async version of [`events`](Self::events).
    ///
    /// # Errors
    /// As [`events`](Self::events).
    pub fn events_async(&self) -> impl Future<Output = Result<Vec<ClusterEvent>>> + Send + 'static {
        let cluster = self.clone();
        runtime::run(async move {
            let body = json!({"cluster_id": cluster.id, "limit": 50, "order": "DESC"});
            let rest = &cluster.workspace.rest;
            let Events { events } = rest.post("/api/2.1/clusters/events", &body).await?;
            Ok(events.into_iter().map(ClusterEvent::from_event).collect())
        })
    }

    async fn send_action(&self, verb: &str) -> Result<()> {
        let path = format!("/api/2.1/clusters/{verb}");
        let body = json!({"cluster_id": self.id});
        let _: AnyObject = self.workspace.rest.post(&path, &body).await?;
        Ok(())
    }
}

impl ClusterEvent {
    fn from_event(event: Event) -> Self {
        let reason = event.details.and_then(|details| details.reason);
        Self {
            timestamp: event.timestamp,
            kind: shown(&event.kind),
            reason: reason
                .as_ref()
                .map(TerminationReason::words)
                .unwrap_or_default(),
        }
    }
}

impl ClusterState {
    fn from_state(state: &str) -> Self {
        match state {
            "PENDING" => Self::Pending,
            "RUNNING" => Self::Running,
            "RESTARTING" => Self::Restarting,
            "RESIZING" => Self::Resizing,
            "TERMINATING" => Self::Terminating,
            "TERMINATED" => Self::Terminated,
            "ERROR" => Self::Error,
            other => Self::Other(shown(other)),
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the cluster {} ({}, {})",
            self.name, self.node_type, self.runtime
        )?;
        match self.autotermination_minutes {
            0 => f.write_str(", which never terminates automatically"),
            minutes => write!(f, ", which terminates after {minutes} idle minutes"),
        }
    }
}

/// Starts the cluster unless it runs, and waits until it does. Whether it had to.
///
/// # Errors
/// There is no such cluster, or no right to start it; it ends or fails while it starts; it takes
/// longer than 20 minutes; or the user stops waiting. The cluster goes on starting then.
pub(super) async fn ensure_running(workspace: &Workspace, id: &str) -> Result<bool> {
    let mut wait: Option<Poller> = None;
    let mut is_started = false;
    loop {
        let info = info(workspace, id).await?;
        let wait = wait.get_or_insert_with(|| {
            let what = format!("cluster {}", shown(&info.cluster_name));
            workspace.rest.polling.begin(what, TIMEOUT)
        });
        match info.state.as_str() {
            "RUNNING" | "RESIZING" => {
                wait.end("running");
                return Ok(wait.is_shown());
            }
            "TERMINATED" if !is_started => {
                start(workspace, id).await?;
                is_started = true;
                wait.reset_interval();
            }
            "TERMINATED" | "ERROR" => return Err(ended(&info)),
            _ => {}
        }
        tell(wait, &info);
        wait.pause(None).await?;
    }
}

pub(super) async fn info(workspace: &Workspace, id: &str) -> Result<Info> {
    workspace
        .rest
        .get("/api/2.1/clusters/get", &[("cluster_id", id)])
        .await
}

async fn start(workspace: &Workspace, id: &str) -> Result<()> {
    let body = json!({ "cluster_id": id });
    match workspace
        .rest
        .post::<AnyObject>("/api/2.1/clusters/start", &body)
        .await
    {
        // Somebody else was faster.
        Err(error) if error.code() == Some("INVALID_STATE") => Ok(()),
        asked => asked.map(drop),
    }
}

fn tell(wait: &mut Poller, info: &Info) {
    match info.state_message.is_empty() {
        true => wait.report(&info.state),
        false => wait.report(&format!("{} ({})", info.state, info.state_message)),
    }
}

impl TerminationReason {
    fn words(&self) -> String {
        let mut words = vec![format!("{} ({})", shown(&self.code), shown(&self.kind))];
        let parameters = self.parameters.values().filter_map(|value| value.as_str());
        words.extend(parameters.map(shown).take(3));
        words.join(": ")
    }
}

/// Why a cluster that should run does not.
fn ended(info: &Info) -> Error {
    let reason = info.termination_reason.as_ref();
    let code = reason.map(|reason| shown(&reason.code)).unwrap_or_default();
    let mut words = vec![format!(
        "the cluster {} did not start",
        shown(&info.cluster_name)
    )];
    words.extend(reason.map(TerminationReason::words));
    if !info.state_message.is_empty() {
        words.push(shown(&info.state_message));
    }
    Error::new(ErrorKind::Server, words.join(": "))
        .with_code(Some(code.clone()).filter(|code| !code.is_empty()))
        .with_hint(hint(&code))
}

fn hint(code: &str) -> &'static str {
    let says = |word: &str| code.contains(word);
    if says("QUOTA") || says("STOCKOUT") || says("CAPACITY") {
        "the subscription or the region has too few cores: choose another node type or region, or \
         serverless compute"
    } else if says("INVALID_ARGUMENT") || says("POLICY") {
        "the cluster's settings are refused: edit it in the workspace"
    } else if says("USER_REQUEST") || says("INACTIVITY") || says("JOB_FINISHED") {
        "it was terminated in the meantime, by somebody or by its idle limit: make the call again"
    } else {
        "look at its event log in the workspace"
    }
}

fn shown(text: &str) -> String {
    sanitize_line(text, MAX_LENGTH)
}
