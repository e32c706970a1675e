//! `evenhand lab`: JupyterLab on the notebooks, with the kernel warm and somebody to answer.

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

/// What `evenhand lab` can be told.
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
    err!("✓ opening JupyterLab; Ctrl-C ends it, and all that it started");

    // It has the reader's whole environment, keys included, since the kernels that it starts
    // have theirs from it. It works in our own folder: settings and templates that lie in the
    // folder where it works could run a stranger's code.
    let mut jupyter = Command::new(home.python());
    jupyter
        // `-I`: no module is a stranger's. `-y`: Ctrl-C ends it without a question.
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

/// The kernels listen to sockets in a folder of the user's own, and not to ports, which every
/// process on the machine finds; unless the user says otherwise.
fn by_sockets(passed: &[OsString]) -> Option<&'static str> {
    let is_said = passed.iter().any(|argument| {
        argument
            .to_string_lossy()
            .contains("KernelManager.transport")
    });
    (!is_said).then_some("--KernelManager.transport=ipc")
}

/// Jupyter refuses to run as root unless told so; in a container there is nobody else.
fn as_root() -> Option<&'static str> {
    rustix::process::geteuid()
        .is_root()
        .then_some("--allow-root")
}

/// How JupyterLab's root folder is named on its command line.
const ROOT: [&str; 5] = [
    "--ServerApp.root_dir",
    "--notebook-dir",
    "--ServerApp.notebook_dir",
    "--LabApp.notebook_dir",
    "--NotebookApp.notebook_dir",
];
/// And the page that it opens.
const PAGE: [&str; 2] = ["--LabApp.default_url", "--ServerApp.default_url"];

/// What the user passes on, and ours for what it does not say: an option that stands there twice
/// is an error to JupyterLab.
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
            // JupyterLab works elsewhere: a folder is the one that the user sees.
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

/// An argument's name, and the value behind `=`.
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
