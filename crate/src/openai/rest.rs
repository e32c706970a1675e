//! Calls about the files and batches that the service stores.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::Client;
use super::credential::sending::copy;
use super::error_mapping::RequestContext;
use super::limits::RateLimits;
use crate::error::{Error, Result};
use crate::http::redact::Redactor;
use crate::http::retry::{self, Retry};
pub(crate) use crate::http::transport::Failed;
use crate::http::transport::{self, HttpResponse, Incoming, Limits};

/// A call that can be made more than once; its body is not copied for that.
pub(crate) struct Call {
    client: Client,
    request: RequestBuilder,
    limits: Limits,
    /// The deployment that the call is about, for hints.
    deployment: String,
}

/// The response.
pub(crate) struct RestResponse {
    pub(crate) body: Vec<u8>,
    /// How long the service asked to wait before the next call.
    pub(crate) retry_after: Option<Duration>,
}

impl Client {
    /// A call to a path below the endpoint.
    pub(crate) fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        deployment: &str,
    ) -> Call {
        let Self(inner) = self;
        let mut url = inner.endpoint.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Call {
            client: self.clone(),
            request: inner.http.request(method, url),
            limits: inner.limits.of_transfers(),
            deployment: deployment.to_owned(),
        }
    }

    /// The error for a response with this status that was received in another way and is already
    /// redacted.
    pub(crate) fn rejection(&self, deployment: &str, status: u16, body: &[u8]) -> Error {
        self.refused(deployment, status, &HeaderMap::new(), body)
    }

    /// A text from the service, as it may be shown in a message.
    pub(crate) fn excerpt(&self, text: &str, limit: usize) -> String {
        self.0.credential.excerpt(text, limit)
    }

    /// Removes the keys from what the service sends.
    pub(crate) fn redactor(&self) -> &Redactor {
        self.0.credential.redactor()
    }

    /// Whether the service is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.0.endpoint.is_loopback()
    }

    fn refused(&self, deployment: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
        let context = RequestContext {
            endpoint: &self.0.endpoint,
            credential: &self.0.credential,
            deployment,
        };
        let limits = RateLimits::from_headers(headers, SystemTime::now());
        context.refused(status, headers, body, &limits)
    }
}

impl Call {
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().into_bytes())
    }

    pub(crate) fn body(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.request = self.request.header(CONTENT_TYPE, content_type).body(body);
        self
    }

    /// Makes the call, and repeats it up to this many times if it fails for a transient reason.
    pub(crate) async fn send(&self, retries: u32) -> Result<RestResponse> {
        let mut done = 0;
        loop {
            match self.send_once().await {
                Ok(response) => return Ok(response),
                Err((error, retry)) if retry.again && done < retries => {
                    retry.pause(done, &error).await;
                }
                Err((error, _)) => return Err(error),
            }
            done += 1;
        }
    }

    pub(crate) async fn send_once(&self) -> Result<RestResponse, Failed> {
        let HttpResponse { headers, body, .. } = self.open().await?.read_body().await;
        Ok(RestResponse {
            body: body?,
            retry_after: retry::asked_wait(&headers, SystemTime::now()),
        })
    }

    /// Makes the call, and returns when a successful response begins.
    pub(crate) async fn open(&self) -> Result<Download<'_>, Failed> {
        let credential = &self.client.0.credential;
        let route = transport::RequestRoute {
            host: self.client.host(),
            limits: &self.limits,
            redactor: credential.redactor(),
        };
        let incoming = credential.open(copy(&self.request)?, route).await?;
        if (200..300).contains(&incoming.status()) {
            return Ok(Download(incoming));
        }
        let HttpResponse {
            status,
            headers,
            body,
        } = incoming.read_body().await;
        // It is a rejection even if its text is incomplete.
        let body = body.unwrap_or_default();
        let error = self
            .client
            .refused(&self.deployment, status, &headers, &body);
        let retry = Retry::after_status(status, &headers, SystemTime::now());
        Err((error, retry))
    }
}

/// A body of any length, as it arrives.
pub(crate) struct Download<'a>(Incoming<'a>);

impl Download<'_> {
    /// The next part, as it arrived; `None` at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, Failed> {
        self.0.chunk().await
    }

    async fn read_body(self) -> HttpResponse {
        self.0.read_body().await
    }
}
