//! The toolkit outside the launcher's own JupyterLab: other Jupyters, and any folder.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::run::lesson::{Lesson, cell, failing};
use crate::support::http::send;
use crate::support::python::environment;
use crate::support::server::{Reply, Server};
use crate::support::{Launcher, evenhand, home, poll};

/// What the tools that people have see of the installed kernel.
const CLIENT: &str = include_str!("client.py");

/// The user's key, which no kernelspec and no log may have.
const KEY: &str = "Canary-5d1e-of-the-user";

/// Installs the kernel where only this test's Jupyters look.
fn install(data: &Path, arguments: &[&str]) -> String {
    let output = evenhand()
        .args(["kernel", "install"])
        .args(arguments)
        .env("JUPYTER_DATA_DIR", data)
        .env("EVENHAND_HOME", home())
        .env("AZURE_OPENAI_API_KEY", KEY)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{log}");
    said
}

fn texts(seen: &Value) -> Vec<&str> {
    let texts = seen.as_array().unwrap().iter();
    texts.map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn other_jupyters_start_the_kernel_and_it_is_warm_and_quiet() {
    let place = tempfile::tempdir().unwrap();
    let (data, notebooks) = (place.path().join("data"), place.path().join("notebooks"));
    fs::create_dir(&notebooks).unwrap();
    let notebooks = notebooks.canonicalize().unwrap();
    let said = install(&data, &[]);
    assert!(
        said.contains("✓ Jupyter offers 'Rust (evenhand)'"),
        "{said}"
    );
    let spec = data.join("kernels/evenhand/kernel.json");
    let spec = fs::read_to_string(spec).unwrap();
    assert!(!spec.contains("Canary"), "{spec}");

    let packages = ["nbclient", "papermill", "jupyter-console"];
    let bin = environment("test-jupyters", &home().join("venv/bin/python"), &packages).unwrap();
    let mut client = Command::new(bin.join("python"));
    for (name, value) in evenhand().get_envs() {
        match value {
            Some(value) => client.env(name, value),
            None => client.env_remove(name),
        };
    }
    let output = client
        .args(["-c", CLIENT])
        .arg(&notebooks)
        .env("JUPYTER_DATA_DIR", &data)
        .env("JUPYTER_RUNTIME_DIR", place.path().join("runtime"))
        .env("JUPYTER_CONFIG_DIR", place.path().join("config"))
        .env("IPYTHONDIR", place.path().join("ipython"))
        .env("AZURE_OPENAI_API_KEY", KEY)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let seen = String::from_utf8_lossy(&output.stdout);
    let seen: Value = serde_json::from_str(seen.lines().last().unwrap()).unwrap();

    let nbclient = texts(&seen["nbclient"]);
    assert_eq!(nbclient[..2], ["", "2"], "{seen}");
    assert!(nbclient[2].contains(notebooks.to_str().unwrap()), "{seen}");
    assert_eq!(nbclient[3], "true\n", "{seen}");
    assert_eq!(
        seen["nbclient_streams"],
        serde_json::json!(["stdout"]),
        "{seen}"
    );
    assert_eq!(texts(&seen["papermill"])[1], "0", "{seen}");
    assert!(seen["console"].as_str().unwrap().contains("21"), "{seen}");
    assert_eq!(texts(&seen["vscode"]), ["", "2", "2"], "{seen}");
    assert_eq!(texts(&seen["hub"]), ["", "2"], "{seen}");
    for log in ["vscode_log", "hub_log"] {
        assert_eq!(seen[log], "", "{seen}");
    }
}

#[test]
fn an_environment_offers_the_kernel_until_it_is_uninstalled() {
    let place = tempfile::tempdir().unwrap();
    let python = home().join("venv/bin/python");
    // A Python environment without packages: its prefix is all that matters.
    let made = Command::new(python)
        .args(["-m", "venv", "--without-pip"])
        .arg(place.path().join("environment"))
        .status()
        .unwrap();
    assert!(made.success());
    let bin = place.path().join("environment/bin");
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let kernel = |arguments: &[&str]| {
        let output = evenhand()
            .arg("kernel")
            .args(arguments)
            .env("PATH", &path)
            .env("JUPYTER_DATA_DIR", place.path().join("data"))
            .env("EVENHAND_HOME", home())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let name = [
        "--sys-prefix",
        "--name",
        "Rust-of-the-class",
        "--display-name",
        "Rust 🦀",
    ];
    let (code, said) = kernel(&[&["install"], name.as_slice()].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("no Jupyter is installed in"), "{said}");
    let folder = place
        .path()
        .join("environment/share/jupyter/kernels/rust-of-the-class");
    assert!(folder.join("kernel.json").is_file());
    // Again, as after an update: it is replaced.
    let (code, said) = kernel(&[&["install"], name.as_slice()].concat());
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = kernel(&["list"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("✓ rust-of-the-class: 'Rust 🦀', version"),
        "{said}"
    );
    let (code, said) = kernel(&["uninstall", "--sys-prefix", "--name", "rust-of-the-class"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!folder.exists());
    assert!(!kernel(&["list"]).1.contains("rust-of-the-class"));
}

#[test]
fn a_first_notebook_runs_in_any_folder_with_its_settings_and_journal_beside_it() {
    let server = Server::answering(|_, _| Reply::text("A person who works with care."));
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("my project");
    let written = evenhand().arg("new").arg(&folder).output().unwrap();
    assert!(written.status.success());
    let notebook = folder.join("first-questions.ipynb");
    let before = fs::read(&notebook).unwrap();
    let again = evenhand().arg("new").arg(&folder).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(
        said.contains("is there already, and stays as it is"),
        "{said}"
    );
    assert_eq!(fs::read(&notebook).unwrap(), before);

    let settings = format!(
        "AZURE_OPENAI_ENDPOINT={}\nAZURE_OPENAI_API_KEY={KEY}\nAZURE_OPENAI_DEPLOYMENT=any\n",
        server.url()
    );
    fs::write(folder.join(".env"), settings).unwrap();
    let ran = evenhand()
        .arg("run")
        .arg(&notebook)
        .env("EVENHAND_HOME", home())
        .env_remove("EVENHAND_JOURNAL")
        .current_dir(place.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let log = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}{log}");
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].header("api-key"), [KEY]);
    let journal = fs::read_dir(folder.join(".evenhand")).unwrap();
    assert!(journal.count() > 0);
    assert!(!place.path().join(".evenhand").exists());
}

#[test]
fn a_line_that_names_another_toolkit_says_what_to_write() {
    let lesson = Lesson::new(&[
        failing(":dep evenhand = \"0.2\""),
        failing(":dep evenhand = { path = \"gone/crate\" }"),
        cell(":dep evenhand = { version = \"0.1\" }\nuse evenhand::prelude::*;"),
        cell("df![\"a\" => [1, 2, 3]]?.height()"),
    ]);
    assert_eq!(lesson.run(&["--out", "out"]).code, Some(0));
    let cells = lesson.executed();
    let error = |cell: usize| cells[cell]["outputs"][0]["evalue"].as_str().unwrap();
    assert!(
        error(0).contains("`0.2` is not the installed version"),
        "{}",
        error(0)
    );
    assert!(
        error(1).contains("there is no crate in gone/crate"),
        "{}",
        error(1)
    );
    for cell in [0, 1] {
        assert!(error(cell).contains("hint: write `:dep evenhand`"));
    }
    assert_eq!(cells[3]["outputs"][0]["data"]["text/plain"][0], "3");
}

#[test]
fn the_lab_opens_any_folder() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("my project");
    assert!(
        evenhand()
            .arg("new")
            .arg(&folder)
            .status()
            .unwrap()
            .success()
    );
    // With a service configured next to the notebooks, no model is started.
    let settings =
        "AZURE_OPENAI_ENDPOINT=https://contoso.openai.azure.com\nAZURE_OPENAI_API_KEY=x\n";
    fs::write(folder.join(".env"), settings).unwrap();
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let launcher = evenhand()
        .args(["lab", "my project", "--", "--no-browser"])
        .args(["--ServerApp.port_retries=0", "--IdentityProvider.token=t"])
        .args(["--port", &port.to_string()])
        .env("EVENHAND_HOME", home())
        .current_dir(place.path())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let _launcher = Launcher(launcher);
    let address = format!("127.0.0.1:{port}");
    let is_there = || std::net::TcpStream::connect(&address).ok().map(drop);
    poll(Duration::from_secs(120), is_there).expect("JupyterLab does not start");
    let token = [("Authorization", "token t")];
    let listed = send(&address, "GET", "/api/contents", &token, "").json();
    assert_eq!(
        listed["content"][0]["name"], "first-questions.ipynb",
        "{listed}"
    );
    let kernels = send(&address, "GET", "/api/kernelspecs", &token, "").json();
    assert!(kernels["kernelspecs"]["rust"].is_object(), "{kernels}");
}
