//! The real cargo: the environment that it is given, and how it is stopped along with its cell.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStderr, Command, ExitCode, Output};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::shim::{PROGRAMS, WITHHELD};
use crate::error::Failure;
use crate::paths::toolchain::SEARCH_END;
use crate::supervise::end_tree;
use crate::tool;

/// How often to check whether the reader stopped the cell.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The real cargo, in the current folder, which is a kernel's build directory: no settings of folders
/// above it count. It runs build scripts by many authors, so it is not
/// given the reader's keys. It is given what evcxr or the reader (`:build_env`) added to the
/// kernel's environment. A build script that runs cargo also gets the real one.
pub(super) fn real(cargo: &OsString) -> Command {
    real_in(&std::env::current_dir().unwrap_or_default(), cargo)
}

fn real_in(folder: &Path, cargo: &OsString) -> Command {
    let withheld = std::env::var_os(WITHHELD).unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).filter(|folder| !folder.ends_with(PROGRAMS));
    let mut command = tool::command(cargo);
    command
        .envs(std::env::vars_os().filter(|(name, _)| is_added(name, &withheld)))
        .env("PATH", std::env::join_paths(others).unwrap_or(path.clone()))
        // An empty one also overrides a setting in a file.
        .env("RUSTC_WRAPPER", "")
        .env(SEARCH_END, folder)
        .current_dir(folder);
    for (name, _) in std::env::vars_os() {
        if rebuilds(&name) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether a variable of a Rust developer's would have all of the dependencies compiled again.
fn rebuilds(name: &OsStr) -> bool {
    const NAMES: [&str; 7] = [
        "CARGO_BUILD_RUSTC_WRAPPER",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_BUILD_TARGET_DIR",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
        "RUSTC_WORKSPACE_WRAPPER",
    ];
    NAMES.iter().any(|rebuilds| name == *rebuilds) || name.as_bytes().starts_with(b"CARGO_PROFILE_")
}

/// Whether a variable was added after the kernel started. Our own variables are not passed on.
fn is_added(name: &OsStr, withheld: &OsStr) -> bool {
    let name = name.as_bytes();
    let mut there = withheld.as_bytes().split(|byte| *byte == b',');
    !withheld.is_empty() && !name.starts_with(b"EVENHAND_") && !there.any(|other| other == name)
}

/// Runs the program until it ends or the reader stops the cell, which creates this file: evcxr
/// itself cannot stop a compiler. Its standard error is given to `follow`, if there is one, with the
/// current folder.
pub(super) fn output_unless_stopped(
    command: &mut Command,
    stop_file: Option<OsString>,
    follow: Option<fn(ChildStderr, &Path) -> Vec<u8>>,
) -> io::Result<Output> {
    let mut child = command.spawn()?;
    let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let is_over = Arc::new(Mutex::new(false));
    if let (Some(stop_file), Some(process)) = (stop_file, process) {
        let is_over = Arc::clone(&is_over);
        std::thread::spawn(move || end_when_stopped(process, Path::new(&stop_file), &is_over));
    }
    // Both at once: a program that fills one pipe does not go on with the other.
    let stderr = child.stderr.take();
    let folder = std::env::current_dir().unwrap_or_default();
    let stderr = std::thread::spawn(move || match (follow, stderr) {
        (Some(follow), Some(stderr)) => Ok(follow(stderr, &folder)),
        (_, stderr) => read_all(stderr),
    });
    let stdout = read_all(child.stdout.take())?;
    let stderr = stderr
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the reading thread panicked")))?;
    if let Some(process) = process {
        until_ended(process)?;
    }
    // The process id belongs to the program until `wait` collects it, and may be another's then.
    *is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
    let status = child.wait()?;
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

/// Ends the process and its descendants once the file exists, unless it is over before.
fn end_when_stopped(process: Pid, stop_file: &Path, is_over: &Mutex<bool>) {
    loop {
        let is_over = is_over.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_over {
            return;
        }
        if stop_file.exists() {
            // The lock is held, so that the process is not collected meanwhile.
            return end_tree(process);
        }
        drop(is_over);
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn read_all(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match pipe {
        Some(mut pipe) => pipe.read_to_end(&mut bytes).map(|_| bytes),
        None => Ok(bytes),
    }
}

/// Waits for the end of a child, which stays to be collected.
fn until_ended(process: Pid) -> io::Result<()> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    rustix::io::retry_on_intr(|| waitid(WaitId::Pid(process), options))?;
    Ok(())
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
                    std::thread::sleep(POLL_INTERVAL);
                }
                fs::write(stop, "").unwrap();
            }
        });
        let mut cargo = Command::new("sh");
        cargo.args(["-c", &script]).stdout(Stdio::piped());
        let output = output_unless_stopped(&mut cargo, Some(stop.into()), None).unwrap();
        stopping.join().unwrap();
        assert!(!output.status.success());
        assert!(output.stdout.is_empty());
    }

    #[test]
    fn both_streams_of_a_program_are_read_to_their_ends() {
        let folder = tempfile::tempdir().unwrap();
        let script = "for i in 1 2 3; do head -c 100000 /dev/zero; head -c 100000 /dev/zero >&2; done; exit 3";
        let mut cargo = Command::new("sh");
        cargo
            .args(["-c", script])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let stop = folder.path().join("stop");
        let output = output_unless_stopped(&mut cargo, Some(stop.into()), None).unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(
            (output.stdout.len(), output.stderr.len()),
            (300_000, 300_000)
        );
    }

    #[test]
    fn an_ended_program_can_still_be_collected() {
        let mut child = Command::new("true").spawn().unwrap();
        let process = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        until_ended(process).unwrap();
        // Its process id is still its own.
        rustix::process::test_kill_process(process).unwrap();
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn the_settings_of_a_developer_rebuild_nothing() {
        for name in [
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_PROFILE_DEV_LTO",
            "CARGO_BUILD_TARGET_DIR",
        ] {
            assert!(rebuilds(OsStr::new(name)), "{name}");
        }
        for name in [
            "RUSTFLAGS",
            "CARGO_TARGET_DIR",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
        ] {
            assert!(!rebuilds(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn settings_and_workspaces_above_the_build_do_not_count() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().canonicalize().unwrap();
        let write = |file: &str, text: &str| {
            fs::create_dir_all(place.join(file).parent().unwrap()).unwrap();
            fs::write(place.join(file), text).unwrap();
        };
        // What another user can put into `/tmp`.
        write(
            ".cargo/config.toml",
            "[build]\nrustc = \"/evil\"\nrustc-wrapper = \"/evil\"\n",
        );
        write("Cargo.toml", "[workspace]\nmembers = [\"other\"]\n");
        let manifest = "[package]\nname = \"ctx\"\nversion = \"1.0.0\"\nedition = \"2024\"\n";
        write("home/build/Cargo.toml", manifest);
        write("home/build/src/lib.rs", "");
        let cargo = crate::paths::which::on_path("cargo").unwrap();
        let build = |folder: &Path| {
            let mut cargo = real_in(folder, &cargo.clone().into());
            cargo.args(["check", "--offline", "--quiet", "--target-dir"]);
            cargo.arg(folder.join("target"));
            cargo
        };
        let folder = place.join("home/build");
        let output = build(&folder).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let plain = build(&folder).env_remove(SEARCH_END).output().unwrap();
        assert!(!plain.status.success(), "the test shows nothing");
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
