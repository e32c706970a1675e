//! Keeps a journal's folder and files private: what other users may have written is refused, since it
//! would come back as answers, and what they may read is closed.

use std::fs::{File, Metadata};
use std::path::Path;

#[cfg(unix)]
use super::errors::{VARIABLE, unusable, unwritable};
#[cfg(unix)]
use crate::display::note_line;
use crate::error::Result;
#[cfg(unix)]
use crate::file_owner::{may_be_written_by_others, own_user};

/// Removes the permissions of others from the folder, which an earlier version made with the usual
/// ones.
///
/// # Errors
/// It is a link, which may have come with somebody else's files; or it belongs to another user, who
/// could read everything in it.
#[cfg(unix)]
pub(super) fn close_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;

    let found = std::fs::symlink_metadata(folder).map_err(|error| unwritable(folder, error))?;
    if found.is_symlink() {
        return Err(
            unusable(folder, "is a link; answers are kept in a folder only")
                .with_hint(format!("remove the link, or set {VARIABLE} to the folder")),
        );
    }
    // Root may use everybody's files anyway, and in a container owns few of them.
    if found.uid() != own_user() && own_user() != 0 {
        let owner = found.uid();
        return Err(
            unusable(folder, &format!("belongs to another user ({owner})")).with_hint(format!(
                "the answers would be kept there: set {VARIABLE} to a folder of your own, or to off"
            )),
        );
    }
    let close = |mode| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode))
    };
    closed(folder, &found, 0o700, close)
}

/// Refuses an opened file that others may have written, and closes one that they may read.
///
/// # Errors
/// It belongs to another user, or others may write to it.
#[cfg(unix)]
pub(super) fn close_file(path: &Path, file: &File, found: &Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt;

    let (own, owner) = (own_user(), found.uid());
    if owner != own && owner != 0 && !(own == 0 && is_in_closed_folder(path)) {
        return Err(refused(path, &format!("belongs to another user ({owner})")));
    }
    if may_be_written_by_others(found) {
        let mode = found.mode() & 0o7777;
        let what = format!("can be written by other users (mode {mode:04o})");
        return Err(refused(path, &what));
    }
    if owner != own {
        return Ok(());
    }
    closed(path, found, 0o600, |mode| {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(mode))
    })
}

/// Whether no other user can have put the file there: then root uses it, who in a container owns few
/// files.
#[cfg(unix)]
fn is_in_closed_folder(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let folder = path.canonicalize().ok();
    let folder = folder.as_deref().and_then(Path::parent);
    folder
        .and_then(|folder| folder.metadata().ok())
        .is_some_and(|folder| folder.mode() & 0o022 == 0)
}

#[cfg(unix)]
fn refused(path: &Path, why: &str) -> crate::error::Error {
    let what = format!("{why}, so its contents can't be trusted as answers");
    unusable(path, &what).with_hint(format!(
        "name another file; or, if every row in it is yours, copy it to a file of your own, and \
         protect that with `chmod 600 {}`",
        path.display()
    ))
}

/// Leaves the owner's permissions of `most` alone.
#[cfg(unix)]
fn closed(
    path: &Path,
    found: &Metadata,
    most: u32,
    close: impl FnOnce(u32) -> std::io::Result<()>,
) -> Result<()> {
    use std::os::unix::fs::MetadataExt;

    let mode = found.mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    close(mode & most).map_err(|error| unwritable(path, error))?;
    note_line(&format!(
        "only you can read {} from now on; it had mode {mode:04o}, which let others read it",
        path.display()
    ));
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn close_folder(_folder: &Path) -> Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn close_file(_path: &Path, _file: &File, _found: &Metadata) -> Result<()> {
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::path::PathBuf;

    use super::super::Journal;
    use super::*;

    fn journal(mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    fn rejection(path: &Path) -> String {
        let error = Journal::open(path, None).map(|_| ()).unwrap_err();
        let folder = path.parent().unwrap().to_str().unwrap();
        error.to_string().replace(folder, "FOLDER")
    }

    #[test]
    fn a_file_that_others_may_write_is_refused() {
        let (_folder, path) = journal(0o646);
        insta::assert_snapshot!(rejection(&path), @r"
        FOLDER/run.jsonl can be written by other users (mode 0646), so its contents can't be trusted as answers
          hint: name another file; or, if every row in it is yours, copy it to a file of your own, and protect that with `chmod 600 FOLDER/run.jsonl`
        ");
        let found = fs::metadata(&path).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o646, "it was changed");
        let (_folder, path) = journal(0o600);
        let requests = path.with_file_name("run.requests.jsonl");
        fs::write(&requests, "").unwrap();
        fs::set_permissions(&requests, Permissions::from_mode(0o666)).unwrap();
        assert!(rejection(&path).contains("requests.jsonl can be written"));
    }

    #[test]
    fn a_file_of_our_own_that_others_may_read_is_closed() {
        let (_folder, path) = journal(0o644);
        let journal = Journal::open(&path, None).unwrap().unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(journal.notes().is_empty());
    }

    #[test]
    fn a_file_of_another_user_is_refused_where_others_can_put_one() {
        let (folder, path) = journal(0o600);
        // Only root can give a file away.
        if own_user() != 0 || chown(&path, Some(65_534), None).is_err() {
            return;
        }
        fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
        let rejection = rejection(&path);
        assert!(
            rejection.contains("belongs to another user (65534)"),
            "{rejection}"
        );
        // Root in a container, with the folder of a user of the machine.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        assert!(Journal::open(&path, None).unwrap().is_some());
    }
}
