//! The hidden subcommand `evenhand guard`: keeps a kernel from outliving the launcher.
//!
//! A launcher that is killed cannot end its kernel, and the process in which evcxr runs cells
//! would keep running. So the kernel is started by a guard, which holds one end of a pipe from the
//! launcher. However the launcher ends, the pipe closes; then the guard ends the kernel and
//! everything that it started, and removes its folders. Unlike a parent-death signal, this needs
//! no unsafe code and works on both Linux and macOS. If the guard itself is killed, the launcher
//! ends the processes, whose group the guard has reported.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::{Context, Failure, Result};

/// The prefix of the guard's first line, which reports the kernel's process group.
pub(crate) const GROUP: &str = "evenhand-kernel-group ";

/// Whether the launcher is gone.
static ALONE: AtomicBool = AtomicBool::new(false);

/// The options of `evenhand guard`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folders to remove when the launcher is gone
    sweep: Vec<PathBuf>,
    /// The kernel's program and arguments
    #[arg(last = true, required = true)]
    argv: Vec<OsString>,
}

/// Runs the kernel until it or the launcher ends.
pub fn guard(options: Options) -> Result<()> {
    let Some((program, arguments)) = options.argv.split_first() else {
        return Err(Failure::new("the guard was given nothing to start"));
    };
    let mut kernel = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        // The group contains everything that the kernel starts, but not the guard.
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {}", Path::new(program).display()))?;
    let group = group_of(kernel.id());
    let _ = writeln!(std::io::stdout(), "{GROUP}{}", kernel.id());
    let sweep = options.sweep;
    std::thread::spawn(move || {
        // The launcher writes nothing, so this only returns when the launcher is gone.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        ALONE.store(true, Ordering::SeqCst);
        end(group);
        for folder in sweep {
            let _ = std::fs::remove_dir_all(folder);
        }
        std::process::exit(128 + Signal::KILL.as_raw());
    });
    let status = kernel
        .wait()
        .with_context(|| "cannot wait for the kernel".to_owned())?;
    while ALONE.load(Ordering::SeqCst) {
        // The other thread is still cleaning up, and will end the process.
        std::thread::park();
    }
    end(group);
    std::process::exit(
        status
            .code()
            .unwrap_or(128 + status.signal().unwrap_or_default()),
    )
}

/// The process group that this process leads.
pub(crate) fn group_of(process: u32) -> Option<Pid> {
    i32::try_from(process).ok().and_then(Pid::from_raw)
}

/// Kills a group. An error means that nothing is left in it, which is fine.
pub(crate) fn end(group: Option<Pid>) {
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
}
