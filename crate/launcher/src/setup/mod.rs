//! Installs and builds what is missing: parts of the toolchain, the Python environment, the model,
//! the kernel, and the notebook's dependencies, so that nobody waits for them in a cell.
//!
//! Each step first checks whether its work is done, resumes where it was interrupted, and on
//! failure leaves nothing behind that a later run would mistake for finished work.

mod apache_spark;
mod evcxr;
mod java;
mod library_sources;
mod lock;
mod model;
mod python;
mod spark;
mod starter;
mod step;
mod toolchain;
mod warm;

pub use lock::exclusive;
pub use python::find as python;

use crate::error::Result;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;

/// Sets up what any Rust notebook needs: the toolchain's parts and the kernel.
pub fn kernel(home: &Home) -> Result<()> {
    let _alone = exclusive(home)?;
    toolchain::ensure()?;
    library_sources::ensure(home)?;
    evcxr::ensure(home)
}

/// Puts the program into the home that installed kernelspecs start.
pub fn starter(home: &Home) -> Result<()> {
    let _alone = exclusive(home)?;
    starter::ensure(home)
}

/// Makes the warm build of the library, for notebooks that use it.
pub fn library(project: &Checkout, home: &Home) -> Result<()> {
    let _alone = exclusive(home)?;
    warm::ensure(project, home)
}

/// Makes the Python environment with JupyterLab.
pub fn jupyter(project: &Checkout, home: &Home) -> Result<()> {
    let _alone = exclusive(home)?;
    python::ensure(project, home)
}

/// Sets up the local Spark engine.
pub fn spark(project: &Checkout, home: &Home) -> Result<()> {
    let _alone = exclusive(home)?;
    python::ensure(project, home)?;
    spark::ensure(project, home)
}

/// Sets up Apache Spark.
pub fn apache_spark(project: &Checkout, home: &Home) -> Result<()> {
    let _alone = exclusive(home)?;
    python::ensure(project, home)?;
    apache_spark::ensure(project, home)
}

/// Sets up everything that the local model needs.
pub fn model(project: &Checkout, home: &Home) -> Result<()> {
    let _alone = exclusive(home)?;
    python::ensure(project, home)?;
    model::ensure(home)
}
