//! Jupyter's protocol, for both of its ends: `run` speaks to a kernel as a client, `kernel`
//! stands between a client and evcxr.
//!
//! - `wire`: one message, signed, and `header`, its head;
//! - `zmtp`: how messages travel, and who is listened to;
//! - `connection`: the file that names ports and key;
//! - `process`, `guard`: a kernel as a process, and that nothing of it is left behind;
//! - `sockets`: a kernel that was started and answers.

mod connection;
pub mod guard;
mod header;
mod process;
mod sockets;
mod wire;
pub mod zmtp;

pub use connection::Connection;
pub use header::{Header, PROTOCOL};
pub use process::{IPC, Kernel, KernelCommand, private_folder};
pub use sockets::{Channel, Sockets, start};
pub use wire::{Message, Session, random_hex};
