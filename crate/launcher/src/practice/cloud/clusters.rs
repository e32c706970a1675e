//! Clusters and their libraries, with the states and reasons of the real ones.

use serde_json::{Value, json};

use super::fields::{set, text};
use super::state::{Cluster, Phase};
use super::{Cloud, CloudRequest, CloudResponse, Fault, USER, databricks_error, no_such_route};

const RUNTIMES: &str = include_str!("data/spark_versions.json");
const MACHINES: &str = include_str!("data/node_types.json");

/// How long it takes, in seconds, until a cluster runs, has ended, and has a package.
const START: u64 = 300;
const END: u64 = 60;
const PACKAGE: u64 = 40;
/// After how many seconds a cluster ends by itself if that is what goes wrong.
const IDLE: u64 = 60;

impl Cluster {
    /// Whether machines run for it, or will.
    pub(super) fn is_up(&self) -> bool {
        self.phase == Phase::Starting
    }

    fn add_event(&mut self, now: u64, kind: &str, reason: Option<&Value>) {
        let mut event = json!({"timestamp": now, "type": kind});
        if let Some(reason) = reason {
            set(&mut event, &["details", "reason"], reason.clone());
        }
        self.events.insert(0, event);
        self.events.truncate(50);
    }

    fn end(&mut self, now: u64, at: u64, reason: &Value) {
        self.add_event(now, "TERMINATING", Some(reason));
        self.phase = Phase::Ending;
        self.at = at;
        self.reason = Some(reason.clone());
    }

    fn to_json(&self, id: &str, now: u64) -> Value {
        let is_over = self.at <= now;
        let state = match (self.phase, is_over) {
            (Phase::Starting, false) => "PENDING",
            (Phase::Starting, true) => "RUNNING",
            (Phase::Ending, false) => "TERMINATING",
            (Phase::Ending, true) => "TERMINATED",
        };
        let mut told = self.body.clone();
        set(&mut told, &["cluster_id"], json!(id));
        set(&mut told, &["cluster_source"], json!("UI"));
        set(&mut told, &["creator_user_name"], json!(USER));
        set(&mut told, &["state"], json!(state));
        set(&mut told, &["state_message"], json!(""));
        if let (Phase::Ending, Some(reason)) = (self.phase, &self.reason) {
            set(&mut told, &["termination_reason"], reason.clone());
        }
        told
    }
}

impl Cloud {
    // Each part of the API gets the request, its workspace and the rest of its path.
    pub(super) fn clusters(
        &mut self,
        request: &CloudRequest<'_>,
        workspace: &str,
        rest: &str,
    ) -> Result<CloudResponse, CloudResponse> {
        match (request.method, rest) {
            ("GET", "clusters/spark-versions") => Ok(CloudResponse::ok(&self.runtimes())),
            ("GET", "clusters/list-node-types") => Ok(CloudResponse::text(200, MACHINES)),
            ("GET", "clusters/list") => {
                self.end_idle(request.now);
                let all = self.state.clusters.iter();
                let here = all.filter(|(_, cluster)| cluster.workspace == workspace);
                let told: Vec<Value> = here.map(|(id, it)| it.to_json(id, request.now)).collect();
                Ok(CloudResponse::ok(&json!({"clusters": told})))
            }
            ("GET", "clusters/get") => {
                self.end_idle(request.now);
                let id = request.query("cluster_id");
                let cluster = self.known_cluster(&id, workspace)?;
                Ok(CloudResponse::ok(&cluster.to_json(&id, request.now)))
            }
            ("POST", "clusters/create") => self.make_cluster(request, workspace),
            ("POST", rest) => {
                let body = request.json()?;
                let id = text(&body, &["cluster_id"]);
                self.known_cluster(id, workspace)?;
                self.turn(request, id, rest)
            }
            _ => Err(no_such_route()),
        }
    }

    fn runtimes(&self) -> Value {
        let mut listed: Value = serde_json::from_str(RUNTIMES).unwrap_or_default();
        if self.has(Fault::OddRuntimes) {
            let odd = [
                (
                    "19.1.x-gpu-ml-scala2.13",
                    "19.1 ML (includes Apache Spark 4.1.0, GPU, Scala 2.13)",
                ),
                (
                    "19.1.x-cpu-ml-scala2.11",
                    "19.1 ML (includes Apache Spark 4.1.0, Scala 2.11)",
                ),
                (
                    "19.1.x-photon-scala2.13",
                    "19.1 Photon (includes Apache Spark 4.1.0, Scala 2.13)",
                ),
            ];
            let odd = odd.map(|(key, name)| json!({"key": key, "name": name}));
            let versions = listed.get_mut("versions");
            if let Some(versions) = versions.and_then(Value::as_array_mut) {
                versions.extend(odd);
            }
        }
        listed
    }

    pub(super) fn known_cluster(
        &self,
        id: &str,
        workspace: &str,
    ) -> Result<&Cluster, CloudResponse> {
        let found = self.state.clusters.get(id);
        found
            .filter(|cluster| cluster.workspace == workspace)
            .ok_or_else(|| {
                let words = format!("Cluster {id} does not exist");
                databricks_error(400, "INVALID_PARAMETER_VALUE", &words)
            })
    }

    fn make_cluster(
        &mut self,
        request: &CloudRequest<'_>,
        workspace: &str,
    ) -> Result<CloudResponse, CloudResponse> {
        let body = request.json()?;
        if self.has(Fault::OldForm) && body.get("kind").is_some() {
            let words = "Could not parse request object: unknown field is_single_node";
            return Err(databricks_error(400, "INVALID_PARAMETER_VALUE", words));
        }
        let last = self.state.clusters.keys().next_back();
        let last = last.and_then(|id| id.rsplit('-').next()?.parse().ok());
        let next = last.map_or(0, |last: u64| last + 1);
        // No ID comes again, whatever was deleted.
        let number = next.max(self.state.next_cluster);
        self.state.next_cluster = number + 1;
        let id = format!("0101-{number:04}");
        let mut cluster = Cluster {
            workspace: workspace.to_owned(),
            body,
            phase: Phase::Starting,
            at: self.after(request.now, START),
            reason: None,
            events: Vec::new(),
            libraries: Vec::new(),
        };
        cluster.add_event(request.now, "CREATING", None);
        self.check_cores(&mut cluster, request.now);
        self.state.clusters.insert(id.clone(), cluster);
        Ok(CloudResponse::ok(&json!({"cluster_id": id})))
    }

    /// Without cores, a cluster fails while it starts, and not when it is made.
    fn check_cores(&self, cluster: &mut Cluster, now: u64) {
        if self.has(Fault::NoCores) {
            let reason = json!({"code": "AZURE_QUOTA_EXCEEDED_EXCEPTION", "type": "CLIENT_ERROR", "parameters":
                {"azure_error_message": "Operation could not be completed as it results in exceeding \
                    approved standardDDSv5Family Cores quota. Current Limit: 4, Current Usage: 4, Additional \
                    Required: 4."}});
            let at = self.after(now, START);
            cluster.end(now, at, &reason);
        }
    }

    fn turn(
        &mut self,
        request: &CloudRequest<'_>,
        id: &str,
        verb: &str,
    ) -> Result<CloudResponse, CloudResponse> {
        let (starts, ends) = (self.after(request.now, START), self.after(request.now, END));
        if verb == "clusters/permanent-delete" {
            self.state.clusters.remove(id);
            return Ok(CloudResponse::ok(&json!({})));
        }
        let Some(mut cluster) = self.state.clusters.get(id).cloned() else {
            return Err(databricks_error(
                400,
                "INVALID_PARAMETER_VALUE",
                "Cluster does not exist",
            ));
        };
        match verb {
            "clusters/start" if cluster.is_up() => {
                let words = format!("Cluster {id} is in unexpected state Running.");
                return Err(databricks_error(400, "INVALID_STATE", &words));
            }
            "clusters/start" => {
                cluster.phase = Phase::Starting;
                cluster.at = starts;
                cluster.libraries.clear();
                cluster.add_event(request.now, "STARTING", None);
                self.check_cores(&mut cluster, request.now);
            }
            "clusters/delete" if cluster.is_up() => {
                let reason = json!({"code": "USER_REQUEST", "type": "SUCCESS",
                    "parameters": {"username": USER}});
                cluster.end(request.now, ends, &reason);
            }
            "clusters/delete" => {}
            "clusters/events" => return Ok(CloudResponse::ok(&json!({"events": cluster.events}))),
            _ => {
                return Err(no_such_route());
            }
        }
        self.state.clusters.insert(id.to_owned(), cluster);
        Ok(CloudResponse::ok(&json!({})))
    }

    /// Ends the clusters that have been idle for too long.
    fn end_idle(&mut self, now: u64) {
        if !self.has(Fault::Idle) {
            return;
        }
        let limit = self.after(0, IDLE);
        for cluster in self.state.clusters.values_mut() {
            let ends = cluster.at.saturating_add(limit);
            if cluster.is_up() && ends < now {
                let reason = json!({"code": "INACTIVITY", "type": "SUCCESS",
                    "parameters": {"inactivity_duration_min": "1"}});
                cluster.end(ends, ends, &reason);
            }
        }
    }

    pub(super) fn libraries(
        &mut self,
        request: &CloudRequest<'_>,
        rest: &str,
    ) -> Result<CloudResponse, CloudResponse> {
        let missing = || databricks_error(400, "INVALID_PARAMETER_VALUE", "Cluster does not exist");
        let fails = self.has(Fault::LibraryFails);
        match (request.method, rest) {
            ("POST", "libraries/install") => {
                let body = request.json()?;
                let done = self.after(request.now, PACKAGE);
                let id = text(&body, &["cluster_id"]);
                let cluster = self.state.clusters.get_mut(id).ok_or_else(missing)?;
                let wanted = body.get("libraries").and_then(Value::as_array);
                for library in wanted.into_iter().flatten() {
                    let package = text(library, &["pypi", "package"]).to_owned();
                    if !cluster.libraries.iter().any(|(known, _)| *known == package) {
                        cluster.libraries.push((package, done));
                    }
                }
                Ok(CloudResponse::ok(&json!({})))
            }
            ("GET", "libraries/cluster-status") => {
                let id = request.query("cluster_id");
                let cluster = self.state.clusters.get(&id).ok_or_else(missing)?;
                let told = cluster.libraries.iter().map(|(package, at)| {
                    let status = match (*at <= request.now, fails) {
                        (false, _) => "INSTALLING",
                        (true, false) => "INSTALLED",
                        (true, true) => "FAILED",
                    };
                    let words = format!("ERROR: No matching distribution found for {package}");
                    let messages: &[String] = if status == "FAILED" { &[words] } else { &[] };
                    json!({"library": {"pypi": {"package": package}}, "status": status,
                        "messages": messages})
                });
                let told: Vec<Value> = told.collect();
                Ok(CloudResponse::ok(
                    &json!({"cluster_id": id, "library_statuses": told}),
                ))
            }
            _ => Err(no_such_route()),
        }
    }
}
