//! Runs of notebooks, with their output.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::cluster::Cluster;
use super::workspace::Workspace;
use crate::error::{Error, ErrorKind, Result};
use crate::json::AnyObject;
use crate::runtime;
use crate::text::sanitize_line;

/// How long a run may take.
const TIMEOUT: Duration = Duration::from_secs(6 * 3600);

const MAX_LENGTH: usize = 500;

/// The one task of a run.
const TASK: &str = "notebook";

/// A run of a notebook. Clones mean the same run.
#[derive(Clone, Debug)]
pub struct NotebookRun {
    workspace: Workspace,
    id: u64,
    path: String,
}

/// What a run gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunOutput {
    /// What the notebook passed to `dbutils.notebook.exit`, if it did.
    pub result: Option<String>,
    /// Whether the result is longer than Databricks keeps.
    pub is_truncated: bool,
    /// The address of the run's page.
    pub page: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Submitted {
    run_id: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Run {
    state: State,
    tasks: Vec<Task>,
    run_page_url: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Task {
    run_id: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    life_cycle_state: String,
    result_state: String,
    state_message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Output {
    notebook_output: Option<NotebookOutput>,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NotebookOutput {
    result: Option<String>,
    truncated: bool,
}

impl Cluster {
    /// Runs a notebook of the workspace on the cluster. It returns at once;
    /// [`output`](NotebookRun::output) waits.
    ///
    /// # Errors
    /// There is no such notebook, the user may not run it, or the workspace can't be reached.
    pub fn run_notebook(&self, path: &str) -> Result<NotebookRun> {
        runtime::wait(self.run_notebook_async(path))
    }

    /// Async version of [`run_notebook`](Self::run_notebook).
    ///
    /// # Errors
    /// As [`run_notebook`](Self::run_notebook).
    pub fn run_notebook_async(
        &self,
        path: &str,
    ) -> impl Future<Output = Result<NotebookRun>> + Send + 'static {
        let (cluster, path) = (self.clone(), path.to_owned());
        runtime::run(async move {
            let name = path.rsplit('/').next().unwrap_or_default();
            let body = json!({
                "run_name": format!("evenhand: {name}"),
                // A request that is sent again begins no second run.
                "idempotency_token": format!("{:032x}", fastrand::u128(..)),
                "tasks": [{
                    "task_key": TASK,
                    "existing_cluster_id": cluster.id,
                    "notebook_task": {"notebook_path": path},
                }],
            });
            let workspace = cluster.workspace.clone();
            let submitted: Submitted = workspace
                .rest
                .post("/api/2.2/jobs/runs/submit", &body)
                .await?;
            Ok(NotebookRun {
                workspace,
                id: submitted.run_id,
                path,
            })
        })
    }
}

impl NotebookRun {
    /// The run's number.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Waits for the run's end, and returns what it gave.
    ///
    /// # Errors
    /// The notebook failed, and the message is its own; someone cancelled it; it takes longer than six
    /// hours; or the user stops waiting, while it goes on.
    pub fn output(&self) -> Result<RunOutput> {
        runtime::wait(self.output_async())
    }

    /// Async version of [`output`](Self::output).
    ///
    /// # Errors
    /// As [`output`](Self::output).
    pub fn output_async(&self) -> impl Future<Output = Result<RunOutput>> + Send + 'static {
        let run = self.clone();
        runtime::run(async move { run.output_here().await })
    }

    /// Cancels the run.
    ///
    /// # Errors
    /// The user may not cancel it, or the workspace can't be reached.
    pub fn cancel(&self) -> Result<()> {
        runtime::wait(self.cancel_async())
    }

    /// Async version of [`cancel`](Self::cancel).
    ///
    /// # Errors
    /// As [`cancel`](Self::cancel).
    pub fn cancel_async(&self) -> impl Future<Output = Result<()>> + Send + 'static {
        let run = self.clone();
        runtime::run(async move {
            let body = json!({"run_id": run.id});
            let rest = &run.workspace.rest;
            let _: AnyObject = rest.post("/api/2.2/jobs/runs/cancel", &body).await?;
            Ok(())
        })
    }

    async fn output_here(&self) -> Result<RunOutput> {
        let run = self.ended().await?;
        // The output belongs to the task.
        let task = run
            .tasks
            .first()
            .map_or(self.id, |task| task.run_id)
            .to_string();
        let query = [("run_id", &*task)];
        let rest = &self.workspace.rest;
        let output: Output = rest.get("/api/2.2/jobs/runs/get-output", &query).await?;
        let State {
            result_state,
            state_message,
            ..
        } = &run.state;
        if result_state != "SUCCESS" {
            let reason = output.error.unwrap_or_else(|| state_message.clone());
            let (reason, state) = (
                sanitize_line(&reason, MAX_LENGTH),
                sanitize_line(result_state, 60),
            );
            let message = format!("the notebook {} ended as {state}: {reason}", self.path);
            return Err(Error::new(ErrorKind::Server, message)
                .with_code(Some(state))
                .with_hint(format!(
                    "its page shows the cell that failed: {}",
                    sanitize_line(&run.run_page_url, 200)
                )));
        }
        let notebook = output.notebook_output.unwrap_or_default();
        Ok(RunOutput {
            result: notebook.result,
            is_truncated: notebook.truncated,
            page: sanitize_line(&run.run_page_url, 200),
        })
    }

    async fn ended(&self) -> Result<Run> {
        let what = format!("the notebook {}", self.path);
        let mut wait = self.workspace.rest.polling.begin(what, TIMEOUT);
        let id = self.id.to_string();
        loop {
            let query = [("run_id", &*id)];
            let run: Run = self
                .workspace
                .rest
                .get("/api/2.2/jobs/runs/get", &query)
                .await?;
            let state = &run.state.life_cycle_state;
            if ["TERMINATED", "SKIPPED", "INTERNAL_ERROR"].contains(&&**state) {
                wait.end(state);
                return Ok(run);
            }
            wait.report(state);
            wait.pause(None).await?;
        }
    }
}

impl fmt::Display for RunOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = self
            .result
            .as_deref()
            .unwrap_or("the notebook returned nothing");
        f.write_str(&crate::text::terminal::sanitize(result))?;
        match self.is_truncated {
            true => f.write_str(" (cut off)"),
            false => Ok(()),
        }
    }
}
