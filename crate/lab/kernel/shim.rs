//! Keeps the versions of the workspace's `Cargo.lock` in a kernel's build directory.
//!
//! Whenever evcxr compiles without dependencies, as it does when it starts, cargo drops
//! from the lock file all that was not needed. Left so, the next `:dep` would resolve
//! afresh: other versions than the tests ran on, minutes of compiling, and no answer
//! without a network. So evcxr is given a `cargo` that first puts the lock file back where
//! the library is wanted and its versions are gone, and then is the real cargo.
//!
//! evcxr asks rustup for cargo and takes the one on PATH where there is no rustup, so the
//! folder of shims, which precedes PATH, has both names.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Context, Failure, Result};
use crate::programs::on_path;

const CARGO: &str = r#"#!/bin/sh
if [ . -ef "$EVCXR_TMPDIR" ] && grep -qs '^ *evenhand *=' Cargo.toml && ! grep -qs '^name = "evenhand"' Cargo.lock; then
    cp "$EVENHAND_LOCK_FILE" Cargo.lock
fi
exec "$EVENHAND_CARGO" "$@"
"#;

const RUSTUP: &str = r#"#!/bin/sh
if [ "$*" = "which cargo" ]; then
    echo "${0%/*}/cargo"
else
    exec "$EVENHAND_RUSTUP" "$@"
fi
"#;

/// Writes the shims into a build directory, and returns the environment in which evcxr
/// builds there with the versions of this lock file.
pub fn environment(build: &Path, lock_file: &Path) -> Result<Vec<(OsString, OsString)>> {
    let shims = build.join("shims");
    let rustup = on_path("rustup");
    let write = || -> io::Result<()> {
        fs::create_dir_all(&shims)?;
        write_program(&shims.join("cargo"), CARGO)?;
        match &rustup {
            Some(_) => write_program(&shims.join("rustup"), RUSTUP),
            None => Ok(()),
        }
    };
    write().doing(|| format!("could not write into {}", shims.display()))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        [shims.clone()]
            .into_iter()
            .chain(std::env::split_paths(&path)),
    )
    .map_err(|error| {
        Failure::new("the kernel's folder can't stand on PATH")
            .because(error)
            .hint("set EVENHAND_HOME to a folder without a colon in its name")
    })?;
    let mut variables = vec![
        ("EVCXR_TMPDIR".into(), build.into()),
        (
            "EVENHAND_CARGO".into(),
            real_cargo(rustup.as_deref())?.into(),
        ),
        ("EVENHAND_LOCK_FILE".into(), lock_file.into()),
        ("PATH".into(), path),
    ];
    variables.extend(rustup.map(|rustup| ("EVENHAND_RUSTUP".into(), rustup.into())));
    Ok(variables)
}

fn write_program(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// The toolchain's own cargo: rustup's proxy would cost each cell its start.
fn real_cargo(rustup: Option<&Path>) -> Result<PathBuf> {
    let told = rustup.and_then(|rustup| {
        let output = Command::new(rustup)
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

    fn run_cargo_in(folder: &Path, manifest: &str, lock: &str) -> String {
        let lock_file = folder.join("the workspace's.lock");
        fs::write(&lock_file, "name = \"evenhand\"\nname = \"polars\"\n").unwrap();
        let build = folder.join("build");
        fs::create_dir_all(&build).unwrap();
        fs::write(build.join("Cargo.toml"), manifest).unwrap();
        fs::write(build.join("Cargo.lock"), lock).unwrap();
        let environment = environment(&build, &lock_file).unwrap();
        let ran = Command::new(build.join("shims/cargo"))
            .arg("--version")
            .envs(environment)
            .current_dir(&build)
            .output()
            .unwrap();
        assert!(
            String::from_utf8_lossy(&ran.stdout).starts_with("cargo "),
            "{ran:?}"
        );
        fs::read_to_string(build.join("Cargo.lock")).unwrap()
    }

    #[test]
    fn a_pruned_lock_file_is_put_back_where_the_library_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let lock = run_cargo_in(
            folder.path(),
            "[dependencies]\nevenhand = { path = \"x\" }\n",
            "version = 4\n",
        );
        assert!(lock.contains("polars"));
    }

    #[test]
    fn a_lock_file_that_serves_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let added = "name = \"evenhand\"\nname = \"added by the reader\"\n";
        assert_eq!(
            run_cargo_in(folder.path(), "evenhand = { path = \"x\" }\n", added),
            added
        );
        assert_eq!(
            run_cargo_in(folder.path(), "[dependencies]\n", "version = 4\n"),
            "version = 4\n"
        );
    }
}
