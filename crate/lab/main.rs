//! The launcher: from a clone to answers in a notebook.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a terminal program speaks to its terminal"
)]
#![allow(
    unreachable_pub,
    reason = "in a program `pub` means for the other modules; there is nobody else"
)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod failure;
#[allow(
    dead_code,
    reason = "some of its rooms belong to commands that are still to come"
)]
mod home;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::failure::Result;
use crate::home::Home;

/// Ask a language model the same question about different people.
#[derive(Parser)]
#[command(name = "evenhand", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Serve a small local model behind Azure OpenAI's protocol
    Serve(serve::Options),
}

fn main() -> ExitCode {
    match obey(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn obey(arguments: Arguments) -> Result<()> {
    let home = Home::locate()?;
    match arguments.command {
        Command::Serve(options) => serve::run(options, &home),
    }
}
