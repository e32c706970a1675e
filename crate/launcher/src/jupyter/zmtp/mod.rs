//! ZeroMQ's protocol (ZMTP 3.0, mechanism NULL), as far as Jupyter uses it.
//!
//! Every process on the machine can reach a kernel's ports, so received data is not trusted: no
//! memory is allocated for an announced length before its bytes arrive, an error only ends its own
//! connection, and the number of connections is limited.
//!
//! - `codec`: encoding and decoding; `handshake`: the start of a connection.
//! - `endpoint`, `owner`: where a socket listens, and which user is at the other end.
//! - `outbox`: the queue of messages to send; `client`: the connecting end.
//! - `server`: the listening end; `peers`: its peers.

mod client;
mod codec;
mod endpoint;
mod handshake;
mod outbox;
mod owner;
mod peers;
mod server;

pub use client::{Receiver, Sender, connect, subscribe};
pub use codec::Frames;
pub use endpoint::Endpoint;
pub use server::{Publisher, Router, echo};

#[cfg(any(test, fuzzing))]
pub mod fuzzing {
    //! Exports for the fuzz targets.
    pub use crate::jupyter::zmtp::codec::{Heard, encode, heard};
    pub use crate::jupyter::zmtp::handshake::heard as heard_opening;
}

#[cfg(test)]
mod tests;
