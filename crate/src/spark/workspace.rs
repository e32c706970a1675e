//! Sessions on Databricks: on a cluster, which is started first, or on serverless compute.

use std::time::Duration;

use reqwest::Url;

use super::connected::Connected;
use super::grpc::Channel;
use super::remote::Remote;
use super::session::Session;
use super::uuid;
use crate::databricks::{Compute, DatabricksSettings, Workspace};
use crate::display;
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry;
use crate::secret::Secret;

/// A cluster is named by a header.
const CLUSTER_HEADER: &str = "x-databricks-cluster-id";

/// How long a connection to the workspace may take.
const CONNECT: Duration = Duration::from_secs(15);

/// How often, a second apart, a cluster that has just started is greeted: Spark starts after it.
const GREETINGS: u32 = 60;

/// A workspace and a compute in it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) settings: DatabricksSettings,
    pub(super) compute: Compute,
}

/// The workspace that the environment or a profile names, with the compute that the caller names, or
/// else the settings. `None` if nothing asks for Databricks: a host alone does not.
///
/// # Errors
/// The settings are malformed; or the caller asks for Databricks and a part is missing.
pub(super) fn target(profile: Option<&str>, compute: Option<&Compute>) -> Result<Option<Target>> {
    let is_asked_for = profile.is_some() || compute.is_some();
    let Some(settings) = DatabricksSettings::from_env(profile, is_asked_for)? else {
        return Ok(None);
    };
    match compute.or(settings.compute.as_ref()).cloned() {
        Some(compute) => Ok(Some(Target { settings, compute })),
        None if is_asked_for => Err(Error::new(
            ErrorKind::Settings,
            "neither a cluster nor serverless compute of Databricks is named",
        )
        .with_hint(
            "`.cluster(\"..\")` or DATABRICKS_CLUSTER_ID names a cluster; `.serverless()` needs none",
        )),
        None => Ok(None),
    }
}

impl Target {
    /// What tells it from other places, for the session that is returned again.
    pub(super) fn address(&self) -> String {
        address(&self.settings.host, &self.compute)
    }

    /// A connection to compute that is there. A cluster that does not run is started, which takes
    /// minutes.
    pub(super) async fn connect(&self, settings: Vec<(String, String)>) -> Result<Connected> {
        let workspace = Workspace::new(&self.settings)?;
        connect(&workspace, &self.compute, &self.settings.source, settings).await
    }

    /// Starts the cluster of a session that is there, if it was terminated in the meantime.
    pub(super) async fn wake(&self) -> Result<()> {
        if let Compute::Cluster(id) = &self.compute {
            Workspace::new(&self.settings)?.ensure_running(id).await?;
        }
        Ok(())
    }
}

/// The session on this cluster, which is started if it does not run: the one that there is, or a new one.
///
/// # Errors
/// The cluster is gone or does not start, or Spark does not answer.
pub(super) async fn session_on(workspace: &Workspace, id: &str) -> Result<Session> {
    let compute = Compute::Cluster(id.to_owned());
    if let Some(session) = Connected::active(&address(workspace.origin(), &compute)) {
        workspace.ensure_running(id).await?;
        return Ok(Session::from_connected(session));
    }
    let connected = connect(workspace, &compute, "Azure", Vec::new()).await?;
    connected.activate();
    Ok(Session::from_connected(connected))
}

/// What tells a compute from other places.
fn address(origin: &Url, compute: &Compute) -> String {
    match compute {
        Compute::Cluster(id) => format!("{origin}cluster/{id}"),
        Compute::Serverless => format!("{origin}serverless"),
    }
}

/// A connection to compute that is there. `source` says where the workspace is named.
async fn connect(
    workspace: &Workspace,
    compute: &Compute,
    source: &str,
    settings: Vec<(String, String)>,
) -> Result<Connected> {
    let mut is_new = false;
    if let Compute::Cluster(id) = compute {
        is_new = workspace.ensure_running(id).await?;
    }
    tell(workspace, compute, source);
    let remote = remote(workspace.origin(), compute);
    let id = uuid::random();
    let mut channel = Channel::new(&remote, CONNECT)?.with_credential(workspace.credential());
    if *compute == Compute::Serverless {
        channel = channel.with_session(&id);
    }
    let address = address(workspace.origin(), compute);
    let session = Connected::new(channel, "evenhand".to_owned(), id, address);
    let mut greetings = 1;
    loop {
        match session.greet(settings.clone()).await {
            Err(error)
                if is_new && error.kind() == ErrorKind::Connection && greetings < GREETINGS =>
            {
                let wait = Duration::from_secs(1);
                retry::pause_unless_stopped(wait, greetings - 1, &error, None).await?;
                greetings += 1;
            }
            greeted => return greeted.map(|()| session),
        }
    }
}

fn tell(workspace: &Workspace, compute: &Compute, source: &str) {
    let what = match compute {
        Compute::Cluster(id) => format!("the cluster {id}"),
        Compute::Serverless => "serverless compute".to_owned(),
    };
    let host = workspace.host();
    display::log_line(&format!(
        "Spark runs on Databricks: {what} of {host}, from {source}"
    ));
}

fn remote(host: &Url, compute: &Compute) -> Remote {
    let headers = match compute {
        Compute::Cluster(id) => vec![(CLUSTER_HEADER.to_owned(), Secret::new(id))],
        Compute::Serverless => Vec::new(),
    };
    Remote {
        host: host.host_str().unwrap_or_default().to_owned(),
        port: host.port_or_known_default().unwrap_or(443),
        uses_tls: host.scheme() == "https",
        token: None,
        user_id: None,
        session_id: None,
        headers,
    }
}
