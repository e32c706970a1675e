//! Jupyter's protocol, for both of its ends: `run` speaks to a kernel as a client, `kernel`
//! stands between a client and evcxr.
//!
//! - `wire`: one message, signed, and `header`, its head;
//! - `zmtp`: how messages travel, and who is listened to;
//! - `connection`: the file that names ports and key;
//! - `process`, `guard`: a kernel as a process, and that nothing of it is left behind;
//! - `sockets`: a kernel that was started and answers, and `client`, the conversation with it;
//! - `notebook`, `outputs`: a file, and what goes into it;
//! - `executor`, `execute`: cell after cell, or one piece of code; `report`: what a terminal shows
//!   of it.

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
