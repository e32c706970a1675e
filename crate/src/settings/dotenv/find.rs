//! Finds the `.env` file: the nearest one up to the root of the repository or the home folder,
//! and only a file that no other user can have written.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use crate::file_owner::{may_be_written_by_others, own_user};

/// A file that was found and opened.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

/// The nearest file that may be read. Adds a note for each nearer file that is ignored.
///
/// # Errors
/// A file that belongs to the user can't be opened.
pub(super) fn find(
    folder: &Path,
    home: Option<&Path>,
    notes: &mut Vec<String>,
) -> Result<Option<Found>, (PathBuf, io::Error)> {
    for folder in searched(folder, home) {
        let path = folder.join(".env");
        match open(&path) {
            Ok(Some(file)) => return Ok(Some(Found { path, file })),
            Ok(None) => {}
            Err(Refused::Unsafe(why)) => notes.push(format!(
                "{} was skipped: {why}. If its settings are yours, copy it into a file of your \
                 own that only you can write (chmod 600)",
                path.display()
            )),
            Err(Refused::Unreadable(error)) => return Err((path, error)),
        }
    }
    Ok(None)
}

/// The folder and its parents, up to the root of the repository or the home folder. Without
/// either, only the folder itself, because the parents may belong to anybody.
fn searched<'a>(folder: &'a Path, home: Option<&Path>) -> Vec<&'a Path> {
    let above: Vec<_> = folder.ancestors().collect();
    let is_last = |folder: &&Path| home == Some(*folder) || folder.join(".git").exists();
    let count = above.iter().position(is_last).unwrap_or_default() + 1;
    above.into_iter().take(count).collect()
}

/// The user's home folder, unless it is the root folder.
pub(super) fn home() -> Option<PathBuf> {
    let home = std::env::home_dir().and_then(|home| fs::canonicalize(home).ok());
    home.filter(|home| home.parent().is_some())
}

enum Refused {
    /// Somebody else may have written it.
    Unsafe(String),
    Unreadable(io::Error),
}

/// Opens the file, if it exists and may be read. The opened file itself is checked, so that it
/// can't be replaced between the check and the use.
fn open(path: &Path) -> Result<Option<File>, Refused> {
    // Another user may have created a link, even if it points to one of our own files.
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => unsafe_because(&found, false)?,
        Ok(found) if !found.is_file() => return Ok(None),
        Ok(found) => unsafe_because(&found, true)?,
        Err(_) => return Ok(None),
    }
    let mut options = OpenOptions::new();
    options.read(true);
    // Opening a pipe would block.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = match options.open(path) {
        Ok(file) => file,
        // A dangling link.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Refused::Unreadable(error)),
    };
    let found = file.metadata().map_err(Refused::Unreadable)?;
    unsafe_because(&found, true)?;
    Ok(found.is_file().then_some(file))
}

#[cfg(unix)]
fn unsafe_because(found: &Metadata, with_mode: bool) -> Result<(), Refused> {
    use std::os::unix::fs::MetadataExt;

    let owner = found.uid();
    if owner != own_user() {
        return Err(Refused::Unsafe(format!(
            "it belongs to another user ({owner})"
        )));
    }
    if with_mode && may_be_written_by_others(found) {
        return Err(Refused::Unsafe("other users can write to it".to_owned()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn unsafe_because(_found: &Metadata, _with_mode: bool) -> Result<(), Refused> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(folder: &Path, home: Option<&Path>) -> Option<PathBuf> {
        let found = find(folder, home, &mut Vec::new());
        found
            .unwrap_or_else(|(path, error)| panic!("{path:?} {error}"))
            .map(|found| found.path)
    }

    fn file(path: PathBuf, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        fs::write(&path, "A=1").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_nearest_file_counts_up_to_the_repository_or_home() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        let below = root.join("a/b");
        fs::create_dir_all(&below).unwrap();
        let (top, middle) = (file(root.join(".env"), 0o600), root.join("a"));
        assert_eq!(
            found(&below, None),
            None,
            "nobody knows whose folders these are"
        );
        assert_eq!(found(&root, None).as_ref(), Some(&top));
        assert_eq!(found(&below, Some(&root)).as_ref(), Some(&top));
        assert_eq!(found(&below, Some(&middle)), None);
        fs::write(middle.join(".git"), "gitdir: elsewhere").unwrap();
        assert_eq!(found(&below, Some(&root)), None);
        let near = file(middle.join(".env"), 0o600);
        assert_eq!(found(&below, None), Some(near));
    }

    #[test]
    fn a_file_that_others_may_write_is_passed_over_and_told() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        let below = root.join("a");
        fs::create_dir_all(&below).unwrap();
        let own = file(root.join(".env"), 0o644);
        file(below.join(".env"), 0o666);
        let mut notes = Vec::new();
        let found = find(&below, Some(&root), &mut notes);
        assert_eq!(found.ok().flatten().unwrap().path, own);
        let notes_text = notes.join("\n").replace(below.to_str().unwrap(), "FOLDER");
        insta::assert_snapshot!(notes_text, @r"FOLDER/.env was skipped: other users can write to it. If its settings are yours, copy it into a file of your own that only you can write (chmod 600)");
    }

    #[test]
    fn what_is_no_file_is_none() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".env")).unwrap();
        assert_eq!(found(root.path(), None), None);
        fs::remove_dir(root.path().join(".env")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join(".env")).unwrap();
        assert_eq!(found(root.path(), None), None);
        fs::write(root.path().join("other"), "A=1").unwrap();
        fs::remove_file(root.path().join(".env")).unwrap();
        std::os::unix::fs::symlink("other", root.path().join(".env")).unwrap();
        assert!(found(root.path(), None).is_some());
    }
}
