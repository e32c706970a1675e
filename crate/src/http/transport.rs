//! The HTTP transport: one connection pool, verified TLS, no redirects, proxies from the
//! environment, and bodies of a bounded size.

use std::error::Error as StdError;
use std::time::Duration;

use reqwest::header::HeaderMap;

use super::proxy::{self, Destination};
use super::redact::Redactor;
use super::retry::Retry;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{CONNECT_TIMEOUT, Settings, TIMEOUT};

/// The largest body that is read, in bytes. The longest answer is about a hundred times smaller.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// The shortest time limit for transferring a file, which may be large and the network slow.
const TRANSFER: Duration = Duration::from_secs(3600);

/// The time limits of a client.
pub(crate) struct Limits {
    timeout: Duration,
    connect: Duration,
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
        Ok(Self { timeout, connect })
    }

    /// Limits for a whole exchange and for establishing its connection.
    pub(crate) fn of(timeout: Duration, connect: Duration) -> Self {
        Self { timeout, connect }
    }

    /// The limits for transferring files.
    pub(crate) fn of_transfers(&self) -> Self {
        Self {
            timeout: self.timeout.max(TRANSFER),
            connect: self.connect,
        }
    }
}

/// The connections of one client.
pub(crate) fn client(destination: Destination, limits: &Limits) -> Result<reqwest::Client> {
    proxy::check(destination, |name| {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    })?;
    // Fails only if the program has installed a provider already, which is then used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("evenhand/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .timeout(limits.timeout)
        .connect_timeout(limits.connect);
    if destination.is_loopback {
        // Requests to this machine, which may be in clear text, must not go to a proxy.
        builder = builder.no_proxy();
    }
    builder = if destination.is_plain_http {
        // No certificate is checked, so this must work on a machine without any.
        builder.tls_certs_only([])
    } else {
        own_certificates(builder)?
    };
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
            "SSL_CERT_FILE names no file of certificates",
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
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body, or why there is none.
    pub(crate) body: Result<Vec<u8>, Failed>,
}

/// The host, the time limits and the keys to redact.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) host: &'a str,
    pub(crate) limits: &'a Limits,
    pub(crate) redactor: &'a Redactor,
}

/// A response whose body is still arriving.
pub(crate) struct Incoming<'a> {
    response: reqwest::Response,
    way: Way<'a>,
}

/// Sends one request, and waits until its response begins.
pub(crate) async fn open<'a>(
    request: reqwest::RequestBuilder,
    way: Way<'a>,
) -> Result<Incoming<'a>, Failed> {
    let response = request
        .timeout(way.limits.timeout)
        .send()
        .await
        .map_err(|error| broken(error, way))?;
    Ok(Incoming { response, way })
}

impl Incoming<'_> {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The next part of the body, unredacted; `None` at its end. A key may be split between two
    /// parts, so the caller must redact the assembled text.
    pub(crate) async fn chunk(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, Failed> {
        let chunk = self.response.chunk().await;
        chunk.map_err(|error| broken(error, self.way))
    }

    /// The whole response, redacted.
    pub(crate) async fn read(mut self) -> Answer {
        Answer {
            status: self.status(),
            headers: self.response.headers().clone(),
            body: self.body().await,
        }
    }

    async fn body(&mut self) -> Result<Vec<u8>, Failed> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            let chunk = chunk.as_ref();
            if chunk.len() > LARGEST_BODY.saturating_sub(body.len()) {
                let size = LARGEST_BODY / 1024 / 1024;
                let error = Error::new(
                    ErrorKind::Response,
                    format!("the answer is larger than {size} MB"),
                );
                return Err((error, Retry::NO));
            }
            body.extend_from_slice(chunk);
        }
        Ok(self.way.redactor.bytes(body))
    }
}

/// The error for an exchange that did not complete.
fn broken(error: reqwest::Error, way: Way<'_>) -> Failed {
    let Way { host, limits, .. } = way;
    // Errors name only the host of the address.
    let error = error.without_url();
    let untrusted = is_untrusted(&error);
    let retry = if untrusted { Retry::NO } else { Retry::YES };
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
            format!("the certificate of {host} is not to be trusted"),
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
