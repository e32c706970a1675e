//! Token requests to an identity provider, with retries.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{RequestBuilder, Url};
use tokio::time::Instant;

use super::AccessToken;
use super::authority::host;
use super::failure::Failure;
use super::token_endpoint::{self, Grant, Refusal};
use crate::error::{Error, ErrorKind, Result};
use crate::http::proxy::Destination;
use crate::http::redact::Redactor;
use crate::http::retry::Retry;
use crate::http::transport::{self, HttpResponse, Limits, Way};
use crate::secret::Secret;

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
        let limits = Limits::of(TIMEOUT, connect);
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
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<TokenResponse, Failure> {
        let mut retries = 0;
        loop {
            let asked = self.ask_once(&request).await;
            let retry = match &asked {
                Ok(response) if !response.is_success() => response.retry,
                Err(Failure::Transient(_, retry)) => *retry,
                _ => return asked,
            };
            if !retry.again || retries >= RETRIES {
                return asked;
            }
            tokio::time::sleep(retry.wait(retries, fastrand::f64())).await;
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
        let way = Way {
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
        } = transport::open(once, way)
            .await
            .map_err(failed)?
            .read()
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
                let said = self.refusal(response).message;
                let said = match said.is_empty() {
                    true => String::new(),
                    false => format!(": {said}"),
                };
                let host = &self.host;
                Err(Failure::refused(
                    format!("{host} returned no token for {who}{said}"),
                    self.hint,
                ))
            }
        }
    }

    /// The message of an error response.
    pub(super) fn refusal(&self, response: &TokenResponse) -> Refusal {
        token_endpoint::refusal(&response.body, &self.redactor)
    }

    /// The failure for an error response.
    pub(super) fn refused(&self, response: &TokenResponse, who: &str) -> Failure {
        let refusal = self.refusal(response);
        let (host, status) = (&self.host, response.status);
        let said = match refusal.message.as_str() {
            "" => format!("{host} answered the sign-in of {who} with status {status}"),
            said => format!("{host} refused to sign in {who}: {said}"),
        };
        let hint = token_endpoint::hint(&refusal.message).unwrap_or(self.hint);
        let error = Error::new(ErrorKind::Authentication, said)
            .with_hint(hint)
            .with_code(Some(refusal.code).filter(|code| !code.is_empty()));
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
