//! The integration tests: real parts where users use them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod batch;
mod browser;
mod complete;
mod display;
mod http;
mod kernel;
mod lab;
mod private;
mod run;
mod serve;
mod settings;
mod setup;
mod submission;
mod support;
mod terminal;
mod wrapper;
