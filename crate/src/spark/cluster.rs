//! Sessions on the clusters of a workspace.

use super::builder::SessionBuilder;
use super::session::Session;
use super::workspace::session_on;
use crate::databricks::Cluster;
use crate::display::log_line;
use crate::error::Result;
use crate::runtime;

impl Cluster {
    /// A Spark session on the cluster, which is started if it does not run. A cell that asks again gets
    /// the same session.
    ///
    /// A cluster of a practice cloud has no machines of its own: the local engine computes for it.
    ///
    /// # Errors
    /// The cluster is gone or does not start, or Spark does not answer; in practice, there is no local
    /// engine.
    pub fn spark(&self) -> Result<Session> {
        runtime::wait(self.spark_async())
    }

    /// Async version of [`spark`](Self::spark).
    ///
    /// # Errors
    /// As [`spark`](Self::spark).
    pub fn spark_async(&self) -> impl Future<Output = Result<Session>> + Send + 'static {
        let cluster = self.clone();
        runtime::run(async move {
            let workspace = cluster.workspace();
            if !workspace.is_practice() {
                return session_on(workspace, cluster.id()).await;
            }
            workspace.ensure_running(cluster.id()).await?;
            let name = cluster.name();
            log_line(&format!(
                "this is practice: the local Spark engine computes for the cluster {name}"
            ));
            SessionBuilder::on_local_engine()
                .get_or_create_async()
                .await
        })
    }
}
