//! The launcher: from a clone to answers in a notebook.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a terminal program speaks to its terminal"
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]
#![allow(
    unreachable_pub,
    reason = "nothing in a program can be reached from outside"
)]

mod failure;
mod home;
mod run;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Result;
use crate::home::Home;
use crate::run::KernelCommand;

/// Rust in Jupyter, and a language model to ask.
#[derive(Debug, Parser)]
#[command(name = "evenhand", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run notebooks without a browser
    Run(run::Options),
    /// Started by `run`: keeps a kernel from outliving the launcher
    #[command(hide = true)]
    Guard(run::guard::Options),
    /// Started by a hidden cell of `run`: hears whether a cell failed
    #[command(hide = true)]
    Tap {
        /// The file that takes the notes
        notes: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match dispatch(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn dispatch(command: Command) -> Result<()> {
    match command {
        Command::Run(options) => {
            let home = Home::locate()?;
            run::run(&options, &evcxr(&home), &home)
        }
        Command::Guard(options) => run::guard::guard(options),
        Command::Tap { notes } => run::tap::filter(&notes),
    }
}

/// The stock kernel: `EVENHAND_EVCXR`, or the one on the `PATH`.
fn evcxr(home: &Home) -> KernelCommand {
    let named = std::env::var_os("EVENHAND_EVCXR").filter(|value| !value.is_empty());
    let program = named.unwrap_or_else(|| "evcxr_jupyter".into());
    KernelCommand {
        argv: vec![program, "--control_file".into(), "{connection_file}".into()],
        // It renews the kernelspec that it finds on this path: not the user's.
        env: vec![(
            OsString::from("JUPYTER_PATH"),
            home.kernel().into_os_string(),
        )],
    }
}
