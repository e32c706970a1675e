//! Whose a file is, and who else may write to it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// The user that this process acts as.
pub(crate) fn own_user() -> u32 {
    // SAFETY: `geteuid` has no preconditions and can't fail.
    unsafe { libc::geteuid() }
}

/// Whether other users may write to the file.
pub(crate) fn may_be_written_by_others(found: &Metadata) -> bool {
    let own = own_user();
    // Many systems give each user a private group with the same number, and let it write.
    let is_own_group = found.gid() == own && own != 0;
    let others = if is_own_group { 0o002 } else { 0o022 };
    found.mode() & others != 0
}
