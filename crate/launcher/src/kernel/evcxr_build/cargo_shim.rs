//! The `cargo` that evcxr is given: the real one, with a few changes for cells.
//!
//! **Versions.** Whenever evcxr compiles without dependencies, as it does at startup, cargo
//! drops every unused package from the lock file. The next `:dep` would then resolve from
//! scratch: to versions other than the tested ones, with minutes of compiling, and not at all
//! without a network. So the workspace's lock file is restored when the library is a dependency
//! but is missing from the lock file.
//!
//! **Time.** For each cell evcxr runs cargo, which goes through the whole package graph only to
//! find that nothing but the cell has changed. This takes half of a cell's time. So the compiler
//! command of the last real build is kept and run directly as long as only the cell's own source
//! differs. The output has cargo's format. A `check`, for which nothing has been compiled in
//! advance, is run as a `build`. The reader's own crates are built apart from the toolkit
//! (`own_crates`).
//!
//! **Types.** rust-analyzer, with which evcxr finds the types of variables, is shown fewer
//! packages (`metadata`).

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use evenhand::sideband::TOKEN_VARIABLE;

use super::cell_build::Cell;
use super::lock_file::put_back;
use super::metadata;
use super::real_cargo::{real, replace};
use super::shim::{CARGO, LOCK_FILE};
use crate::error::{Context, Failure, Result};
use crate::kernel::sideband;
use crate::paths::home::private::Umask;
use crate::paths::toolchain::SEARCH_END;
use crate::terminal::out;

/// Runs cargo with these arguments, in the current folder.
pub fn run(arguments: &[OsString]) -> Result<ExitCode> {
    let cargo = std::env::var_os(CARGO).ok_or_else(|| {
        Failure::new("this command is for the kernel, which sets the path of cargo")
            .hint("run `cargo` itself")
    })?;
    // What is compiled from the reader's cells is private to the reader.
    let _umask = Umask::set();
    let build = std::env::current_dir().unwrap_or_default();
    let is_ours =
        std::env::var_os("EVCXR_TMPDIR").is_some_and(|folder| same(Path::new(&folder), &build));
    if !is_ours {
        // A cargo that a cell runs in a folder of the reader's.
        return Err(replace(real(&cargo).env_remove(SEARCH_END).args(arguments)));
    }
    if let Some(lock_file) = std::env::var_os(LOCK_FILE) {
        put_back(&build, Path::new(&lock_file))
            .with_context(|| "could not put the lock file back".to_owned())?;
    }
    if command(arguments).is_some_and(|command| arguments[command] == "metadata") {
        return metadata::run(&cargo, arguments)
            .with_context(|| "could not run cargo for the graph of packages".to_owned());
    }
    let arguments = &built(arguments);
    let builds_a_cell = command(arguments).is_some_and(|command| arguments[command] == "build");
    if !builds_a_cell {
        return Err(replace(real(&cargo).args(arguments)));
    }
    let cell = Cell { build };
    if let Ok(token) = std::env::var(TOKEN_VARIABLE)
        && cell.build.join(sideband::READ).exists()
    {
        cell.watch(&token)
            .with_context(|| "could not prepare a cell".to_owned())?;
    }
    if let Some(told) = cell
        .refused()
        .with_context(|| "could not read a cell".to_owned())?
    {
        out!("{told}");
        return Ok(ExitCode::FAILURE);
    }
    match cell.last_build(arguments) {
        Some(last) => cell.compile(&last),
        None => cell.build(&cargo, arguments),
    }
    .with_context(|| "could not run cargo for a cell".to_owned())
}

/// Replaces `check` by `build`. evcxr checks a cell when it does not know a variable's type. A
/// check needs metadata of every package that a build does not leave behind, which takes
/// minutes; a build reports the same about the cell.
fn built(arguments: &[OsString]) -> Vec<OsString> {
    let mut arguments = arguments.to_vec();
    if let Some(command) = command(&arguments)
        && arguments[command] == "check"
    {
        arguments[command] = "build".into();
    }
    arguments
}

/// The place of cargo's command, which comes after its own options such as `--offline`.
fn command(arguments: &[OsString]) -> Option<usize> {
    let is_option = |argument: &OsString| argument.as_encoded_bytes().starts_with(b"-");
    arguments.iter().position(|argument| !is_option(argument))
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_a_build() {
        assert_eq!(
            built(&["check".into(), "--quiet".into()]),
            ["build", "--quiet"]
        );
        assert_eq!(
            built(&["--offline".into(), "check".into()]),
            ["--offline", "build"]
        );
        assert_eq!(built(&["metadata".into()]), ["metadata"]);
    }
}
