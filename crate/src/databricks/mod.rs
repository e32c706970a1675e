//! Databricks' control plane, as far as a Spark session needs it: which workspace and compute are
//! meant, who asks, and a cluster that runs.
//!
//! - `settings` has the variables, with the names of Databricks' own tools; `profile` reads their
//!   file, `~/.databrickscfg`.
//! - `credential` has the tokens: one that is given, or those of a sign-in, which are renewed.
//! - `rest` sends a request; `cluster` starts a cluster and waits for it.

mod cluster;
mod credential;
mod profile;
mod rest;
mod settings;

pub(crate) use cluster::ensure_running;
pub(crate) use credential::Credential;
pub(crate) use rest::Workspace;
#[cfg(test)]
pub(crate) use settings::Auth;
pub(crate) use settings::{Compute, DatabricksSettings};
