//! Files that are replaced as a whole, accessible to their owner alone from the first byte.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Replaces a file.
///
/// What is written first has always the same name: what a kill leaves of it, perhaps with a key in it, is
/// taken by the next change, or by [`remove_unfinished`].
///
/// # Errors
/// The folder is missing or can't be written to; or what has that name belongs to another user.
pub(crate) fn replace_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let unfinished = unfinished(path);
    let mut file = open(&unfinished)?;
    let written = file
        .write_all(text)
        .and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// Whether [`replace_private`] could write here. Nothing stays behind.
///
/// # Errors
/// As [`replace_private`].
pub(super) fn check_replaceable(path: &Path) -> io::Result<()> {
    let unfinished = unfinished(path);
    let _file = open(&unfinished)?;
    fs::remove_file(&unfinished)
}

/// Removes what a kill has left behind.
///
/// # Errors
/// As [`replace_private`].
pub(super) fn remove_unfinished(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(unfinished(path)) {
        Ok(_) => check_replaceable(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".evenhand-tmp");
    path.with_file_name(name)
}

/// Opens the file, empty and locked, so that whoever else changes the same file waits.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW);
    }
    loop {
        let file = options.open(path)?;
        // A file system without locks has no answer; whoever writes alone needs none.
        let _ = file.lock();
        if !is_still_there(&file, path)? {
            // Whoever held the lock has moved it to its place.
            continue;
        }
        file.set_len(0)?;
        return Ok(file);
    }
}

/// Whether the path still means this file, which is our own.
#[cfg(unix)]
fn is_still_there(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let opened = file.metadata()?;
    if opened.uid() != crate::file_owner::own_user() || opened.nlink() > 1 || !opened.is_file() {
        let message = format!("{} is not a file of yours alone", path.display());
        return Err(io::Error::new(ErrorKind::PermissionDenied, message));
    }
    match fs::symlink_metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_still_there(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_kill_left_is_taken_by_the_next_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let left = folder.path().join(".env.evenhand-tmp");
        fs::write(&left, "AZURE_OPENAI_API_KEY='a key that is longer'").unwrap();
        replace_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), [".env"]);
        fs::write(&left, "key").unwrap();
        remove_unfinished(&path).unwrap();
        remove_unfinished(&path).unwrap();
        check_replaceable(&path).unwrap();
        assert_eq!(names(folder.path()), [".env"]);
    }

    #[test]
    fn many_at_once_leave_one_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::thread::scope(|scope| {
            for text in [b'a', b'b', b'c', b'd'] {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..50 {
                        replace_private(path, &[text; 1_000]).unwrap();
                    }
                });
            }
        });
        let text = fs::read(&path).unwrap();
        assert!(text.len() == 1_000 && text.iter().all(|byte| *byte == text[0]));
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let other = folder.path().join("other");
        fs::write(&other, "mine").unwrap();
        let left = folder.path().join(".env.evenhand-tmp");
        std::os::unix::fs::symlink(&other, &left).unwrap();
        assert!(replace_private(&path, b"key").is_err());
        fs::remove_file(&left).unwrap();
        fs::hard_link(&other, &left).unwrap();
        assert!(replace_private(&path, b"key").is_err());
        assert_eq!(fs::read(&other).unwrap(), b"mine");
        assert!(!path.exists());
    }
}
