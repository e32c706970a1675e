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
mod documents;
mod http;
mod kernel;
mod lab;
mod pictures;
mod run;
mod serve;
mod setup;
mod submission;
mod support;
mod wrapper;
