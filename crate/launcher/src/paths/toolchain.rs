//! Rust itself: its programs, its version, its libraries, and the sources of its standard library,
//! from which evcxr infers the types of variables.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use super::checkout::Checkout;
use crate::error::{Failure, Result};
use crate::tool;

/// Describes the installed Rust, if it is complete.
pub fn find() -> Result<String> {
    let version = version()?;
    let name = version.lines().next().unwrap_or_default().to_owned();
    if has_sources(&sysroot()?) {
        Ok(format!("{name}, with its standard library's sources"))
    } else {
        Err(no_sources())
    }
}

/// The output of `rustc -vV`, on which a warm build depends.
pub fn version() -> Result<String> {
    output(program("rustc").arg("-vV"))
}

/// The folder with the shared standard library, to which cells are linked.
pub fn libraries() -> Result<PathBuf> {
    output(program("rustc").args(["--print", "target-libdir"]))
        .map(|path| PathBuf::from(path.trim()))
}

/// The variable with the folder at which cargo ends its search for settings (`.cargo/config.toml`) and
/// workspaces. Otherwise it reads those of all folders above, and below `/tmp` everybody can put one
/// there that names another compiler. Cargo's own tests are kept apart by it; cargo has no option for
/// this. The settings in `CARGO_HOME` are read in any case.
pub const SEARCH_END: &str = "__CARGO_TEST_ROOT";

/// One of Rust's programs, as selected by the checkout: rustup can select a toolchain for each
/// folder, and somebody else's folder may name another one.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = tool::command(name);
    if let Ok(project) = Checkout::locate()
        && !is_steered_by_others(project.root())
    {
        command
            .current_dir(project.root())
            .env(SEARCH_END, project.root());
    }
    command
}

/// Whether another user's file in this folder or above it says which compiler runs here.
fn is_steered_by_others(folder: &Path) -> bool {
    const STEERING: [&str; 3] = ["rust-toolchain", "rust-toolchain.toml", ".cargo"];
    let trusted = [0, geteuid().as_raw()];
    let is_anothers = |file: PathBuf| {
        std::fs::symlink_metadata(file).is_ok_and(|found| !trusted.contains(&found.uid()))
    };
    folder
        .ancestors()
        .any(|folder| STEERING.iter().any(|name| is_anothers(folder.join(name))))
}

/// The failure if the sources are missing.
pub fn no_sources() -> Failure {
    Failure::new(
        "the sources of Rust's standard library are missing: without them no cell can infer a type",
    )
    .hint(
        "run `rustup component add rust-src`; with conda `conda install rust-src`; with a \
         distribution's Rust install its package rust-src, or set RUST_SRC_PATH to the folder `library`",
    )
}

/// The toolchain's folder.
pub fn sysroot() -> Result<PathBuf> {
    output(program("rustc").args(["--print", "sysroot"])).map(|path| PathBuf::from(path.trim()))
}

/// Whether the standard library's sources are installed.
pub fn has_sources(sysroot: &Path) -> bool {
    sources_in(sysroot).is_some()
}

/// The folder of the standard library's sources.
pub fn sources() -> Result<PathBuf> {
    sources_in(&sysroot()?).ok_or_else(no_sources)
}

fn sources_in(sysroot: &Path) -> Option<PathBuf> {
    let by_name = std::env::var_os("RUST_SRC_PATH").map(PathBuf::from);
    // In a cell, the name is that of a reduced copy.
    [sysroot.join("lib/rustlib/src/rust/library")]
        .into_iter()
        .chain(by_name)
        .find(|library| library.join("core").is_dir())
}

fn output(command: &mut Command) -> Result<String> {
    let hint = "install Rust with rustup, or use `conda env create -f environment.yml`";
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        Failure::new("Rust's compiler could not be started")
            .because(error)
            .hint(hint)
    })?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Failure::new(format!("Rust's compiler does not work: {stderr}")).hint(hint));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_users_file_above_selects_no_compiler() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        let file = folder.path().join("rust-toolchain.toml");
        std::fs::write(&file, "[toolchain]\npath = \"evil\"\n").unwrap();
        assert!(!is_steered_by_others(&below), "our own file");
        // Only root can give a file away.
        if geteuid().is_root() && std::os::unix::fs::chown(&file, Some(65_534), None).is_ok() {
            assert!(is_steered_by_others(&below));
        }
    }
}
