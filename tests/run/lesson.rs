//! A notebook in a folder of its own, and how its run ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{evenhand, home};

pub(crate) fn cell(source: &str) -> Value {
    json!({"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": source})
}

pub(crate) fn failing(source: &str) -> Value {
    let mut cell = cell(source);
    cell["metadata"] = json!({"tags": ["raises-exception"]});
    cell
}

/// A folder with a notebook in it.
pub(crate) struct Lesson {
    pub(crate) folder: TempDir,
    home: PathBuf,
}

/// How a run ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Lesson {
    pub(crate) fn new(cells: &[Value]) -> Self {
        let notebook = json!({
            "cells": cells,
            "metadata": {"kernelspec": {"display_name": "Rust", "language": "rust", "name": "rust"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        });
        Self::of_text(&notebook.to_string())
    }

    pub(crate) fn of_text(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lesson.ipynb"), text).unwrap();
        Self {
            folder,
            home: home(),
        }
    }

    /// Replaces the real kernel by this program.
    pub(crate) fn with_kernel(mut self, program: &Path) -> Self {
        self.home = self.path("home");
        let bin = self.home.join("kernel/bin");
        fs::create_dir_all(&bin).unwrap();
        std::os::unix::fs::symlink(program, bin.join("evcxr_jupyter")).unwrap();
        // The setup's marker for its own build, which can listen on sockets in a folder.
        std::fs::write(bin.join("evcxr_jupyter.ipc"), "").unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = evenhand();
        command
            .arg("run")
            .arg(self.path("lesson.ipynb"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("EVENHAND_HOME", &self.home)
            // Shows what the runs leave behind in temporary folders.
            .env("TMPDIR", self.temporary());
        command
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        let folder = self.path("temporary");
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        let left: Vec<_> = fs::read_dir(self.temporary())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name.to_string_lossy().starts_with("evenhand-"))
            .collect();
        assert!(left.is_empty(), "{left:?} was left behind");
        let ran = Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        // Shown when the test fails.
        eprintln!("{}\n{}", ran.stdout, ran.stderr);
        ran
    }

    /// The cells of the executed notebook.
    pub(crate) fn executed(&self) -> Vec<Value> {
        let text = fs::read(self.path("out/lesson.ipynb")).unwrap();
        let notebook: Value = serde_json::from_slice(&text).unwrap();
        notebook["cells"].as_array().unwrap().clone()
    }
}
