//! `evenhand lab`: JupyterLab as the launcher runs it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::process_table::processes;
use super::{Launcher, evenhand, home, poll};

/// A JupyterLab that the launcher runs on a folder.
pub(crate) struct LabCommand {
    port: u16,
    launcher: Launcher,
}

const TOKEN: &str = "evenhand-test";

impl LabCommand {
    /// Starts it with this folder for Jupyter's own data. The command may be changed before.
    pub(crate) fn start(folder: &Path, data: &Path, change: impl FnOnce(&mut Command)) -> Self {
        Self::with_options(&[], folder, data, change)
    }

    /// The same, with options of the launcher's own.
    pub(crate) fn with_options(
        options: &[&str],
        folder: &Path,
        data: &Path,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let mut command = evenhand();
        command
            .arg("lab")
            .args(options)
            .arg(folder)
            .args(["--", "--no-browser", "--ServerApp.port_retries=0"])
            .args(["--port", &port.to_string()])
            .arg(format!("--IdentityProvider.token={TOKEN}"))
            .env("EVENHAND_HOME", home())
            .env("JUPYTER_DATA_DIR", data)
            // With a service configured, no model is started.
            .env("AZURE_OPENAI_ENDPOINT", "https://contoso.openai.azure.com")
            .stdin(Stdio::null());
        change(&mut command);
        let lab = Self {
            port,
            launcher: Launcher(command.spawn().unwrap()),
        };
        poll(Duration::from_secs(120), || lab.is_open().then_some(()))
            .expect("JupyterLab does not start");
        lab
    }

    /// Whether somebody listens at its port.
    fn is_open(&self) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
    }

    /// The address of the page of a notebook.
    pub(crate) fn url(&self, notebook: &str) -> String {
        format!(
            "http://127.0.0.1:{}/lab/tree/{notebook}?token={TOKEN}",
            self.port
        )
    }

    /// The answer to a request, with its status line.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> String {
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

    /// The environment of the JupyterLab that the launcher has started.
    pub(crate) fn environment(&self) -> Option<String> {
        let launcher = self.launcher.0.id().to_string();
        let children = processes(|fields| fields.get(1) == Some(&launcher.as_str()));
        let environments = children.into_iter().filter_map(|child| {
            let bytes = std::fs::read(format!("/proc/{child}/environ")).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        });
        let mut of_jupyter = environments.filter(|it| it.contains("EVENHAND_KERNELSPEC="));
        of_jupyter.next()
    }

    /// Ends the launcher, and waits until JupyterLab is gone, too.
    pub(crate) fn end(self) {
        let port = self.port;
        drop(self);
        let is_open = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        poll(Duration::from_secs(60), || (!is_open()).then_some(())).expect("JupyterLab goes on");
    }
}
