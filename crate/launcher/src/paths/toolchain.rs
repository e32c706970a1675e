//! Rust itself: its programs, its version, its libraries, and the sources of its standard library,
//! from which evcxr infers the types of variables.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::checkout::Checkout;
use crate::error::{Failure, Result};
use crate::tool;

/// Which Rust there is, if it is all there.
pub fn find() -> Result<String> {
    let version = version()?;
    let name = version.lines().next().unwrap_or_default().to_owned();
    if has_sources(&sysroot()?) {
        Ok(format!("{name}, with its standard library's sources"))
    } else {
        Err(no_sources())
    }
}

/// What `rustc -vV` says: part of what a warm build depends on.
pub fn version() -> Result<String> {
    output(program("rustc").arg("-vV"))
}

/// The folder of the standard library as a shared library, which cells are linked to.
pub fn libraries() -> Result<PathBuf> {
    output(program("rustc").args(["--print", "target-libdir"]))
        .map(|path| PathBuf::from(path.trim()))
}

/// One of Rust's programs, the one that the checkout has: rustup may be told of another for a
/// folder, and a stranger's folder may name one of its own.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = tool::command(name);
    if let Ok(project) = Checkout::locate() {
        command.current_dir(project.root());
    }
    command
}

/// The failure where the sources are not there.
pub fn no_sources() -> Failure {
    Failure::new(
        "the sources of Rust's standard library are missing: without them no cell can infer a type",
    )
    .hint(
        "run `rustup component add rust-src`; with conda `conda install rust-src`; with a \
         distribution's Rust install its package rust-src, or set RUST_SRC_PATH to the folder `library`",
    )
}

/// The folder that holds the toolchain.
pub fn sysroot() -> Result<PathBuf> {
    output(program("rustc").args(["--print", "sysroot"])).map(|path| PathBuf::from(path.trim()))
}

/// Whether the standard library's sources are there.
pub fn has_sources(sysroot: &Path) -> bool {
    let by_name = std::env::var_os("RUST_SRC_PATH").map(PathBuf::from);
    let in_sysroot = sysroot.join("lib/rustlib/src/rust/library");
    by_name
        .into_iter()
        .chain([in_sysroot])
        .any(|library| library.join("core").is_dir())
}

fn output(command: &mut Command) -> Result<String> {
    let hint = "install Rust with rustup, or use `conda env create -f environment.yml`";
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        Failure::new("Rust's compiler could not be started")
            .because(error)
            .hint(hint)
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Failure::new(format!("Rust's compiler does not work: {said}")).hint(hint));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
