//! The integration tests with real parts where users use them: the kernel, the small model,
//! JupyterLab in a browser. What needs none of them is in `fast.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod browser;
mod display;
mod kernel;
mod lab;
mod pictures;
mod private;
mod run;
mod serve;
mod setup;
mod terminal;
mod wrapper;

/// What they stand on: programs that end with their test, a browser, a JupyterLab.
///
/// Everything here blocks, so it belongs in plain `#[test]` functions, and it
/// panics when something does not come in time: the message is the test's.
mod support {
    mod browser;
    mod common;
    mod home;
    pub(crate) mod http;
    mod jupyter;
    mod launcher;
    mod notebook;
    mod png;
    mod process;
    #[path = "../../crate/testing/loopback/mod.rs"]
    pub(crate) mod server;

    pub(crate) use browser::Browser;
    pub(crate) use common::{artifact, checkout, is_root, note, poll, skip};
    pub(crate) use home::home;
    pub(crate) use jupyter::{JupyterLab, Theme};
    pub(crate) use launcher::evenhand;
    pub(crate) use notebook::Notebook;
    pub(crate) use png::reduced;
    pub(crate) use process::{Group, members};
}
