//! What an installed kernelspec starts: a copy of the launcher, which becomes the program that was
//! built last, or takes its place where that is gone.
//!
//! A Jupyter that a service or an editor starts may not have the user's PATH. Where Rust is not on
//! it, the folder that was on it at the installation is added.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Failure, Result};
use crate::paths::own_program::own_program;
use crate::paths::which::on_path;

/// Replaces this process by the kernel; returns only if that fails.
pub fn start(program: &Path, rust: Option<&Path>, connection_file: &Path) -> Result<Failure> {
    let own = own_program()?;
    let becomes = match is_program(program) {
        true => program,
        false => &own,
    };
    let mut kernel = Command::new(becomes);
    kernel
        .args(["kernel", "--connection-file"])
        .arg(connection_file);
    if let Some(rust) = rust.filter(|_| on_path("cargo").is_none()) {
        kernel.env(
            "PATH",
            with(rust, std::env::var_os("PATH").unwrap_or_default()),
        );
    }
    Ok(Failure::new(format!("could not start {}", becomes.display())).because(kernel.exec()))
}

/// The search path with one more folder at its end.
fn with(folder: &Path, path: OsString) -> OsString {
    let folders = std::env::split_paths(&path).filter(|folder| folder != Path::new(""));
    let folders: Vec<PathBuf> = folders.chain([folder.to_owned()]).collect();
    // A folder with a colon in its name can't be on PATH.
    std::env::join_paths(folders).unwrap_or(path)
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_rust_comes_last() {
        let added = |path: &str| with(Path::new("/c/bin"), path.into());
        assert_eq!(added("/usr/bin:/bin"), "/usr/bin:/bin:/c/bin");
        assert_eq!(added(""), "/c/bin");
        assert_eq!(with(Path::new("/c:d"), "/bin".into()), "/bin");
    }
}
