//! The three kinds of sockets of a kernel: requests and answers, what all are told, and an echo
//! by which a client knows that the kernel lives.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::codec::{Frames, Heard, Reader, broken, encode};
use super::endpoint::Endpoint;
use super::hall::{Hall, Service};
use super::handshake::Kind;
use crate::error::Result;

/// The longest message of a client. A cell is a thousandth of it.
const LONGEST: usize = 64 * 1024 * 1024;

/// The longest message of a peer that has not shown the key yet. Of those above `SHORT` one at
/// a time is received, and it has to come at once: nobody fills the memory with beginnings.
const LONGEST_OF_STRANGER: usize = 1024 * 1024;
const SHORT: usize = 4096;
const AT_ONCE: Duration = Duration::from_secs(2);

/// The longest subscription, and the longest heartbeat.
const LONGEST_OTHER: usize = 1024;

/// How often a peer may say what nobody who has the key would.
const WRONG: u32 = 16;

/// Hears requests, and answers them.
pub struct Router(Arc<Hall>);

impl Router {
    /// Listens there. A request is what `check` takes for one: the peer's name stands before
    /// its frames.
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
        Hall::open(endpoint, service).await.map(Self)
    }

    /// Sends a message to the peer whose name is its first frame.
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

    async fn serve(&self, hall: &Hall, peer: &Bytes, mut reader: Reader) -> io::Result<()> {
        let mut has_the_key = false;
        let mut wrong = 0;
        loop {
            let heard = match has_the_key {
                true => reader.next(LONGEST).await?,
                false => self.of_stranger(&mut reader).await?,
            };
            let Heard::Message(mut frames) = heard else {
                continue;
            };
            frames.insert(0, peer.clone());
            match (self.check)(frames) {
                Ok(request) => {
                    if !has_the_key {
                        has_the_key = true;
                        hall.has_the_key(peer);
                        reader.trust();
                    }
                    if self.requests.send(request).await.is_err() {
                        return Ok(());
                    }
                }
                Err(failure) => {
                    hall.tell(format_args!("ignored a request: {}", failure.message()));
                    wrong += 1;
                    if wrong == WRONG {
                        return Err(broken(format!("it sent {WRONG} such requests")));
                    }
                }
            }
        }
    }
}

impl<T, C> Requests<T, C> {
    async fn of_stranger(&self, reader: &mut Reader) -> io::Result<Heard> {
        if let Some(heard) = reader.next_short(LONGEST_OF_STRANGER, SHORT).await? {
            return Ok(heard);
        }
        let _turn = self.long.acquire().await.map_err(io::Error::other)?;
        let heard = timeout(AT_ONCE, reader.next(LONGEST_OF_STRANGER)).await;
        heard.unwrap_or_else(|_| Err(broken("its first message does not come to an end")))
    }
}

/// Tells all subscribers.
pub struct Publisher(Arc<Hall>);

impl Publisher {
    /// Listens there for subscribers.
    pub async fn listen(endpoint: &Endpoint) -> io::Result<Self> {
        Hall::open(endpoint, Subscriptions).await.map(Self)
    }

    /// Sends a message to all that have subscribed to what its first frame begins with.
    pub fn publish(&self, frames: &[Bytes]) {
        let first = frames.first().map_or(&[][..], |first| first);
        self.0.publish(first, &encode(frames));
    }
}

struct Subscriptions;

impl Service for Subscriptions {
    const KIND: Kind = Kind::Publish;

    async fn serve(&self, hall: &Hall, peer: &Bytes, mut reader: Reader) -> io::Result<()> {
        loop {
            // ZMTP 3.0 has them as messages, 3.1 as commands.
            let said = match reader.next(LONGEST_OTHER).await? {
                Heard::Message(mut frames) if frames.len() == 1 => frames.remove(0),
                Heard::Command(body) => body,
                Heard::Message(_) => return Err(broken("it sends more than subscriptions")),
            };
            let is = |word: &[u8]| said.strip_prefix(word);
            if let Some(topic) = is(b"\x01").or(is(b"\x09SUBSCRIBE")) {
                hall.subscribe(peer, topic, true)?;
            } else if let Some(topic) = is(b"\x00").or(is(b"\x06CANCEL")) {
                hall.subscribe(peer, topic, false)?;
            }
        }
    }
}

/// Listens there, and says whatever it hears.
pub async fn echo(endpoint: &Endpoint) -> io::Result<()> {
    Hall::open(endpoint, Echo).await.map(drop)
}

struct Echo;

impl Service for Echo {
    const KIND: Kind = Kind::Reply;

    async fn serve(&self, hall: &Hall, peer: &Bytes, mut reader: Reader) -> io::Result<()> {
        loop {
            if let Heard::Message(frames) = reader.next(LONGEST_OTHER).await? {
                hall.send(peer, encode(&frames))?;
            }
        }
    }
}
