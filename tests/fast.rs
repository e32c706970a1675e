//! The integration tests that ask a server on loopback: the library as a program uses it, and
//! the launcher as a shell does. They need no kernel, no browser and no model, and end within
//! a minute.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod architecture;
mod batch;
mod complete;
mod documents;
mod http;
mod settings;
mod submission;

/// What they stand on.
mod support {
    pub(crate) mod batch_api;
    mod common;
    mod echo;
    mod launcher;
    #[path = "../../crate/testing/loopback/mod.rs"]
    pub(crate) mod server;
    mod tls;

    pub(crate) use batch_api::BatchApi;
    pub(crate) use common::{artifact, checkout, is_root, note, poll, skip};
    pub(crate) use echo::Echo;
    pub(crate) use launcher::evenhand;
}
