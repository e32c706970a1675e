//! The launcher: from a clone to answers in a notebook.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a terminal program speaks to its terminal"
)]

mod failure;
mod home;

fn main() {}
