//! `evenhand kernel`: the kernel for any Jupyter of this machine. Jupyter starts it with this
//! command, too.
//!
//! - `install`, `uninstall`, `list`: kernelspecs in Jupyter's folders; `place`: which folder is meant.
//! - `record`: the folders that were chosen, so that `list` and `clean` find them.

mod install;
mod list;
mod place;
mod record;
mod uninstall;

use std::path::PathBuf;
use std::process::ExitCode;

pub use self::uninstall::all as uninstall_all;
use crate::error::{Failure, Result};
use crate::kernel;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;

/// The options of `evenhand kernel`.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct Options {
    #[command(subcommand)]
    action: Option<Action>,
    /// The file to which Jupyter wrote this kernel's ports and key
    #[arg(long, value_name = "FILE", hide = true)]
    connection_file: Option<PathBuf>,
    /// The program that an installed kernelspec means
    #[arg(long, value_name = "FILE", hide = true, requires = "connection_file")]
    program: Option<PathBuf>,
    /// The folder with Rust's programs, for a Jupyter without them on PATH
    #[arg(long, value_name = "DIR", hide = true, requires = "program")]
    rust: Option<PathBuf>,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Offer the kernel in any Jupyter: JupyterLab, Notebook, VS Code, papermill, JupyterHub
    Install(install::Options),
    /// Remove an installed kernel
    Uninstall(uninstall::Options),
    /// List the installed kernels, and those that can't start any more
    List,
}

/// Does what was asked, or is the kernel that Jupyter starts.
pub fn run(options: &Options, home: &Home) -> Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match (&options.action, &options.connection_file) {
        (Some(Action::Install(options)), _) => {
            install::run(options, &Checkout::locate()?, home).map(done)
        }
        (Some(Action::Uninstall(options)), _) => uninstall::run(options, home).map(done),
        (Some(Action::List), _) => list::run(home),
        (None, Some(connection_file)) => match &options.program {
            Some(program) => Err(kernel::start_program(
                program,
                options.rust.as_deref(),
                connection_file,
            )?),
            None => kernel::run(connection_file, home),
        },
        // clap prints the help instead.
        (None, None) => Err(Failure::new("`evenhand kernel` needs a command")
            .hint("`evenhand kernel --help` lists them")),
    }
}
