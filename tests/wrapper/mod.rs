//! The kernel as Jupyter uses it: through Jupyter's own client, and with the real evcxr.

mod cells;
mod ends;
mod failures;
mod lab;
mod outputs;
mod own_crates;
mod plain;
mod protocol;
mod sessions;
mod start;
mod stops;
mod strangers;
mod streams;
mod tools;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::server::Server;
use crate::support::{evenhand, home};

/// The Python code with which a test talks to a kernel.
const PRELUDE: &str = include_str!("../support/kernel.py");

/// Runs a Python script that can use `Kernel` and `tell`. Returns what it last passed to `tell`.
fn told(script: &str) -> Value {
    let output = python()
        .args(["-c", &format!("{PRELUDE}\n{script}")])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{log}");
    let last = said.lines().last().unwrap_or_else(|| panic!("{log}"));
    serde_json::from_str(last).unwrap_or_else(|_| panic!("{said}\n{log}"))
}

/// Runs these cells, Python strings, one after the other. Returns the reply to each.
fn ran(cells: &str) -> Value {
    ran_by("Kernel()", cells)
}

/// The same in a kernel that is created by this Python expression.
fn ran_by(kernel: &str, cells: &str) -> Value {
    told(&format!(
        "kernel = {kernel}\ntell([kernel.run(code) for code in [{cells}]])\nkernel.end()"
    ))
}

/// The environment of a kernel that uses this server, as a Python expression.
fn asking(server: &Server) -> String {
    let url = server.url();
    format!(
        "AZURE_OPENAI_ENDPOINT={url:?}, AZURE_OPENAI_API_KEY=\"not-to-be-seen\", \
         AZURE_OPENAI_DEPLOYMENT=\"any\", EVENHAND_JOURNAL=\"off\""
    )
}

/// The Python of the launcher's environment, set up to find the kernel.
fn python() -> Command {
    let program = env!("CARGO_BIN_EXE_evenhand");
    let argv = json!([program, "kernel", "--connection-file", "{connection_file}"]);
    let mut python = Command::new(home().join("venv/bin/python"));
    for (name, value) in evenhand().get_envs() {
        match value {
            Some(value) => python.env(name, value),
            None => python.env_remove(name),
        };
    }
    python
        .env("KERNEL_ARGV", argv.to_string())
        .env("LIBRARY", library())
        .env("EVENHAND_HOME", home())
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../notebooks"))
        .stdin(Stdio::null());
    python
}

/// The folder of the build directories of running kernels.
fn copies() -> PathBuf {
    home().join("kernel/running")
}

/// The lines that load the library.
fn library() -> String {
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crate/notebook");
    format!(":dep evenhand = {{ path = {library:?} }}\nuse evenhand::prelude::*;")
}

/// What a cell printed on one of its streams.
fn printed(reply: &Value, stream: &str) -> String {
    let outputs = reply["outputs"].as_array().unwrap().iter();
    outputs
        .filter(|output| output["name"] == stream)
        .filter_map(|output| output["text"].as_str())
        .collect()
}
