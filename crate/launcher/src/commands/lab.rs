//! `evenhand lab`: JupyterLab on the notebooks, with a warm kernel and a model that answers.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::{ExitCode, Stdio};

use tokio::process::Command;

use crate::commands::provider::Provider;
use crate::error::Result;
use crate::jupyter;
use crate::kernel;
use crate::local_model::Allowance;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::setup;
use crate::supervise::supervise;

const SCRIPT: &str = include_str!("lab.py");

/// The options of `evenhand lab`.
#[derive(clap::Args, Debug, Default)]
pub struct Options {
    #[command(flatten)]
    pub allowance: Allowance,
    /// Passed on to JupyterLab, such as `-- --no-browser --port 8899`
    #[arg(last = true)]
    pub jupyter: Vec<OsString>,
}

/// Sets up what is missing, and runs JupyterLab until the user ends it.
pub fn run(options: &Options, project: &Checkout, home: &Home) -> Result<ExitCode> {
    setup::kernel(home)?;
    setup::library(project, home)?;
    setup::jupyter(project, home)?;
    kernel::install_spec(home)?;
    let mut answerer = Provider::new(project, home, options.allowance);
    let environment = answerer.environment_for(&project.notebooks())?;
    let sockets = jupyter::private_folder()?;
    err!("✓ opening JupyterLab; Ctrl-C ends it and everything that it started");

    // It gets the user's whole environment, including keys, since its kernels inherit it. It runs
    // in our own folder: settings and templates in its working directory could run code, which
    // might be somebody else's.
    let mut jupyter = Command::new(home.python());
    jupyter
        // `-I`: ignore other Python modules. `-y`: Ctrl-C ends it without asking.
        .args(["-I", "-c", SCRIPT, "-y"])
        .args(as_root())
        .args(arguments(&options.jupyter, project))
        .envs(environment)
        .env("JUPYTER_PATH", kernel::jupyter_path(home))
        .env("JUPYTER_RUNTIME_DIR", sockets.path())
        .args(by_sockets(&options.jupyter))
        .stdin(Stdio::piped())
        .current_dir(home.root());
    supervise(jupyter, "JupyterLab")
}

/// Makes kernels listen on sockets in a private folder and not on ports, which every process on
/// the machine can reach, unless the user chooses a transport.
fn by_sockets(passed: &[OsString]) -> Option<&'static str> {
    let is_said = passed.iter().any(|argument| {
        argument
            .to_string_lossy()
            .contains("KernelManager.transport")
    });
    (!is_said).then_some("--KernelManager.transport=ipc")
}

/// Jupyter refuses to run as root without this option. In a container, root is often the only
/// user.
fn as_root() -> Option<&'static str> {
    rustix::process::geteuid()
        .is_root()
        .then_some("--allow-root")
}

/// JupyterLab's options for its root folder.
const ROOT: [&str; 5] = [
    "--ServerApp.root_dir",
    "--notebook-dir",
    "--ServerApp.notebook_dir",
    "--LabApp.notebook_dir",
    "--NotebookApp.notebook_dir",
];
/// JupyterLab's options for the page that it opens.
const PAGE: [&str; 2] = ["--LabApp.default_url", "--ServerApp.default_url"];

/// The user's arguments, and our own for options that they do not set: JupyterLab does not accept
/// an option twice.
fn arguments(passed: &[OsString], project: &Checkout) -> Vec<OsString> {
    let says = |names: &[&str]| {
        let mut given = passed.iter().map(|argument| option(argument).0);
        given.any(|name| names.iter().any(|known| name == *known))
    };
    let mut all = Vec::new();
    if !says(&ROOT) {
        all.extend([ROOT[0].into(), project.notebooks().into()]);
        if !says(&PAGE) {
            all.extend([PAGE[0].into(), "/lab/tree/01-responsible-ai.ipynb".into()]);
        }
    }
    let mut is_root = false;
    for argument in passed {
        let (name, value) = option(argument);
        all.push(match value {
            // JupyterLab runs elsewhere, but the path is relative to the user's current folder.
            Some(value) if ROOT.iter().any(|known| name == *known) => {
                let mut argument = name.to_owned();
                argument.push("=");
                argument.push(seen_from_here(value));
                argument
            }
            None if is_root => seen_from_here(argument),
            _ => argument.clone(),
        });
        is_root = value.is_none() && ROOT.iter().any(|known| name == *known);
    }
    all
}

/// An argument's name, and the value after `=`.
fn option(argument: &OsStr) -> (&OsStr, Option<&OsStr>) {
    let bytes = argument.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        Some(place) => (
            OsStr::from_bytes(&bytes[..place]),
            Some(OsStr::from_bytes(&bytes[place + 1..])),
        ),
        None => (argument, None),
    }
}

fn seen_from_here(path: &OsStr) -> OsString {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(passed: &[&str]) -> Vec<String> {
        let passed: Vec<OsString> = passed.iter().map(Into::into).collect();
        let project = Checkout::locate().unwrap();
        let all = arguments(&passed, &project);
        all.into_iter()
            .map(|argument| argument.into_string().unwrap())
            .collect()
    }

    #[test]
    fn nothing_is_said_twice() {
        let project = Checkout::locate().unwrap();
        let root = project.notebooks().to_string_lossy().into_owned();
        let page = "/lab/tree/01-responsible-ai.ipynb";
        let ours = ["--ServerApp.root_dir", &root, "--LabApp.default_url", page];
        assert_eq!(all(&[]), ours);
        assert_eq!(all(&["--no-browser", "--port", "8899"])[..4], ours);
        for passed in [
            ["--ServerApp.root_dir=/x"].as_slice(),
            &["--ServerApp.root_dir", "/x"],
            &["--notebook-dir=/x", "--no-browser"],
        ] {
            assert_eq!(all(passed), passed);
        }
        assert_eq!(
            all(&["--LabApp.default_url=/lab"]),
            ["--ServerApp.root_dir", &root, "--LabApp.default_url=/lab"]
        );
    }

    #[test]
    fn a_folder_is_the_one_that_the_user_sees() {
        let here = std::env::current_dir().unwrap();
        let here = here.to_string_lossy();
        assert_eq!(
            all(&["--ServerApp.root_dir=x"]),
            [format!("--ServerApp.root_dir={here}/x")]
        );
        assert_eq!(
            all(&["--notebook-dir", "x", "y"]),
            ["--notebook-dir", &format!("{here}/x"), "y"]
        );
    }
}
