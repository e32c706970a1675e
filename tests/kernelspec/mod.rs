//! `evenhand kernel install`, `uninstall` and `list` where nothing is set up: what is refused and how,
//! and that nothing else is touched. All folders of Jupyter are temporary.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{checkout, evenhand, is_root};

/// A user with a home folder of their own.
struct User {
    folder: TempDir,
}

/// How a command ended.
struct Ended {
    code: Option<i32>,
    said: String,
}

impl User {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn kernels(&self) -> PathBuf {
        self.path("data/jupyter/kernels")
    }

    fn kernel(&self, arguments: &[&str]) -> Ended {
        let output = evenhand()
            .arg("kernel")
            .args(arguments)
            // Without Rust on PATH, a setup that is not refused ends soon.
            .env("PATH", self.path("bin"))
            .env("HOME", self.folder.path())
            .env("XDG_DATA_HOME", self.path("data"))
            .env("EVENHAND_HOME", self.path("evenhand"))
            .env_remove("JUPYTER_DATA_DIR")
            .env_remove("JUPYTER_PATH")
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        Ended {
            code: output.status.code(),
            said: said.replace(self.folder.path().to_str().unwrap(), "FOLDER"),
        }
    }

    /// The command fails with a hint, and writes nothing. Returns what it said.
    fn is_refused(&self, arguments: &[&str]) -> String {
        let before = files(self.folder.path());
        let ended = self.kernel(arguments);
        assert_eq!(ended.code, Some(1), "{}", ended.said);
        assert!(ended.said.contains("\n  hint: "), "{}", ended.said);
        assert_eq!(files(self.folder.path()), before);
        ended.said
    }

    /// A program that claims to be the Python of this prefix, with this jupyter_client.
    fn python(&self, program: &str, prefix: &str, client: &str) {
        let program = self.path(program);
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        let script = format!(
            "#!/bin/sh\necho '{}'\necho '{client}'\n",
            self.path(prefix).display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    }

    /// A kernelspec as the launcher writes it.
    fn installed(&self, folder: &Path, checkout: &Path) {
        let starter = self.path("starter");
        fs::write(&starter, "").unwrap();
        let spec = json!({
            "argv": [starter, "kernel"], "display_name": "Rust (evenhand)", "language": "rust",
            "metadata": {"evenhand": {
                "version": "0.0.9", "home": self.path("evenhand"), "checkout": checkout,
            }},
        });
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("kernel.json"), spec.to_string()).unwrap();
    }
}

/// All files below the folder, with their contents.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

#[test]
fn a_kernel_that_is_not_ours_is_never_replaced_or_removed() {
    let user = User::new();
    for (name, file, text) in [
        (
            "evenhand",
            "kernel.json",
            r#"{"argv": ["ark"], "display_name": "R"}"#,
        ),
        ("empty", "notes.txt", "mine"),
        ("broken", "kernel.json", "no JSON"),
    ] {
        let folder = user.kernels().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), text).unwrap();
        for command in ["install", "uninstall"] {
            let said = user.is_refused(&[command, "--name", name]);
            assert!(
                said.contains("did not install: it stays as it is"),
                "{said}"
            );
        }
    }
}

#[test]
fn the_kernel_of_another_checkout_stays_as_long_as_it_works() {
    let user = User::new();
    let other = user.path("other");
    fs::create_dir_all(other.join("crate")).unwrap();
    fs::write(other.join("crate/Cargo.toml"), "").unwrap();
    user.installed(&user.kernels().join("evenhand"), &other);
    let said = user.is_refused(&["install"]);
    assert!(
        said.contains("belongs to another checkout, FOLDER/other (version 0.0.9)"),
        "{said}"
    );
    assert!(
        said.contains("choose another --name and --display-name"),
        "{said}"
    );
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let user = User::new();
    fs::write(user.path("file"), "").unwrap();
    let said = user.is_refused(&["install", "--prefix", "file"]);
    assert!(
        said.contains("could not write to FOLDER/file/share/jupyter/kernels"),
        "{said}"
    );
    assert!(said.contains("--user"), "{said}");
    if is_root() {
        return;
    }
    fs::create_dir(user.path("closed")).unwrap();
    fs::set_permissions(user.path("closed"), Permissions::from_mode(0o500)).unwrap();
    let said = user.is_refused(&["install", "--prefix", "closed"]);
    assert!(said.contains("Permission denied"), "{said}");
}

#[test]
fn a_jupyter_that_is_too_old_is_told() {
    let user = User::new();
    user.python("bin/python3", "environment", "5.1.0");
    let said = user.is_refused(&["install", "--sys-prefix"]);
    assert!(
        said.contains("the Jupyter in FOLDER/environment is too old for this kernel"),
        "{said}"
    );
    assert!(
        said.contains("is 5.1.0, and stopping a cell needs 5.2"),
        "{said}"
    );
    user.python("old/bin/python3", "old", "4.4.0");
    let said = user.is_refused(&["install", "--prefix", "old"]);
    assert!(
        said.contains("hint: upgrade it: `FOLDER/old/bin/python"),
        "{said}"
    );
    // Another Jupyter of the user's may be new enough.
    let said = user.kernel(&["install"]).said;
    assert!(
        said.contains("! the Jupyter in FOLDER/environment is too old"),
        "{said}"
    );
}

#[test]
fn names_that_jupyter_would_not_find_are_refused() {
    let user = User::new();
    for name in ["a/b", "..", "a b", "é", ""] {
        let said = user.is_refused(&["install", "--name", name]);
        assert!(said.contains("can't be the name of a kernel"), "{said}");
    }
    let said = user.is_refused(&["install", "--name", "Rust"]);
    assert!(said.contains("evcxr's own kernel"), "{said}");
    let said = user.is_refused(&["install", "--display-name", "a\u{1b}[2J"]);
    assert!(
        said.contains("--display-name") && !said.contains('\u{1b}'),
        "{said}"
    );
    let said = user.is_refused(&["install", "--sys-prefix"]);
    assert!(said.contains("no Python was found on PATH"), "{said}");
}

#[test]
fn the_list_tells_which_kernels_work() {
    let user = User::new();
    let none = user.kernel(&["list"]);
    assert_eq!(none.code, Some(0));
    assert!(
        none.said.contains("no kernel is installed yet"),
        "{}",
        none.said
    );

    user.installed(&user.kernels().join("evenhand"), checkout());
    user.python("bin/python3", "environment", "8.6.1");
    let fine = user.kernel(&["list"]);
    assert_eq!(fine.code, Some(0), "{}", fine.said);
    assert!(
        fine.said.contains(
            "✓ evenhand: 'Rust (evenhand)', version 0.0.9, in FOLDER/data/jupyter/kernels/evenhand"
        ),
        "{}",
        fine.said
    );

    let moved = user.path("environment/share/jupyter/kernels/moved");
    user.installed(&moved, &user.path("gone"));
    let list = user.kernel(&["list"]);
    assert_eq!(list.code, Some(1), "{}", list.said);
    assert!(list.said.contains("✗ moved: "), "{}", list.said);
    assert!(
        list.said.contains(
            "its checkout is no longer at FOLDER/gone\n  hint: if you moved the checkout"
        ),
        "{}",
        list.said
    );
    fs::remove_file(user.path("starter")).unwrap();
    let list = user.kernel(&["list"]);
    assert!(list.said.contains("✗ evenhand: "), "{}", list.said);
    assert!(
        list.said.contains("its program FOLDER/starter is gone"),
        "{}",
        list.said
    );
}

#[test]
fn what_was_installed_is_removed_and_nothing_else() {
    let user = User::new();
    user.installed(&user.kernels().join("evenhand"), &user.path("gone"));
    user.installed(&user.kernels().join("other"), &user.path("gone"));
    let ended = user.kernel(&["uninstall"]);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(!user.kernels().join("evenhand").exists());
    assert!(user.kernels().join("other/kernel.json").exists());
    let said = user.is_refused(&["uninstall"]);
    assert!(
        said.contains("no kernel is installed in FOLDER/data/jupyter/kernels/evenhand"),
        "{said}"
    );
    assert!(said.contains("`evenhand kernel list`"), "{said}");
}

#[test]
fn places_exclude_each_other() {
    let user = User::new();
    let ended = user.kernel(&["install", "--user", "--sys-prefix"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.said.contains("cannot be used with"), "{}", ended.said);
}
