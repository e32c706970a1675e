//! Sends requests with the credential. If the service rejects a fetched token, the request is sent
//! once more with a new one.
//!
//! A service rejects a token with 401. Some gateways answer 400 or 403 to one that has expired, and
//! say so in the body or in a header.

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};

use super::super::Client;
use super::{Credential, Sent, Tokens};
use crate::error::{Error, ErrorKind};
use crate::http::retry::Retry;
use crate::http::transport::{self, Failed, HttpResponse, Incoming, RequestRoute};
use crate::identity::HeldToken;
use crate::secret::Secret;

/// The status with which a service rejects a token.
const UNAUTHORIZED: u16 = 401;
/// How much of a body is searched for the reason of a rejection, in bytes.
const MAX_REJECTION: usize = 16 * 1024;

impl Client {
    /// Fetches the token for the next request in advance, so that a request is sent as soon as the
    /// quota admits it. Errors are left to that request, which encounters them, too.
    pub(crate) async fn prepare_to_send(&self) {
        if let Sent::SignedIn(tokens) = &self.0.credential.sent {
            let _ = tokens.current().await;
        }
    }
}

impl Credential {
    /// Makes sure that there is a token, if one has to be fetched.
    ///
    /// # Errors
    /// The sign-in failed, so no request can be sent.
    pub(in crate::openai) async fn sign_in(&self) -> Result<(), Failed> {
        match &self.sent {
            Sent::SignedIn(tokens) => tokens.current().await.map(drop),
            Sent::Nothing | Sent::Fixed(..) => Ok(()),
        }
    }

    /// Sends one request with a JSON body and reads its response.
    pub(in crate::openai) async fn send(
        &self,
        request: RequestBuilder,
        body: Vec<u8>,
        route: RequestRoute<'_>,
    ) -> Result<HttpResponse, Failed> {
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        match &self.sent {
            Sent::SignedIn(tokens) => Box::pin(self.send_signed_in(tokens, request, route)).await,
            _ => {
                let incoming = transport::open(self.with_fixed(request), route).await?;
                Ok(incoming.read_body().await)
            }
        }
    }

    async fn send_signed_in(
        &self,
        tokens: &Tokens,
        request: RequestBuilder,
        route: RequestRoute<'_>,
    ) -> Result<HttpResponse, Failed> {
        let held = tokens.current().await?;
        let first = self.open_held(tokens, &held, copy(&request)?, route);
        let answer = first.await?.read_body().await;
        if !rejects_token(&answer) {
            return Ok(answer);
        }
        match tokens.after_rejection(&held).await? {
            Some(renewed) => {
                let second = self.open_held(tokens, &renewed, request, route);
                Ok(second.await?.read_body().await)
            }
            None => Ok(answer),
        }
    }

    /// The request with the header that never changes, if there is one.
    fn with_fixed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.sent {
            Sent::Fixed(name, value) => request.header(name, value),
            Sent::Nothing | Sent::SignedIn(_) => request,
        }
    }

    /// Sends one request and waits until its response begins.
    pub(in crate::openai) async fn open<'a>(
        &self,
        request: RequestBuilder,
        route: RequestRoute<'a>,
    ) -> Result<Incoming<'a>, Failed> {
        let Sent::SignedIn(tokens) = &self.sent else {
            return transport::open(self.with_fixed(request), route).await;
        };
        let held = tokens.current().await?;
        let answer = self
            .open_held(tokens, &held, copy(&request)?, route)
            .await?;
        if answer.status() != UNAUTHORIZED {
            return Ok(answer);
        }
        match tokens.after_rejection(&held).await? {
            Some(renewed) => self.open_held(tokens, &renewed, request, route).await,
            None => Ok(answer),
        }
    }

    /// Sends one request with this token, and notes whether the token was accepted.
    async fn open_held<'a>(
        &self,
        tokens: &Tokens,
        held: &HeldToken,
        request: RequestBuilder,
        route: RequestRoute<'a>,
    ) -> Result<Incoming<'a>, Failed> {
        let answer = self.open_with(request, &held.token.secret, route).await?;
        if is_accepted(&answer) {
            tokens.accepted(held);
        }
        Ok(answer)
    }

    async fn open_with<'a>(
        &self,
        request: RequestBuilder,
        token: &Secret,
        route: RequestRoute<'a>,
    ) -> Result<Incoming<'a>, Failed> {
        self.redactor().add(token);
        let unusable = |_| failed("the token can't be sent as a header");
        let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
        let mut value = value.map_err(unusable)?;
        value.set_sensitive(true);
        transport::open(request.header(AUTHORIZATION, value), route).await
    }
}

/// Whether the answer proves that the token is good. A service refuses the token of another tenant
/// with 400 or 403, too.
fn is_accepted(answer: &Incoming<'_>) -> bool {
    (200..300).contains(&answer.status())
}

/// Whether the service rejects the token, so that a new one may be accepted.
fn rejects_token(answer: &HttpResponse) -> bool {
    let header = answer.headers.get(WWW_AUTHENTICATE);
    let challenge = || {
        let challenge = header.and_then(|value| value.to_str().ok());
        challenge.is_some_and(|challenge| {
            challenge.contains("invalid_token") || tells_of_expired_token(challenge)
        })
    };
    let body = || {
        let body = answer.body.as_deref().unwrap_or_default();
        let body = body.get(..body.len().min(MAX_REJECTION));
        tells_of_expired_token(&String::from_utf8_lossy(body.unwrap_or_default()))
    };
    match answer.status {
        UNAUTHORIZED => true,
        400 | 403 => challenge() || body(),
        _ => false,
    }
}

/// Whether a text says that the token has expired.
pub(in crate::openai) fn tells_of_expired_token(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let is_token = ["token", "jwt"].iter().any(|word| text.contains(word));
    is_token && text.contains("expired")
}

/// A copy of the request; its body is in memory and is shared, not copied.
pub(in crate::openai) fn copy(request: &RequestBuilder) -> Result<RequestBuilder, Failed> {
    let copy = request.try_clone();
    copy.ok_or_else(|| failed("the request can't be sent twice"))
}

fn failed(what: &str) -> Failed {
    (Error::new(ErrorKind::Argument, what), Retry::NO)
}
