//! The queue of messages to send on a connection, and the task that sends them.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::AbortHandle;

use super::endpoint::Writer;

/// How many queued messages are taken at once.
const BATCH: usize = 128;

/// Short messages are joined up to this length.
const JOINED: usize = 64 * 1024;

/// How many bytes may be queued for a peer that reads nothing.
const STALLED: usize = 8 * 1024 * 1024;

/// How long a peer with that many bytes may read nothing.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many bytes may be queued for a peer that reads.
const MAX_COUNT: usize = 256 * 1024 * 1024;

/// The messages to one peer. Messages that are still queued when it is dropped are discarded.
pub struct Outbox {
    queue: UnboundedSender<Bytes>,
    waiting: Arc<Waiting>,
    task: AbortHandle,
}

struct Waiting {
    bytes: AtomicUsize,
    began: Instant,
    /// When the peer last accepted bytes, in milliseconds since `began`.
    moved: AtomicU64,
}

impl Outbox {
    pub fn new(writer: Writer) -> Self {
        let (queue, messages) = mpsc::unbounded_channel();
        let waiting = Arc::new(Waiting {
            bytes: AtomicUsize::new(0),
            began: Instant::now(),
            moved: AtomicU64::new(0),
        });
        let task = tokio::spawn(send(messages, writer, waiting.clone())).abort_handle();
        Self {
            queue,
            waiting,
            task,
        }
    }

    /// Queues a message. Fails if the peer is gone, or reads so slowly that it should be
    /// disconnected.
    pub fn push(&self, message: Bytes) -> io::Result<()> {
        let waiting = &self.waiting;
        let before = waiting.bytes.fetch_add(message.len(), Ordering::Relaxed);
        if before == 0 {
            waiting.note_move();
        }
        if before > MAX_COUNT || before > STALLED && waiting.since_move() > TIMEOUT {
            return Err(io::Error::new(ErrorKind::TimedOut, "it reads too slowly"));
        }
        let gone = |_| io::Error::from(ErrorKind::BrokenPipe);
        self.queue.send(message).map_err(gone)
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Waiting {
    fn note_move(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(now, Ordering::Relaxed);
    }

    fn since_move(&self) -> Duration {
        let moved = Duration::from_millis(self.moved.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(moved)
    }
}

/// Sends until the queue is closed or the peer is gone.
async fn send(
    mut messages: UnboundedReceiver<Bytes>,
    mut writer: Writer,
    waiting: Arc<Waiting>,
) -> io::Result<()> {
    let mut batch = Vec::new();
    let mut joined = BytesMut::new();
    while messages.recv_many(&mut batch, BATCH).await > 0 {
        for message in batch.drain(..) {
            if joined.len() + message.len() > JOINED {
                write(&mut writer, &joined, &waiting).await?;
                joined.clear();
            }
            if message.len() > JOINED {
                write(&mut writer, &message, &waiting).await?;
            } else {
                joined.extend_from_slice(&message);
            }
        }
        write(&mut writer, &joined, &waiting).await?;
        joined.clear();
    }
    Ok(())
}

async fn write(writer: &mut Writer, mut bytes: &[u8], waiting: &Waiting) -> io::Result<()> {
    while !bytes.is_empty() {
        let taken = match writer.write(bytes).await? {
            0 => return Err(ErrorKind::WriteZero.into()),
            taken => taken,
        };
        waiting.bytes.fetch_sub(taken, Ordering::Relaxed);
        waiting.note_move();
        bytes = &bytes[taken..];
    }
    Ok(())
}
