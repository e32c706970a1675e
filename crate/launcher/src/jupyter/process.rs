//! A kernel as a process: its command, its connection file, and its end.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::connection::Connection;
use super::guard;
use crate::error::{Context, Failure, Result};
use crate::paths::own_program::own_program;
use crate::tool;

/// How many lines of a kernel's own output an error shows.
const TAIL: usize = 20;

/// How long a kernel may take to end after a shutdown request.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long to wait for the end of a kernel whose connection broke.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// The extension of the file that marks an evcxr that can listen on sockets in a folder.
pub const IPC: &str = "ipc";

/// How a kernel is started.
#[derive(Clone, Debug)]
pub struct KernelCommand {
    /// The program's full path and its arguments, as in a kernelspec: `{connection_file}`
    /// stands for the path of the connection file.
    pub argv: Vec<OsString>,
    /// Environment variables for the kernel in addition to the launcher's own.
    pub env: Vec<(OsString, OsString)>,
    /// The launcher's own variables that the kernel does not get.
    pub unset: Vec<OsString>,
    /// Folders to remove if the launcher is gone before it can remove them.
    pub sweep: Vec<PathBuf>,
    /// Whether it runs the user's cells. They may need the launcher's whole environment, while the
    /// launcher's own cells need no secrets.
    pub runs_for_a_reader: bool,
}

/// A running kernel. Dropping it ends the kernel and everything that it started.
pub struct Kernel {
    guard: Child,
    /// The pipe that tells the guard that the launcher is running. Held here, since waiting for a
    /// child closes its standard input.
    lifeline: Option<ChildStdin>,
    tail: Tail,
    _folder: TempDir,
    /// Where it listens, and the key that signs its messages.
    pub connection: Connection,
}

impl Kernel {
    /// Starts a kernel that works in this folder.
    pub fn start(command: &KernelCommand, folder: &Path) -> Result<Self> {
        let program = find_program(command)?;
        let private = private_folder()?;
        let connection = connection(Path::new(program), private.path())?;
        let connection_file = private.path().join("connection.json");
        connection.save(&connection_file)?;

        let launcher = own_program()?;
        let mut guard = match command.runs_for_a_reader {
            true => Command::new(launcher),
            false => tool::command(launcher).into(),
        };
        cleanse(&mut guard);
        for name in &command.unset {
            guard.env_remove(name);
        }
        let mut guard = guard
            .arg("guard")
            .arg(private.path())
            .args(&command.sweep)
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
            // In its own process group: Ctrl-C only reaches the launcher, which then ends the
            // kernel properly.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start a kernel in {}", folder.display()))?;
        let tail = Tail::default();
        if let Some(stderr) = guard.stderr.take() {
            tail.follow(stderr);
        }
        if let Some(stdout) = guard.stdout.take() {
            tail.follow(stdout);
        }
        let lifeline = guard.stdin.take();
        Ok(Self {
            guard,
            lifeline,
            tail,
            _folder: private,
            connection,
        })
    }

    /// The kernel's process id, once its guard has reported it.
    pub fn process(&self) -> Option<u32> {
        self.tail.lock().group
    }

    /// Whether the kernel ended because another program took one of its ports.
    pub fn lost_a_port(&self) -> bool {
        self.tail
            .text()
            .to_lowercase()
            .contains("address already in use")
    }

    /// Does the work, and fails if the kernel dies before that.
    pub async fn alive<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let done = tokio::select! {
            biased;
            done = work => Some(done),
            _ = self.guard.wait() => None,
        };
        match done {
            Some(Ok(done)) => Ok(done),
            // A broken connection may be the first sign that the kernel is dying.
            Some(Err(error)) => match timeout(LAST_BREATH, self.guard.wait()).await {
                Ok(_) => Err(self.died().await),
                Err(_) => Err(error),
            },
            None => Err(self.died().await),
        }
    }

    /// A failure that shows the last lines of the kernel's output.
    pub fn failure(&self, message: impl std::fmt::Display) -> Failure {
        Failure::new(match self.tail.text().trim_end() {
            "" => format!("{message}; it printed nothing"),
            tail => format!("{message}; its last output was:\n{}", indented(tail)),
        })
    }

    async fn died(&mut self) -> Failure {
        // Its last output may still be arriving.
        tokio::time::sleep(Duration::from_millis(100)).await;
        match self.guard.wait().await {
            Ok(status) => self.failure(match status.code() {
                // Like a shell, the guard exits with 128 plus the signal's number.
                Some(code) if code > 128 => format!("the kernel died (signal {})", code - 128),
                _ => format!("the kernel died ({status})"),
            }),
            Err(error) => self.failure("the kernel died").because(error),
        }
    }

    /// Waits for a kernel that was asked to end, and kills what is left of it.
    pub async fn finish(mut self) {
        let _ = timeout(FAREWELL, self.guard.wait()).await;
        drop(self.lifeline.take());
        let _ = timeout(FAREWELL, self.guard.wait()).await;
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        // The guard reacts when its lifeline closes, but it may have been killed itself.
        guard::end(self.tail.group());
    }
}

/// Removes from a kernel's environment the variables that cargo sets when it starts the launcher.
/// Build scripts read these variables, so builds with and without them would differ.
pub(super) fn cleanse(kernel: &mut Command) {
    const OF_CARGO: [&str; 3] = [
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_TARGET_DIR",
    ];
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || OF_CARGO.contains(&&*text) {
            kernel.env_remove(&name);
        }
    }
    // evcxr updates a kernelspec that it finds in Jupyter's folders, and must not find ours.
    kernel.env_remove("JUPYTER_PATH");
}

/// The last lines of a kernel's output, and what its guard reported.
#[derive(Clone, Default)]
struct Tail(Arc<Mutex<TailState>>);

#[derive(Default)]
struct TailState {
    lines: VecDeque<String>,
    group: Option<u32>,
}

impl Tail {
    fn follow(&self, stream: impl AsyncRead + Send + Unpin + 'static) {
        let tail = self.clone();
        tokio::spawn(async move {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
                tail.push_line(String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
        });
    }

    fn push_line(&self, line: &str) {
        let mut state = self.lock();
        if state.group.is_none()
            && let Some(group) = line.strip_prefix(guard::GROUP)
        {
            state.group = group.parse().ok();
            return;
        }
        if state.lines.len() == TAIL {
            state.lines.pop_front();
        }
        state.lines.push_back(line.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, TailState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self) -> String {
        let state = self.lock();
        state.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    fn group(&self) -> Option<Pid> {
        self.lock().group.and_then(guard::group_of)
    }
}

/// The length limit for the path of a folder with sockets. Jupyter's socket names have up to 50
/// characters, and the whole path at most 104 on macOS and 108 on Linux.
const FOLDER: usize = 50;

/// A private temporary folder with a path short enough for sockets.
pub fn private_folder() -> Result<TempDir> {
    let mut folder = tempfile::Builder::new();
    folder
        .prefix("evenhand-")
        .permissions(Permissions::from_mode(0o700));
    let made = folder
        .tempdir()
        .and_then(|made| match made.path().as_os_str().len() {
            length if length <= FOLDER => Ok(made),
            _ => folder.tempdir_in("/tmp"),
        });
    made.with_context(|| "cannot make a temporary folder".to_owned())
}

/// The connection to a kernel: by sockets in a private folder, if the kernel supports that.
fn connection(program: &Path, folder: &Path) -> Result<Connection> {
    if own_program().is_ok_and(|own| own == program) {
        Connection::in_folder(folder, '-')
    } else if program.with_extension(IPC).exists() {
        Connection::in_folder(folder, ':')
    } else {
        Connection::by_ports()
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

/// The kernel's program, if it exists and can be run.
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
    .hint("run `evenhand clean`, then start again to reinstall it"))
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
