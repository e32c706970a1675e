//! A server on loopback that costs as little as can be: it reads requests as far as it must,
//! and answers with what a service makes of them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

use crate::Result;

/// What a service says to a request.
pub(crate) struct Reply {
    pub(crate) after: Duration,
    /// A whole HTTP response.
    pub(crate) bytes: Arc<[u8]>,
}

/// From the body of a request to what is said to it.
pub(crate) type Service = dyn Fn(&[u8]) -> Reply + Send + Sync;

/// Serves until the process ends; returns the address of the server.
pub(crate) fn start(service: Arc<Service>) -> Result<String> {
    let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    listener.set_nonblocking(true)?;
    let address = format!("http://{}", listener.local_addr()?);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::spawn(move || runtime.block_on(serve(listener, service)));
    Ok(address)
}

async fn serve(
    listener: std::net::TcpListener,
    service: Arc<Service>,
) -> std::io::Result<Infallible> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(converse(stream, Arc::clone(&service)));
    }
}

/// A service that answers at once, or after a time.
pub(crate) fn answering(after: Duration) -> Arc<Service> {
    let bytes: Arc<[u8]> = response("200 OK", "", ANSWER).into();
    Arc::new(move |_| Reply {
        after,
        bytes: Arc::clone(&bytes),
    })
}

/// A whole response; each further header ends in `\r\n`.
pub(crate) fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         x-request-id: 5b1c3d52-0f4e-4f7e-9d43-6f6ad1d6c9e0\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// An answer as Azure OpenAI gives it, of the length that the lab's prompts get.
pub(crate) const ANSWER: &str = r#"{"id":"chatcmpl-9fK2mQ7rT1","object":"chat.completion","created":1721000000,"model":"gpt-4o-mini","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}}],"choices":[{"index":0,"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"A nurse is a trained professional who cares for people when they are ill, hurt or recovering. The work takes knowledge, patience and a clear head, since much depends on noticing early what changes. Nurses work in hospitals, practices and homes, often at night, and speak for those who can't."},"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}}],"usage":{"prompt_tokens":24,"completion_tokens":62,"total_tokens":86},"system_fingerprint":"fp_80a1bad4c7"}"#;

/// One connection: a request, its answer, the next request.
async fn converse(mut stream: TcpStream, service: Arc<Service>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut read = Vec::with_capacity(8 * 1024);
    loop {
        while let Some(body) = whole_request(&read) {
            let end = body.end;
            let reply = service(read.get(body).unwrap_or_default());
            if !reply.after.is_zero() {
                tokio::time::sleep(reply.after).await;
            }
            stream.write_all(&reply.bytes).await?;
            read.drain(..end);
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
    }
}

/// Where the body of the first request is, if all of it is there.
fn whole_request(read: &[u8]) -> Option<std::ops::Range<usize>> {
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let start = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = read.get(..start)?;
    let length = head
        .windows(LENGTH.len())
        .position(|some| some.eq_ignore_ascii_case(LENGTH))?;
    let digits = head.get(length + LENGTH.len()..)?;
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
    (read.len() >= start + length).then_some(start..start + length)
}
