//! Makes what is missing: toolchain parts, Python environment, model, kernel, and the
//! build of the notebook's dependencies, so that no learner waits for them in a cell.
//!
//! Each step looks first whether its work is done, resumes where it was cut off, and on
//! failure leaves nothing that a later run would take for done.

mod evcxr;
mod lock;
mod model;
mod python;
mod step;
mod toolchain;
mod warm;

pub use lock::exclusive;
pub use python::find as python;

use crate::error::Result;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;

/// Makes what any Rust notebook needs: the toolchain's parts, and the kernel.
pub fn kernel(home: &Home) -> Result<()> {
    let _alone = exclusive(home)?;
    toolchain::ensure()?;
    evcxr::ensure(home)
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

/// Makes everything that the embedded model needs.
pub fn model(project: &Checkout, home: &Home) -> Result<()> {
    let _alone = exclusive(home)?;
    python::ensure(project, home)?;
    model::ensure(home)
}
