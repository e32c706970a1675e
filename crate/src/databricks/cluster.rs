//! A cluster that runs: started if it does not, and waited for, with its state on a bar.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::rest::Workspace;
use crate::cancel::kernel_requested_stop;
use crate::display::{self, ProgressBar};
use crate::error::{Error, ErrorKind, Result};
use crate::text::sanitize_line;

/// How long a cluster may take to start.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// The first pause between two looks at the state. Each is twice as long, up to the longest.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How often to look whether the user has pressed the stop button.
const LOOK: Duration = Duration::from_millis(50);

/// The longest text of the service that is shown, in characters.
const LONGEST: usize = 300;

/// What the workspace says about a cluster.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cluster {
    cluster_name: String,
    state: String,
    state_message: String,
    termination_reason: Option<TerminationReason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TerminationReason {
    code: String,
    #[serde(rename = "type")]
    kind: String,
    parameters: std::collections::BTreeMap<String, serde_json::Value>,
}

/// Starts the cluster unless it runs, and waits until it does. Whether it had to.
///
/// # Errors
/// There is no such cluster, or no right to start it; it ends or fails while it starts; it takes
/// longer than 20 minutes; or the user stops waiting. The cluster goes on starting then.
pub(crate) async fn ensure_running(workspace: &Workspace, id: &str) -> Result<bool> {
    let began = Instant::now();
    let mut pause = PAUSE;
    let mut progress = ClusterProgress::new();
    let mut is_started = false;
    loop {
        let cluster = state(workspace, id).await?;
        match cluster.state.as_str() {
            "RUNNING" | "RESIZING" => {
                progress.end(&cluster);
                return Ok(progress.is_shown());
            }
            "TERMINATED" if !is_started => {
                start(workspace, id).await?;
                is_started = true;
                pause = PAUSE;
            }
            "TERMINATED" | "ERROR" => return Err(ended(&cluster)),
            _ => {}
        }
        if began.elapsed() > PATIENCE {
            let message = format!(
                "the cluster {} is not ready after {PATIENCE:?}: it is {}",
                shown(&cluster.cluster_name),
                shown(&cluster.state)
            );
            return Err(Error::new(ErrorKind::Timeout, message)
                .with_hint("look at its event log in the workspace, and run the cell again"));
        }
        progress.tell(&cluster, began.elapsed());
        wait(pause).await?;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn state(workspace: &Workspace, id: &str) -> Result<Cluster> {
    let answer = workspace
        .get("/api/2.1/clusters/get", &[("cluster_id", id)])
        .await?;
    serde_json::from_str(answer.text()).map_err(|error| {
        let message = format!("{} says nothing about the cluster", workspace.host());
        Error::new(ErrorKind::Response, message).with_source(error)
    })
}

async fn start(workspace: &Workspace, id: &str) -> Result<()> {
    let body = json!({ "cluster_id": id }).to_string();
    match workspace.post("/api/2.1/clusters/start", body).await {
        // Somebody else was faster.
        Err(error) if error.code() == Some("INVALID_STATE") => Ok(()),
        asked => asked.map(|_| ()),
    }
}

async fn wait(pause: Duration) -> Result<()> {
    let until = Instant::now() + pause;
    while Instant::now() < until {
        if kernel_requested_stop() {
            return Err(Error::new(
                ErrorKind::Cancelled,
                "you stopped waiting for the cluster, which goes on starting",
            )
            .with_hint("run the cell again to keep waiting"));
        }
        tokio::time::sleep(LOOK.min(pause)).await;
    }
    Ok(())
}

/// Why a cluster that should run does not.
fn ended(cluster: &Cluster) -> Error {
    let reason = cluster.termination_reason.as_ref();
    let code = reason.map(|reason| shown(&reason.code)).unwrap_or_default();
    let mut words = vec![format!(
        "the cluster {} did not start",
        shown(&cluster.cluster_name)
    )];
    if let Some(reason) = reason {
        words.push(format!("{code} ({})", shown(&reason.kind)));
        let parameters = reason
            .parameters
            .values()
            .filter_map(|value| value.as_str());
        words.extend(parameters.map(shown).take(3));
    }
    if !cluster.state_message.is_empty() {
        words.push(shown(&cluster.state_message));
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
        "someone, or its time limit, ended it in the meantime: run the cell again"
    } else {
        "look at its event log in the workspace"
    }
}

fn shown(text: &str) -> String {
    sanitize_line(text, LONGEST)
}

/// The state as the user sees it: on a bar, or as a line for each change.
struct ClusterProgress {
    bar: Option<ProgressBar>,
    last: String,
}

impl ClusterProgress {
    fn new() -> Self {
        Self {
            bar: ProgressBar::new(),
            last: String::new(),
        }
    }

    fn tell(&mut self, cluster: &Cluster, elapsed: Duration) {
        let name = shown(&cluster.cluster_name);
        let state = cluster.state.to_ascii_lowercase();
        let mut words = format!("cluster {name}: {}", shown(&state));
        if !cluster.state_message.is_empty() {
            words = format!("{words} ({})", shown(&cluster.state_message));
        }
        match &mut self.bar {
            Some(bar) => bar.show(0, None, &format!("{words}, {} s", elapsed.as_secs())),
            None if words != self.last => display::log_line(&words),
            None => {}
        }
        self.last = words;
    }

    fn is_shown(&self) -> bool {
        !self.last.is_empty()
    }

    /// Nothing is said of a cluster that ran already.
    fn end(&mut self, cluster: &Cluster) {
        let words = format!("cluster {}: running", shown(&cluster.cluster_name));
        match &mut self.bar {
            Some(bar) if bar.is_shown() => bar.show(1, Some(1), &words),
            None if !self.last.is_empty() => display::log_line(&words),
            _ => {}
        }
    }
}
