//! Permissions that keep other users out: folders of mode 0700, files of mode 0600.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::Mode;
use rustix::process::umask;

/// The permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Creates a folder, and its missing parents, accessible to the owner only.
pub fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates a folder that one process at a time uses, and takes its lock, which is held until the file
/// is closed. `None` if another process holds it.
pub fn lock_folder(path: &Path) -> io::Result<Option<File>> {
    create_folder(path)?;
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.join("lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Replaces a file, as a whole or not at all, in a folder whose lock this process holds: what a kill leaves
/// behind has one name, and the next change takes it. If `is_synced`, it is on the disk afterwards.
pub fn replace_in_locked_folder(path: &Path, text: &[u8], is_synced: bool) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(text)?;
    if is_synced {
        file.sync_all()?;
    }
    fs::rename(&unfinished, path)
}

/// As long as this value exists, everything that this process and its children create is
/// accessible to the owner only.
pub struct Umask(Mode);

impl Umask {
    /// Sets the umask.
    pub fn set() -> Self {
        Self(umask(Mode::from_raw_mode(OTHERS as _)))
    }
}

impl Drop for Umask {
    fn drop(&mut self) {
        umask(self.0);
    }
}

/// Removes the permissions of others from this path and everything below it. Symbolic links are
/// not followed.
pub fn tighten(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(());
    }
    let mode = found.permissions().mode();
    if mode & OTHERS != 0 {
        fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS & 0o7777))?;
    }
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            tighten(&entry?.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_lose_their_rights_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| {
            let found = fs::metadata(folder.path().join(name)).unwrap();
            found.permissions().mode() & 0o777
        };
        let write = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        };
        write("home/a/program", 0o755);
        write("home/a/text", 0o666);
        write("elsewhere", 0o644);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("home/link")).unwrap();
        tighten(&folder.path().join("home")).unwrap();
        assert_eq!(mode("home/a"), 0o700);
        assert_eq!(mode("home/a/program"), 0o700);
        assert_eq!(mode("home/a/text"), 0o600);
        assert_eq!(mode("elsewhere"), 0o644);
    }
}
