//! Tests of both ends together, and of peers that violate the protocol.

use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::handshake::{Kind, opening};
use super::peers::PEERS;
use super::*;
use crate::error::Failure;

/// How long a test waits for what must happen.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A server's three sockets in a folder of their own. A request is valid if its first frame is
/// `signed`.
struct Server {
    folder: TempDir,
    router: Router,
    publisher: Publisher,
    requests: mpsc::Receiver<Frames>,
}

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (sender, requests) = mpsc::channel(8);
        let check = |frames: Frames| match frames.get(1).is_some_and(|word| word == "signed") {
            true => Ok(frames),
            false => Err(Failure::new("it is not signed")),
        };
        let at = |name| Endpoint::Ipc(folder.path().join(name));
        let router = Router::listen(&at("router"), sender, check).await.unwrap();
        let publisher = Publisher::listen(&at("publisher")).await.unwrap();
        echo(&at("echo")).await.unwrap();
        Self {
            folder,
            router,
            publisher,
            requests,
        }
    }

    fn at(&self, name: &str) -> Endpoint {
        Endpoint::Ipc(self.folder.path().join(name))
    }

    /// A connection that sends these bytes and stays open.
    async fn unauthenticated_peer(&self, name: &str, bytes: &[u8]) -> UnixStream {
        let mut stream = UnixStream::connect(self.folder.path().join(name))
            .await
            .unwrap();
        // It may be closed already.
        let _ = stream.write_all(bytes).await;
        stream
    }

    /// Checks that a request is answered.
    async fn answers(&mut self, (send, receive): &mut (Sender, Receiver)) {
        let asked = signed(b"question");
        send.send(&asked).unwrap();
        let heard = timeout(TIMEOUT, self.requests.recv()).await.unwrap();
        let heard = heard.unwrap();
        assert_eq!(heard[1..], asked);
        self.router.send(&heard).unwrap();
        let answer = timeout(TIMEOUT, receive.recv()).await;
        assert_eq!(answer.unwrap().unwrap(), asked);
    }
}

fn signed(body: &'static [u8]) -> Frames {
    vec![Bytes::from_static(b"signed"), Bytes::from_static(body)]
}

/// Whether the other end has closed the connection, whatever it sent before.
async fn is_closed(mut stream: UnixStream) -> bool {
    let mut said = [0; 4096];
    let end = async { while matches!(stream.read(&mut said).await, Ok(read) if read > 0) {} };
    timeout(TIMEOUT, end).await.is_ok()
}

/// An opening, followed by other bytes.
fn opened(kind: Kind, rest: &[u8]) -> Vec<u8> {
    [&opening(kind, b""), rest].concat()
}

/// The head of a frame that announces a terabyte.
const TERABYTE: [u8; 9] = [2, 0, 0, 1, 0, 0, 0, 0, 0];

#[tokio::test]
async fn requests_are_answered_and_all_hear_what_is_published() {
    let mut server = Server::start().await;
    let mut client = connect(&server.at("router"), b"me").await.unwrap();
    server.answers(&mut client).await;

    let mut subscriber = subscribe(&server.at("publisher")).await.unwrap();
    let news = [Bytes::from_static(b"news"), Bytes::from(vec![7; 100_000])];
    let heard = loop {
        server.publisher.publish(&news);
        if let Ok(heard) = timeout(Duration::from_millis(20), subscriber.recv()).await {
            break heard.unwrap();
        }
    };
    assert_eq!(heard, news);

    let beat = connect(&server.at("echo"), b"").await;
    assert!(beat.is_err(), "an echo is not a router");
}

#[tokio::test]
async fn an_error_ends_the_one_connection_that_made_it() {
    let mut server = Server::start().await;
    let mut client = connect(&server.at("router"), b"").await.unwrap();
    server.answers(&mut client).await;
    let long = [&[2][..], &(2_u64 << 20).to_be_bytes()].concat();
    let endless = [1, 0].repeat(5000);
    let dealer = |rest: &[u8]| opened(Kind::Dealer, rest);
    for (name, said) in [
        ("router", dealer(&TERABYTE)),
        ("router", dealer(&long)),
        ("router", dealer(&endless)),
        ("router", dealer(&[0xff])),
        ("router", dealer(&[0, 1, b'x'].repeat(16))),
        ("router", opened(Kind::Subscribe, &[])),
        (
            "router",
            b"GET / HTTP/1.1\r\nHost: kernel\r\n\r\n".repeat(3),
        ),
        ("publisher", opened(Kind::Subscribe, &TERABYTE)),
        (
            "publisher",
            opened(Kind::Subscribe, &[0, 2, 1, b'x'].repeat(20)),
        ),
        ("echo", dealer(&TERABYTE)),
        ("echo", dealer(&long)),
    ] {
        let peer = server.unauthenticated_peer(name, &said).await;
        assert!(is_closed(peer).await, "{name}: {said:?}");
        server.answers(&mut client).await;
    }
    // A heartbeat socket keeps working after an odd message.
    let mut beats = server
        .unauthenticated_peer("echo", &dealer(&[0, 1, b'x', 0, 1, b'y']))
        .await;
    let mut said = Vec::new();
    while !said.ends_with(&[0, 1, b'x', 0, 1, b'y']) {
        let read = timeout(TIMEOUT, beats.read_buf(&mut said)).await;
        assert!(read.unwrap().unwrap() > 0);
    }
}

#[tokio::test]
async fn a_name_that_is_here_is_nobody_elses() {
    let mut server = Server::start().await;
    let mut reader = connect(&server.at("router"), b"reader").await.unwrap();
    server.answers(&mut reader).await;
    let thief = opening(Kind::Dealer, b"reader");
    let thief = server.unauthenticated_peer("router", &thief).await;
    assert!(is_closed(thief).await);
    server.answers(&mut reader).await;
    // A peer that disconnects frees its identity.
    drop(reader);
    let again = async {
        loop {
            let mut again = connect(&server.at("router"), b"reader").await.unwrap();
            again.0.send(&signed(b"again")).unwrap();
            let heard = timeout(Duration::from_millis(100), server.requests.recv()).await;
            if heard.is_ok() {
                return;
            }
            let _ = timeout(Duration::from_millis(1), again.1.recv()).await;
        }
    };
    timeout(TIMEOUT, again).await.unwrap();
}

#[tokio::test]
async fn a_crowd_turns_out_nobody_who_was_there_and_is_bounded() {
    let mut server = Server::start().await;
    let mut reader = connect(&server.at("router"), b"reader").await.unwrap();
    server.answers(&mut reader).await;
    let mut subscriber = subscribe(&server.at("publisher")).await.unwrap();
    let mut crowd = Vec::new();
    for number in 0..3 * PEERS {
        for (name, kind) in [("router", Kind::Dealer), ("publisher", Kind::Subscribe)] {
            let half = &opening(kind, b"")[..number % 60];
            crowd.push(server.unauthenticated_peer(name, half).await);
            crowd.push(
                server
                    .unauthenticated_peer(name, &opened(kind, &[0, 1, 1]))
                    .await,
            );
        }
    }
    let mut newcomer = connect(&server.at("router"), b"newcomer").await.unwrap();
    server.answers(&mut newcomer).await;
    server.answers(&mut reader).await;
    server.publisher.publish(&[Bytes::from_static(b"news")]);
    let heard = timeout(TIMEOUT, subscriber.recv()).await.unwrap();
    assert_eq!(heard.unwrap(), ["news"]);
    let mut open = 0;
    for mut peer in crowd {
        let mut said = [0; 4096];
        let end = async { while matches!(peer.read(&mut said).await, Ok(read) if read > 0) {} };
        open += usize::from(timeout(Duration::from_millis(1), end).await.is_err());
    }
    assert!(
        open <= 2 * (PEERS + peers::ARRIVING),
        "{open} connections are held"
    );
}

#[tokio::test]
async fn beginnings_of_long_messages_hold_up_nobody_who_is_known() {
    let mut server = Server::start().await;
    let mut reader = connect(&server.at("router"), b"reader").await.unwrap();
    server.answers(&mut reader).await;
    let long = [&[2][..], &(1_u64 << 20).to_be_bytes(), &[7; 8192]].concat();
    let mut crowd = Vec::new();
    for _ in 0..8 {
        crowd.push(
            server
                .unauthenticated_peer("router", &opened(Kind::Dealer, &long))
                .await,
        );
    }
    server.answers(&mut reader).await;
    let huge: Frames = vec![Bytes::from_static(b"signed"), vec![1; 4 << 20].into()];
    reader.0.send(&huge).unwrap();
    let heard = timeout(TIMEOUT, server.requests.recv()).await.unwrap();
    assert_eq!(heard.unwrap()[1..], huge);
    // Each is disconnected in turn.
    assert!(is_closed(crowd.swap_remove(0)).await);
}

#[tokio::test]
async fn a_socket_in_a_folder_is_its_owners_and_goes_with_it() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::start().await;
    let path = server.folder.path().join("router");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let taken = Publisher::listen(&server.at("router")).await;
    assert_eq!(
        taken.err().unwrap().kind(),
        std::io::ErrorKind::AddrInUse,
        "two servers at one place"
    );
    assert!(path.exists(), "who comes second removes the first one's");
}
