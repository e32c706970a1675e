//! Waiting: the launcher's runtime, and running a program until it ends. `tree` ends a program with
//! everything that it started.

mod tree;

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{Context, Result};

pub use tree::{end_below, end_tree};

/// Runs the work to completion on this thread.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .with_context(|| "cannot start the runtime".to_owned())?;
    let done = runtime.block_on(work);
    // A blocked read from a pipe that is still open must not keep the launcher running.
    runtime.shutdown_background();
    done
}

/// Runs the program until it ends, and returns its exit code.
///
/// Ctrl-C reaches the program directly, and the program handles it. A request to terminate the
/// launcher is passed on to the program.
pub fn supervise(mut command: Command, name: &str) -> Result<ExitCode> {
    block_on(async {
        let mut child = command
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {name}"))?;
        // Held open: when it closes, the program knows that the launcher is gone.
        let _input = child.stdin.take();
        let status = until_end(&mut child)
            .await
            .with_context(|| format!("lost track of {name}"))?;
        Ok(exit_code(status))
    })
}

async fn until_end(child: &mut Child) -> std::io::Result<ExitStatus> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => end(child)?,
            _ = hang_up.recv() => end(child)?,
        }
    }
}

fn end(child: &Child) -> std::io::Result<()> {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    match id.and_then(Pid::from_raw) {
        Some(id) => Ok(kill_process(id, Signal::TERM)?),
        None => Ok(()),
    }
}

/// The exit code. As in a shell, it is 128 plus the signal's number if a signal ended the program.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| signal + 128));
    let code = code.and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}
