//! A request on its way with the credential; once more with a new token where the service does
//! not take the one that was fetched.

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

use super::super::Client;
use super::{Credential, Sent};
use crate::error::{Error, ErrorKind};
use crate::http::retry::Retry;
use crate::http::transport::{self, Answer, Failed, Incoming, Way};
use crate::secret::Secret;

/// What a service answers that does not take the token.
const UNAUTHORIZED: u16 = 401;

impl Client {
    /// Fetches the token that the next request needs, so that a request which was admitted to the
    /// quota is sent at once. An error is left to that request, which meets it too.
    pub(crate) async fn prepare_to_send(&self) {
        if let Sent::SignedIn(tokens) = &self.0.credential.sent {
            let _ = tokens.current().await;
        }
    }
}

impl Credential {
    /// Sends one request with a body of JSON and reads its answer.
    pub(in crate::openai) async fn send(
        &self,
        request: RequestBuilder,
        body: Vec<u8>,
        way: Way<'_>,
    ) -> Result<Answer, Failed> {
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        Ok(self.open(&request, way).await?.read().await)
    }

    /// Sends one request, and waits until its answer begins.
    pub(in crate::openai) async fn open<'a>(
        &self,
        request: &RequestBuilder,
        way: Way<'a>,
    ) -> Result<Incoming<'a>, Failed> {
        let tokens = match &self.sent {
            Sent::Nothing => return transport::open(copy(request)?, way).await,
            Sent::Fixed(name, value) => {
                return transport::open(copy(request)?.header(name, value), way).await;
            }
            Sent::SignedIn(tokens) => tokens,
        };
        let held = tokens.current().await?;
        let answer = self.open_with(request, &held.token.secret, way).await?;
        if answer.status() != UNAUTHORIZED {
            tokens.accepted(&held);
            return Ok(answer);
        }
        let Some(renewed) = tokens.after_rejection(&held).await else {
            return Ok(answer);
        };
        let answer = self.open_with(request, &renewed.token.secret, way).await?;
        if answer.status() != UNAUTHORIZED {
            tokens.accepted(&renewed);
        }
        Ok(answer)
    }

    async fn open_with<'a>(
        &self,
        request: &RequestBuilder,
        token: &Secret,
        way: Way<'a>,
    ) -> Result<Incoming<'a>, Failed> {
        self.redactor().add(token);
        let unusable = |_| failed("the token can't be sent as a header");
        let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
        let mut value = value.map_err(unusable)?;
        value.set_sensitive(true);
        transport::open(copy(request)?.header(AUTHORIZATION, value), way).await
    }
}

/// The request once more; its body is in memory, and is not copied for that.
fn copy(request: &RequestBuilder) -> Result<RequestBuilder, Failed> {
    let copy = request.try_clone();
    copy.ok_or_else(|| failed("the request can't be sent twice"))
}

fn failed(what: &str) -> Failed {
    (Error::new(ErrorKind::Argument, what), Retry::NO)
}
