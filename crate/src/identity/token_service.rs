//! Token requests to an identity provider, with retries.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{RequestBuilder, Url};
use tokio::time::Instant;

use super::AccessToken;
use super::authority::host;
use super::error_mapping::Failure;
use super::token_endpoint::{self, ErrorResponse, Grant};
use crate::error::{Error, ErrorKind, Result};
use crate::http::proxy::Destination;
use crate::http::redact::Redactor;
use crate::http::retry::Retry;
use crate::http::transport::{self, HttpResponse, Limits, RequestRoute};
use crate::secret::Secret;

/// What to do when the sign-in fails, and not who signs in.
const TRY_AGAIN: &str = "the sign-in does not work just now, whoever asks: try again in a minute";

/// The time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How many times a request that failed for a transient reason is sent again.
const RETRIES: u32 = 2;

/// The identity provider.
pub(super) struct TokenService {
    host: String,
    http: reqwest::Client,
    limits: Limits,
    redactor: Redactor,
    /// What the user can check if a request fails.
    hint: &'static str,
}

/// The response to a token request.
pub(super) struct TokenResponse {
    asked: Instant,
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
    retry: Retry,
}

impl TokenService {
    /// The provider at this address. It knows this secret, which nothing may repeat.
    pub(super) fn new(
        url: &Url,
        secret: Option<Secret>,
        connect: Duration,
        hint: &'static str,
    ) -> Result<Self> {
        let limits = Limits::with_timeouts(TIMEOUT, connect);
        let is_plain_http = url.scheme() == "http";
        let destination = Destination {
            // Plain HTTP is for this machine and the link-local address, never through a proxy.
            is_loopback: is_plain_http,
            is_plain_http,
        };
        Ok(Self {
            http: transport::client(destination, &limits)?,
            limits: limits.on_the_way_to(&host(url), destination),
            host: host(url),
            redactor: Redactor::new(secret),
            hint,
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.http.get(url)
    }

    pub(super) fn post(&self, url: Url, form: &[(&str, &str)]) -> RequestBuilder {
        let mut encoded = url.clone();
        encoded.query_pairs_mut().clear().extend_pairs(form);
        let form = encoded.query().unwrap_or_default().to_owned();
        let request = self.http.post(url);
        request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
    }

    /// Sends the request, again if it failed for a transient reason.
    pub(super) async fn request_token(
        &self,
        request: &RequestBuilder,
    ) -> Result<TokenResponse, Failure> {
        let mut retries = 0;
        loop {
            let asked = self.ask_once(request).await;
            let (error, retry) = match &asked {
                Ok(response) if !response.is_success() => {
                    let error = Error::new(ErrorKind::Authentication, "the sign-in failed");
                    (error.with_status(response.status), response.retry)
                }
                Err(Failure::Transient(error, retry)) => (error.clone(), *retry),
                _ => return asked,
            };
            if !retry.again || retries >= RETRIES {
                return asked;
            }
            let pause = retry.pause_unless_stopped(retries, &error, None);
            pause.await.map_err(Failure::Refused)?;
            retries += 1;
        }
    }

    /// Sends the request once.
    pub(super) async fn ask_once(
        &self,
        request: &RequestBuilder,
    ) -> Result<TokenResponse, Failure> {
        // The body is in memory, so that it can be sent more than once.
        let once = request
            .try_clone()
            .ok_or_else(|| Failure::refused("the sign-in can't be sent", self.hint))?;
        let route = RequestRoute {
            host: &self.host,
            limits: &self.limits,
            redactor: &self.redactor,
        };
        let asked = Instant::now();
        let failed = |failed| Failure::from_call(failed, self.hint);
        let HttpResponse {
            status,
            headers,
            body,
        } = transport::open(once, route)
            .await
            .map_err(failed)?
            .read_body()
            .await;
        Ok(TokenResponse {
            asked,
            status,
            retry: Retry::after_status(status, &headers, SystemTime::now()),
            headers,
            body: body.map_err(failed)?,
        })
    }

    /// The token in a response; `who` signs in.
    pub(super) fn token(
        &self,
        response: &TokenResponse,
        who: &str,
    ) -> Result<(AccessToken, Grant), Failure> {
        if !response.is_success() {
            return Err(self.refused(response, who));
        }
        match token_endpoint::grant(&response.headers, &response.body) {
            Some(grant) => {
                let token = AccessToken::new(grant.token.clone(), response.asked, grant.lifetime);
                Ok((token, grant))
            }
            None => {
                let reason = self.error_response(response).message;
                let reason = match reason.is_empty() {
                    true => String::new(),
                    false => format!(": {reason}"),
                };
                let host = &self.host;
                Err(Failure::refused(
                    format!("{host} returned no token for {who}{reason}"),
                    self.hint,
                ))
            }
        }
    }

    /// The message of an error response.
    pub(super) fn error_response(&self, response: &TokenResponse) -> ErrorResponse {
        token_endpoint::error_response(&response.body, &self.redactor)
    }

    /// The failure for an error response.
    pub(super) fn refused(&self, response: &TokenResponse, who: &str) -> Failure {
        let error = self.error_response(response);
        let (host, status) = (&self.host, response.status);
        let is_trouble = matches!(status, 408 | 429 | 500..);
        let reason = match (error.message.as_str(), is_trouble) {
            ("", true) => format!("{host} could not sign in {who} (HTTP status {status})"),
            (reason, true) => {
                format!("{host} could not sign in {who} (HTTP status {status}): {reason}")
            }
            ("", false) => format!("{host} answered the sign-in of {who} with status {status}"),
            (reason, false) => format!("{host} refused to sign in {who}: {reason}"),
        };
        let known = token_endpoint::hint(&error.message);
        let hint = known.unwrap_or(if is_trouble { TRY_AGAIN } else { self.hint });
        let error = Error::new(ErrorKind::Authentication, reason)
            .with_hint(hint)
            .with_code(Some(error.code).filter(|code| !code.is_empty()));
        match response.retry.again {
            true => Failure::Transient(error, response.retry),
            false => Failure::Refused(error),
        }
    }
}

impl TokenResponse {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}
