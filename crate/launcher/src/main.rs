//! The launcher: from a clone to answers in a notebook.
//!
//! `cargo run` is `evenhand lab`: it sets up what is missing, starts the small model if no
//! other is set, and opens JupyterLab with a warm Rust kernel. The library knows nothing of
//! the launcher.

#![allow(
    unreachable_pub,
    reason = "nothing in a program can be reached from outside"
)]

#[macro_use]
mod terminal;

mod commands;
mod error;
mod jupyter;
mod kernel;
mod local_model;
mod paths;
mod setup;
mod supervise;
mod tool;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{clean, complete, doctor, lab, run, serve};
use crate::error::Result;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;

/// Ask a language model the same question about different people, in a Rust notebook, and
/// learn whether it is even-handed.
#[derive(Debug, Parser)]
#[command(name = "evenhand", version, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Without a command it opens the lab. What it installs goes to EVENHAND_HOME (by default evenhand \
in your data directory), and `evenhand clean` removes it.

Who answers: AZURE_OPENAI_ENDPOINT with AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT, in the \
environment or in a file .env beside the notebooks; without them a small model on this machine.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up what is missing and open JupyterLab on the notebooks (the default)
    Lab(lab::Options),
    /// Run notebooks in the real kernel, without a browser
    Run(run::Options),
    /// Serve a small model on this machine behind Azure OpenAI's protocol
    Serve(local_model::Options),
    /// Ask requests that stand on standard input as lines of JSON
    Complete(complete::Options),
    /// Tell what is here, what is missing, and how to mend it
    Doctor(doctor::Options),
    /// Remove what the launcher made
    Clean,
    /// The Rust kernel, as Jupyter starts it
    #[command(hide = true)]
    Kernel(kernel::Options),
    /// Started by evcxr: cargo, as a cell needs it
    #[command(hide = true)]
    Cargo {
        /// cargo's own arguments
        #[arg(last = true)]
        arguments: Vec<OsString>,
    },
    /// Started with a kernel: keeps it from outliving the launcher
    #[command(hide = true)]
    Guard(jupyter::guard::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let command = arguments
        .command
        .unwrap_or(Command::Lab(lab::Options::default()));
    dispatch(command).unwrap_or_else(|failure| {
        err!("{failure}");
        ExitCode::from(failure.exit_code())
    })
}

impl Command {
    /// Is it only asked what `--like` knows?
    fn lists_deployments(&self) -> bool {
        let allowance = match self {
            Self::Lab(options) => options.allowance,
            Self::Run(options) => options.allowance(),
            Self::Serve(options) => options.allowance,
            _ => return false,
        };
        allowance.like == Some(local_model::Like::List)
    }
}

fn dispatch(command: Command) -> Result<ExitCode> {
    if command.lists_deployments() {
        out!("{}", local_model::like::list());
        return Ok(ExitCode::SUCCESS);
    }
    // Only where it is needed: who asks a service has no use for a home.
    let home = Home::locate;
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Lab(options) => lab::run(&options, &Checkout::locate()?, &home()?),
        Command::Run(options) => run::run(&options, &Checkout::locate()?, &home()?).map(done),
        Command::Serve(options) => serve::run(options, &Checkout::locate()?, &home()?).map(done),
        Command::Complete(options) => complete::run(&options),
        Command::Doctor(options) => doctor::run(&options, &Checkout::locate()?, &home()?),
        Command::Clean => clean::run(&home()?).map(done),
        Command::Kernel(options) => kernel::run(&options, &home()?),
        Command::Cargo { arguments } => kernel::run_cargo(&arguments),
        Command::Guard(options) => jupyter::guard::guard(options).map(done),
    }
}
