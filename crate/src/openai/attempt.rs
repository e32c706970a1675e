//! One attempt: a request is sent once, and what came back is judged.

use std::time::{Instant, SystemTime};

use super::Client;
use super::error_mapping::{self, Asked, EXCERPT};
use super::limits::RateLimits;
use super::profile::{Refusal, Turn};
use super::response::{ChatCompletion, Exchange};
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry::Retry;
use crate::http::transport;

/// So many bytes hold the excerpt of a body.
const BEGINNING: usize = 4 * 1024;

/// What one attempt brought.
pub(crate) struct Attempt {
    /// The answer, or why there is none.
    pub(crate) outcome: Result<ChatCompletion>,
    /// What the service said about the quota, in a failure too.
    pub(crate) limits: RateLimits,
    /// What to do about a failure.
    pub(crate) retry: Retry,
    /// What the service says of a field that it refuses, if that is why it failed.
    pub(crate) refusal: Option<Refusal>,
}

impl Attempt {
    fn failed(error: Error, retry: Retry) -> Self {
        Self {
            outcome: Err(error),
            limits: RateLimits::default(),
            retry,
            refusal: None,
        }
    }
}

impl Client {
    /// Sends the request once.
    pub(crate) async fn attempt(&self, turn: &Turn) -> Attempt {
        let Self(inner) = self;
        let deployment = turn.request.model.as_deref().unwrap_or_default();
        let body = match turn.request.body() {
            Ok(body) => body,
            Err(error) => return Attempt::failed(error, Retry::NO),
        };
        let mut post = inner.http.post(inner.endpoint.chat_url(deployment));
        if let Some((name, value)) = inner.credential.header() {
            post = post.header(name, value);
        }
        let started = Instant::now();
        let answer = match transport::send(post, body, self.way()).await {
            Ok(answer) => answer,
            Err((error, retry)) => return Attempt::failed(error, retry),
        };
        let latency = started.elapsed();
        let now = SystemTime::now();
        let limits = RateLimits::read(&answer.headers, now);
        if !(200..300).contains(&answer.status) {
            let asked = Asked {
                endpoint: &inner.endpoint,
                credential: &inner.credential,
                deployment,
            };
            // A refusal is one whether or not all of its text arrived.
            let body = answer.body.unwrap_or_default();
            let error = asked.refused(answer.status, &answer.headers, &body, &limits);
            let retry = Retry::after_status(answer.status, &answer.headers, now);
            return Attempt {
                outcome: Err(error),
                limits,
                retry,
                refusal: Refusal::read(answer.status, &body),
            };
        }
        let request_id = error_mapping::request_id(&answer.headers, &inner.credential);
        let body = match answer.body {
            Ok(body) => body,
            Err((error, retry)) => {
                let outcome = Err(error.with_request_id(request_id));
                return Attempt {
                    outcome,
                    limits,
                    retry,
                    refusal: None,
                };
            }
        };
        // Of what is no answer, the beginning is told.
        let beginning = body
            .get(..body.len().min(BEGINNING))
            .unwrap_or_default()
            .to_vec();
        let outcome = match ChatCompletion::from_body(body) {
            Ok(mut completion) => {
                completion.exchange = Exchange {
                    latency,
                    request_id,
                    profile: turn.tag.clone(),
                    ..Exchange::default()
                };
                Ok(completion)
            }
            Err(why) => {
                let error = self.misread(&why, &beginning).with_status(answer.status);
                Err(error.with_request_id(request_id))
            }
        };
        Attempt {
            outcome,
            limits,
            retry: Retry::NO,
            refusal: None,
        }
    }

    fn way(&self) -> transport::Way<'_> {
        let Self(inner) = self;
        transport::Way {
            host: self.host(),
            limits: &inner.limits,
            redactor: inner.credential.redactor(),
        }
    }

    fn misread(&self, why: &str, body: &[u8]) -> Error {
        let text = String::from_utf8_lossy(body);
        let excerpt = self.0.credential.excerpt(&text, EXCERPT);
        let message = if excerpt.is_empty() {
            why.to_owned()
        } else {
            format!("{why}: {excerpt}")
        };
        Error::new(ErrorKind::Response, message).with_hint(format!(
            "is {} the address of the service itself, and not of a page or a gateway before it?",
            self.0.endpoint.address_variable()
        ))
    }
}
