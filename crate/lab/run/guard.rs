//! The hidden subcommand `evenhand guard`: keeps a kernel from outliving the launcher.
//!
//! A launcher that is killed outright cannot end its kernel, and the process
//! that evcxr runs cells in would compute on. So the kernel is started by a
//! guard, which leads the kernel's process group and holds one end of a pipe
//! from the launcher. When the launcher is gone, the pipe ends, whatever the
//! way it went, and the guard ends the group. That needs no unsafe code and
//! works on Linux and macOS alike, which a parent-death signal does not.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Signal, getpgrp, kill_process_group};

use crate::failure::{Context, Failure, Result};

/// What the guard guards.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// A folder to remove when the launcher is gone.
    sweep: PathBuf,
    /// The kernel's program and arguments.
    #[arg(last = true, required = true)]
    argv: Vec<OsString>,
}

/// Runs the kernel to its end, or to the launcher's.
pub fn guard(options: Options) -> Result<()> {
    let Some((program, arguments)) = options.argv.split_first() else {
        return Err(Failure::new("the guard was given nothing to start"));
    };
    let mut kernel = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()
        .doing(|| format!("cannot start {}", Path::new(program).display()))?;
    let sweep = options.sweep;
    std::thread::spawn(move || {
        // The launcher writes nothing: whatever ends this, it is gone.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = std::fs::remove_dir_all(sweep);
        let _ = kill_process_group(getpgrp(), Signal::KILL);
    });
    let status = kernel
        .wait()
        .doing(|| "cannot wait for the kernel".to_owned())?;
    std::process::exit(
        status
            .code()
            .unwrap_or(128 + status.signal().unwrap_or_default()),
    )
}
