//! gRPC over the HTTP client that is there: one call is a POST whose body and response are framed
//! messages, and whose outcome is in the trailers.
//!
//! What matters is the difference between three endings: the service said how the call ended
//! ([`Fault::Status`], or the end of the stream), the connection broke before it could
//! ([`Fault::Cut`]), or what answered speaks another protocol ([`Fault::Unusable`]).

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body::Body as _;
use prost::Message;
use prost::bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE};

use super::remote::Remote;
use super::status::{Status, UNAUTHENTICATED};
use crate::databricks::Credential;
use crate::error::{Error, ErrorKind, Result};
use crate::http::proxy::Destination;
use crate::http::redact::Redactor;
use crate::http::transport;
use crate::secret::Secret;

/// The largest message that is read. A batch of rows has some megabytes.
const MAX_MESSAGE: usize = 256 * 1024 * 1024;

/// The length of a frame's header: one byte for compression, four for the length.
const FRAME_HEADER: usize = 5;

/// How long a call that transfers little may take.
const SHORT_CALL: Duration = Duration::from_secs(60);

/// The header of a session on Databricks' serverless compute.
const SESSION_HEADER: &str = "x-databricks-session-id";

const CONTENT: HeaderValue = HeaderValue::from_static("application/grpc");

/// How a call failed.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The connection could not be made, or broke. The call may or may not have arrived.
    Cut(Error),
    /// The service refused, or failed.
    Status(Status),
    /// What answered is not a Spark Connect service.
    Unusable(Error),
}

/// The connection to a service.
#[derive(Clone)]
pub(crate) struct Channel {
    http: reqwest::Client,
    base: String,
    place: String,
    headers: HeaderMap,
    /// Whose tokens change.
    credential: Option<Arc<Credential>>,
    /// The session's id, where it is sent as a header too.
    session: Option<Arc<Mutex<String>>>,
    /// Removes the tokens from what the service says.
    redactor: Arc<Redactor>,
}

impl Channel {
    pub(crate) fn new(remote: &Remote, connect: Duration) -> Result<Self> {
        let destination = Destination {
            is_loopback: remote.is_loopback(),
            is_plain_http: !remote.uses_tls,
        };
        let mut headers = HeaderMap::new();
        if let Some(token) = &remote.token {
            headers.insert(AUTHORIZATION, bearer(token)?);
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
            credential: None,
            session: None,
            redactor: Arc::new(Redactor::new(secrets(remote))),
        })
    }

    /// The same, with the tokens of this identity.
    pub(crate) fn with_credential(mut self, credential: Arc<Credential>) -> Self {
        self.credential = Some(credential);
        self
    }

    /// The same, with the session's id as a header, as Databricks' serverless compute wants it.
    pub(crate) fn with_session(mut self, id: &str) -> Self {
        self.session = Some(Arc::new(Mutex::new(id.to_owned())));
        self
    }

    /// The session has begun anew.
    pub(crate) fn set_session(&self, id: &str) {
        if let Some(session) = &self.session {
            id.clone_into(&mut session.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Another token after the last one was refused. Whether there is one.
    ///
    /// # Errors
    /// Nobody can sign in any more.
    pub(crate) async fn renew(&self) -> Result<bool> {
        match &self.credential {
            Some(credential) => credential.renew().await,
            None => Ok(false),
        }
    }

    /// What the user can do about a token that is refused.
    pub(crate) fn token_hint(&self) -> &'static str {
        match &self.credential {
            Some(credential) => credential.hint(),
            None => "renew the token, and write it into SPARK_REMOTE as `;token=..`",
        }
    }

    /// Removes the tokens from what the service says.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
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

    /// A call with a stream of requests, all of which are here, and one response.
    pub(crate) async fn upload<M: Message + Default>(
        &self,
        method: &str,
        requests: &[impl Message],
    ) -> Result<M, Fault> {
        let mut body = Vec::new();
        for request in requests {
            body.extend_from_slice(&framed(request));
        }
        let mut responses = self.open_framed(method, body.into()).await?;
        let mut last = M::default();
        while let Some(response) = responses.next().await? {
            last = response;
        }
        Ok(last)
    }

    /// A call with a stream of responses. If the token is refused, and there is a new one, the call
    /// is made again: it was not looked at.
    pub(crate) async fn open(
        &self,
        method: &str,
        request: &impl Message,
    ) -> Result<Responses, Fault> {
        self.open_framed(method, framed(request).into()).await
    }

    async fn open_framed(&self, method: &str, body: Bytes) -> Result<Responses, Fault> {
        let opened = self.open_once(method, body.clone()).await;
        let is_refused = match &opened {
            Ok(responses) => responses.is_refused(),
            Err(Fault::Unusable(error)) => error.kind() == ErrorKind::Authentication,
            Err(_) => false,
        };
        match is_refused && self.renew().await.map_err(Fault::Unusable)? {
            true => self.open_once(method, body).await,
            false => opened,
        }
    }

    async fn open_once(&self, method: &str, body: Bytes) -> Result<Responses, Fault> {
        let response = self
            .http
            .post(format!("{}{method}", self.base))
            .headers(self.headers_now().await.map_err(Fault::Unusable)?)
            .body(body)
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
        let responses = Responses {
            body,
            buffer: BytesMut::new(),
            // A call that fails at once has its outcome in the headers.
            ended: Status::of_headers(&parts.headers, &self.redactor),
            place: self.place.clone(),
            redactor: Arc::clone(&self.redactor),
        };
        if let Some(credential) = self.credential.as_ref().filter(|_| !responses.is_refused()) {
            credential.accepted();
        }
        Ok(responses)
    }

    /// The headers, with what changes from call to call.
    async fn headers_now(&self) -> Result<HeaderMap> {
        let mut headers = self.headers.clone();
        if let Some(credential) = &self.credential {
            let token = credential.token().await?;
            self.redactor.add(&token);
            headers.insert(AUTHORIZATION, bearer(&token)?);
        }
        if let Some(session) = &self.session {
            let id = session.lock().unwrap_or_else(PoisonError::into_inner);
            headers.insert(SESSION_HEADER, header_value(&id)?);
        }
        Ok(headers)
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
                .with_hint(self.token_hint()),
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
                        "what answers at {} is not a Spark Connect server (HTTP status {code})",
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

/// The token of an address, and its headers that are secret by their names. Others, such as the id of a
/// cluster, may stand in an error.
fn secrets(remote: &Remote) -> impl Iterator<Item = Secret> {
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        let words = ["auth", "cookie", "key", "password", "secret", "token"];
        words.iter().any(|word| name.contains(word))
    };
    let headers = remote.headers.iter();
    let headers = headers.filter(move |(name, _)| is_secret(name));
    let headers = headers.map(|(_, value)| value.clone());
    remote.token.iter().cloned().chain(headers)
}

fn bearer(token: &Secret) -> Result<HeaderValue> {
    let mut value = header_value(&format!("Bearer {}", token.expose()))?;
    value.set_sensitive(true);
    Ok(value)
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
    redactor: Arc<Redactor>,
}

impl Responses {
    /// The token was refused.
    fn is_refused(&self) -> bool {
        let ended = self.ended.as_ref();
        ended.is_some_and(|status| status.code == UNAUTHENTICATED)
    }

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
                    let status = Status::of_headers(&trailers, &self.redactor);
                    self.ended = Some(status.unwrap_or_default());
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
        if length > MAX_MESSAGE {
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
