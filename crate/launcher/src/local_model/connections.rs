//! The connections of the front end: how many there may be at once, and how long each may take to
//! send its request. An idle connection only takes up a place for a limited time.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures_util::TryStreamExt;
use futures_util::stream::try_unfold;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

/// The size limit for the head of a request.
const MAX_HEAD: usize = 64 << 10;
/// How long a body may take to arrive.
pub(crate) const BODY: Duration = Duration::from_secs(30);
/// How long to wait if no connection can be accepted, for example without free file descriptors.
const NO_CONNECTION: Duration = Duration::from_millis(200);

/// The limits for connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The maximum number at once. Further connections wait until one ends.
    connections: usize,
    /// How long the head of a request may take to arrive, and how long a connection may be idle.
    head: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 256,
            head: Duration::from_secs(10),
        }
    }
}

/// Answers requests until the future is dropped.
pub(crate) async fn serve(listener: TcpListener, router: Router, bounds: Bounds) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(MAX_HEAD);
    let service = TowerToHyperService::new(router);
    // Dropped with this future, which closes all open connections.
    let mut open = JoinSet::new();
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(NO_CONNECTION).await;
            continue;
        };
        let (http, service) = (http.clone(), service.clone());
        open.spawn(async move {
            // A broken connection only concerns its peer.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
            drop(place);
        });
        while open.try_join_next().is_some() {}
    }
}

/// The body, which ends with an error if it has not arrived in time.
pub(crate) fn in_time(body: Body, wait: Duration) -> Body {
    let deadline = Instant::now() + wait;
    let pieces = try_unfold(body.into_data_stream(), move |mut body| async move {
        match timeout_at(deadline, body.try_next()).await {
            Ok(piece) => Ok(piece?.map(|piece| (piece, body))),
            Err(late) => Err(axum::Error::new(late)),
        }
    });
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    /// Longer than anything here takes on a busy machine.
    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn started(bounds: Bounds) -> (std::net::SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(serve(
            listener,
            Router::new().route("/", get(async || "here")),
            bounds,
        ));
        (address, server)
    }

    async fn answer(mut stream: TcpStream) -> String {
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        // A connection that is closed with unread data is reset.
        let _ = tokio::time::timeout(TIMEOUT, read).await.expect("it ends");
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn a_head_that_does_not_end_ends_its_connection() {
        let bounds = Bounds {
            head: Duration::from_millis(300),
            ..Bounds::default()
        };
        let (address, _server) = started(bounds).await;
        for bytes in [
            "",
            "GET / HTTP/1.1\r\nhost: loc",
            "GET / HTTP/1.1\r\nx: y\r\n",
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(bytes.as_bytes()).await.unwrap();
            assert!(!answer(stream).await.contains("here"), "{bytes}");
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        assert!(answer(stream).await.ends_with("here"));
    }

    #[tokio::test]
    async fn who_says_nothing_keeps_nobody_out_for_long() {
        let bounds = Bounds {
            connections: 4,
            head: Duration::from_millis(300),
        };
        let (address, _server) = started(bounds).await;
        let mut silent = Vec::new();
        for _ in 0..40 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        assert!(answer(stream).await.ends_with("here"));
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_an_error() {
        let never = futures_util::stream::pending::<Result<&str, std::io::Error>>();
        let late = in_time(Body::from_stream(never), Duration::from_millis(50));
        let read = axum::body::to_bytes(late, 99);
        let read = tokio::time::timeout(TIMEOUT, read).await;
        assert!(read.expect("it ends").is_err());
        let whole = in_time(Body::from("all of it"), BODY);
        assert_eq!(axum::body::to_bytes(whole, 99).await.unwrap(), "all of it");
    }

    #[tokio::test]
    async fn a_head_without_measure_is_refused() {
        let (address, _server) = started(Bounds::default()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "GET / HTTP/1.1\r\nhost: localhost\r\nx: {}",
            "y".repeat(1 << 20)
        );
        let _ = stream.write_all(head.as_bytes()).await;
        assert!(!answer(stream).await.contains("here"));
    }
}
