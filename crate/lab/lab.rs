//! `evenhand lab`: JupyterLab on the notebooks, with the kernel warm and somebody to answer.

use std::ffi::OsString;
use std::process::{ExitCode, Stdio};

use tokio::process::Command;

use crate::answerer::Answerer;
use crate::child::stand_behind;
use crate::failure::Result;
use crate::home::Home;
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
    err!("✓ opening JupyterLab; Ctrl-C ends it, and all that it started");

    let mut jupyter = Command::new(home.python());
    jupyter
        // `-y`: Ctrl-C ends it without a question.
        .args(["-c", SCRIPT, "-y", "--ServerApp.root_dir"])
        .arg(project.notebooks())
        .args(["--LabApp.default_url", "/lab/tree/01-responsible-ai.ipynb"])
        .args(as_root())
        .args(&options.jupyter)
        .envs(environment)
        .env("JUPYTER_PATH", kernel::jupyter_path(home))
        .stdin(Stdio::piped())
        .current_dir(project.notebooks());
    stand_behind(jupyter, "JupyterLab")
}

/// Jupyter refuses to run as root unless told so; in a container there is nobody else.
fn as_root() -> Option<&'static str> {
    rustix::process::geteuid()
        .is_root()
        .then_some("--allow-root")
}
