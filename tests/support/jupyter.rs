//! A JupyterLab server for a test, with no settings but the test's.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Group, is_root, poll};

/// Long enough for all of Python's imports before JupyterLab answers.
const TIMEOUT: Duration = Duration::from_secs(90);
/// How long the server may take to end its kernels, which are in process groups of their own.
const FAREWELL: Duration = Duration::from_secs(10);
/// Only guards a server on loopback for the length of a test.
const TOKEN: &str = "evenhand-test";

/// A kernel that claims to run Rust and does nothing, so that a notebook opens without asking for
/// a kernel.
const IDLE_KERNEL: &str = r#"
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

class Idle(Kernel):
    implementation = banner = "idle"
    implementation_version = "0"
    language_info = {"name": "rust", "mimetype": "text/x-rustsrc", "file_extension": ".rs"}

    def do_execute(self, code, silent, *args, **kwargs):
        return {"status": "ok", "execution_count": 0, "payload": [], "user_expressions": {}}

IPKernelApp.launch_instance(kernel_class=Idle)
"#;

/// JupyterLab's two themes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

/// A running JupyterLab. It ends, with its kernels, when this is dropped.
pub(crate) struct JupyterLab {
    port: u16,
    python: PathBuf,
    _server: Group,
    // Dropped last: the server writes into it until it ends.
    state: TempDir,
}

impl JupyterLab {
    /// Starts the JupyterLab of the launcher's virtual environment on the notebooks in `root`,
    /// with a kernel that does nothing.
    pub(crate) fn start(root: &Path) -> Self {
        Self::start_with(root, |python, folder| {
            let script = folder.join("idle.py");
            std::fs::write(&script, IDLE_KERNEL).unwrap();
            json!({"argv": [python, script, "-f", "{connection_file}"]})
        })
    }

    /// The same with the real kernel from the launcher's kernelspec, in this environment.
    pub(crate) fn with_the_kernel(root: &Path, environment: &Value) -> Self {
        let program = env!("CARGO_BIN_EXE_evenhand");
        let mut environment = environment.clone();
        environment["EVENHAND_HOME"] = super::home().to_string_lossy().into();
        Self::start_with(root, |_, _| {
            json!({
                "argv": [program, "kernel", "--connection-file", "{connection_file}"],
                "interrupt_mode": "message",
                "env": environment,
            })
        })
    }

    fn start_with(root: &Path, kernel: impl FnOnce(&Path, &Path) -> Value) -> Self {
        let python = super::home().join("venv").join("bin").join("python");
        let state = tempfile::Builder::new()
            .prefix("evenhand-jupyter")
            .tempdir()
            .unwrap();
        let folder = state.path().join("data").join("kernels").join("rust");
        std::fs::create_dir_all(&folder).unwrap();
        let mut spec = kernel(&python, &folder);
        spec["display_name"] = "Rust".into();
        spec["language"] = "rust".into();
        std::fs::write(folder.join("kernel.json"), spec.to_string()).unwrap();
        let settings = state.path().join("settings");
        write_settings(
            &settings,
            "apputils-extension",
            "notification",
            &json!({"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}),
        );
        // Every cell is rendered, including those outside the window.
        write_settings(
            &settings,
            "notebook-extension",
            "tracker",
            &json!({"windowingMode": "none"}),
        );

        let mut command = Command::new(&python);
        command
            .args([
                "-m",
                "jupyterlab",
                "--no-browser",
                "--ServerApp.ip=127.0.0.1",
            ])
            // The port may be taken by then, so the server tries several, and records which one it
            // got.
            .args([format!("--ServerApp.port={}", free_port())])
            .args([
                "--ServerApp.port_retries=50",
                "--LabApp.extension_manager=readonly",
                // Lets the tests run commands as JupyterLab's menus do.
                "--expose-app-in-browser",
            ])
            .arg(format!("--IdentityProvider.token={TOKEN}"))
            .arg(format!("--ServerApp.root_dir={}", root.display()))
            .current_dir(root);
        if is_root() {
            command.arg("--allow-root");
        }
        environment(&mut command, state.path());
        let log = state.path().join("jupyterlab.log");
        let mut server = Group::start(&command, &log, FAREWELL).unwrap();

        let note = state
            .path()
            .join("runtime")
            .join(format!("jpserver-{}.json", server.id()));
        let port = poll(TIMEOUT, || {
            let ended = server.ended();
            assert!(
                ended.is_none(),
                "JupyterLab ended ({ended:?}):\n{}",
                server.output()
            );
            let note: Value = serde_json::from_slice(&std::fs::read(&note).ok()?).ok()?;
            let port = note["port"].as_u64()?.try_into().ok()?;
            answers(port).then_some(port)
        });
        let port =
            port.unwrap_or_else(|| panic!("JupyterLab does not answer:\n{}", server.output()));
        Self {
            port,
            python,
            _server: server,
            state,
        }
    }

    /// The address of a notebook in the root folder.
    pub(crate) fn url(&self, notebook: &str) -> String {
        format!(
            "http://127.0.0.1:{}/lab/tree/{notebook}?token={TOKEN}",
            self.port
        )
    }

    /// Sets the theme of the pages that are opened from now on.
    pub(crate) fn theme(&self, theme: Theme) {
        let name = match theme {
            Theme::Light => "JupyterLab Light",
            Theme::Dark => "JupyterLab Dark",
        };
        let settings = self.state.path().join("settings");
        write_settings(
            &settings,
            "apputils-extension",
            "themes",
            &json!({"theme": name}),
        );
    }

    /// Trusts a notebook, as its reader would: its scripts run when it is next opened.
    pub(crate) fn trust(&self, notebook: &Path) {
        let mut command = Command::new(&self.python);
        command.args(["-m", "jupyter", "trust"]).arg(notebook);
        environment(&mut command, self.state.path());
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Settings, trust signatures, workspaces and kernels are the test's own.
fn environment(command: &mut Command, state: &Path) {
    for (name, folder) in [
        ("JUPYTER_CONFIG_DIR", "config"),
        ("JUPYTER_DATA_DIR", "data"),
        ("JUPYTER_PATH", "data"),
        ("JUPYTER_RUNTIME_DIR", "runtime"),
        ("JUPYTERLAB_SETTINGS_DIR", "settings"),
        ("JUPYTERLAB_WORKSPACES_DIR", "workspaces"),
        ("IPYTHONDIR", "ipython"),
    ] {
        command.env(name, state.join(folder));
    }
    for name in [
        "JUPYTER_TOKEN",
        "JUPYTER_TOKEN_FILE",
        "JUPYTER_PORT",
        "JUPYTERLAB_DIR",
    ] {
        command.env_remove(name);
    }
}

fn write_settings(settings: &Path, extension: &str, plugin: &str, values: &Value) {
    let folder = settings.join("@jupyterlab").join(extension);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{plugin}.jupyterlab-settings"));
    std::fs::write(file, values.to_string()).unwrap();
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Whether the server takes our token.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let request = format!("GET /api/status?token={TOKEN} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.split_whitespace().nth(1) == Some("200"))
    };
    ask().unwrap_or(false)
}
