//! The folders around the launcher's: nobody else may put another folder in its place.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::geteuid;

use super::place::ANOTHER;
use crate::error::{Context, Failure, Result};

/// The mode bit of a folder in which only the owner of an entry may replace it.
const STICKY: u32 = 0o1000;

/// Refuses a place below a folder whose entries another user can replace. In a folder of root's with
/// the sticky bit, such as `/tmp`, others can only replace their own.
pub(super) fn check(root: &Path) -> Result<()> {
    let existing = |folder: &Path| folder.canonicalize().ok();
    let around = root.ancestors().skip(1).find_map(existing);
    // A link leads to a folder with other ancestors.
    let linked = existing(root).and_then(|root| root.parent().map(Path::to_owned));
    for around in [around, linked]
        .iter()
        .flatten()
        .flat_map(|it| it.ancestors())
    {
        let found =
            fs::metadata(around).with_context(|| format!("could not read {}", around.display()))?;
        let refused = |why: String| Err(Failure::new(why).hint(ANOTHER));
        if ![0, geteuid().as_raw()].contains(&found.uid()) {
            return refused(format!(
                "{} belongs to another user (uid {}), who could put another folder in the place of {}",
                around.display(),
                found.uid(),
                root.display()
            ));
        }
        let mode = found.mode() & 0o7777;
        // Many systems give each user a private group with the same number, and let it write.
        let is_private = found.gid() == 0 || found.gid() == geteuid().as_raw();
        let others = if is_private { 0o002 } else { 0o022 };
        if mode & others != 0 && mode & STICKY == 0 {
            return refused(format!(
                "others can write to {} (mode {mode:04o}), and so put another folder in the place of {}",
                around.display(),
                root.display()
            ));
        }
    }
    Ok(())
}
