//! The connecting end: `run` uses it to talk to a kernel, and the wrapper to talk to evcxr.

use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::Bytes;

use super::codec::{Frames, Heard, Reader, encode};
use super::endpoint::{Endpoint, Stream};
use super::handshake::{Kind, opening, receive_opening};
use super::outbox::Outbox;

/// How often to try again until something listens.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The size limit for messages of a kernel that we have started ourselves.
const MAX_LENGTH: usize = 1 << 32;

/// Sends requests.
pub struct Sender(Outbox);

/// Receives answers or published messages.
pub struct Receiver {
    reader: Reader,
    /// A subscription lasts as long as its connection is kept.
    _subscription: Option<Outbox>,
}

impl Sender {
    /// Queues a message for sending. Fails if the other end is gone.
    pub fn send(&self, frames: &[Bytes]) -> io::Result<()> {
        self.0.push(encode(frames))
    }
}

impl Receiver {
    /// The next message. Cancel safe: no message is lost if the future is dropped.
    pub async fn recv(&mut self) -> io::Result<Frames> {
        loop {
            if let Heard::Message(frames) = self.reader.next(MAX_LENGTH).await? {
                return Ok(frames);
            }
        }
    }
}

/// Connects to a router with this identity; waits if it does not listen yet.
pub async fn connect(endpoint: &Endpoint, identity: &[u8]) -> io::Result<(Sender, Receiver)> {
    let (reader, outbox) = reach(endpoint, Kind::Dealer, identity).await?;
    let receiver = Receiver {
        reader,
        _subscription: None,
    };
    Ok((Sender(outbox), receiver))
}

/// Subscribes to everything from a publisher; waits if it does not listen yet.
pub async fn subscribe(endpoint: &Endpoint) -> io::Result<Receiver> {
    let (reader, outbox) = reach(endpoint, Kind::Subscribe, b"").await?;
    outbox.push(encode(&[Bytes::from_static(b"\x01")]))?;
    Ok(Receiver {
        reader,
        _subscription: Some(outbox),
    })
}

async fn reach(endpoint: &Endpoint, kind: Kind, identity: &[u8]) -> io::Result<(Reader, Outbox)> {
    let stream = loop {
        match Stream::connect(endpoint).await {
            Ok(stream) => break stream,
            Err(error)
                if [ErrorKind::NotFound, ErrorKind::ConnectionRefused].contains(&error.kind()) =>
            {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
            Err(error) => return Err(error),
        }
    };
    let (mut reader, writer) = stream.split();
    let outbox = Outbox::new(writer);
    outbox.push(opening(kind, identity))?;
    receive_opening(&mut reader, kind).await?;
    reader.trust();
    Ok((reader, outbox))
}
