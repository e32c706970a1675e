//! ZeroMQ's protocol (ZMTP 3.0, mechanism NULL), as much of it as Jupyter uses.
//!
//! A kernel's ports can be reached by whoever is on the machine, so nothing that comes in is
//! believed: a length costs no memory before its bytes are there, an error ends the one
//! connection that it came by, and there is a number of connections that can't be passed.
//!
//! - `codec`: bytes and messages; `handshake`: how a connection begins;
//! - `endpoint`, `owner`: where a socket is, and whose process is at the other end;
//! - `outbox`: what is still to be sent; `client`: the end that connects;
//! - `server`: the end that listens, and `hall`, who is let in there.

mod client;
mod codec;
mod endpoint;
mod hall;
mod handshake;
mod outbox;
mod owner;
mod server;

pub use client::{Receiver, Sender, connect, subscribe};
pub use codec::Frames;
pub use endpoint::Endpoint;
pub use server::{Publisher, Router, echo};

#[cfg(any(test, fuzzing))]
pub mod fuzzing {
    //! What the fuzz targets need.
    pub use super::codec::{Heard, encode, heard};
    pub use super::handshake::heard as heard_opening;
}

#[cfg(test)]
mod tests;
