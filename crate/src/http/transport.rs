//! The HTTP transport: one connection pool, verified TLS, no redirects, proxies from the
//! environment, and bodies of a bounded size.

use std::error::Error as StdError;
use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::proxy::{self, Destination, Proxy};
use super::redact::Redactor;
use super::retry::Retry;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{CONNECT_TIMEOUT, Settings, TIMEOUT};

/// The largest body that is read, in bytes. The longest answer is about a hundred times smaller.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// The mark of UTF-8, which JSON must not begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The shortest time limit for transferring a file, which may be large and the network slow.
const TRANSFER: Duration = Duration::from_secs(3600);

/// How often the system asks whether the other end of an idle connection is still there.
#[cfg(feature = "spark")]
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// The time limits of a client.
#[derive(Clone)]
pub(crate) struct Limits {
    timeout: Duration,
    connect: Duration,
    /// The proxy on the way, for messages.
    proxy: Option<Proxy>,
}

impl Limits {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let timeout = settings.timeout.unwrap_or(TIMEOUT);
        let connect = settings.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        if timeout.is_zero() || connect.is_zero() {
            return Err(Error::new(
                ErrorKind::Settings,
                "a timeout of zero leaves no time for an answer",
            )
            .with_hint("give .timeout() and .connect_timeout() more, or leave them out"));
        }
        Ok(Self::with_timeouts(timeout, connect))
    }

    /// Limits for a whole exchange and for establishing its connection.
    pub(crate) fn with_timeouts(timeout: Duration, connect: Duration) -> Self {
        Self {
            timeout,
            connect,
            proxy: None,
        }
    }

    /// The same limits, with the proxy on the way to this host named in messages.
    pub(crate) fn on_the_way_to(self, host: &str, destination: Destination) -> Self {
        Self {
            proxy: Proxy::of_environment(destination, host),
            ..self
        }
    }

    /// The limits for transferring files.
    pub(crate) fn of_transfers(&self) -> Self {
        Self {
            timeout: self.timeout.max(TRANSFER),
            connect: self.connect,
            proxy: self.proxy.clone(),
        }
    }
}

/// The connections of one client. They speak HTTP/1.1: a batch opens as many as it has requests in
/// flight, which is measured, and a feature of the library must not change that.
pub(crate) fn client(destination: Destination, limits: &Limits) -> Result<reqwest::Client> {
    let builder = builder(destination, limits.connect)?;
    built(builder.http1_only().timeout(limits.timeout))
}

/// How many bytes of a stream a server on this machine may send ahead. The local Spark engine can
/// repeat only the last 128 messages, of about 8 KB each, after a broken connection.
#[cfg(feature = "spark")]
const LOCAL_WINDOW: u32 = 512 * 1024;

/// A connection that speaks HTTP/2 alone, as gRPC wants it. It has no limit for a whole exchange,
/// which may be a stream that lasts for hours.
#[cfg(feature = "spark")]
pub(crate) fn http2_client(destination: Destination, connect: Duration) -> Result<reqwest::Client> {
    let mut builder = builder(destination, connect)?;
    if destination.is_loopback {
        builder = builder.http2_initial_stream_window_size(LOCAL_WINDOW);
    }
    built(builder.http2_prior_knowledge().tcp_keepalive(KEEP_ALIVE))
}

fn builder(destination: Destination, connect: Duration) -> Result<reqwest::ClientBuilder> {
    proxy::check(destination, proxy::of_environment)?;
    // Fails only if the program has installed a provider already, which is then used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("evenhand/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(connect);
    if destination.is_loopback {
        // Requests to this machine, which may be in clear text, must not go to a proxy.
        builder = builder.no_proxy();
    }
    if destination.is_plain_http {
        // No certificate is checked, so this must work on a machine without any.
        Ok(builder.tls_certs_only([]))
    } else {
        own_certificates(builder)
    }
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client> {
    builder.build().map_err(|error| {
        Error::new(ErrorKind::Settings, "could not prepare for network work").with_source(error).with_hint(
            "the system's certificates are needed: install ca-certificates, or set SSL_CERT_FILE to a \
             file of them",
        )
    })
}

/// `SSL_CERT_FILE` names the certificates to trust, as for OpenSSL and curl. On systems whose
/// verifier does not read it (macOS, Windows), the certificates are added here.
fn own_certificates(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder> {
    let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()) else {
        return Ok(builder);
    };
    let failed = || {
        Error::new(
            ErrorKind::Settings,
            "SSL_CERT_FILE does not name a file of certificates",
        )
        .with_hint("set it to a PEM file with the certificates to trust, or unset it")
    };
    let pem = std::fs::read(path).map_err(|error| failed().with_source(error))?;
    let certificates =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed().with_source(error))?;
    if certificates.is_empty() {
        return Err(failed());
    }
    Ok(if cfg!(any(windows, target_vendor = "apple")) {
        builder.tls_certs_merge(certificates)
    } else {
        builder
    })
}

/// A failed exchange, and whether to retry it.
pub(crate) type Failed = (Error, Retry);

/// A complete response.
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body, or why there is none.
    pub(crate) body: Result<Vec<u8>, Failed>,
}

/// The host, the time limits and the keys to redact.
#[derive(Clone, Copy)]
pub(crate) struct RequestRoute<'a> {
    pub(crate) host: &'a str,
    pub(crate) limits: &'a Limits,
    pub(crate) redactor: &'a Redactor,
}

/// A response whose body is still arriving.
pub(crate) struct Incoming<'a> {
    response: reqwest::Response,
    route: RequestRoute<'a>,
}

/// Sends one request, and waits until its response begins.
pub(crate) async fn open<'a>(
    request: reqwest::RequestBuilder,
    route: RequestRoute<'a>,
) -> Result<Incoming<'a>, Failed> {
    let response = request
        .timeout(route.limits.timeout)
        .send()
        .await
        .map_err(|error| broken(error, route))?;
    Ok(Incoming { response, route })
}

impl Incoming<'_> {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The next part of the body, unredacted; `None` at its end. A key may be split between two
    /// parts, so the caller must redact the assembled text.
    pub(crate) async fn chunk(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, Failed> {
        let chunk = self.response.chunk().await;
        chunk.map_err(|error| broken(error, self.route))
    }

    /// The whole response, redacted.
    pub(crate) async fn read_body(mut self) -> HttpResponse {
        HttpResponse {
            status: self.status(),
            headers: self.response.headers().clone(),
            body: self.body().await,
        }
    }

    /// # Errors
    /// The body is incomplete, too large, or compressed, which no request asks for.
    async fn body(&mut self) -> Result<Vec<u8>, Failed> {
        if let Some(coding) = compression(self.response.headers()) {
            let error = Error::new(
                ErrorKind::Response,
                format!("the answer is compressed ({coding}), although no request asks for that"),
            )
            .with_hint("a gateway in between compresses it: let it pass on answers unchanged");
            return Err((error, Retry::NO));
        }
        // To grow it step by step would hold two copies of a large body for a moment.
        let length = self.response.content_length().unwrap_or_default();
        let length = usize::try_from(length).unwrap_or(MAX_BODY);
        let mut body = Vec::with_capacity(length.min(MAX_BODY));
        while let Some(chunk) = self.chunk().await? {
            let chunk = chunk.as_ref();
            if chunk.len() > MAX_BODY.saturating_sub(body.len()) {
                let size = MAX_BODY / 1024 / 1024;
                let error = Error::new(
                    ErrorKind::Response,
                    format!("the answer is larger than {size} MB"),
                );
                return Err((error, Retry::NO));
            }
            body.extend_from_slice(chunk);
        }
        // Some gateways put a byte order mark before their JSON.
        if body.starts_with(BYTE_ORDER_MARK) {
            body.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(self.route.redactor.bytes(body))
    }
}

/// How the body is compressed, if it is.
fn compression(headers: &HeaderMap) -> Option<String> {
    let coding = headers.get(CONTENT_ENCODING)?.to_str().unwrap_or("unknown");
    let is_plain = coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    (!is_plain).then(|| coding.chars().take(40).collect())
}

/// The error for an exchange that did not complete.
fn broken(error: reqwest::Error, route: RequestRoute<'_>) -> Failed {
    let RequestRoute { host, limits, .. } = route;
    // Errors name only the host of the address.
    let error = error.without_url();
    let untrusted = is_untrusted(&error);
    let retry = if untrusted { Retry::NO } else { Retry::YES };
    if let Some(proxy @ Proxy { variable, address }) = &limits.proxy
        && error.is_connect()
        && !untrusted
    {
        let kind = match error.is_timeout() {
            true => ErrorKind::Timeout,
            false => ErrorKind::Connection,
        };
        let message = format!(
            "could not connect to {host} through the proxy {address}, which {variable} names"
        );
        let hint = match wants_password(&error) {
            true => proxy.password_hint(),
            false => format!(
                "check that the proxy runs and lets {host} through; without a proxy unset {variable}, \
                 or list the host in NO_PROXY"
            ),
        };
        let error = Error::new(kind, message).with_hint(hint).with_source(error);
        return (error, retry);
    }
    let (kind, message, hint) = match (error.is_timeout(), error.is_connect()) {
        (true, true) => (
            ErrorKind::Timeout,
            format!("no connection to {host} within {:?}", limits.connect),
            "check the address and the network, or allow more with .connect_timeout()",
        ),
        (true, false) => (
            ErrorKind::Timeout,
            format!("no answer from {host} within {:?}", limits.timeout),
            "ask for a shorter answer, or allow more with .timeout()",
        ),
        (false, true) if untrusted => (
            ErrorKind::Connection,
            format!("the certificate of {host} is not trusted"),
            "if your organization's proxy inspects the traffic, set SSL_CERT_FILE to its certificates",
        ),
        (false, true) => (
            ErrorKind::Connection,
            format!("could not connect to {host}"),
            "check the address and the network; behind a proxy set HTTPS_PROXY",
        ),
        (false, false) => (
            ErrorKind::Connection,
            format!("the connection to {host} broke"),
            "check the network, or a proxy on the way",
        ),
    };
    (
        Error::new(kind, message).with_hint(hint).with_source(error),
        retry,
    )
}

/// Whether a proxy answered 407. The connector has no type for that, only words.
fn wants_password(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("proxy authorization required") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The error for a connection that could not be made, or that broke.
#[cfg(feature = "spark")]
pub(crate) fn broken_connection(error: reqwest::Error, place: &str) -> Error {
    let error = error.without_url();
    let (message, hint) = match (error.is_connect(), is_untrusted(&error)) {
        (true, true) => (
            format!("the certificate of {place} is not trusted"),
            "if your organization's proxy inspects the traffic, set SSL_CERT_FILE to its certificates",
        ),
        (true, false) => (
            format!("could not connect to {place}"),
            "check the address, and whether the server runs",
        ),
        (false, _) => (
            format!("the connection to {place} broke"),
            "check the network, and whether the server still runs",
        ),
    };
    Error::new(ErrorKind::Connection, message)
        .with_hint(hint)
        .with_source(error)
}

/// Whether the server's certificate was rejected.
fn is_untrusted(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if matches!(
            error.downcast_ref::<rustls::Error>(),
            Some(rustls::Error::InvalidCertificate(_))
        ) {
            return true;
        }
        // `io::Error::source` skips the error that it wraps.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}
