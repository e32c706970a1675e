//! Databricks' control plane: which workspace and compute are meant, who asks, and what is in a workspace:
//! clusters, libraries, notebooks, files, runs of jobs, and endpoints for models.
//!
//! ```no_run
//! use evenhand::databricks::{PyPi, Workspace};
//!
//! let workspace = Workspace::from_env()?;
//! let cluster = workspace.cluster().single_node().create()?;
//! cluster.install(PyPi("openai==1.42.0"))?;
//! workspace.import_notebook("/Users/me@example.org/lab", &std::fs::read("lab.ipynb")?)?;
//! let run = cluster.run_notebook("/Users/me@example.org/lab")?;
//! println!("{}", run.output()?);
//! # Ok::<(), evenhand::Error>(())
//! ```
//!
//! The variables and the file `~/.databrickscfg` are those of Databricks' own tools.
//!
//! - `settings` has the variables; `profile` reads the file; `credential` has the tokens: one that is
//!   given, or those of a sign-in, which are renewed.
//! - `rest` sends a request, `error_mapping` has its errors.
//! - `cluster` starts, ends and watches a cluster, `cluster_builder` makes one, of a `runtime` and a
//!   `node_type`, and at which `price`; `library`, `file`, `run` and `endpoint` are what else there is;
//!   `contents` is what people have made in a workspace.

mod cluster;
mod cluster_builder;
mod contents;
mod credential;
mod endpoint;
mod error_mapping;
mod file;
mod library;
mod node_type;
mod price;
mod profile;
mod rest;
mod run;
mod runtime;
mod settings;
#[cfg(feature = "notebook")]
mod show;
#[cfg(test)]
mod tests;
mod workspace;

pub use cluster::{Cluster, ClusterEvent, ClusterState};
pub use cluster_builder::ClusterBuilder;
pub use endpoint::{ExternalModel, ServingEndpoint, ServingEndpointBuilder};
pub use library::{InstalledLibrary, PyPi};
pub use node_type::NodeType;
pub use price::HourlyPrice;
pub use run::{NotebookRun, RunOutput};
pub use runtime::Runtime;
pub use workspace::Workspace;

pub(crate) use node_type::OF_THE_LAB as NODE_TYPE_OF_THE_LAB;
pub(crate) use price::PriceList;
pub(crate) use settings::AZURE_HOSTS;

#[cfg(feature = "spark")]
pub(crate) use credential::Credential;
#[cfg(all(test, feature = "spark"))]
pub(crate) use settings::Auth;
#[cfg(feature = "spark")]
pub(crate) use settings::{Compute, DatabricksSettings};
