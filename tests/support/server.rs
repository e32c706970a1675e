//! A server on the loopback interface that answers by script, in raw bytes, so that
//! it can also do what no decent server does. It keeps the requests that it got.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

/// What to do with one request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Send these bytes and close the connection.
    Bytes(Vec<u8>),
    /// Send these bytes and wait for the next request on the same connection.
    Kept(Vec<u8>),
    /// Send these bytes and break the connection, as a machine that goes down does.
    Broken(Vec<u8>),
    /// Send these bytes in pieces of a few, with a pause after each, and close.
    Drip(Vec<u8>, Duration),
    /// The same after a while.
    Late(Duration, Box<Reply>),
    /// Never answer.
    Silence,
}

impl Reply {
    /// An answer with a body of any kind.
    pub(crate) fn new(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self::Bytes([head.as_bytes(), body].concat())
    }

    /// An answer in JSON.
    pub(crate) fn json(status: u16, body: serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A good answer with this text.
    pub(crate) fn text(text: &str) -> Self {
        Self::json(
            200,
            serde_json::json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "scripted",
                "choices": [{"index": 0, "finish_reason": "stop",
                    "message": {"role": "assistant", "content": text}}],
                "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
            }),
        )
    }

    /// An error in Azure's shape, with the wish to be asked again at once.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(
            status,
            serde_json::json!({"error": {"code": code, "message": message}}),
        )
        .header("retry-after-ms", "1")
    }

    /// Adds a header.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.change(|bytes| {
            let line = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let header = format!("{name}: {value}\r\n");
            bytes.splice(line..line, header.into_bytes());
        })
    }

    /// Leaves out the last bytes.
    pub(crate) fn cut(self, bytes: usize) -> Self {
        self.change(|all| all.truncate(all.len() - bytes))
    }

    /// The same after a while.
    pub(crate) fn late(self, wait: Duration) -> Self {
        Self::Late(wait, Box::new(self))
    }

    /// The bytes of an answer that is sent at once.
    pub(crate) fn bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            other => panic!("not sent at once: {other:?}"),
        }
    }

    fn change(self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = self.bytes();
        change(&mut bytes);
        Self::Bytes(bytes)
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Every value of the header, in order.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The last message of the conversation.
    pub(crate) fn prompt(&self) -> String {
        let body = self.json();
        let messages = body["messages"].as_array().unwrap();
        let text = messages.last().unwrap()["content"].as_str().unwrap();
        text.to_owned()
    }

    fn parse(head: &str, body: Vec<u8>) -> Self {
        let mut lines = head.split("\r\n");
        let mut first = lines
            .next()
            .unwrap_or_default()
            .split(' ')
            .map(str::to_owned);
        Self {
            method: first.next().unwrap_or_default(),
            target: first.next().unwrap_or_default(),
            headers: lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
            body,
        }
    }
}

/// What is answered to a request before which so many came.
type Script = dyn Fn(&Request, usize) -> Option<Reply> + Send + Sync;

/// The server; it stops when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers the first request with the first reply and so on; the last reply
    /// serves all that follow.
    pub(crate) fn new(script: impl IntoIterator<Item = Reply>) -> Self {
        Self::start(in_order(script), None)
    }

    /// Answers each request as the script says, which is also told how often a request with
    /// this prompt came before.
    pub(crate) fn by_prompt(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let times: Mutex<HashMap<String, usize>> = Mutex::default();
        let script = move |request: &Request, _| {
            let prompt = request.prompt();
            let mut times = times.lock().unwrap();
            let time = times.entry(prompt.clone()).or_default();
            *time += 1;
            Some(script(&prompt, *time - 1))
        };
        Self::start(Arc::new(script), None)
    }

    /// The same over TLS, with a certificate for `localhost` that only
    /// `tests/fixtures/tls/authority.pem` vouches for.
    pub(crate) fn tls(script: impl IntoIterator<Item = Reply>) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");
        let certificate = CertificateDer::from_pem_file(format!("{folder}/localhost.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(format!("{folder}/localhost.key")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(config));
        Self::start(in_order(script), Some(tls))
    }

    fn start(script: Arc<Script>, tls: Option<TlsAcceptor>) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        // Bound without the runtime, so that a test which runs in one can do it too.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::clone(&requests);
        let task = runtime().spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (script, seen, tls) = (Arc::clone(&script), Arc::clone(&seen), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => {
                            if let Leave::Broken = serve(&mut stream, &*script, &seen).await {
                                let _ = stream.set_zero_linger();
                            }
                        }
                        // A client that mistrusts the certificate goes away here.
                        Some(tls) => {
                            if let Ok(mut stream) = tls.accept(stream).await {
                                serve(&mut stream, &*script, &seen).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            requests,
            task,
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

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The one request that came.
    pub(crate) fn request(&self) -> Request {
        let [request] = &self.requests()[..] else {
            panic!("not one request: {:?}", self.requests())
        };
        request.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    })
}

fn in_order(script: impl IntoIterator<Item = Reply>) -> Arc<Script> {
    let script: Vec<Reply> = script.into_iter().collect();
    Arc::new(move |_: &Request, before| script.get(before).or(script.last()).cloned())
}

/// How a connection ends.
enum Leave {
    Closed,
    Broken,
}

async fn serve(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    script: &Script,
    seen: &Mutex<Vec<Request>>,
) -> Leave {
    while let Some(request) = receive(stream).await {
        let mut reply = {
            let mut seen = seen.lock().unwrap();
            let reply = script(&request, seen.len());
            seen.push(request);
            reply
        };
        while let Some(Reply::Late(wait, then)) = reply {
            tokio::time::sleep(wait).await;
            reply = Some(*then);
        }
        // The client may have gone, which is then its test's matter.
        match reply {
            Some(Reply::Kept(bytes)) => {
                let _ = stream.write_all(&bytes).await;
                continue;
            }
            Some(Reply::Bytes(bytes)) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
            Some(Reply::Drip(bytes, pause)) => {
                for piece in bytes.chunks(16) {
                    let _ = stream.write_all(piece).await;
                    let _ = stream.flush().await;
                    tokio::time::sleep(pause).await;
                }
            }
            Some(Reply::Broken(bytes)) => {
                let _ = stream.write_all(&bytes).await;
                return Leave::Broken;
            }
            Some(Reply::Silence) => tokio::time::sleep(Duration::from_secs(600)).await,
            Some(Reply::Late(..)) | None => {}
        }
        break;
    }
    Leave::Closed
}

async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut request = Request::parse(&head, bytes.split_off(end + 4));
    let length = request
        .header("content-length")
        .first()
        .map_or(0, |text| text.parse().unwrap());
    while request.body.len() < length {
        if stream.read_buf(&mut request.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(request)
}
