//! The marker in the launcher's folder. It names the folder's number on its disk, so that a marker that
//! came with a repository or an archive says nothing.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::process::geteuid;

/// The marker file.
pub const MARKER: &str = ".evenhand-home";

/// The largest file that is read as a marker, in bytes.
const MAX_SIZE: u64 = 1024;

/// Whether the folder has a marker that was written for it.
pub(super) fn is_of(root: &Path) -> bool {
    exists(root)
        && text(root)
            .and_then(|text| Ok(text == fs::read_to_string(root.join(MARKER))?))
            .unwrap_or_default()
}

/// Whether there is a file of ours in the marker's place, whatever it says.
pub(super) fn exists(root: &Path) -> bool {
    fs::symlink_metadata(root.join(MARKER)).is_ok_and(|marker| {
        marker.is_file() && marker.uid() == geteuid().as_raw() && marker.len() <= MAX_SIZE
    })
}

/// Writes the folder's marker, as a whole.
pub(super) fn write(root: &Path) -> io::Result<()> {
    let mut marker = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(root)?;
    marker.write_all(text(root)?.as_bytes())?;
    marker.persist(root.join(MARKER))?;
    Ok(())
}

fn text(root: &Path) -> io::Result<String> {
    Ok(format!(
        "evenhand created this folder for what it installs and builds.\n\
         `evenhand clean` removes it. Without this file, evenhand changes nothing here.\n\
         folder {}\n",
        fs::metadata(root)?.ino()
    ))
}
