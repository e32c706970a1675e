//! The real cargo: the environment that it is given, and how it is stopped along with its cell.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Pid;

use super::shim::{PROGRAMS, WITHHELD};
use crate::error::Failure;
use crate::supervise::end_tree;
use crate::tool;

/// How often to check whether the reader stopped the cell.
const LOOK: Duration = Duration::from_millis(50);

/// The real cargo, in the current folder. It runs build scripts by many authors, so it is not
/// given the reader's keys. It is given what evcxr or the reader (`:build_env`) added to the
/// kernel's environment. A build script that runs cargo also gets the real one.
pub(super) fn real(cargo: &OsString) -> Command {
    let withheld = std::env::var_os(WITHHELD).unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).filter(|folder| !folder.ends_with(PROGRAMS));
    let mut command = tool::command(cargo);
    command
        .envs(std::env::vars_os().filter(|(name, _)| is_added(name, &withheld)))
        .env("PATH", std::env::join_paths(others).unwrap_or(path.clone()))
        .current_dir(std::env::current_dir().unwrap_or_default());
    command
}

/// Whether a variable was added after the kernel started. Our own variables are not passed on.
fn is_added(name: &OsStr, withheld: &OsStr) -> bool {
    let name = name.as_bytes();
    let mut there = withheld.as_bytes().split(|byte| *byte == b',');
    !withheld.is_empty() && !name.starts_with(b"EVENHAND_") && !there.any(|other| other == name)
}

/// Runs the program until it ends or the reader stops the cell, which creates this file: evcxr
/// itself cannot stop a compiler.
pub(super) fn output_unless_stopped(
    command: &mut Command,
    stop_file: Option<OsString>,
) -> io::Result<Output> {
    let child = command.spawn()?;
    let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let (Some(stop_file), Some(process)) = (stop_file, process) {
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                if Path::new(&stop_file).exists() {
                    end_tree(process);
                    return;
                }
                std::thread::sleep(LOOK);
            }
        });
        let output = child.wait_with_output();
        over.store(true, Ordering::Relaxed);
        return output;
    }
    child.wait_with_output()
}

/// Replaces this process by the program; returns only if that fails.
pub(super) fn replace(command: &mut Command) -> Failure {
    Failure::new("could not start cargo").because(command.exec())
}

/// The exit code of a program, or failure if a signal ended it.
pub(super) fn code(code: Option<i32>) -> ExitCode {
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_stop_ends_cargo_and_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let (stop, started) = (folder.path().join("stop"), folder.path().join("started"));
        // A compiler that cargo waits for, and that holds the pipe for cargo's output.
        let script = format!(
            "sh -c 'touch \"{}\"; sleep 600; echo done' & wait",
            started.display()
        );
        let stopping = std::thread::spawn({
            let stop = stop.clone();
            move || {
                while !started.exists() {
                    std::thread::sleep(LOOK);
                }
                fs::write(stop, "").unwrap();
            }
        });
        let mut cargo = Command::new("sh");
        cargo.args(["-c", &script]).stdout(Stdio::piped());
        let output = output_unless_stopped(&mut cargo, Some(stop.into())).unwrap();
        stopping.join().unwrap();
        assert!(!output.status.success());
        assert!(output.stdout.is_empty());
    }

    #[test]
    fn what_was_added_since_the_start_is_for_cargo() {
        let withheld = OsStr::new("AZURE_OPENAI_API_KEY,OTHER");
        assert!(is_added(OsStr::new("OF_THE_READER"), withheld));
        assert!(!is_added(OsStr::new("OTHER"), withheld));
        assert!(!is_added(OsStr::new("AZURE_OPENAI_API_KEY"), withheld));
        assert!(!is_added(OsStr::new("EVENHAND_OUTPUTS"), withheld));
        assert!(!is_added(OsStr::new("OF_THE_READER"), OsStr::new("")));
    }
}
