//! `evenhand lab`: JupyterLab with the launcher's additions.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Launcher, evenhand, home, poll};

/// A JupyterLab that the launcher runs on a folder.
struct JupyterLab {
    port: u16,
    _launcher: Launcher,
}

const TOKEN: &str = "evenhand-test";

impl JupyterLab {
    fn start(folder: &Path, data: &Path) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let launcher = evenhand()
            .arg("lab")
            .arg(folder)
            .args(["--", "--no-browser", "--ServerApp.port_retries=0"])
            .args(["--port", &port.to_string()])
            .arg(format!("--IdentityProvider.token={TOKEN}"))
            .env("EVENHAND_HOME", home())
            .env("JUPYTER_DATA_DIR", data)
            .env("AZURE_OPENAI_ENDPOINT", "https://contoso.openai.azure.com")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let lab = Self {
            port,
            _launcher: Launcher(launcher),
        };
        let answers = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        poll(Duration::from_secs(120), || answers().then_some(()))
            .expect("JupyterLab does not start");
        lab
    }

    /// The answer to a request, with its status line.
    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: token {TOKEN}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn opening_a_notebook_starts_no_kernel_but_ours() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let canary = path("canary");
    // What `python -m ipykernel_launcher` finds first is the file next to the notebook.
    let code = format!("open({:?}, 'w').close()\n", canary.display().to_string());
    fs::create_dir(path("folder")).unwrap();
    for module in ["ipykernel_launcher.py", "ipykernel.py", "random.py"] {
        fs::write(path("folder").join(module), &code).unwrap();
    }
    // A kernel that another program installed for this user.
    fs::create_dir_all(path("data/kernels/other")).unwrap();
    let other = json!({"argv": ["touch", canary], "display_name": "Other", "language": "other"});
    fs::write(path("data/kernels/other/kernel.json"), other.to_string()).unwrap();
    let lab = JupyterLab::start(&path("folder"), &path("data"));
    for name in ["python3", "other", "PYTHON3"] {
        let notebook = json!({
            "cells": [], "nbformat": 4, "nbformat_minor": 5,
            "metadata": {"kernelspec": {"name": name, "display_name": name}},
        });
        let file = format!("{name}.ipynb");
        fs::write(path("folder").join(&file), notebook.to_string()).unwrap();
        let session =
            json!({"path": file, "name": file, "type": "notebook", "kernel": {"name": name}});
        let answer = lab.ask("POST", "/api/sessions", &session.to_string());
        assert!(!answer.starts_with("HTTP/1.1 2"), "{name}: {answer}");
    }
    let specs = lab.ask("GET", "/api/kernelspecs", "");
    let specs = specs.split_once("\r\n\r\n").unwrap().1;
    let specs: Value = serde_json::from_str(specs).unwrap();
    assert_eq!(specs["default"], "rust", "{specs}");
    let names: Vec<&String> = specs["kernelspecs"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["rust"]);
    let session =
        json!({"path": "a.ipynb", "name": "a", "type": "notebook", "kernel": {"name": "rust"}});
    let answer = lab.ask("POST", "/api/sessions", &session.to_string());
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    // Before its folder is removed.
    let port = lab.port;
    drop(lab);
    let answers = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    poll(Duration::from_secs(60), || (!answers()).then_some(())).expect("JupyterLab goes on");
    assert_eq!(
        fs::metadata(&canary)
            .map(drop)
            .err()
            .map(|error| error.kind()),
        Some(ErrorKind::NotFound)
    );
}

#[test]
fn jupyterlab_ends_with_a_launcher_that_was_killed() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let answers = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    let launcher = evenhand()
        .args(["lab", "--", "--no-browser", "--ServerApp.port_retries=0"])
        .args(["--port", &port.to_string()])
        .env("EVENHAND_HOME", home())
        // With a service configured, no model is started.
        .env("AZURE_OPENAI_ENDPOINT", "https://contoso.openai.azure.com")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let launcher = Launcher(launcher);
    poll(Duration::from_secs(120), || answers().then_some(())).expect("JupyterLab does not start");
    drop(launcher);
    poll(Duration::from_secs(60), || (!answers()).then_some(())).expect("JupyterLab goes on");
}
