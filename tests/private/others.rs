//! What another user of the machine can do with the launcher's folder: nothing. Only root can try.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::{home, is_root};

/// The user `nobody`, and its group.
const NOBODY: u32 = 65_534;

/// A program as another user runs it: without the rights of this one, and from a folder that it may
/// enter.
fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

fn shell(script: &str, argument: &Path) -> Output {
    let mut shell = as_nobody(Path::new("/bin/sh"));
    shell.args(["-c", script, "sh"]).arg(argument);
    shell.output().unwrap()
}

/// A folder that everybody may enter, with a copy of the launcher and with a home in it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        fs::copy(
            env!("CARGO_BIN_EXE_evenhand"),
            folder.path().join("evenhand"),
        )
        .unwrap();
        let place = Self { folder };
        // Without Python the setup ends soon.
        place.run(&["serve", "--port", "0"], Command::new(place.launcher()));
        assert!(place.home().join("setup.lock").exists());
        place
    }

    fn launcher(&self) -> PathBuf {
        self.folder.path().join("evenhand")
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn run(&self, arguments: &[&str], mut command: Command) -> (Option<i32>, String) {
        let output = command
            .args(arguments)
            .env("EVENHAND_HOME", self.home())
            .env("PATH", self.folder.path())
            .current_dir("/")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    }
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path()),
            _ => vec![entry.path()],
        })
        .collect()
}

#[test]
fn another_user_neither_removes_nor_sets_up_a_home() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let before = files(&place.home());
    for arguments in [&["clean"][..], &["serve", "--port", "0"]] {
        let (code, said) = place.run(arguments, as_nobody(&place.launcher()));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("belongs to another user (uid 0)"), "{said}");
        assert!(said.contains("hint: set EVENHAND_HOME"), "{said}");
    }
    assert_eq!(files(&place.home()), before);

    // The other way round, root removes nothing of another user's either.
    std::os::unix::fs::chown(place.home(), Some(NOBODY), Some(NOBODY)).unwrap();
    let (code, said) = place.run(&["clean"], Command::new(place.launcher()));
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("belongs to another user (uid 65534)"),
        "{said}"
    );
    assert_eq!(files(&place.home()), before);
}

#[test]
fn another_user_holds_no_lock_and_reads_no_file_of_a_home() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    for home in [place.home(), home()] {
        // A lock is held through an open file.
        let lock = shell("exec 9<\"$1\" || exec 9>>\"$1\"", &home.join("setup.lock"));
        assert!(!lock.status.success(), "{}", home.display());
        let listed = shell("ls -A \"$1\" && cat \"$1\"/*", &home);
        assert!(!listed.status.success() && listed.stdout.is_empty());
    }
    // Even if the folder were open, the lock would not be.
    fs::set_permissions(place.home(), Permissions::from_mode(0o755)).unwrap();
    let lock = shell("exec 9<\"$1\"", &place.home().join("setup.lock"));
    assert!(!lock.status.success());
}
