//! The launcher: from a clone to answers in a notebook.
//!
//! `cargo run` is `evenhand lab`: it sets up what is missing, starts the local model if no other
//! service is configured, and opens JupyterLab with a warm Rust kernel. The library does not
//! depend on the launcher.

#![allow(
    unreachable_pub,
    reason = "nothing in a binary is reachable from outside"
)]

mod commands;
#[cfg(test)]
#[path = "../../testing/corpus.rs"]
mod corpus;
mod error;
#[cfg(test)]
mod fuzzing;
mod jupyter;
mod kernel;
mod local_model;
mod paths;
mod practice;
mod setup;
mod supervise;
mod terminal;
mod tool;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    clean, cloud, complete, doctor, lab, new, practice as practicing, run, serve, spark, study,
};
use crate::error::Result;
use crate::paths::checkout::Checkout;
use crate::paths::home::Home;
use crate::terminal::{err, out};

/// Ask a language model the same question about different people, in a Rust notebook, and
/// learn whether it is even-handed.
#[derive(Debug, Parser)]
#[command(name = "evenhand", version, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Without a command, it opens the lab. Everything is installed in EVENHAND_HOME (by default \
evenhand in your data directory), and `evenhand clean` removes it.

Prompts are answered by the service that AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and \
AZURE_OPENAI_DEPLOYMENT name, in the environment or in a file .env next to the notebooks; without \
them, by a small model on this machine.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up what is missing and open JupyterLab on the lessons or on any folder (the default)
    Lab(lab::Options),
    /// Run notebooks in the real kernel, without a browser
    Run(run::Options),
    /// Write a first notebook
    New(new::Options),
    /// Install the kernel for any Jupyter of this machine
    Kernel(commands::kernel::Options),
    /// Serve a small model on this machine behind Azure OpenAI's protocol
    Serve(local_model::Options),
    /// Make what the lab needs in Azure, show it, and remove it again; or in practice
    Cloud(cloud::Options),
    /// Run a cloud on this machine that behaves like Azure and Databricks, and costs nothing
    Practice(practicing::Options),
    /// Start a Spark engine on this machine
    Spark(spark::Options),
    /// Answer requests that are read from standard input as lines of JSON
    Complete(complete::Options),
    /// Run the study that a file describes, write its report, and exit by a rule
    Study(study::Options),
    /// Check what is installed, what is missing, and how to fix it
    Doctor(doctor::Options),
    /// Remove everything that the launcher installed and built
    Clean,
    /// Cargo with changes for cells, started by evcxr
    #[command(hide = true)]
    Cargo {
        /// cargo's own arguments
        #[arg(last = true)]
        arguments: Vec<OsString>,
    },
    /// Keeps a kernel from outliving the launcher, started with the kernel
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
        let behavior = match self {
            Self::Lab(options) => options.behavior,
            Self::Run(options) => options.behavior(),
            Self::Serve(options) => options.behavior,
            _ => return false,
        };
        behavior.like == Some(local_model::Like::List)
    }
}

fn dispatch(command: Command) -> Result<ExitCode> {
    if command.lists_deployments() {
        out!("{}", local_model::like::list());
        return Ok(ExitCode::SUCCESS);
    }
    // Called only if needed: a command that only uses a service needs no home.
    let home = Home::locate;
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Lab(options) => lab::run(&options, &Checkout::locate()?, &home()?),
        Command::Run(options) => run::run(&options, &Checkout::locate()?, &home()?).map(done),
        Command::New(options) => new::run(&options).map(done),
        Command::Serve(options) => serve::run(options, &Checkout::locate()?, &home()?).map(done),
        Command::Cloud(options) => cloud::run(&options, &home()?),
        Command::Practice(options) => {
            practicing::run(&options, &Checkout::locate()?, &home()?).map(done)
        }
        Command::Spark(options) => spark::run(&options, &Checkout::locate()?, &home()?).map(done),
        Command::Complete(options) => complete::run(&options),
        Command::Study(options) => study::run(&options),
        Command::Doctor(options) => doctor::run(&options, &Checkout::locate()?, &home()?),
        Command::Clean => clean::run(&home()?).map(done),
        Command::Kernel(options) => commands::kernel::run(&options, &home()?),
        Command::Cargo { arguments } => kernel::run_cargo(&arguments),
        Command::Guard(options) => jupyter::guard::guard(options).map(done),
    }
}
