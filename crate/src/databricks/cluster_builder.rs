//! Makes a cluster, in one of the two forms in which workspaces take it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::cluster::{Cluster, ensure_running, info};
use super::workspace::Workspace;
use super::{node_type, runtime as runtimes};
use crate::display::log_line;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;

const NAME: &str = "evenhand";

/// The lab's time limit.
const AUTOTERMINATION_MINUTES: u64 = 20;

/// The limits of Databricks.
const MIN_IDLE: u64 = 10;
const MAX_IDLE: u64 = 10_000;

/// Makes or finds a [`Cluster`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClusterBuilder {
    workspace: Workspace,
    name: String,
    runtime: Option<String>,
    node_type: Option<String>,
    workers: u32,
    autotermination_minutes: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Created {
    cluster_id: String,
}

/// Which form of a request a workspace takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `is_single_node` and `use_ml_runtime`.
    New,
    /// The settings and tags that meant the same before; some workspaces still want them.
    Old,
}

impl Workspace {
    /// A cluster in the workspace.
    pub fn cluster(&self) -> ClusterBuilder {
        ClusterBuilder {
            workspace: self.clone(),
            name: NAME.to_owned(),
            runtime: None,
            node_type: None,
            workers: 0,
            autotermination_minutes: AUTOTERMINATION_MINUTES,
        }
    }
}

impl ClusterBuilder {
    /// One machine, which is all that the lab needs.
    ///
    /// # Default
    /// This.
    pub fn single_node(self) -> Self {
        Self { workers: 0, ..self }
    }

    /// So many machines besides the one that leads.
    ///
    /// # Default
    /// None.
    pub fn workers(self, workers: u32) -> Self {
        Self { workers, ..self }
    }

    /// Its name.
    ///
    /// # Default
    /// `evenhand`.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// The key of its runtime.
    ///
    /// # Default
    /// The newest for machine learning that is no beta, without GPU and Photon, of Scala above 2.11 and
    /// Spark above 3.4.
    pub fn runtime(self, key: impl Into<String>) -> Self {
        Self {
            runtime: Some(key.into()),
            ..self
        }
    }

    /// The kind of its machines.
    ///
    /// # Default
    /// `Standard_D4ds_v5`, as in the lab, or else the smallest with 4 cores and 14 GB that can be had.
    pub fn node_type(self, id: impl Into<String>) -> Self {
        Self {
            node_type: Some(id.into()),
            ..self
        }
    }

    /// After how many idle minutes it ends by itself, from 10 to 10,000.
    ///
    /// # Default
    /// 20, as in the lab.
    pub fn autotermination_minutes(self, minutes: u64) -> Self {
        Self {
            autotermination_minutes: minutes,
            ..self
        }
    }

    /// Makes the cluster, or takes the one of this name that the user made, and waits until it runs, which takes minutes.
    ///
    /// # Errors
    /// The workspace has no such runtime or machine; the user may not make clusters; or the cluster does
    /// not start, and the message names the reason.
    pub fn create(&self) -> Result<Cluster> {
        runtime::wait(self.create_async())
    }

    /// Async version of [`create`](Self::create).
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_async(&self) -> impl Future<Output = Result<Cluster>> + Send + 'static {
        let builder = self.clone();
        runtime::run(async move { builder.create_here().await })
    }

    /// The cluster of this name that the user made, if there is one, whatever its state.
    ///
    /// # Errors
    /// The workspace refuses or can't be reached.
    pub fn get(&self) -> Result<Option<Cluster>> {
        runtime::wait(self.get_async())
    }

    /// Async version of [`get`](Self::get).
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_async(&self) -> impl Future<Output = Result<Option<Cluster>>> + Send + 'static {
        let builder = self.clone();
        runtime::run(async move {
            let me = builder.workspace.me().await?;
            builder.get_here(&me).await
        })
    }

    /// The cluster of this name that this user made: others may give theirs the same name.
    async fn get_here(&self, me: &str) -> Result<Option<Cluster>> {
        let infos = self.workspace.cluster_infos().await?;
        let is_mine = |creator: &Option<String>| creator.as_deref().is_none_or(|it| it == me);
        let mut infos = infos.into_iter();
        let found =
            infos.find(|info| info.cluster_name == self.name && is_mine(&info.creator_user_name));
        Ok(found.map(|info| Cluster::from_info(&self.workspace, info)))
    }

    async fn create_here(&self) -> Result<Cluster> {
        self.check()?;
        let workspace = &self.workspace;
        let me = workspace.me().await?;
        if let Some(cluster) = self.get_here(&me).await? {
            ensure_running(workspace, &cluster.id).await?;
            return Ok(priced(cluster).await);
        }
        let runtime = match &self.runtime {
            Some(key) => runtimes::named(key),
            None => runtimes::of_the_lab(&workspace.all_runtimes().await?)?,
        };
        let node_type = match &self.node_type {
            Some(id) => id.clone(),
            None => node_type::of_the_lab(&workspace.all_node_types().await?)?.id,
        };
        let body = |form| self.body(form, &runtime, &node_type, &me);
        let created = match self.post(&body(Form::New)).await {
            Err(error) if is_about_the_form(&error) => self.post(&body(Form::Old)).await,
            created => created,
        }?;
        let id = created.cluster_id;
        if id.is_empty() {
            let message = format!("{} did not name the cluster that it made", workspace.host());
            return Err(Error::new(ErrorKind::Response, message)
                .with_hint("make the call again: it takes the cluster of this name"));
        }
        ensure_running(workspace, &id).await?;
        let cluster = Cluster::from_info(workspace, info(workspace, &id).await?);
        let cluster = priced(cluster).await;
        let cost = match cluster.hourly_price {
            _ if workspace.is_practice() => {
                "would cost money while it runs in a real workspace; this is practice".to_owned()
            }
            Some(price) => format!("costs {price} while it runs"),
            None => "costs money while it runs".to_owned(),
        };
        log_line(&format!(
            "the cluster {} {cost}; it ends after {} idle minutes",
            cluster.name, self.autotermination_minutes
        ));
        Ok(Cluster {
            id,
            name: self.name.clone(),
            ..cluster
        })
    }

    fn check(&self) -> Result<()> {
        if self.name.trim().is_empty() || self.name.chars().count() > 100 {
            return Err(Error::new(
                ErrorKind::Argument,
                "a cluster's name has 1 to 100 characters",
            )
            .with_hint("`.name(\"lab\")` names it"));
        }
        if !(MIN_IDLE..=MAX_IDLE).contains(&self.autotermination_minutes) {
            let minutes = self.autotermination_minutes;
            let message = format!("a cluster can't terminate after {minutes} idle minutes");
            return Err(Error::new(ErrorKind::Argument, message).with_hint(
                "10 to 10,000 are possible; a cluster that never terminates would cost money until somebody notices",
            ));
        }
        Ok(())
    }

    async fn post(&self, body: &Value) -> Result<Created> {
        self.workspace
            .rest
            .post("/api/2.1/clusters/create", body)
            .await
    }

    fn body(&self, form: Form, runtime: &super::Runtime, node_type: &str, me: &str) -> Value {
        let is_single = self.workers == 0;
        let mut body = json!({
            "cluster_name": self.name,
            "node_type_id": node_type,
            "data_security_mode": "SINGLE_USER",
            "single_user_name": me,
            "runtime_engine": "STANDARD",
            "autotermination_minutes": self.autotermination_minutes,
        });
        match form {
            Form::New => {
                body["kind"] = json!("CLASSIC_PREVIEW");
                body["spark_version"] = json!(runtime.plain_key());
                body["use_ml_runtime"] = json!(runtime.key.contains("-ml-"));
                match is_single {
                    true => body["is_single_node"] = json!(true),
                    false => body["num_workers"] = json!(self.workers),
                }
            }
            Form::Old => {
                body["spark_version"] = json!(runtime.key);
                body["num_workers"] = json!(self.workers);
                if is_single {
                    body["spark_conf"] = json!({
                        "spark.databricks.cluster.profile": "singleNode",
                        "spark.master": "local[*]",
                    });
                    body["custom_tags"] = json!({"ResourceClass": "SingleNode"});
                }
            }
        }
        body
    }
}

/// Whether a workspace refuses the new form, and not what it says.
fn is_about_the_form(error: &Error) -> bool {
    let words = [
        "kind",
        "is_single_node",
        "use_ml_runtime",
        "CLASSIC_PREVIEW",
        "single_node",
    ];
    error.status() == Some(400) && words.iter().any(|word| error.message().contains(word))
}

/// The cluster with its price, if the list of prices tells it.
async fn priced(cluster: Cluster) -> Cluster {
    let hourly_price = cluster.workspace.hourly_price(&cluster.node_type).await;
    Cluster {
        hourly_price,
        ..cluster
    }
}
