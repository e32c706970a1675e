//! The integration tests with the real parts that users have: the kernel, the local model, Spark
//! and Sail, and JupyterLab in a browser. Tests that need none of these are in `fast.rs`.

// An attribute of a crate: each of the two test programs needs its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod anywhere;
mod browser;
mod deployments;
mod display;
mod kernel;
mod lab;
mod lessons;
mod local_spark;
mod openai_python;
mod pictures;
mod polars_guide;
mod practice;
mod private;
mod run;
mod serve;
mod setup;
mod spark;
mod terminal;
mod wrapper;

/// What the tests have in common: programs that end with their test, a browser, a JupyterLab.
///
/// Everything here blocks, so it must be used in plain `#[test]` functions, and it panics with the
/// test's message when something does not happen in time.
mod support {
    mod browser;
    mod common;
    mod echo;
    mod home;
    pub(crate) mod http;
    mod jupyter;
    mod lab;
    pub(crate) mod launcher;
    mod notebook;
    mod png;
    mod process;
    pub(crate) mod process_table;
    pub(crate) mod python;
    #[path = "../../crate/testing/loopback/mod.rs"]
    pub(crate) mod server;

    pub(crate) use browser::Browser;
    pub(crate) use common::{artifact, checkout, is_root, note, poll, skip};
    pub(crate) use echo::Echo;
    pub(crate) use home::home;
    pub(crate) use jupyter::{JupyterLab, Theme};
    pub(crate) use lab::LabCommand;
    pub(crate) use launcher::evenhand;
    pub(crate) use notebook::Notebook;
    pub(crate) use png::reduced;
    pub(crate) use process::{Group, Launcher, members};
}
