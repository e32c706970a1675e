//! Other programs that run notebooks: they stop at a failure as they would in a Python notebook.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::json;

use super::{library, python};
use crate::support::home;
use crate::support::python::environment;

/// Packages that the tests need besides those that the launcher installs.
const TOOLS: [&str; 4] = [
    "jupyter_kernel_test==0.7.0",
    "papermill==2.7.0",
    "nbmake==1.5.5",
    "pytest",
];

/// A Python environment with the tools, which also sees the packages of the launcher's.
fn tools() -> PathBuf {
    static TOOLS_PYTHON: OnceLock<PathBuf> = OnceLock::new();
    TOOLS_PYTHON
        .get_or_init(|| {
            let python = home().join("venv/bin/python");
            environment("test-tools", &python, &TOOLS).unwrap()
        })
        .clone()
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// A folder with the kernelspec as the launcher writes it, and a notebook that panics.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kernel = folder.path().join("jupyter/kernels/rust");
        fs::create_dir_all(&kernel).unwrap();
        let argv = [
            env!("CARGO_BIN_EXE_evenhand"),
            "kernel",
            "--connection-file",
            "{connection_file}",
        ];
        let spec = json!({"argv": argv, "display_name": "Rust", "language": "rust", "interrupt_mode": "message"});
        fs::write(kernel.join("kernel.json"), spec.to_string()).unwrap();
        let cell = |source: &str| json!({"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": source});
        let notebook = json!({
            "cells": [cell("let a = 1;"), cell("panic!(\"stop here\");"), cell("println!(\"went on\");")],
            "metadata": {"kernelspec": {"display_name": "Rust", "language": "rust", "name": "rust"}},
            "nbformat": 4, "nbformat_minor": 4,
        });
        fs::write(folder.path().join("panics.ipynb"), notebook.to_string()).unwrap();
        Self(folder)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(tools().join(program));
        for (name, value) in python().get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .args(arguments)
            .env("LIBRARY", library())
            .env("JUPYTER_PATH", self.0.path().join("jupyter"))
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

#[test]
fn what_runs_notebooks_stops_at_a_panic() {
    let folder = Folder::new();
    for (program, arguments) in [
        ("papermill", &["panics.ipynb", "out.ipynb"][..]),
        ("pytest", &["--nbmake", "panics.ipynb"]),
        ("jupyter-execute", &["panics.ipynb"]),
    ] {
        let output = folder.run(program, arguments);
        let said = said(&output);
        assert!(
            !output.status.success(),
            "{program} reports success: {said}"
        );
        assert!(said.contains("stop here"), "{program}: {said}");
        assert!(!said.contains("went on"), "{program} went on: {said}");
    }
}

const SUITE: &str = r#"
import os
import unittest
import jupyter_kernel_test

class Rust(jupyter_kernel_test.KernelTests):
    kernel_name = "rust"
    language_name = "rust"
    file_extension = ".rs"
    code_hello_world = 'println!("hello, world");'
    code_stderr = 'eprintln!("test");'
    code_execute_result = [{"code": "6 * 7", "result": "42"}]
    code_display_data = [{"code": os.environ["LIBRARY"] + '\ndisplay(&df!["a" => [1]]?);', "mime": "text/html"}]
    code_generate_error = 'panic!("no");'
    completion_samples = [{"text": "std::collections::HashM", "matches": {"HashMap"}}]
    complete_code_samples = ["1 + 1", "fn f() {}"]
    incomplete_code_samples = ["fn f() {", 'let a = "x']
    invalid_code_samples = ["}"]
    code_history_pattern = "6*7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "String::from"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The suite waits 15 s for a cell; the library's first use may take longer on a busy machine.
        for sample in cls.code_display_data:
            cls.kc.execute_interactive(sample["code"], output_hook=lambda message: None)

    def execute_helper(self, *arguments, **options):
        # A cell that compiles for seconds displays that it does, until it runs. The suite looks at
        # the first thing that is displayed.
        reply, messages = super().execute_helper(*arguments, **options)
        return reply, [each for each in messages if not says_that_it_compiles(each)]

def says_that_it_compiles(message):
    text = message["content"].get("data", {}).get("text/plain", "")
    return message["msg_type"] in ("display_data", "update_display_data") and text.startswith("compiling")

if __name__ == "__main__":
    unittest.main(verbosity=2)
"#;

#[test]
fn the_public_suite_for_kernels_passes() {
    let folder = Folder::new();
    fs::write(folder.0.path().join("suite.py"), SUITE).unwrap();
    let output = folder.run("python", &["suite.py"]);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("test_execute_stdout") && said.contains("test_history"),
        "{said}"
    );
}
