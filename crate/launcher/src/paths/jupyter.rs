//! Where Jupyter looks for kernels: the folder `kernels` of each of its data folders.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::which::on_path;
use crate::error::{Failure, Result};
use crate::tool;

/// A Jupyter data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The data folder of this user, as Jupyter chooses it: `JUPYTER_DATA_DIR`, or the platform's.
    pub fn of_user() -> Result<Self> {
        let folder = set("JUPYTER_DATA_DIR").or_else(|| {
            if cfg!(target_os = "macos") {
                return set("HOME").map(|home| home.join("Library/Jupyter"));
            }
            set("XDG_DATA_HOME")
                .or_else(|| set("HOME").map(|home| home.join(".local/share")))
                .map(|data| data.join("jupyter"))
        });
        match folder {
            Some(folder) if folder.is_absolute() => Ok(Self(folder)),
            Some(folder) => Err(Failure::new(format!(
                "Jupyter's data folder {} is a relative path",
                folder.display()
            ))
            .hint("set JUPYTER_DATA_DIR to a full path, or leave it unset")),
            None => Err(Failure::new(
                "Jupyter's data folder is not known: there is no home directory",
            )
            .hint("set HOME or JUPYTER_DATA_DIR, or choose a folder with --prefix")),
        }
    }

    /// The data folder of what is installed below this prefix.
    pub fn of_prefix(prefix: &Path) -> Self {
        Self(prefix.join("share/jupyter"))
    }

    /// The folder of the kernelspecs.
    pub fn kernels(&self) -> PathBuf {
        self.0.join("kernels")
    }
}

/// The folders of kernelspecs in which a Jupyter of this machine may look: those of this user, of
/// `JUPYTER_PATH`, of the active Python, and of the system.
pub fn all_kernels() -> Vec<PathBuf> {
    let named = std::env::var_os("JUPYTER_PATH").unwrap_or_default();
    let named: Vec<_> = std::env::split_paths(&named)
        .filter(|folder| folder.is_absolute())
        .map(DataFolder)
        .collect();
    let active = Python::active().ok();
    let mut all = Vec::new();
    for folder in named
        .into_iter()
        .chain(DataFolder::of_user().ok())
        .chain(active.map(|python| DataFolder::of_prefix(&python.prefix)))
        .chain(["/usr/local", "/usr"].map(|prefix| DataFolder::of_prefix(Path::new(prefix))))
    {
        if !all.contains(&folder.kernels()) {
            all.push(folder.kernels());
        }
    }
    all
}

/// A Python environment, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Python {
    /// Its folder, `sys.prefix`.
    pub prefix: PathBuf,
    /// The version of its jupyter_client, which starts kernels; `None` if it has none.
    pub client: Option<String>,
}

const QUESTION: &str = "
import sys
print(sys.prefix)
try:
    from importlib.metadata import version
    print(version('jupyter_client'))
except Exception:
    print()
";

impl Python {
    /// The one that is first on PATH: that of the active environment.
    pub fn active() -> Result<Self> {
        let found = ["python3", "python"].into_iter().find_map(on_path);
        found
            .and_then(|program| Self::ask_program(&program))
            .ok_or_else(|| {
                Failure::new("no Python was found on PATH")
                    .hint("activate the environment, or name its folder with --prefix")
            })
    }

    /// The one whose programs are below this prefix, if there is one.
    pub fn of_prefix(prefix: &Path) -> Option<Self> {
        let programs = ["bin/python3", "bin/python"].map(|program| prefix.join(program));
        programs
            .into_iter()
            .filter(|program| program.is_file())
            .find_map(|program| Self::ask_program(&program))
    }

    fn ask_program(program: &Path) -> Option<Self> {
        let output = tool::python(program)
            .args(["-c", QUESTION])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        Self::from_answer(&String::from_utf8(output.stdout).ok()?)
    }

    fn from_answer(answer: &str) -> Option<Self> {
        let (prefix, client) = answer.split_once('\n')?;
        let prefix = PathBuf::from(prefix);
        let client = Some(client.trim().to_owned()).filter(|client| !client.is_empty());
        prefix.is_absolute().then_some(Self { prefix, client })
    }
}

/// The oldest jupyter_client that stops a cell by a message, which this kernel needs: an older one
/// sends a signal, which ends nothing.
pub const OLDEST_CLIENT: (u64, u64) = (5, 2);

/// Whether a version of jupyter_client is too old.
pub fn is_too_old(client: &str) -> bool {
    let mut numbers = client.split('.').map(|number| number.parse::<u64>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) < OLDEST_CLIENT,
        // Without a version number, nothing shows that it is too old.
        _ => false,
    }
}

fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_says_where_it_is_and_what_it_has() {
        let read =
            |answer| Python::from_answer(answer).map(|python| (python.prefix, python.client));
        assert_eq!(
            read("/opt/conda\n8.6.1\n"),
            Some(("/opt/conda".into(), Some("8.6.1".to_owned())))
        );
        assert_eq!(read("/usr\n\n"), Some(("/usr".into(), None)));
        assert_eq!(read("hello"), None);
        assert_eq!(read("relative\n8\n"), None);
    }

    #[test]
    fn an_old_client_is_recognized() {
        for old in ["4.4.0", "5.1.0", "5.0"] {
            assert!(is_too_old(old), "{old}");
        }
        for new in ["5.2.0", "5.3.4", "8.6.3", "9.0.0a1", "10.0", "unknown", "5"] {
            assert!(!is_too_old(new), "{new}");
        }
    }
}
