//! openai-python 1.42.0, the client of the original lab, asking the same server.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Running;
use crate::{Result, python};

/// A Python environment with openai-python.
pub(crate) struct Peer {
    python: PathBuf,
    script: PathBuf,
}

/// Installs openai-python from PyPI into a subfolder, at the first run.
pub(crate) fn set_up(folder: &Path) -> Option<Peer> {
    Some(Peer {
        python: python::with("openai-python", folder)?,
        script: python::scripts().join("peer.py"),
    })
}

impl Peer {
    /// Asks that many rows; with concurrency 0, sequentially and without asyncio.
    pub(crate) fn start(
        &self,
        address: &str,
        rows: usize,
        concurrency: usize,
        warm_up: usize,
    ) -> Result<Running> {
        Running::start(
            Command::new(&self.python)
                .arg(&self.script)
                .arg(address)
                .args([rows, concurrency, warm_up].map(|number| number.to_string())),
        )
    }
}
