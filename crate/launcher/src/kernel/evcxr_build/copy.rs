//! A private copy of a build directory. Compiled artifacts are hard links, since they are never
//! modified; everything that cargo or evcxr rewrites in place is a real copy, so that two kernels
//! never interfere with each other.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::shim::SHIMS;
use crate::error::{Failure, Result};
use crate::jupyter::random_hex;
use crate::paths::home::private::{self, Umask};

/// The file in a copy that its kernel keeps locked while it runs.
const ALIVE: &str = ".evenhand-alive";

/// The age at which an unfinished copy counts as abandoned.
const OLD: Duration = Duration::from_secs(3600);

/// A copy that is removed when its kernel ends.
pub struct PrivateCopy {
    path: PathBuf,
    _alive: File,
}

impl PrivateCopy {
    /// Copies the build directory, if there is one, into a new folder below `copies`.
    pub fn make(build: Option<&Path>, copies: &Path) -> Result<Self> {
        // A random name: process ids are not unique across containers.
        let path = copies.join(random_hex(8)?);
        Self::make_at(build, path.clone()).map_err(|error| {
            Failure::new(format!(
                "could not make the kernel's own build directory {}",
                path.display()
            ))
            .because(error)
            .hint("set EVENHAND_HOME to a folder that is yours and has room")
        })
    }

    fn make_at(build: Option<&Path>, path: PathBuf) -> io::Result<Self> {
        let _umask = Umask::set();
        let new = path.with_extension("new");
        private::create_folder(&new)?;
        // Locked before it gets its final name: another kernel would take it for abandoned.
        let alive = File::create_new(new.join(ALIVE))?;
        alive.try_lock()?;
        fs::rename(&new, &path)?;
        let copy = Self {
            path,
            _alive: alive,
        };
        match build {
            Some(build) => copy_folder(build, &copy.path, &|_| true)?,
            None => private::create_folder(&copy.path.join("target"))?,
        }
        // Made here, since evcxr would create them with the reader's default permissions.
        for folder in ["src", ".cargo"] {
            private::create_folder(&copy.path.join(folder))?;
        }
        File::options()
            .append(true)
            .create(true)
            .open(copy.path.join("src/lib.rs"))?;
        Ok(copy)
    }

    /// The copy's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        // What can't be removed now is removed when the next kernel starts.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the copies of kernels that were killed before they could remove them.
pub fn sweep(copies: &Path) {
    let Ok(entries) = fs::read_dir(copies) else {
        return;
    };
    for folder in entries.filter_map(io::Result::ok).map(|entry| entry.path()) {
        if let Ok(alive) = File::open(folder.join(ALIVE))
            && !is_new(&folder)
            && alive.try_lock().is_ok()
        {
            // Another kernel may be removing the same folder, so a failure is not an error.
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// Whether a copy is just being made. One that was interrupted there holds only its lock file.
fn is_new(folder: &Path) -> bool {
    let long_ago = |made: fs::Metadata| {
        let age = made.modified().ok().and_then(|time| time.elapsed().ok());
        age.is_some_and(|age| age > OLD)
    };
    folder
        .extension()
        .is_some_and(|extension| extension == "new")
        && !fs::metadata(folder).is_ok_and(long_ago)
}

/// Copies the dependencies of a build for another checkout: all but the library, which cargo knows by
/// its path.
pub fn copy_dependencies(from: &Path, to: &Path) -> io::Result<()> {
    let new = to.with_extension("new");
    // Left there by a copy that was interrupted.
    if new.exists() {
        fs::remove_dir_all(&new)?;
    }
    copy_folder(from, &new, &|name| !name.contains("evenhand"))?;
    fs::rename(&new, to)
}

/// Copies what has a name that is wanted.
fn copy_folder(from: &Path, to: &Path, is_wanted: &dyn Fn(&str) -> bool) -> io::Result<()> {
    private::create_folder(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, entry.file_name());
        let name = name.to_string_lossy();
        let target = to.join(entry.file_name());
        if !is_wanted(&name) {
            continue;
        }
        if kind.is_dir() && name != "incremental" && name != SHIMS {
            copy_folder(&entry.path(), &target, is_wanted)?;
        } else if kind.is_file() && !belongs_to_a_cell(&name) {
            copy_file(&entry.path(), &target, is_artifact(&name))?;
        }
    }
    Ok(())
}

pub(super) fn copy_file(from: &Path, to: &Path, link: bool) -> io::Result<()> {
    // A link fails across file systems and where the system forbids it; a copy works too.
    if link && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)?;
    // cargo compares times: a copy that looks newer than its original would be rebuilt.
    let times = fs::FileTimes::new().set_modified(fs::metadata(from)?.modified()?);
    File::options().write(true).open(to)?.set_times(times)
}

/// Whether the compiler writes the file once and never modifies it in place.
pub(super) fn is_artifact(name: &str) -> bool {
    [".rlib", ".rmeta", ".so", ".dylib", ".a", ".o"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Whether evcxr compiled the file for a cell of another kernel.
fn belongs_to_a_cell(name: &str) -> bool {
    name.starts_with("libcode_") || name.starts_with("libctx") || name == ".evcxr-execution-so"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build() -> tempfile::TempDir {
        let build = tempfile::tempdir().unwrap();
        let deps = build.path().join("target/debug/deps");
        fs::create_dir_all(&deps).unwrap();
        fs::create_dir_all(build.path().join("target/debug/incremental/ctx")).unwrap();
        fs::write(deps.join("libpolars.rlib"), "artifact").unwrap();
        fs::write(deps.join("libcode_3.so"), "a cell").unwrap();
        fs::write(build.path().join("Cargo.toml"), "[package]").unwrap();
        build
    }

    #[test]
    fn a_copy_shares_artifacts_and_nothing_that_is_rewritten() {
        let (build, copies) = (build(), tempfile::tempdir().unwrap());
        let copy = PrivateCopy::make(Some(build.path()), copies.path()).unwrap();
        let deps = copy.path().join("target/debug/deps");
        assert_eq!(
            fs::read_to_string(deps.join("libpolars.rlib")).unwrap(),
            "artifact"
        );
        assert!(!deps.join("libcode_3.so").exists());
        fs::write(copy.path().join("Cargo.toml"), "changed").unwrap();
        assert_eq!(
            fs::read_to_string(build.path().join("Cargo.toml")).unwrap(),
            "[package]"
        );
    }

    #[test]
    fn copied_files_keep_their_times() {
        let (build, copies) = (build(), tempfile::tempdir().unwrap());
        let manifest = build.path().join("Cargo.toml");
        let long_ago =
            std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        File::options()
            .write(true)
            .open(&manifest)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        let copy = PrivateCopy::make(Some(build.path()), copies.path()).unwrap();
        let copied = fs::metadata(copy.path().join("Cargo.toml"))
            .unwrap()
            .modified()
            .unwrap();
        assert_eq!(copied, long_ago);
    }

    #[test]
    fn another_checkout_shares_the_dependencies_but_not_the_library() {
        let (from, folder) = (build(), tempfile::tempdir().unwrap());
        fs::write(from.path().join("target/debug/deps/libevenhand.so"), "ours").unwrap();
        let to = folder.path().join("build");
        // As an interrupted copy leaves it.
        fs::create_dir_all(folder.path().join("build.new/target")).unwrap();
        copy_dependencies(from.path(), &to).unwrap();
        let deps = to.join("target/debug/deps");
        assert!(deps.join("libpolars.rlib").exists());
        assert!(!deps.join("libevenhand.so").exists());
        assert!(!to.with_extension("new").exists());
    }

    #[test]
    fn the_end_of_a_kernel_removes_its_copy_and_the_next_start_an_abandoned_one() {
        let (build, copies) = (build(), tempfile::tempdir().unwrap());
        let copy = PrivateCopy::make(Some(build.path()), copies.path()).unwrap();
        let path = copy.path().to_owned();
        sweep(copies.path());
        assert!(path.exists(), "a living kernel's copy was swept");
        drop(copy);
        assert!(!path.exists());

        fs::create_dir(&path).unwrap();
        fs::write(path.join(ALIVE), "").unwrap();
        sweep(copies.path());
        assert!(!path.exists());
    }
}
