//! Python environments with packages from PyPI. They are kept between runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::common::artifact;

/// The folder `bin` of an environment with these packages, created by this Python. The error says
/// what failed: there may be no Python, or no network.
pub(crate) fn environment(name: &str, python: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = artifact(name);
    let (bin, stamp) = (folder.join("bin"), folder.join("installed.txt"));
    let wanted = packages.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(bin);
    }
    let create = ["-m", "venv", "--clear"];
    succeeds(Command::new(python).args(create).arg(&folder))?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    succeeds(
        Command::new(bin.join("python"))
            .args(install)
            .args(packages),
    )?;
    fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    Ok(bin)
}

fn succeeds(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
