//! The peers of a listening socket: a limited number, each with a unique identity.
//!
//! A peer that has proved that it knows the kernel's key stays until it disconnects. If the limit
//! is reached, a newcomer replaces the newest of the other peers, so that a flood of connections
//! cannot push out those that were there before.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::codec::{Reader, broken};
use super::endpoint::{Endpoint, Listener, Stream};
use super::handshake::{Kind, opening, receive_opening};
use super::outbox::Outbox;
use crate::terminal::err;

/// The maximum number of peers of a socket.
pub const PEERS: usize = 64;

/// The maximum number of connections in their handshake. A further one replaces the oldest.
pub const ARRIVING: usize = 32;

/// How long a handshake may take.
const ARRIVAL: Duration = Duration::from_secs(5);

/// The maximum number of topics of a subscriber.
const TOPICS: usize = 16;

/// How many errors of peers are reported. Any process can cause any number of them.
const LOGGED: u32 = 10;

/// How a server handles the messages of a peer. The peer is disconnected when `serve` returns.
pub trait Service: Send + Sync + 'static {
    const KIND: Kind;

    fn serve(
        &self,
        peers: &Peers,
        peer: &Bytes,
        reader: Reader,
    ) -> impl Future<Output = io::Result<()>> + Send;
}

/// The peers of one socket.
pub struct Peers {
    name: String,
    state: Mutex<State>,
    logged: AtomicU32,
}

#[derive(Default)]
struct State {
    arrived: u64,
    arriving: VecDeque<(u64, AbortHandle)>,
    here: HashMap<Bytes, Peer>,
}

struct Peer {
    number: u64,
    outbox: Outbox,
    task: AbortHandle,
    has_the_key: bool,
    topics: Vec<Bytes>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peers {
    /// Listens at this endpoint, and serves all peers that connect.
    pub async fn open(endpoint: &Endpoint, service: impl Service) -> io::Result<Arc<Self>> {
        let listener = Listener::bind(endpoint).await?;
        let peers = Arc::new(Self {
            name: endpoint.to_string(),
            state: Mutex::default(),
            logged: AtomicU32::new(0),
        });
        tokio::spawn(peers.clone().receive_all(listener, Arc::new(service)));
        Ok(peers)
    }

    async fn receive_all(self: Arc<Self>, listener: Listener, service: Arc<impl Service>) {
        loop {
            match listener.accept(ARRIVING).await {
                Ok(streams) => {
                    for stream in streams {
                        self.clone().receive(stream, service.clone());
                    }
                }
                // The system cannot take another connection at the moment.
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn receive<S: Service>(self: Arc<Self>, stream: Stream, service: Arc<S>) {
        let mut state = self.state();
        state.arrived += 1;
        let number = state.arrived;
        let peers = self.clone();
        let task = tokio::spawn(async move {
            let arrival = timeout(ARRIVAL, peers.arrive(stream, S::KIND, number)).await;
            let Ok(Ok((peer, reader))) = arrival else {
                return peers.forget(number);
            };
            if let Err(error) = service.serve(&peers, &peer, reader).await
                && error.kind() == io::ErrorKind::InvalidData
            {
                peers.tell(format_args!("disconnected a peer: {error}"));
            }
            peers.part(&peer, number);
        });
        state.arriving.push_back((number, task.abort_handle()));
        if state.arriving.len() > ARRIVING
            && let Some((_, oldest)) = state.arriving.pop_front()
        {
            oldest.abort();
        }
    }

    async fn arrive(&self, stream: Stream, kind: Kind, number: u64) -> io::Result<(Bytes, Reader)> {
        let (mut reader, mut writer) = stream.split();
        writer.write_all(&opening(kind, b"")).await?;
        let chosen = receive_opening(&mut reader, kind).await?;
        let name = match chosen.is_empty() {
            true => [&[0], number.to_be_bytes().as_slice()].concat().into(),
            false => chosen,
        };
        let mut state = self.state();
        let Some(task) = state.take_arriving(number) else {
            return Err(broken("its handshake took too long"));
        };
        if state.here.contains_key(&name) {
            drop(state);
            self.tell("refused a peer: its identity is already in use");
            return Err(broken("its identity is already in use"));
        }
        if state.here.len() >= PEERS && !state.make_room() {
            return Err(broken("there are too many connections"));
        }
        let peer = Peer {
            number,
            outbox: Outbox::new(writer),
            task,
            has_the_key: false,
            topics: Vec::new(),
        };
        state.here.insert(name.clone(), peer);
        Ok((name, reader))
    }

    /// Records that a peer knows the key.
    pub fn has_the_key(&self, name: &Bytes) {
        if let Some(peer) = self.state().here.get_mut(name) {
            peer.has_the_key = true;
        }
    }

    /// Changes what a peer has subscribed to.
    pub fn subscribe(&self, name: &Bytes, topic: &[u8], wanted: bool) -> io::Result<()> {
        let mut state = self.state();
        let Some(peer) = state.here.get_mut(name) else {
            return Ok(());
        };
        if !wanted {
            if let Some(at) = peer.topics.iter().position(|had| had == topic) {
                peer.topics.remove(at);
            }
        } else if peer.topics.len() < TOPICS {
            peer.topics.push(Bytes::copy_from_slice(topic));
        } else {
            return Err(broken(format!(
                "it subscribes to more than {TOPICS} topics"
            )));
        }
        Ok(())
    }

    /// Sends to one peer.
    pub fn send(&self, name: &Bytes, message: Bytes) -> io::Result<()> {
        let mut state = self.state();
        let peer = state.here.get(name).ok_or(io::ErrorKind::NotConnected)?;
        let sent = peer.outbox.push(message);
        if sent.is_err() {
            state.here.remove(name);
        }
        sent
    }

    /// Sends to all peers that have subscribed to a prefix of `first`.
    pub fn publish(&self, first: &[u8], message: &Bytes) {
        let mut failed = None;
        let wants = |peer: &Peer| peer.topics.iter().any(|topic| first.starts_with(topic));
        self.state().here.retain(|_, peer| {
            let sent = match wants(peer) {
                true => peer.outbox.push(message.clone()),
                false => Ok(()),
            };
            let stays = sent.is_ok();
            failed = failed.take().or(sent.err());
            stays
        });
        if let Some(error) = failed.filter(|error| error.kind() == io::ErrorKind::TimedOut) {
            self.tell(format_args!("disconnected a peer: {error}"));
        }
    }

    /// Reports an error in Jupyter's log.
    pub fn tell(&self, what: impl std::fmt::Display) {
        let logged = self.logged.fetch_add(1, Ordering::Relaxed);
        if logged < LOGGED {
            err!("{}: {what}", self.name);
        } else if logged == LOGGED {
            err!("{}: further errors of peers are not reported", self.name);
        }
    }

    fn part(&self, name: &Bytes, number: u64) {
        let mut state = self.state();
        // It may have disconnected already, and another peer may have taken its identity.
        if state
            .here
            .get(name)
            .is_some_and(|peer| peer.number == number)
        {
            state.here.remove(name);
        }
    }

    fn forget(&self, number: u64) {
        self.state().take_arriving(number);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_arriving(&mut self, number: u64) -> Option<AbortHandle> {
        let at = self
            .arriving
            .iter()
            .position(|(found, _)| *found == number)?;
        self.arriving.remove(at).map(|(_, task)| task)
    }

    /// Disconnects the newest peer that has not proved that it knows the key. Returns whether
    /// there was one.
    fn make_room(&mut self) -> bool {
        let unauthenticated = self.here.iter().filter(|(_, peer)| !peer.has_the_key);
        let newest = unauthenticated.max_by_key(|(_, peer)| peer.number);
        let newest = newest.map(|(name, _)| name.clone());
        newest.is_some_and(|name| self.here.remove(&name).is_some())
    }
}
