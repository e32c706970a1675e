//! Files that are there whole, or as they were before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind as IoKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// Writes a file by this closure: to a new file next to it, which is synced and then gets its name.
pub(super) fn write(
    path: &Path,
    may_replace: bool,
    fill: impl FnOnce(&File) -> Result<()>,
) -> Result<()> {
    let target = target(path, may_replace)?;
    let replaced = target.metadata().ok();
    let part = Part::beside(&target).map_err(|error| unwritable(path, error))?;
    fill(&part.file)?;
    let keep_permissions = || match &replaced {
        Some(replaced) => part.file.set_permissions(replaced.permissions()),
        None => Ok(()),
    };
    keep_permissions()
        .and_then(|()| part.file.sync_all())
        .and_then(|()| part.publish(&target, may_replace))
        .map_err(|error| match error.kind() {
            IoKind::AlreadyExists => exists(path),
            _ => unwritable(path, error),
        })
}

/// The file that the path leads to, after a look at what is there.
fn target(path: &Path, may_replace: bool) -> Result<PathBuf> {
    let is = |what: &str| Error::new(ErrorKind::Argument, format!("{} is {what}", path.display()));
    let Ok(found) = path.symlink_metadata() else {
        return Ok(path.to_owned());
    };
    if path.is_dir() {
        return Err(is("a folder").with_hint("name a file in it"));
    }
    if !may_replace {
        return Err(exists(path));
    }
    let target = match found.is_symlink() {
        true => path
            .canonicalize()
            .map_err(|error| is("a symbolic link that leads nowhere").with_source(error))?,
        false => path.to_owned(),
    };
    let found = target.metadata().map_err(|error| unwritable(path, error))?;
    if !found.is_file() {
        return Err(is("not a regular file"));
    }
    if found.permissions().readonly() {
        return Err(is("read-only").with_hint("give it another name, or make that file writable"));
    }
    Ok(target)
}

/// A file that is being written. Unless it is published, it is removed.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn beside(target: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut name = std::ffi::OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(format!(
            ".{}-{}.part",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        let path = target.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Self { path, file })
    }

    /// Gives the file its name. Without `may_replace`, it fails if another file has it.
    fn publish(&self, target: &Path, may_replace: bool) -> io::Result<()> {
        if may_replace {
            fs::rename(&self.path, target)?;
        } else {
            match fs::hard_link(&self.path, target) {
                // A file system without links.
                Err(error) if error.kind() != IoKind::AlreadyExists => {
                    if target.symlink_metadata().is_ok() {
                        return Err(IoKind::AlreadyExists.into());
                    }
                    fs::rename(&self.path, target)?;
                }
                linked => linked?,
            }
        }
        // The name is in the folder, which some file systems can't sync.
        let folder = target
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After it was renamed, it is not there.
        let _ = fs::remove_file(&self.path);
    }
}

fn exists(path: &Path) -> Error {
    let message = format!("{} exists", path.display());
    Error::new(ErrorKind::Io, message)
        .with_hint("`overwrite` replaces a file; or save under another name")
}

/// The error for a file that can't be written.
pub(super) fn unwritable(path: &Path, error: io::Error) -> Error {
    let hint = match error.kind() {
        IoKind::StorageFull | IoKind::QuotaExceeded | IoKind::FileTooLarge => {
            Some("free up disk space; nothing was written".to_owned())
        }
        IoKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.exists());
            folder.map(|folder| match folder.starts_with("~") {
                true => {
                    "`~` means your home folder to a shell alone: write the whole path".to_owned()
                }
                false => format!("there is no folder {}", folder.display()),
            })
        }
        _ => None,
    };
    let unwritable = Error::new(
        ErrorKind::Io,
        format!("{} can't be written", path.display()),
    )
    .with_source(error);
    match hint {
        Some(hint) => unwritable.with_hint(hint),
        None => unwritable,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn with(text: &'static str) -> impl FnOnce(&File) -> Result<()> {
        move |mut file| Ok(file.write_all(text.as_bytes())?)
    }

    #[test]
    fn a_write_that_fails_halfway_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let full = |mut file: &File| {
            file.write_all(b"half")?;
            let error = io::Error::from(IoKind::StorageFull);
            Err(unwritable(Path::new("a.csv"), error))
        };
        let error = write(&path, false, full).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a.csv can't be written\n  hint: free up disk space; nothing was written"
        );
        assert!(names(folder.path()).is_empty());
        write(&path, false, with("old")).unwrap();
        write(&path, true, full).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a.csv"]);
    }

    #[test]
    fn a_file_is_replaced_only_on_request_and_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        write(&path, false, with("old")).unwrap();
        let error = write(&path, false, with("new")).unwrap_err();
        assert!(error.hint().unwrap().contains("`overwrite`"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let mode = |path: &Path| {
            use std::os::unix::fs::PermissionsExt;
            path.metadata().unwrap().permissions().mode() & 0o777
        };
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write(&path, true, with("new")).unwrap();
        assert_eq!(
            (mode(&path), fs::read_to_string(&path).unwrap()),
            (0o640, "new".to_owned())
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
        let error = write(&path, true, with("newer")).unwrap_err();
        assert!(error.message().contains("read-only"), "{error}");
        assert_eq!(names(folder.path()), ["a.csv"]);
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.csv"), folder.path().join("link.csv"));
        write(&path, false, with("old")).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write(&link, false, with("new")).unwrap_err();
        write(&link, true, with("new")).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        let astray = folder.path().join("astray.csv");
        std::os::unix::fs::symlink("nowhere", &astray).unwrap();
        let error = write(&astray, true, with("new")).unwrap_err();
        assert!(error.message().contains("leads nowhere"), "{error}");
        let error = write(folder.path(), true, with("new")).unwrap_err();
        assert!(error.message().contains("is a folder"), "{error}");
        let error = write(&folder.path().join("no/a.csv"), true, with("new")).unwrap_err();
        assert!(error.hint().unwrap().contains("no folder"), "{error}");
        let error = write(Path::new("~/a.csv"), true, with("new")).unwrap_err();
        assert!(error.hint().unwrap().contains("the whole path"), "{error}");
        // It exists, and nobody can make a file in it.
        let error = write(Path::new("/proc/a.csv"), true, with("new")).unwrap_err();
        assert_eq!(error.hint(), None, "{error}");
    }
}
