//! Sends requests with the credential. If the service rejects a fetched token, the request is sent
//! once more with a new one.

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

use super::super::Client;
use super::{Credential, Sent};
use crate::error::{Error, ErrorKind};
use crate::http::retry::Retry;
use crate::http::transport::{self, Answer, Failed, Incoming, Way};
use crate::secret::Secret;

/// The status with which a service rejects a token.
const UNAUTHORIZED: u16 = 401;

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
        way: Way<'_>,
    ) -> Result<Answer, Failed> {
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let incoming = match &self.sent {
            Sent::SignedIn(_) => Box::pin(self.open(request, way)).await?,
            _ => transport::open(self.with_fixed(request), way).await?,
        };
        Ok(incoming.read().await)
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
        way: Way<'a>,
    ) -> Result<Incoming<'a>, Failed> {
        let Sent::SignedIn(tokens) = &self.sent else {
            return transport::open(self.with_fixed(request), way).await;
        };
        let held = tokens.current().await?;
        let first = copy(&request)?;
        let answer = self.open_with(first, &held.token.secret, way).await?;
        if is_accepted(&answer) {
            tokens.accepted(&held);
        }
        if answer.status() != UNAUTHORIZED {
            return Ok(answer);
        }
        let Some(renewed) = tokens.after_rejection(&held).await else {
            return Ok(answer);
        };
        let answer = self.open_with(request, &renewed.token.secret, way).await?;
        if is_accepted(&answer) {
            tokens.accepted(&renewed);
        }
        Ok(answer)
    }

    async fn open_with<'a>(
        &self,
        request: RequestBuilder,
        token: &Secret,
        way: Way<'a>,
    ) -> Result<Incoming<'a>, Failed> {
        self.redactor().add(token);
        let unusable = |_| failed("the token can't be sent as a header");
        let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
        let mut value = value.map_err(unusable)?;
        value.set_sensitive(true);
        transport::open(request.header(AUTHORIZATION, value), way).await
    }
}

/// Whether the answer proves that the token is good. A service refuses the token of another tenant
/// with 400 or 403, too.
fn is_accepted(answer: &Incoming<'_>) -> bool {
    (200..300).contains(&answer.status())
}

/// A copy of the request; its body is in memory and is shared, not copied.
pub(in crate::openai) fn copy(request: &RequestBuilder) -> Result<RequestBuilder, Failed> {
    let copy = request.try_clone();
    copy.ok_or_else(|| failed("the request can't be sent twice"))
}

fn failed(what: &str) -> Failed {
    (Error::new(ErrorKind::Argument, what), Retry::NO)
}
