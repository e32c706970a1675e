//! Libraries of a cluster: Python packages that its notebooks can import.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::cluster::Cluster;
use crate::error::{Error, ErrorKind, Result};
use crate::json::AnyObject;
use crate::runtime;
use crate::text::sanitize_line;
use crate::waiting::in_words;

const TIMEOUT: Duration = Duration::from_secs(20 * 60);

/// The longest text of the service that is shown, in characters.
const MAX_LENGTH: usize = 400;

/// A package of the Python Package Index, as pip names it: `openai==1.42.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PyPi<T>(
    /// The package.
    pub T,
);

/// A library of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstalledLibrary {
    /// Its package, if it is one of PyPI.
    pub package: String,
    /// Its status in Databricks' words: `PENDING`, `RESOLVING`, `INSTALLING`, `INSTALLED`, `FAILED` and
    /// the like.
    pub status: String,
    /// What Databricks says about it, such as pip's error.
    pub messages: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Statuses {
    library_statuses: Vec<Status>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    library: Library,
    status: String,
    messages: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Library {
    pypi: Option<Package>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Package {
    package: String,
}

impl Cluster {
    /// Installs a package on the cluster, unless it is, and waits until it can be imported. The cluster
    /// has to run.
    ///
    /// ```no_run
    /// # use evenhand::databricks::{PyPi, Workspace};
    /// # let cluster = Workspace::from_env()?.cluster().create()?;
    /// cluster.install(PyPi("openai==1.42.0"))?;
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// There is no such package or version, and the message is pip's; or the cluster has ended.
    pub fn install(&self, package: PyPi<impl AsRef<str>>) -> Result<()> {
        runtime::wait(self.install_async(package))
    }

    /// Async version of [`install`](Self::install).
    ///
    /// # Errors
    /// As [`install`](Self::install).
    pub fn install_async(
        &self,
        package: PyPi<impl AsRef<str>>,
    ) -> impl Future<Output = Result<()>> + Send + 'static {
        let (cluster, package) = (self.clone(), package.0.as_ref().trim().to_owned());
        runtime::run(async move { cluster.install_here(&package).await })
    }

    /// The libraries of the cluster.
    ///
    /// # Errors
    /// The workspace refuses or can't be reached.
    pub fn libraries(&self) -> Result<Vec<InstalledLibrary>> {
        runtime::wait(self.libraries_async())
    }

    /// Async version of [`libraries`](Self::libraries).
    ///
    /// # Errors
    /// As [`libraries`](Self::libraries).
    pub fn libraries_async(
        &self,
    ) -> impl Future<Output = Result<Vec<InstalledLibrary>>> + Send + 'static {
        let cluster = self.clone();
        runtime::run(async move { cluster.all_libraries().await })
    }

    async fn all_libraries(&self) -> Result<Vec<InstalledLibrary>> {
        let query = [("cluster_id", &*self.id)];
        let rest = &self.workspace.rest;
        let statuses: Statuses = rest
            .get("/api/2.0/libraries/cluster-status", &query)
            .await?;
        let shown = |text: &String| sanitize_line(text, MAX_LENGTH);
        let read = |status: Status| InstalledLibrary {
            package: shown(&status.library.pypi.unwrap_or_default().package),
            status: shown(&status.status),
            messages: status.messages.iter().take(5).map(shown).collect(),
        };
        Ok(statuses.library_statuses.into_iter().map(read).collect())
    }

    async fn install_here(&self, package: &str) -> Result<()> {
        if package.is_empty() || package.starts_with('-') || package.chars().any(char::is_control) {
            return Err(
                Error::new(ErrorKind::Argument, "this is not the name of a package")
                    .with_hint("`PyPi(\"openai==1.42.0\")` names one"),
            );
        }
        if self
            .status_of(package)
            .await?
            .is_some_and(|it| it.status == "INSTALLED")
        {
            return Ok(());
        }
        let body = json!({
            "cluster_id": self.id, "libraries": [{"pypi": {"package": package}}],
        });
        let rest = &self.workspace.rest;
        let _: AnyObject = rest.post("/api/2.0/libraries/install", &body).await?;
        let mut wait = self
            .workspace
            .rest
            .polling
            .begin(format!("the package {package}"), TIMEOUT);
        loop {
            let library = self.status_of(package).await?.unwrap_or_default();
            match &*library.status {
                "INSTALLED" => {
                    wait.end("installed");
                    return Ok(());
                }
                "FAILED" | "SKIPPED" | "UNINSTALL_ON_RESTART" => {
                    return Err(failed(package, &library));
                }
                "" => wait.report("pending"),
                status => wait.report(status),
            }
            wait.pause(None).await?;
        }
    }

    async fn status_of(&self, package: &str) -> Result<Option<InstalledLibrary>> {
        let libraries = self.all_libraries().await?;
        Ok(libraries
            .into_iter()
            .find(|library| library.package == package))
    }
}

fn failed(package: &str, library: &InstalledLibrary) -> Error {
    let reason = match library.messages.is_empty() {
        true => format!("it is {}", in_words(&library.status)),
        false => library.messages.join("; "),
    };
    let message = format!("the package {package} was not installed: {reason}");
    Error::new(ErrorKind::Server, message).with_code(Some(library.status.clone())).with_hint(
        "check its name and version; a cluster without access to the internet can't reach PyPI; a version \
         that was installed before goes when the cluster starts again",
    )
}
