//! The programs that precede all others on a kernel's PATH: a `cargo` that is the
//! launcher's (see `cargo_shim`), and what records the compiler's command for it.
//!
//! evcxr asks rustup for cargo and takes the one on PATH where there is no rustup, so there
//! is a `rustup` too, which is the real one for everything else. The rust-analyzer inside
//! evcxr takes the cargo of `CARGO_HOME` before that on PATH, so the kernel is given another
//! `CARGO_HOME`, and the shims give the real one back.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::error::{Context, Failure, Result};
use crate::paths::home::private::{self, Umask};
use crate::paths::toolchain;
use crate::paths::which::on_path;
use crate::tool;

/// The shims' folder in a build directory.
pub(crate) const SHIMS: &str = "shims";
/// The folder for PATH below it.
pub(crate) const PROGRAMS: &str = "shims/bin";
/// The variable that names the real cargo.
pub(crate) const CARGO: &str = "EVENHAND_CARGO";
/// The variable that names the lock file whose versions the cells resolve.
pub(crate) const LOCK_FILE: &str = "EVENHAND_LOCK_FILE";
/// The variable that names those of the kernel's environment that are not for tools.
pub(crate) const WITHHELD: &str = "EVENHAND_WITHHELD";
/// The variable that names folders of shared libraries.
const LIBRARY_PATH: &str = if cfg!(target_os = "macos") {
    "DYLD_FALLBACK_LIBRARY_PATH"
} else {
    "LD_LIBRARY_PATH"
};
/// Stands between cargo and the compiler, and notes the compiler's command.
pub(crate) const RECORDER: &str = "record";
/// Where the recorder notes it; each part ends in NUL.
pub(crate) const RECORDED_ARGUMENTS: &str = "rustc.arguments";
pub(crate) const RECORDED_ENVIRONMENT: &str = "rustc.environment";

const CARGO_SHIM: &str = r#"#!/bin/sh
if [ -n "$EVENHAND_CARGO_HOME" ]; then CARGO_HOME=$EVENHAND_CARGO_HOME; else unset CARGO_HOME; fi
exec "$EVENHAND_LAUNCHER" cargo -- "$@"
"#;

const RUSTUP_SHIM: &str = r#"#!/bin/sh
if [ -n "$EVENHAND_CARGO_HOME" ]; then CARGO_HOME=$EVENHAND_CARGO_HOME; else unset CARGO_HOME; fi
if [ "$*" = "which cargo" ]; then
    echo "${0%/*}/cargo"
else
    exec env -i PATH="$PATH" HOME="$HOME" ${CARGO_HOME+"CARGO_HOME=$CARGO_HOME"} \
        ${RUSTUP_HOME+"RUSTUP_HOME=$RUSTUP_HOME"} \
        ${RUSTUP_TOOLCHAIN+"RUSTUP_TOOLCHAIN=$RUSTUP_TOOLCHAIN"} "$EVENHAND_RUSTUP" "$@"
fi
"#;

/// cargo also asks the compiler what it is (`-vV`), which is not to be noted. Copies of the
/// build directory have the cells' library from there.
const RECORDER_SHIM: &str = r#"#!/bin/sh
case " $* " in
*" --crate-name ctx "*)
    library=${0%/*/*}/LIBRARY
    [ -e "$library" ] || "$1" --edition=2024 --crate-name evenhand_cell --crate-type rlib \
        -O --cap-lints allow "${0%/*}/evenhand_cell.rs" -o "$library" || exit
    set -- "$@" --extern "evenhand_cell=$library"
    NOTE
    ;;
esac
exec "$@"
"#;

/// How the recorder notes the command: for its owner alone, and without what the compiler has no
/// use for. All else that is in cargo's environment is what `tool` lets pass, and cargo's own.
const NOTE: &str = r#"umask 077
    printf '%s\0' "$@" > "${0%/*}/rustc.arguments"
    (unset NETWORK; env -0 > "${0%/*}/rustc.environment")"#;

/// What the cells call.
const CELL_LIBRARY: &str = include_str!("cell_library.rs");

/// The file that it is compiled to, in a build directory. Another version is another file.
pub fn cell_library() -> String {
    let mut hash = DefaultHasher::new();
    CELL_LIBRARY.hash(&mut hash);
    format!("libevenhand_cell-{:016x}.rlib", hash.finish())
}

/// Writes the shims into a build directory, and returns the environment in which evcxr
/// builds there with the versions of this lock file.
pub fn environment(build: &Path, lock_file: &Path) -> Result<Vec<(OsString, OsString)>> {
    let note = NOTE.replace("NETWORK", &tool::NETWORK.join(" "));
    environment_with(build, lock_file, &note)
}

/// The same for the build that all kernels copy: no cell of a reader's is compiled there, and
/// nothing is noted.
pub fn environment_of_warm(build: &Path, lock_file: &Path) -> Result<Vec<(OsString, OsString)>> {
    environment_with(build, lock_file, ":")
}

fn environment_with(
    build: &Path,
    lock_file: &Path,
    note: &str,
) -> Result<Vec<(OsString, OsString)>> {
    let _umask = Umask::set();
    let shims = build.join(SHIMS);
    let programs = build.join(PROGRAMS);
    let rustup = on_path("rustup");
    let write = || -> io::Result<()> {
        private::create_folder(&programs)?;
        write_program(&programs.join("cargo"), CARGO_SHIM)?;
        let recorder = RECORDER_SHIM
            .replace("LIBRARY", &cell_library())
            .replace("NOTE", note);
        write_program(&shims.join(RECORDER), &recorder)?;
        fs::write(shims.join("evenhand_cell.rs"), CELL_LIBRARY)?;
        match &rustup {
            Some(_) => write_program(&programs.join("rustup"), RUSTUP_SHIM),
            None => Ok(()),
        }
    };
    write().doing(|| format!("could not write into {}", shims.display()))?;
    let launcher =
        std::env::current_exe().doing(|| "could not find the launcher's own program".to_owned())?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)))
        .map_err(|error| {
            Failure::new("the kernel's folder can't stand on PATH")
                .because(error)
                .hint("set EVENHAND_HOME to a folder without a colon in its name")
        })?;
    let cargo = real_cargo(rustup.as_deref())?;
    let mut variables = vec![
        ("EVCXR_TMPDIR".into(), build.into()),
        (LOCK_FILE.into(), lock_file.into()),
        ("EVENHAND_LAUNCHER".into(), launcher.into()),
        (
            "EVENHAND_CARGO_HOME".into(),
            std::env::var_os("CARGO_HOME").unwrap_or_default(),
        ),
        ("CARGO_HOME".into(), shims.into()),
        ("PATH".into(), path),
        (LIBRARY_PATH.into(), library_path()?),
        (WITHHELD.into(), tool::withheld()),
    ];
    // evcxr asks rustup in the notebook's folder, where a file of a stranger's may name another.
    variables.extend(toolchain_of(&cargo).map(|name| ("RUSTUP_TOOLCHAIN".into(), name.into())));
    variables.push((CARGO.into(), cargo.into()));
    variables.extend(rustup.map(|rustup| ("EVENHAND_RUSTUP".into(), rustup.into())));
    Ok(variables)
}

/// The name of the toolchain that rustup has this program of: `toolchains/NAME/bin/cargo`.
fn toolchain_of(program: &Path) -> Option<&OsStr> {
    let toolchain = program.parent()?.parent()?;
    let is_rustups = toolchain.parent()?.ends_with("toolchains");
    is_rustups.then(|| toolchain.file_name()).flatten()
}

/// Where a cell finds Rust's own libraries. The path to them that the compiler writes into
/// a cell is one folder off, since cargo moves what it made, and leads there by chance alone.
/// `cargo run` puts its own build of the library on this path, which the cells must not load.
fn library_path() -> Result<OsString> {
    let set = std::env::var_os(LIBRARY_PATH).unwrap_or_default();
    let foreign = std::env::split_paths(&set).filter(|folder| !holds_library(folder));
    let folders = [toolchain::libraries()?].into_iter().chain(foreign);
    std::env::join_paths(folders).doing(|| "Rust's libraries have a colon in their path".to_owned())
}

fn holds_library(folder: &Path) -> bool {
    ["libevenhand.so", "libevenhand.dylib"]
        .iter()
        .any(|name| folder.join(name).exists())
}

fn write_program(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// The toolchain's own cargo: rustup's proxy would cost each cell its start.
fn real_cargo(rustup: Option<&Path>) -> Result<PathBuf> {
    let told = rustup.and_then(|rustup| {
        let output = toolchain::program(rustup)
            .args(["which", "cargo"])
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        Some(PathBuf::from(path.trim())).filter(|path| path.is_file())
    });
    told.or_else(|| on_path("cargo")).ok_or_else(|| {
        Failure::new("cargo was not found")
            .hint("install Rust with rustup, or use `conda env create -f environment.yml`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_of_rustups_is_known_by_its_place() {
        let of = |program: &str| toolchain_of(Path::new(program)).map(OsStr::to_owned);
        assert_eq!(
            of("/home/me/.rustup/toolchains/stable-x86_64/bin/cargo"),
            Some("stable-x86_64".into())
        );
        assert_eq!(of("/usr/bin/cargo"), None);
        assert_eq!(of("cargo"), None);
    }
}
