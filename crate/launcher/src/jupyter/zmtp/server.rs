//! The three kinds of sockets of a kernel: requests and answers, published messages, and the
//! heartbeat, an echo that shows a client that the kernel is running.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::codec::{Frames, Heard, Reader, broken, encode};
use super::endpoint::Endpoint;
use super::handshake::Kind;
use super::peers::{Peers, Service};
use crate::error::Result;

/// The size limit for a client's message, about a thousand times the size of a large cell.
const MAX_LENGTH: usize = 64 * 1024 * 1024;

/// The size limit for a message of a peer that has not proved that it knows the key yet. Messages
/// above `SHORT` are received one at a time and within a short time, so that incomplete messages
/// cannot fill the memory.
const MAX_UNAUTHENTICATED: usize = 1024 * 1024;
const SHORT: usize = 4096;
const AT_ONCE: Duration = Duration::from_secs(2);

/// The size limit for a subscription and for a heartbeat.
const MAX_OTHER: usize = 1024;

/// How many invalid requests a peer may send.
const WRONG: u32 = 16;

/// Receives requests, and sends answers.
pub struct Router(Arc<Peers>);

impl Router {
    /// Listens at this endpoint. `check` decides what is a request; it gets the peer's identity
    /// and then the frames.
    pub async fn listen<T: Send + 'static>(
        endpoint: &Endpoint,
        requests: mpsc::Sender<T>,
        check: impl Fn(Frames) -> Result<T> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let service = Requests {
            check,
            requests,
            long: Semaphore::new(1),
        };
        Peers::open(endpoint, service).await.map(Self)
    }

    /// Sends a message to the peer whose identity is the first frame.
    pub fn send(&self, frames: &[Bytes]) -> io::Result<()> {
        match frames.split_first() {
            Some((peer, message)) => self.0.send(peer, encode(message)),
            None => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

struct Requests<T, C> {
    check: C,
    requests: mpsc::Sender<T>,
    long: Semaphore,
}

impl<T, C> Service for Requests<T, C>
where
    T: Send + 'static,
    C: Fn(Frames) -> Result<T> + Send + Sync + 'static,
{
    const KIND: Kind = Kind::Router;

    async fn serve(&self, peers: &Peers, peer: &Bytes, mut reader: Reader) -> io::Result<()> {
        let mut has_the_key = false;
        let mut wrong = 0;
        loop {
            let heard = match has_the_key {
                true => reader.next(MAX_LENGTH).await?,
                false => self.read_unauthenticated(&mut reader).await?,
            };
            let Heard::Message(mut frames) = heard else {
                continue;
            };
            frames.insert(0, peer.clone());
            match (self.check)(frames) {
                Ok(request) => {
                    if !has_the_key {
                        has_the_key = true;
                        peers.has_the_key(peer);
                        reader.trust();
                    }
                    if self.requests.send(request).await.is_err() {
                        return Ok(());
                    }
                }
                Err(failure) => {
                    peers.tell(format_args!("ignored a request: {}", failure.message()));
                    wrong += 1;
                    if wrong == WRONG {
                        return Err(broken(format!("it sent {WRONG} invalid requests")));
                    }
                }
            }
        }
    }
}

impl<T, C> Requests<T, C> {
    async fn read_unauthenticated(&self, reader: &mut Reader) -> io::Result<Heard> {
        if let Some(heard) = reader.next_short(MAX_UNAUTHENTICATED, SHORT).await? {
            return Ok(heard);
        }
        let _turn = self.long.acquire().await.map_err(io::Error::other)?;
        let heard = timeout(AT_ONCE, reader.next(MAX_UNAUTHENTICATED)).await;
        heard.unwrap_or_else(|_| Err(broken("its first message was not complete in time")))
    }
}

/// Publishes messages to all subscribers.
pub struct Publisher(Arc<Peers>);

impl Publisher {
    /// Listens at this endpoint for subscribers.
    pub async fn listen(endpoint: &Endpoint) -> io::Result<Self> {
        Peers::open(endpoint, Subscriptions).await.map(Self)
    }

    /// Sends a message to all peers that have subscribed to a prefix of its first frame.
    pub fn publish(&self, frames: &[Bytes]) {
        let first = frames.first().map_or(&[][..], |first| first);
        self.0.publish(first, &encode(frames));
    }
}

struct Subscriptions;

impl Service for Subscriptions {
    const KIND: Kind = Kind::Publish;

    async fn serve(&self, peers: &Peers, peer: &Bytes, mut reader: Reader) -> io::Result<()> {
        loop {
            // ZMTP 3.0 sends subscriptions as messages, 3.1 as commands.
            let command = match reader.next(MAX_OTHER).await? {
                Heard::Message(mut frames) if frames.len() == 1 => frames.remove(0),
                Heard::Command(body) => body,
                Heard::Message(_) => {
                    return Err(broken("it sent something other than a subscription"));
                }
            };
            let is = |word: &[u8]| command.strip_prefix(word);
            if let Some(topic) = is(b"\x01").or(is(b"\x09SUBSCRIBE")) {
                peers.subscribe(peer, topic, true)?;
            } else if let Some(topic) = is(b"\x00").or(is(b"\x06CANCEL")) {
                peers.subscribe(peer, topic, false)?;
            }
        }
    }
}

/// Listens at this endpoint, and sends every message back.
pub async fn echo(endpoint: &Endpoint) -> io::Result<()> {
    Peers::open(endpoint, Echo).await.map(drop)
}

struct Echo;

impl Service for Echo {
    const KIND: Kind = Kind::Reply;

    async fn serve(&self, peers: &Peers, peer: &Bytes, mut reader: Reader) -> io::Result<()> {
        loop {
            if let Heard::Message(frames) = reader.next(MAX_OTHER).await? {
                peers.send(peer, encode(&frames))?;
            }
        }
    }
}
