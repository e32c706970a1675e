//! The integration tests that only need a server on loopback: the library as used by a program,
//! and the launcher as used by a shell. They need no kernel, browser, model or Spark.

// An attribute of a crate: each of the two test programs needs its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod architecture;
mod batch;
mod cloud;
mod complete;
mod documents;
mod http;
mod kernelspec;
mod settings;
mod study;
mod submission;

/// What the tests have in common.
mod support {
    pub(crate) mod batch_api;
    mod common;
    mod echo;
    mod launcher;
    pub(crate) mod python;
    #[path = "../../crate/testing/loopback/mod.rs"]
    pub(crate) mod server;
    mod tls;

    pub(crate) use batch_api::BatchApi;
    pub(crate) use common::{artifact, checkout, is_root, note, poll, skip};
    pub(crate) use echo::Echo;
    pub(crate) use launcher::evenhand;
}
