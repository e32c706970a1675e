//! The programs that are placed first on a kernel's PATH: a `cargo` that runs the launcher (see
//! `cargo_shim`), and a recorder that saves the compiler command for it.
//!
//! evcxr asks rustup for cargo and uses the one on PATH if there is no rustup. So there is a
//! `rustup` shim too, which passes everything else to the real one. The rust-analyzer inside
//! evcxr prefers the cargo of `CARGO_HOME` to the one on PATH, so the kernel gets a different
//! `CARGO_HOME`, and the shims restore the real one.

use std::env::consts::DLL_SUFFIX;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::profile;
use crate::error::{Context, Failure, Result};
use crate::paths::home::private::{self, Umask};
use crate::paths::own_program::own_program;
use crate::paths::toolchain;
use crate::paths::which::on_path;
use crate::tool;

/// The shims' folder in a build directory.
pub(crate) const SHIMS: &str = "shims";
/// The folder below it that is put on PATH.
pub(crate) const PROGRAMS: &str = "shims/bin";
/// The variable that names the real cargo.
pub(crate) const CARGO: &str = "EVENHAND_CARGO";
/// The variable that names the lock file whose versions the cells use.
pub(crate) const LOCK_FILE: &str = "EVENHAND_LOCK_FILE";
/// The variable that lists the kernel's environment variables that tools are not given.
pub(crate) const WITHHELD: &str = "EVENHAND_WITHHELD";
/// The search path for shared libraries.
const LIBRARY_PATH: &str = if cfg!(target_os = "macos") {
    "DYLD_FALLBACK_LIBRARY_PATH"
} else {
    "LD_LIBRARY_PATH"
};
/// The program that cargo runs in place of the compiler, and that records the compiler command.
pub(crate) const RECORDER: &str = "record";
/// The files that the recorder writes; each entry ends with NUL.
pub(crate) const RECORDED_ARGUMENTS: &str = "rustc.arguments";
pub(crate) const RECORDED_ENVIRONMENT: &str = "rustc.environment";
/// The file with arguments that the recorder adds for a cell, one in a line.
pub(crate) const OWN_ARGUMENTS: &str = "own.arguments";

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

/// Only the compilation of a cell is recorded: cargo also asks the compiler for its version
/// (`-vV`). The cells' library is compiled in the build directory, and copies of it have it too.
const RECORDER_SHIM: &str = r#"#!/bin/sh
case " $* " in
*" --crate-name ctx "*)
    library=${0%/*/*}/LIBRARY
    if ! [ -e "$library" ]; then
        "$1" --edition=2024 --crate-name evenhand_cell --crate-type dylib -C prefer-dynamic \
            -O --cap-lints allow "${0%/*}/cell_library/lib.rs" -o "${0%/*}/cell_library/LIBRARY" || exit
        mv "${0%/*}/cell_library/LIBRARY" "$library"
    fi
    set -- "$@" --extern "evenhand_cell=$library"
    if [ -e "${0%/*}/own.arguments" ]; then
        while IFS= read -r argument; do set -- "$@" "$argument"; done < "${0%/*}/own.arguments"
    fi
    NOTE
    ;;
esac
exec "$@"
"#;

/// How the recorder saves the command: readable by its owner only, and without the network
/// variables, which the compiler does not need. Everything else in cargo's environment is what
/// `tool` lets through or cargo's own.
const NOTE: &str = r#"umask 077
    printf '%s\0' "$@" > "${0%/*}/rustc.arguments"
    (unset NETWORK; env -0 > "${0%/*}/rustc.environment")"#;

/// The source of the library that the cells call.
const CELL_LIBRARY: [(&str, &str); 5] = [
    ("lib.rs", include_str!("cell_library/lib.rs")),
    ("input.rs", include_str!("cell_library/input.rs")),
    ("show.rs", include_str!("cell_library/show.rs")),
    ("store.rs", include_str!("cell_library/store.rs")),
    ("streams.rs", include_str!("cell_library/streams.rs")),
];

/// The compiled library's file name in a build directory. Each version has its own name.
pub fn cell_library() -> String {
    let mut hash = DefaultHasher::new();
    CELL_LIBRARY.hash(&mut hash);
    format!("libevenhand_cell-{:016x}{}", hash.finish(), DLL_SUFFIX)
}

/// Writes the shims into a build directory, and returns the environment in which evcxr builds
/// there with the versions of this lock file.
pub fn environment(build: &Path, lock_file: &Path) -> Result<Vec<(OsString, OsString)>> {
    let note = NOTE.replace("NETWORK", &tool::NETWORK.join(" "));
    environment_with(build, lock_file, &note)
}

/// The same for the warm build, which all kernels copy: no cell of the reader's is compiled
/// there, and nothing is recorded.
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
        fs::write(shims.join(profile::FILE), profile::text())?;
        let library = shims.join("cell_library");
        private::create_folder(&library)?;
        for (file, text) in CELL_LIBRARY {
            fs::write(library.join(file), text)?;
        }
        match &rustup {
            Some(_) => write_program(&programs.join("rustup"), RUSTUP_SHIM),
            None => Ok(()),
        }
    };
    write().with_context(|| format!("could not write into {}", shims.display()))?;
    let launcher = own_program()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)))
        .map_err(|error| {
            Failure::new("the kernel's folder can't be added to PATH")
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
        ("CARGO_HOME".into(), shims.clone().into()),
        ("PATH".into(), path),
        (LIBRARY_PATH.into(), library_path(build)?),
        (WITHHELD.into(), tool::withheld()),
        // evcxr looks in this folder for a kernelspec of its own, and replaces one of an older version.
        // In the user's folder, it would replace the user's.
        ("JUPYTER_PATH".into(), shims.into()),
    ];
    // evcxr runs rustup in the notebook's folder, where somebody else's file may name another
    // toolchain.
    variables.extend(toolchain_of(&cargo).map(|name| ("RUSTUP_TOOLCHAIN".into(), name.into())));
    variables.push((CARGO.into(), cargo.into()));
    variables.extend(rustup.map(|rustup| ("EVENHAND_RUSTUP".into(), rustup.into())));
    Ok(variables)
}

/// The rustup toolchain that this program belongs to: `NAME` in `toolchains/NAME/bin/cargo`.
fn toolchain_of(program: &Path) -> Option<&OsStr> {
    let toolchain = program.parent()?.parent()?;
    let is_rustups = toolchain.parent()?.ends_with("toolchains");
    is_rustups.then(|| toolchain.file_name()).flatten()
}

/// Where a cell finds Rust's own libraries and the one that every cell calls. The relative path that the compiler writes into a
/// cell is off by one folder, since cargo moves the output, so it cannot be relied on.
/// Another build of the package for notebooks may be on this path: `cargo run` puts its target folder
/// there, where checkouts used to have one. The cells must not load that.
fn library_path(build: &Path) -> Result<OsString> {
    let set = std::env::var_os(LIBRARY_PATH).unwrap_or_default();
    let foreign = std::env::split_paths(&set).filter(|folder| !holds_library(folder));
    let own = [toolchain::libraries()?, build.to_owned()];
    let folders = own.into_iter().chain(foreign);
    std::env::join_paths(folders)
        .with_context(|| "Rust's libraries have a colon in their path".to_owned())
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

/// The toolchain's own cargo: starting rustup's proxy would slow down each cell.
fn real_cargo(rustup: Option<&Path>) -> Result<PathBuf> {
    let answer = rustup.and_then(|rustup| {
        let output = toolchain::program(rustup)
            .args(["which", "cargo"])
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        Some(PathBuf::from(path.trim())).filter(|path| path.is_file())
    });
    answer.or_else(|| on_path("cargo")).ok_or_else(|| {
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
