//! `evenhand lab`: JupyterLab with the launcher's additions.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};

use crate::support::{Browser, LabCommand};

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
    let lab = LabCommand::start(&path("folder"), &path("data"), |_| {});
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
    lab.end();
    assert_eq!(
        fs::metadata(&canary)
            .map(drop)
            .err()
            .map(|error| error.kind()),
        Some(ErrorKind::NotFound)
    );
}

/// A notebook with one Markdown cell.
fn notebook(markdown: &str) -> String {
    let cell = json!({"cell_type": "markdown", "id": "a", "metadata": {}, "source": markdown});
    let kernel = json!({"name": "rust", "display_name": "Rust", "language": "rust"});
    json!({"cells": [cell], "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}})
        .to_string()
}

#[test]
fn no_language_server_is_looked_for() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let canary = path("canary");
    for folder in ["folder", "data", "bin"] {
        fs::create_dir(path(folder)).unwrap();
    }
    // Each would be started to see what it can do, or listed.
    for program in ["R", "julia", "texlab", "npm"] {
        let file = path("bin").join(program);
        fs::write(&file, format!("#!/bin/sh\ntouch {canary:?}\necho x\n")).unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o755)).unwrap();
    }
    let own = std::env::var_os("PATH").unwrap();
    let programs = [path("bin")].into_iter().chain(std::env::split_paths(&own));
    let programs = std::env::join_paths(programs).unwrap();
    let lab = LabCommand::start(&path("folder"), &path("data"), |command| {
        command.env("PATH", programs);
    });
    let answer = lab.ask("GET", "/lsp/status", "");
    let (_, status) = answer.split_once("\r\n\r\n").unwrap();
    let status: Value = serde_json::from_str(status).unwrap();
    assert_eq!(status["sessions"], json!({}), "{status}");
    assert!(!canary.exists());
}

#[test]
fn opening_a_notebook_writes_through_no_link() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    for folder in [
        "mine",
        "data",
        "one/.ipynb_checkpoints",
        "two",
        "three/.ipynb_checkpoints",
        "four",
    ] {
        fs::create_dir_all(path(folder)).unwrap();
    }
    fs::write(path("mine/kept"), "mine").unwrap();
    for folder in ["one", "two", "three", "four"] {
        fs::write(path(folder).join("a.ipynb"), notebook("$(evil)")).unwrap();
    }
    let checkpoint = ".ipynb_checkpoints/a-checkpoint.ipynb";
    symlink("../../mine/new", path("one").join(checkpoint)).unwrap();
    symlink("../mine", path("two/.ipynb_checkpoints")).unwrap();
    symlink("../../mine/kept", path("three").join(checkpoint)).unwrap();
    let lab = LabCommand::start(place.path(), &path("data"), |_| {});
    for folder in ["one", "two", "three", "four"] {
        let address = format!("/api/contents/{folder}/a.ipynb/checkpoints");
        let answer = lab.ask("POST", &address, "");
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        let listed = lab.ask("GET", &address, "");
        assert!(listed.contains(r#""id": "checkpoint""#), "{listed}");
        fs::write(path(folder).join("a.ipynb"), notebook("changed")).unwrap();
        let answer = lab.ask("POST", &format!("{address}/checkpoint"), "");
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        let restored = fs::read_to_string(path(folder).join("a.ipynb")).unwrap();
        assert!(restored.contains("$(evil)"), "{folder}: {restored}");
    }
    let mine: Vec<_> = fs::read_dir(path("mine"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(mine, ["kept"]);
    assert_eq!(fs::read_to_string(path("mine/kept")).unwrap(), "mine");
    assert!(
        path("four").join(checkpoint).exists(),
        "others are where Jupyter keeps them"
    );
}

#[test]
fn the_reader_chooses_a_kernel_where_a_notebook_names_another() {
    let Some(browser) = Browser::start(1200, 900) else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let canary = path("canary");
    fs::create_dir_all(path("folder")).unwrap();
    let code = format!("open({:?}, 'w').close()\n", canary.display().to_string());
    fs::write(path("folder/ipykernel_launcher.py"), code).unwrap();
    let python = notebook("A text.").replace("\"rust\"", "\"python3\"");
    fs::write(path("folder/a.ipynb"), python).unwrap();
    let lab = LabCommand::start(&path("folder"), &path("data"), |_| {});
    browser.goto(&lab.url("a.ipynb"));
    browser.wait_for_text(".jp-Dialog-content", "Select Kernel");
    let dialog = browser.texts(".jp-Dialog-content").join(" ");
    assert!(
        dialog.contains("Rust") && !dialog.contains("Python"),
        "{dialog}"
    );
    assert!(!canary.exists());
}

#[test]
fn a_button_in_a_text_runs_no_command() {
    let Some(browser) = Browser::start(1200, 900) else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    fs::create_dir_all(path("folder")).unwrap();
    let button = r#"<button data-commandlinker-command="notebook:run-all-cells">read on</button>"#;
    fs::write(path("folder/a.ipynb"), notebook(button)).unwrap();
    let lab = LabCommand::start(&path("folder"), &path("data"), |_| {});
    browser.goto(&lab.url("a.ipynb"));
    browser.wait_for_text(".jp-RenderedMarkdown button", "read on");
    assert_eq!(browser.rendered("[data-commandlinker-command]"), 0);
}

#[test]
fn jupyterlab_ends_with_a_launcher_that_was_killed() {
    let place = tempfile::tempdir().unwrap();
    LabCommand::start(place.path(), &place.path().join("data"), |_| {}).end();
}
