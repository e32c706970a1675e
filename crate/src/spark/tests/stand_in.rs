//! A server of Spark Connect that answers as a test says, and misbehaves where the real ones do not
//! on demand.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use h2::server;
use http::{HeaderMap, HeaderValue, Response};
use prost::Message;
use prost::bytes::{Bytes, BytesMut};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpListener;

use crate::spark::arrow::Assembly;
use crate::spark::messages::{Empty, ExecutePlanResponse};

/// How a call is answered.
pub(super) enum Answer {
    /// These messages, and the end.
    Whole(Vec<Bytes>),
    /// These messages, and no trailers.
    WithoutTrailers(Vec<Bytes>),
    /// These messages, and then the connection breaks.
    Cut(Vec<Bytes>),
    /// These messages, and then this status.
    Failing(Vec<Bytes>, &'static str),
    /// JSON of another API at the same address.
    Json(u16, String),
    /// A gRPC status with these trailers, in the headers.
    Refused(Vec<(&'static str, String)>),
    /// Another protocol's answer.
    Page(u16),
    /// A frame that says of itself that it is compressed.
    Compressed,
    /// A frame that says that it has 3 GB.
    Huge,
}

/// What the server was asked.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

pub(super) struct StandIn {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    /// Answers each call with what `answer` says for its method and how many calls of the method
    /// came before.
    pub(super) fn start(answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (shared, answer) = (asked.clone(), Arc::new(answer));
        let (tell, address) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(connection(stream, shared.clone(), answer.clone()));
                }
            });
        });
        Self {
            address: address.recv().unwrap(),
            asked,
        }
    }

    /// The address of the REST API.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn remote(&self) -> String {
        format!("sc://{}", self.address)
    }

    /// How often each method was called, in the order of the calls.
    pub(super) fn methods(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|asked| asked.method.clone()).collect()
    }

    pub(super) fn with_asked<T>(&self, look: impl FnOnce(&[Asked]) -> T) -> T {
        look(&self.asked.lock().unwrap())
    }
}

/// Answers one request in the older protocol, which the REST API is asked in.
async fn rest(
    stream: tokio::net::TcpStream,
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: Arc<impl Fn(&str, usize) -> Answer>,
) {
    let mut stream = BufStream::new(stream);
    let mut first = String::new();
    let _ = stream.read_line(&mut first).await;
    let path = first.split([' ', '?']).nth(1).unwrap_or_default();
    let method = path.rsplit('/').next().unwrap().to_owned();
    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        let _ = stream.read_line(&mut line).await;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        let name = http::HeaderName::try_from(name.to_ascii_lowercase()).unwrap();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
    let length = headers.get("content-length");
    let length = length.map_or(0, |length| length.to_str().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    let _ = stream.read_exact(&mut body).await;
    let before = record(&asked, &method, headers, body.into());
    let Answer::Json(status, body) = answer(&method, before) else {
        return;
    };
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.flush().await;
}

/// How many calls of the method came before.
fn record(asked: &Mutex<Vec<Asked>>, method: &str, headers: HeaderMap, body: Bytes) -> usize {
    let mut asked = asked.lock().unwrap();
    let before = asked.iter().filter(|asked| asked.method == method).count();
    asked.push(Asked {
        method: method.to_owned(),
        headers,
        body,
    });
    before
}

async fn connection(
    stream: tokio::net::TcpStream,
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: Arc<impl Fn(&str, usize) -> Answer>,
) {
    let mut first = [0; 3];
    let _ = stream.peek(&mut first).await;
    if first != *b"PRI" {
        return rest(stream, asked, answer).await;
    }
    let Ok(mut connection) = server::handshake(stream).await else {
        return;
    };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
        let headers = request.headers().clone();
        let mut body = request.into_body();
        let mut bytes = BytesMut::new();
        // Bodies are small, so that all of one is here soon; the connection is driven meanwhile.
        while !body.is_end_stream() {
            tokio::select! {
                data = body.data() => match data {
                    Some(Ok(data)) => bytes.extend_from_slice(&data),
                    _ => break,
                },
                _ = std::future::poll_fn(|context| connection.poll_closed(context)) => return,
            }
        }
        let before = record(&asked, &method, headers, bytes.freeze());
        if !reply(respond, answer(&method, before)) {
            // What was queued is written before the connection ends.
            let flushed = std::future::poll_fn(|context| connection.poll_closed(context));
            let _ = tokio::time::timeout(std::time::Duration::from_millis(100), flushed).await;
            return;
        }
    }
}

/// Whether the connection goes on.
fn reply(mut respond: server::SendResponse<Bytes>, answer: Answer) -> bool {
    let grpc = |status: u16| {
        let response = Response::builder().status(status);
        response.header("content-type", "application/grpc")
    };
    let status = match answer {
        Answer::Failing(_, status) => status,
        _ => "0",
    };
    let (messages, end) = match answer {
        Answer::Whole(messages) => (messages, Some(true)),
        Answer::Failing(messages, _) => (messages, Some(true)),
        Answer::WithoutTrailers(messages) => (messages, Some(false)),
        Answer::Json(..) => return false,
        Answer::Cut(messages) => (messages, None),
        Answer::Refused(pairs) => {
            let mut response = grpc(200);
            for (name, value) in pairs {
                response = response.header(name, HeaderValue::from_str(&value).unwrap());
            }
            let _ = respond.send_response(response.body(()).unwrap(), true);
            return true;
        }
        Answer::Page(status) => {
            let response = Response::builder()
                .status(status)
                .header("content-type", "text/html");
            let mut sending = respond
                .send_response(response.body(()).unwrap(), false)
                .unwrap();
            let _ = sending.send_data(Bytes::from_static(b"<html>"), true);
            return true;
        }
        Answer::Compressed => (vec![Bytes::from_static(&[1, 0, 0, 0, 0])], Some(true)),
        Answer::Huge => (vec![Bytes::from_static(&[0, 0xc0, 0, 0, 0])], Some(true)),
    };
    let response = grpc(200).body(()).unwrap();
    let Ok(mut sending) = respond.send_response(response, false) else {
        return true;
    };
    let bytes: Vec<u8> = messages.concat();
    let _ = sending.send_data(bytes.into(), end == Some(false));
    match end {
        Some(true) => {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static(status));
            let _ = sending.send_trailers(trailers);
            true
        }
        Some(false) => true,
        None => false,
    }
}

/// The message in a frame.
pub(super) fn framed(message: &impl Message) -> Bytes {
    let encoded = message.encode_to_vec();
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(encoded.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&encoded);
    frame.into()
}

/// A response of an operation, with this id.
pub(super) fn response(id: &str, batch: Option<&[u8]>) -> Bytes {
    framed(&ExecutePlanResponse {
        arrow_batch: batch.map(|data| crate::spark::messages::ArrowBatch {
            row_count: Assembly::default().add(data).unwrap() as i64,
            data: Bytes::copy_from_slice(data),
            start_offset: None,
        }),
        response_id: id.to_owned(),
        ..ExecutePlanResponse::default()
    })
}

/// The response that ends an operation.
pub(super) fn complete(id: &str) -> Bytes {
    framed(&ExecutePlanResponse {
        response_id: id.to_owned(),
        result_complete: Some(Empty {}),
        ..ExecutePlanResponse::default()
    })
}
