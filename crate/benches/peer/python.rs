//! A Python environment with a peer.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with the peers' scripts and package lists.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer")
}

/// Installs a peer from PyPI into a subfolder at the first run, and returns its Python. Prints a
/// message and returns `None` if that fails.
pub(crate) fn with(peer: &str, folder: &Path) -> Option<PathBuf> {
    let environment = folder.join(peer);
    let status = Command::new(scripts().join("set-up.sh"))
        .arg(&environment)
        .arg(peer)
        .status();
    if status.is_ok_and(|status| status.success()) {
        return Some(environment.join("bin/python"));
    }
    eprintln!("{peer} could not be set up, so there is nothing to compare with");
    None
}
