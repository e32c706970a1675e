//! gRPC over the HTTP client that is there: one call is a POST whose body and response are framed
//! messages, and whose outcome stands in the trailers.
//!
//! What matters is the difference between three endings: the service said how the call ended
//! ([`Fault::Status`], or the end of the stream), the connection broke before it could
//! ([`Fault::Cut`]), or what answered speaks another protocol ([`Fault::Unusable`]).

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use http_body::Body as _;
use prost::Message;
use prost::bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE};

use super::remote::Remote;
use super::status::Status;
use crate::error::{Error, ErrorKind, Result};
use crate::http::proxy::Destination;
use crate::http::transport;

/// The largest message that is read. A batch of rows has some megabytes.
const LARGEST_MESSAGE: usize = 256 * 1024 * 1024;

/// The length of a frame's header: one byte for compression, four for the length.
const FRAME_HEADER: usize = 5;

/// How long a call that transfers little may take.
const SHORT_CALL: Duration = Duration::from_secs(60);

const CONTENT: HeaderValue = HeaderValue::from_static("application/grpc");

/// How a call failed.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The connection could not be made, or broke. The call may or may not have arrived.
    Cut(Error),
    /// The service refused, or failed.
    Status(Status),
    /// What answered is no such service.
    Unusable(Error),
}

/// The connection to a service.
#[derive(Clone)]
pub(crate) struct Channel {
    http: reqwest::Client,
    base: String,
    place: String,
    headers: HeaderMap,
}

impl Channel {
    pub(crate) fn new(remote: &Remote, connect: Duration) -> Result<Self> {
        let destination = Destination {
            is_loopback: remote.is_loopback(),
            is_plain_http: !remote.uses_tls,
        };
        let mut headers = HeaderMap::new();
        if let Some(token) = &remote.token {
            let mut value = header_value(&format!("Bearer {}", token.expose()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        for (name, value) in &remote.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| no_header())?;
            let mut value = header_value(value.expose())?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        headers.insert(CONTENT_TYPE, CONTENT);
        headers.insert(TE, HeaderValue::from_static("trailers"));
        Ok(Self {
            http: transport::http2_client(destination, connect)?,
            base: format!("{}/spark.connect.SparkConnectService/", remote.base_url()),
            place: remote.place(),
            headers,
        })
    }

    /// The server's `HOST:PORT`.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// A call with one response.
    pub(crate) async fn call<M: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
    ) -> Result<M, Fault> {
        let answered = tokio::time::timeout(SHORT_CALL, self.only_response(method, request));
        answered.await.unwrap_or_else(|_| {
            let message = format!("no answer from {} within {SHORT_CALL:?}", self.place);
            Err(Fault::Cut(Error::new(ErrorKind::Timeout, message)))
        })
    }

    async fn only_response<M: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
    ) -> Result<M, Fault> {
        let mut responses = self.open(method, request).await?;
        let mut last = M::default();
        while let Some(response) = responses.next().await? {
            last = response;
        }
        Ok(last)
    }

    /// A call with a stream of responses.
    pub(crate) async fn open(
        &self,
        method: &str,
        request: &impl Message,
    ) -> Result<Responses, Fault> {
        let response = self
            .http
            .post(format!("{}{method}", self.base))
            .headers(self.headers.clone())
            .body(framed(request))
            .send()
            .await
            .map_err(|error| Fault::Cut(transport::broken_connection(error, &self.place)))?;
        let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let is_grpc = parts
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(CONTENT.as_bytes()));
        if parts.status != http::StatusCode::OK || !is_grpc {
            return Err(self.other_protocol(parts.status));
        }
        // A call that fails at once has its outcome in the headers.
        let ended = Status::of_headers(&parts.headers);
        Ok(Responses {
            body,
            buffer: BytesMut::new(),
            ended,
            place: self.place.clone(),
        })
    }

    fn other_protocol(&self, status: http::StatusCode) -> Fault {
        let code = status.as_u16();
        let error = |kind, message: String| Error::new(kind, message).with_status(code);
        match code {
            401 => Fault::Unusable(
                error(
                    ErrorKind::Authentication,
                    format!("{} wants a valid token", self.place),
                )
                .with_hint("renew the token, and write it into SPARK_REMOTE as `;token=..`"),
            ),
            403 => Fault::Unusable(
                error(
                    ErrorKind::PermissionDenied,
                    format!("{} refuses the token", self.place),
                )
                .with_hint("ask for the right to use the cluster"),
            ),
            // A gateway on the way, or a cluster that is starting.
            429 | 502..=504 => Fault::Cut(error(
                ErrorKind::Connection,
                format!("{} is not available: HTTP status {code}", self.place),
            )),
            _ => Fault::Unusable(
                error(
                    ErrorKind::Response,
                    format!(
                        "what answers at {} is no Spark Connect server (HTTP status {code})",
                        self.place
                    ),
                )
                .with_hint(
                    "check the host and the port: a Spark Connect server has 15002 by default",
                ),
            ),
        }
    }
}

fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|_| no_header())
}

fn no_header() -> Error {
    Error::new(
        ErrorKind::Settings,
        "a parameter of the Spark server's address can't be sent as a header",
    )
    .with_hint("names and values of parameters are plain ASCII")
}

/// The message in one frame.
fn framed(message: &impl Message) -> Vec<u8> {
    let length = message.encoded_len();
    let mut frame = Vec::with_capacity(FRAME_HEADER + length);
    frame.push(0);
    // No message comes near 4 GB: local data are bounded.
    frame.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    // A `Vec` grows, so that nothing can fail for lack of room.
    let _ = message.encode(&mut frame);
    frame
}

/// The responses of one call, as they arrive.
pub(crate) struct Responses {
    body: reqwest::Body,
    buffer: BytesMut,
    ended: Option<Status>,
    place: String,
}

impl Responses {
    /// The next response; `None` once the service has said that there is none.
    pub(crate) async fn next<M: Message + Default>(&mut self) -> Result<Option<M>, Fault> {
        loop {
            if let Some(message) = self.buffered()? {
                let message = M::decode(message).map_err(|error| {
                    self.unreadable("a message can't be decoded")
                        .with_source(error)
                });
                return message.map(Some).map_err(Fault::Unusable);
            }
            if let Some(status) = &self.ended {
                return match status.is_ok() {
                    // A stream that ends within a message was cut.
                    true if !self.buffer.is_empty() => Err(self.cut()),
                    true => Ok(None),
                    false => Err(Fault::Status(status.clone())),
                };
            }
            let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await;
            match frame {
                Some(Ok(frame)) => self.take(frame),
                Some(Err(error)) => {
                    return Err(Fault::Cut(transport::broken_connection(error, &self.place)));
                }
                // No trailers: nobody said that this is the end.
                None => return Err(self.cut()),
            }
        }
    }

    fn take(&mut self, frame: http_body::Frame<Bytes>) {
        match frame.into_data() {
            Ok(data) => self.buffer.extend_from_slice(&data),
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    self.ended = Some(Status::of_headers(&trailers).unwrap_or_default());
                }
            }
        }
    }

    /// The next message, if all of it is here.
    fn buffered(&mut self) -> Result<Option<Bytes>, Fault> {
        let Some((&[compressed, a, b, c, d], _)) = self.buffer.split_first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if compressed != 0 {
            return Err(Fault::Unusable(
                self.unreadable("a message is compressed, which was not asked for"),
            ));
        }
        if length > LARGEST_MESSAGE {
            let size = length / 1_000_000;
            let error = self.unreadable(&format!("a message has {size} MB"));
            return Err(Fault::Unusable(error.with_hint(
                "select fewer columns, or set `spark.sql.execution.arrow.maxRecordsPerBatch` lower",
            )));
        }
        if self.buffer.len() < FRAME_HEADER + length {
            self.buffer
                .reserve(FRAME_HEADER + length - self.buffer.len());
            return Ok(None);
        }
        let _ = self.buffer.split_to(FRAME_HEADER);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    fn cut(&self) -> Fault {
        let message = format!("the connection to {} broke", self.place);
        Fault::Cut(Error::new(ErrorKind::Connection, message))
    }

    fn unreadable(&self, what: &str) -> Error {
        let message = format!("the answer of {} can't be read: {what}", self.place);
        Error::new(ErrorKind::Response, message)
    }
}
