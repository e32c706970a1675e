//! openai-python 1.42.0, the client of the original lab, asking the same server.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Running;
use crate::{Result, python};

/// A Python that has it.
pub(crate) struct Peer {
    python: PathBuf,
    script: PathBuf,
}

/// Installs it from PyPI into a folder there, at the first run.
pub(crate) fn set_up(folder: &Path) -> Option<Peer> {
    Some(Peer {
        python: python::with("openai-python", folder)?,
        script: python::scripts().join("peer.py"),
    })
}

impl Peer {
    /// Asks for so many rows; with concurrency 0 one after the other, without asyncio.
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
