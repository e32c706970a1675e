//! An HTTP server on the loopback interface, for the library's unit tests, the integration
//! tests and the benchmarks. It sends raw bytes, so that it can also misbehave in ways that no
//! real server library allows.
//!
//! Each of these programs includes this module by its path, since none of them can depend on
//! another.

#![allow(
    dead_code,
    unused_imports,
    reason = "each program that includes this module uses only a part of it"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod cloud;
mod deployment;
mod message;
#[path = "../../launcher/src/practice/cloud/mod.rs"]
pub(crate) mod practice;
mod scripted;

use std::collections::BTreeSet;
use std::future::{Future, ready};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

pub(crate) use cloud::{Cloud, arm_error, databricks_error};
pub(crate) use deployment::{Deployment, Rules, Sampling, Shape};
pub(crate) use message::{Reply, Request, last_message};
pub(crate) use scripted::Server;

/// Longer than any client waits.
const FOREVER: Duration = Duration::from_secs(600);

/// A running server. When dropped, it accepts no further connections.
pub(crate) struct Loopback {
    address: SocketAddr,
    load: Arc<Load>,
    accepting: JoinHandle<()>,
}

impl Loopback {
    /// Answers each request with the reply of `service`.
    pub(crate) fn serve(service: impl Fn(Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve_over(service, |stream| ready(Some(stream)))
    }

    /// The same over the connection that `wrap` returns for each TCP stream, if it succeeds.
    pub(crate) fn serve_over<C, F>(
        service: impl Fn(Request) -> Reply + Send + Sync + 'static,
        wrap: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self
    where
        C: Connection,
        F: Future<Output = Option<C>> + Send,
    {
        // Bound without the runtime, so that it also works in a test that runs in one.
        let listener = bind();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let load = Arc::new(Load::default());
        let shared = Arc::new((service, wrap, Arc::clone(&load)));
        let accepting = runtime().spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let (service, wrap, load) = &*shared;
                    let _ = stream.set_nodelay(true);
                    if let Some(stream) = wrap(stream).await {
                        converse(stream, service, load).await;
                    }
                });
            }
        });
        Self {
            address,
            load,
            accepting,
        }
    }

    /// The address, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many requests have been received so far.
    pub(crate) fn count(&self) -> usize {
        self.load.requests.load(Ordering::SeqCst)
    }

    /// The largest number of requests that were waiting for an answer at the same time.
    pub(crate) fn most_under_way(&self) -> usize {
        self.load.most_under_way.load(Ordering::SeqCst)
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// How busy a server is.
#[derive(Default)]
struct Load {
    requests: AtomicUsize,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

impl Load {
    fn begin(&self) {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(under_way, Ordering::SeqCst);
    }

    fn end(&self) {
        self.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A connection: a TCP stream, or TLS on top of one.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Unpin + Send {
    fn socket(&self) -> &TcpStream;
}

impl Connection for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

/// One thread runs all servers of a process, so that they take little time from the clients.
fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Handle> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        handle
    })
}

/// Answers the requests of one connection until a reply ends it.
async fn converse(mut stream: impl Connection, service: &impl Fn(Request) -> Reply, load: &Load) {
    let mut read = Vec::with_capacity(8 * 1024);
    while let Some(request) = receive(&mut stream, &mut read).await {
        load.begin();
        let mut reply = service(request);
        while let Reply::Late(wait, then) = reply {
            tokio::time::sleep(wait).await;
            reply = *then;
        }
        load.end();
        // The client may be gone, which is up to its test.
        if !send(&mut stream, reply).await.unwrap_or(false) {
            break;
        }
    }
}

/// The next request on a connection. A part of it may already be in `read`.
async fn receive(stream: &mut impl Connection, read: &mut Vec<u8>) -> Option<Request> {
    loop {
        if let Some(request) = Request::take(read) {
            return Some(request);
        }
        if stream.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}

/// Sends a reply. Returns whether another one may follow on this connection.
async fn send(stream: &mut impl Connection, reply: Reply) -> std::io::Result<bool> {
    let kept = matches!(reply, Reply::Kept(_));
    match reply {
        Reply::Kept(bytes) => stream.write_all(&bytes).await?,
        Reply::Bytes(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await?;
        }
        Reply::Drip(bytes, pause) => {
            for piece in bytes.chunks(16) {
                stream.write_all(piece).await?;
                stream.flush().await?;
                tokio::time::sleep(pause).await;
            }
        }
        Reply::Broken(bytes) => {
            stream.write_all(&bytes).await?;
            stream.socket().set_zero_linger()?;
        }
        Reply::Silence => tokio::time::sleep(FOREVER).await,
        Reply::Late(..) => unreachable!("the caller waits first"),
    }
    Ok(kept)
}

/// Listens at a port that had no other server in this process: what is known of a deployment belongs to its
/// address.
fn bind() -> std::net::TcpListener {
    static USED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        if USED.lock().unwrap().insert(port) {
            return listener;
        }
    }
}
