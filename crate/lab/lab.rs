//! `evenhand lab`: JupyterLab on the notebooks, with the kernel warm and somebody to answer.

use std::ffi::OsString;
use std::process::{ExitCode, Stdio};

use tokio::process::Command;

use crate::answerer::Answerer;
use crate::child::stand_behind;
use crate::failure::Result;
use crate::home::Home;
use crate::jupyter;
use crate::kernel;
use crate::project::Project;
use crate::serve::Allowance;
use crate::setup;

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
pub fn run(options: &Options, project: &Project, home: &Home) -> Result<ExitCode> {
    setup::kernel(home)?;
    setup::library(project, home)?;
    setup::jupyter(project, home)?;
    kernel::install_spec(home)?;
    let mut answerer = Answerer::new(project, home, options.allowance);
    let environment = answerer.environment_for(&project.notebooks())?;
    let sockets = jupyter::private_folder()?;
    err!("✓ opening JupyterLab; Ctrl-C ends it, and all that it started");

    let mut lab = Command::new(home.python());
    lab
        // `-y`: Ctrl-C ends it without a question.
        .args(["-c", SCRIPT, "-y", "--ServerApp.root_dir"])
        .arg(project.notebooks())
        .args(["--LabApp.default_url", "/lab/tree/01-responsible-ai.ipynb"])
        .args(as_root())
        .args(&options.jupyter)
        .envs(environment)
        .env("JUPYTER_PATH", kernel::jupyter_path(home))
        .env("JUPYTER_RUNTIME_DIR", sockets.path())
        .args(by_sockets(&options.jupyter))
        .stdin(Stdio::piped())
        .current_dir(project.notebooks());
    stand_behind(lab, "JupyterLab")
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
