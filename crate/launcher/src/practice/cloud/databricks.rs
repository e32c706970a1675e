//! A workspace's REST API: who asks, in which workspace; notebooks, files, runs and endpoints. The shapes
//! are those of databricks-sdk-py (Apache-2.0).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fields::text;
use super::state::Run;
use super::{Cloud, CloudRequest, CloudResponse, Fault, USER, databricks_error, no_such_route};

/// The number of the first run. Its task has the next one, and so on.
const FIRST_RUN: u64 = 7;

/// How long a run and the making of an endpoint take, in seconds.
const RUN: u64 = 60;
const ENDPOINT: u64 = 60;

impl Cloud {
    pub(super) fn databricks(
        &mut self,
        request: &CloudRequest<'_>,
    ) -> Result<CloudResponse, CloudResponse> {
        if !self.knows(request.bearer) {
            return Err(databricks_error(
                403,
                "PERMISSION_DENIED",
                "Invalid access token.",
            ));
        }
        if self.has(Fault::NotAMember) && request.workspace.is_none() {
            let words = "User is not a member of this workspace.";
            return Err(databricks_error(403, "PERMISSION_DENIED", words));
        }
        let workspace = self.asked_workspace(request)?;
        let path = request.path();
        let rest = path.trim_start_matches("/api/");
        let (_, rest) = rest.split_once('/').unwrap_or_default();
        match (request.method, rest) {
            ("GET", "preview/scim/v2/Me") => Ok(CloudResponse::ok(&json!({"userName": USER}))),
            (_, rest) if rest.starts_with("clusters/") => self.clusters(request, &workspace, rest),
            (_, rest) if rest.starts_with("libraries/") => self.libraries(request, rest),
            (_, rest) if rest.starts_with("jobs/runs/") => self.runs(request, &workspace, rest),
            // Nobody makes jobs here, only runs.
            ("GET", "jobs/list") => Ok(CloudResponse::ok(&json!({"has_more": false}))),
            ("GET", "workspace/list") => self.folder(request, &workspace),
            ("POST", "workspace/mkdirs") => {
                let body = request.json()?;
                let path = text(&body, &["path"]).trim_end_matches('/');
                self.state.files.insert(format!("{workspace} {path}/"), 0);
                Ok(CloudResponse::ok(&json!({})))
            }
            ("POST", "workspace/delete") => self.delete_path(request, &workspace),
            ("GET", "workspace/get-status") => {
                let path = request.query("path");
                let is_there = self
                    .state
                    .files
                    .contains_key(&format!("{workspace} {path}"));
                match is_there {
                    true => Ok(CloudResponse::ok(
                        &json!({"path": path, "object_type": "NOTEBOOK", "language": "PYTHON"}),
                    )),
                    false => Err(no_path(&path)),
                }
            }
            ("POST", "workspace/import") => {
                let body = request.json()?;
                let length = text(&body, &["content"]).len() as u64;
                let key = format!("{workspace} {}", text(&body, &["path"]));
                self.state.files.insert(key, length);
                Ok(CloudResponse::ok(&json!({})))
            }
            ("PUT", rest) if rest.starts_with("fs/files/") => {
                let key = format!("{workspace} {}", rest.trim_start_matches("fs/files"));
                self.state.files.insert(key, request.body.len() as u64);
                Ok(CloudResponse::text(204, ""))
            }
            ("POST", "secrets/scopes/create" | "secrets/put") => {
                request.json().map(|_| CloudResponse::ok(&json!({})))
            }
            (_, rest) if rest.starts_with("serving-endpoints") => self.serving(
                request,
                &workspace,
                rest.trim_start_matches("serving-endpoints"),
            ),
            _ => Err(no_such_route()),
        }
    }

    /// The workspace that a header names, or else the only one. All have one address here, whereas in
    /// Azure each has its own.
    fn asked_workspace(&self, request: &CloudRequest<'_>) -> Result<String, CloudResponse> {
        let workspaces = self
            .state
            .things
            .iter()
            .filter(|(path, _)| path.contains("/workspaces/"));
        let mut paths = workspaces.map(|(path, _)| path);
        let Some(named) = request.workspace else {
            return match (paths.next(), paths.next()) {
                (Some(only), None) => Ok(only.clone()),
                _ => Ok(String::new()),
            };
        };
        let named = named.to_lowercase();
        match self.state.things.get(&named) {
            Some(thing) if thing.ready_at <= request.now && thing.gone_at.is_none() => Ok(named),
            Some(_) => Err(databricks_error(
                503,
                "TEMPORARILY_UNAVAILABLE",
                "The workspace is not ready.",
            )),
            None => Err(databricks_error(
                404,
                "RESOURCE_DOES_NOT_EXIST",
                "Workspace does not exist.",
            )),
        }
    }

    /// Deletes a notebook or a folder, which is empty or is to go with all that is in it.
    fn delete_path(
        &mut self,
        request: &CloudRequest<'_>,
        workspace: &str,
    ) -> Result<CloudResponse, CloudResponse> {
        let body = request.json()?;
        let path = text(&body, &["path"]).trim_end_matches('/');
        let is_recursive = body.get("recursive").and_then(Value::as_bool) == Some(true);
        let (own, inside) = (
            format!("{workspace} {path}"),
            format!("{workspace} {path}/"),
        );
        let files = self.state.files.keys();
        let mut is_there = false;
        for file in files {
            is_there |= *file == own || file.starts_with(&inside);
            if file.len() > inside.len() && file.starts_with(&inside) && !is_recursive {
                let words = format!("Folder ({path}) is not empty");
                return Err(databricks_error(400, "DIRECTORY_NOT_EMPTY", &words));
            }
        }
        if !is_there {
            return Err(no_path(path));
        }
        self.state
            .files
            .retain(|file, _| *file != own && !file.starts_with(&inside));
        Ok(CloudResponse::ok(&json!({})))
    }

    /// What is in a folder of notebooks: those that were imported, and the folders that they are in.
    fn folder(
        &self,
        request: &CloudRequest<'_>,
        workspace: &str,
    ) -> Result<CloudResponse, CloudResponse> {
        let path = request.query("path");
        let folder = format!("{}/", path.trim_end_matches('/'));
        let start = format!("{workspace} {folder}");
        let mut is_there = ["/", "/Shared/", "/Users/"].contains(&folder.as_str());
        let mut objects = BTreeMap::new();
        if folder == "/" {
            objects.insert("/Shared".to_owned(), "DIRECTORY");
            objects.insert("/Users".to_owned(), "DIRECTORY");
        }
        for file in self.state.files.keys() {
            let Some(rest) = file.strip_prefix(&start) else {
                continue;
            };
            if rest.is_empty() {
                is_there = true;
                continue;
            }
            // Volumes are no folders of notebooks.
            let (name, kind) = match rest.split_once('/') {
                Some(("Volumes", _)) if folder == "/" => continue,
                Some((name, _)) => (name, "DIRECTORY"),
                None => (rest, "NOTEBOOK"),
            };
            objects.insert(format!("{folder}{name}"), kind);
        }
        if objects.is_empty() && !is_there {
            return Err(no_path(&path));
        }
        let objects = objects.iter();
        let objects: Vec<Value> = objects
            .map(|(path, kind)| json!({"path": path, "object_type": kind}))
            .collect();
        Ok(CloudResponse::ok(&json!({"objects": objects})))
    }

    // Each part of the API gets the request, its workspace and the rest of its path.
    fn runs(
        &mut self,
        request: &CloudRequest<'_>,
        workspace: &str,
        rest: &str,
    ) -> Result<CloudResponse, CloudResponse> {
        match (request.method, rest) {
            ("POST", "jobs/runs/submit") => {
                let body = request.json()?;
                let task = body.get("tasks").and_then(|tasks| tasks.get(0));
                let task = task.ok_or_else(|| {
                    databricks_error(
                        400,
                        "INVALID_PARAMETER_VALUE",
                        "A run has at least one task.",
                    )
                })?;
                let path = text(task, &["notebook_task", "notebook_path"]).to_owned();
                self.known_cluster(text(task, &["existing_cluster_id"]), workspace)?;
                let id = self
                    .state
                    .runs
                    .keys()
                    .next_back()
                    .map_or(FIRST_RUN, |last| last + 2);
                let ends_at = self.after(request.now, RUN);
                self.state.runs.insert(
                    id,
                    Run {
                        path,
                        ends_at,
                        is_cancelled: false,
                    },
                );
                Ok(CloudResponse::ok(&json!({"run_id": id})))
            }
            ("GET", "jobs/runs/get") => {
                let id = number(&request.query("run_id"));
                let run = self.run(id)?;
                let state = match (run.is_cancelled, run.ends_at <= request.now) {
                    (true, _) => {
                        json!({"life_cycle_state": "TERMINATED", "result_state": "CANCELED",
                        "state_message": "Run cancelled."})
                    }
                    (false, true) => {
                        json!({"life_cycle_state": "TERMINATED", "result_state": "SUCCESS",
                        "state_message": ""})
                    }
                    (false, false) => {
                        json!({"life_cycle_state": "RUNNING", "state_message": "In run"})
                    }
                };
                Ok(CloudResponse::ok(
                    &json!({"run_id": id, "run_page_url": format!("{}/#job/run/{id}", request.origin),
                    "tasks": [{"run_id": id + 1, "task_key": "notebook"}], "state": state}),
                ))
            }
            ("GET", "jobs/runs/get-output") => {
                let run = self.run(number(&request.query("run_id")).saturating_sub(1))?;
                let words = format!("practice: {} was not run, and no cell of it", run.path);
                Ok(CloudResponse::ok(
                    &json!({"notebook_output": {"result": words, "truncated": false}}),
                ))
            }
            ("POST", "jobs/runs/cancel") => {
                let body = request.json()?;
                let id = body
                    .get("run_id")
                    .and_then(Value::as_u64)
                    .unwrap_or_default();
                self.run(id)?;
                let run = self.state.runs.get_mut(&id);
                if let Some(run) = run.filter(|run| run.ends_at > request.now) {
                    run.is_cancelled = true;
                }
                Ok(CloudResponse::ok(&json!({})))
            }
            _ => Err(no_such_route()),
        }
    }

    fn run(&self, id: u64) -> Result<&Run, CloudResponse> {
        self.state.runs.get(&id).ok_or_else(|| {
            databricks_error(
                400,
                "INVALID_PARAMETER_VALUE",
                &format!("Run {id} does not exist."),
            )
        })
    }

    fn serving(
        &mut self,
        request: &CloudRequest<'_>,
        workspace: &str,
        rest: &str,
    ) -> Result<CloudResponse, CloudResponse> {
        let key = |name: &str| format!("{workspace} {name}");
        match (request.method, rest.trim_start_matches('/')) {
            ("GET", "") => {
                let start = key("");
                let names = self.state.endpoints.keys();
                let names = names.filter_map(|name| name.strip_prefix(&start));
                let endpoints: Vec<Value> = names.map(|name| json!({"name": name})).collect();
                Ok(CloudResponse::ok(&json!({"endpoints": endpoints})))
            }
            ("POST", "") => {
                let body = request.json()?;
                let name = text(&body, &["name"]).to_owned();
                if name.starts_with("databricks-") {
                    let words = "Endpoint names must not start with 'databricks-'.";
                    return Err(databricks_error(400, "INVALID_PARAMETER_VALUE", words));
                }
                let ready_at = self.after(request.now, ENDPOINT);
                self.state.endpoints.entry(key(&name)).or_insert(ready_at);
                Ok(CloudResponse::ok(&json!({"name": name})))
            }
            ("GET", name) => match self.state.endpoints.get(&key(name)) {
                Some(at) if *at <= request.now => Ok(CloudResponse::ok(&json!({"name": name,
                    "state": {"ready": "READY", "config_update": "NOT_UPDATING"}}))),
                Some(_) => Ok(CloudResponse::ok(&json!({"name": name,
                    "state": {"ready": "NOT_READY", "config_update": "IN_PROGRESS"}}))),
                None => Err(no_endpoint()),
            },
            ("DELETE", name) => match self.state.endpoints.remove(&key(name)) {
                Some(_) => Ok(CloudResponse::ok(&json!({}))),
                None => Err(no_endpoint()),
            },
            _ => Err(no_endpoint()),
        }
    }
}

fn no_path(path: &str) -> CloudResponse {
    let words = format!("Path ({path}) doesn't exist.");
    databricks_error(404, "RESOURCE_DOES_NOT_EXIST", &words)
}

fn no_endpoint() -> CloudResponse {
    databricks_error(404, "RESOURCE_DOES_NOT_EXIST", "Endpoint does not exist.")
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}
