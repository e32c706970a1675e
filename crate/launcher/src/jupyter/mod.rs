//! Jupyter's protocol, for both of its ends: `run` talks to a kernel as a client, and `kernel` is
//! placed between a client and evcxr.
//!
//! - `wire`: one signed message; `header`: its header.
//! - `zmtp`: the transport of messages, and which connections are accepted.
//! - `connection`: the connection file with ports and key.
//! - `process`, `guard`: a kernel as a process, of which nothing is left behind.
//! - `sockets`: the connection to a started kernel; `client`: running cells through it.
//! - `notebook`, `outputs`: a notebook file and the outputs in it.
//! - `executor`, `execute`: running the cells of a notebook, or one piece of code; `report`: what
//!   the terminal shows of it.

mod client;
mod connection;
mod execute;
mod executor;
pub mod guard;
mod header;
pub mod notebook;
pub mod outputs;
mod process;
mod report;
mod sockets;
mod wire;
pub mod zmtp;

pub use connection::Connection;
pub use execute::execute;
pub use executor::Executor;
pub use header::{Header, PROTOCOL};
pub use process::{IPC, Kernel, KernelCommand, private_folder};
pub use report::Report;
pub use sockets::{Channel, Sockets, start};
pub use wire::{Message, Session, random_hex};
