//! A kernel as a process: its command, its connection file, its end.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::wire::random_hex;
use crate::failure::{Context, Failure, Result};
use crate::kernel as own_kernel;

/// How many lines of a kernel's own output an error shows.
const TAIL: usize = 20;

/// How long a kernel may take to end after it was asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long a broken connection may come before the end of its kernel.
const LAST_BREATH: Duration = Duration::from_millis(500);

/// How a kernel is started.
#[derive(Clone, Debug)]
pub struct KernelCommand {
    /// The program's full path and its arguments, as in a kernelspec: `{connection_file}`
    /// stands for the path of the connection file.
    pub argv: Vec<OsString>,
    /// Environment variables for the kernel beside the launcher's own.
    pub env: Vec<(OsString, OsString)>,
}

/// The ports of a connection file.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub shell: u16,
    pub control: u16,
    pub iopub: u16,
    stdin: u16,
    heartbeat: u16,
}

impl Ports {
    /// Ports that are free now. All are held until the last is known, so they differ.
    fn choose() -> Result<Self> {
        let doing = || "there is no free port on 127.0.0.1".to_owned();
        let mut held = Vec::new();
        let mut next = || -> Result<u16> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing(doing)?;
            let port = listener.local_addr().doing(doing)?.port();
            held.push(listener);
            Ok(port)
        };
        Ok(Self {
            shell: next()?,
            control: next()?,
            iopub: next()?,
            stdin: next()?,
            heartbeat: next()?,
        })
    }
}

/// A running kernel. Dropping it ends it and whatever it started.
pub struct Kernel {
    guard: Child,
    /// What tells the guard that the launcher lives. Held here since waiting
    /// for a child closes its standard input.
    _lifeline: Option<ChildStdin>,
    group: Option<Pid>,
    tail: Tail,
    folder: TempDir,
    /// Where it listens.
    pub ports: Ports,
    /// What its messages are signed with.
    pub key: String,
}

impl Kernel {
    /// Starts a kernel that works in this folder.
    pub fn start(command: &KernelCommand, folder: &Path) -> Result<Self> {
        let program = find_program(command)?;
        let private = tempfile::Builder::new()
            .prefix("evenhand-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .doing(|| "cannot make a temporary folder".to_owned())?;
        let ports = Ports::choose()?;
        let key = random_hex(32)?;
        let connection_file = private.path().join("connection.json");
        write_connection_file(&connection_file, ports, &key)?;

        let launcher = std::env::current_exe()
            .doing(|| "the launcher does not know where it is".to_owned())?;
        let mut guard = Command::new(launcher);
        own_kernel::cleanse(&mut guard);
        let mut guard = guard
            .arg("guard")
            .arg(private.path())
            .arg("--")
            .arg(program)
            .args(
                command
                    .argv
                    .iter()
                    .skip(1)
                    .map(|argument| filled_in(argument, &connection_file)),
            )
            .envs(command.env.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C reaches the launcher alone, which then
            // ends the kernel in order; and the group can be ended as one.
            .process_group(0)
            .spawn()
            .doing(|| format!("cannot start a kernel in {}", folder.display()))?;
        let tail = Tail::default();
        if let Some(stderr) = guard.stderr.take() {
            tail.follow(stderr);
        }
        if let Some(stdout) = guard.stdout.take() {
            tail.follow(stdout);
        }
        let group = guard
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let lifeline = guard.stdin.take();
        Ok(Self {
            guard,
            _lifeline: lifeline,
            group,
            tail,
            folder: private,
            ports,
            key,
        })
    }

    /// A private folder that lives as long as the kernel.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether the kernel ended because another program took one of its ports.
    pub fn lost_a_port(&self) -> bool {
        self.tail
            .text()
            .to_lowercase()
            .contains("address already in use")
    }

    /// Does the work unless the kernel dies meanwhile.
    pub async fn alive<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let done = tokio::select! {
            biased;
            done = work => Some(done),
            _ = self.guard.wait() => None,
        };
        match done {
            Some(Ok(done)) => Ok(done),
            // A connection that breaks is the first sign of a death.
            Some(Err(error)) => match timeout(LAST_BREATH, self.guard.wait()).await {
                Ok(_) => Err(self.died().await),
                Err(_) => Err(error),
            },
            None => Err(self.died().await),
        }
    }

    /// A failure that shows how the kernel's own words ended.
    pub fn failure(&self, message: impl std::fmt::Display) -> Failure {
        Failure::new(match self.tail.text().trim_end() {
            "" => format!("{message}; it wrote nothing"),
            tail => format!("{message}; it wrote last:\n{}", indented(tail)),
        })
    }

    async fn died(&mut self) -> Failure {
        // What it wrote last may still be on its way.
        tokio::time::sleep(Duration::from_millis(100)).await;
        match self.guard.wait().await {
            Ok(status) => self.failure(match status.code() {
                // The guard, like a shell, ends with 128 and the signal's number.
                Some(code) if code > 128 => format!("the kernel died (signal {})", code - 128),
                _ => format!("the kernel died ({status})"),
            }),
            Err(error) => self.failure("the kernel died").because(error),
        }
    }

    /// Waits for a kernel that was asked to end, and ends what is left of it.
    pub async fn finish(mut self) {
        let _ = timeout(FAREWELL, self.guard.wait()).await;
        self.kill();
        let _ = self.guard.wait().await;
    }

    fn kill(&self) {
        if let Some(group) = self.group {
            // It fails when nothing is left in the group, which is what is wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines that a kernel wrote for whoever started it.
#[derive(Clone, Default)]
struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    fn follow(&self, stream: impl AsyncRead + Send + Unpin + 'static) {
        let kept = Arc::clone(&self.0);
        tokio::spawn(async move {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() == TAIL {
                    kept.pop_front();
                }
                kept.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
        });
    }

    fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|line| format!("{line}\n")).collect()
    }
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn filled_in(argument: &OsStr, connection_file: &Path) -> OsString {
    match argument.to_str() {
        Some(text) if text.contains("{connection_file}") => text
            .replace("{connection_file}", &connection_file.to_string_lossy())
            .into(),
        _ => argument.to_owned(),
    }
}

fn write_connection_file(path: &Path, ports: Ports, key: &str) -> Result<()> {
    let content = json!({
        "transport": "tcp",
        "ip": "127.0.0.1",
        "shell_port": ports.shell,
        "control_port": ports.control,
        "iopub_port": ports.iopub,
        "stdin_port": ports.stdin,
        "hb_port": ports.heartbeat,
        "signature_scheme": "hmac-sha256",
        "key": key,
    });
    let doing = || "cannot write the kernel's connection file".to_owned();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .doing(doing)?;
    file.write_all(content.to_string().as_bytes()).doing(doing)
}

/// The kernel's program; says that it is missing before anything is started.
fn find_program(command: &KernelCommand) -> Result<&OsStr> {
    let program = command
        .argv
        .first()
        .map(OsString::as_os_str)
        .unwrap_or_default();
    if is_program(Path::new(program)) {
        return Ok(program);
    }
    Err(Failure::new(format!(
        "the kernel's program `{}` does not exist or cannot be run",
        Path::new(program).display()
    ))
    .hint("run `evenhand clean`, then start again: it is installed anew"))
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
