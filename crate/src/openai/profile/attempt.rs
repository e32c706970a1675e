//! One attempt: sends a request once and evaluates the response.

use std::time::{Instant, SystemTime};

use super::prepared_request::PreparedRequest;
use super::rejection::Rejection;
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry::Retry;
use crate::http::transport;
use crate::json::Json;
use crate::openai::error_mapping::{self, EXCERPT, MAX_BODY, RequestContext};
use crate::openai::parse::{NoAnswer, UnreadBody};
use crate::openai::response::{ChatCompletion, Exchange};
use crate::openai::{Client, RateLimits, embedded_error, event_stream};

/// How much of an unusable body is read, in bytes: enough for an excerpt and for a complete error.
const BEGINNING: usize = 64 * 1024;

/// The result of one attempt.
pub(crate) struct Attempt {
    /// The answer, or why there is none.
    pub(crate) outcome: Result<ChatCompletion>,
    /// What the service reported about the quota, also if the request failed.
    pub(crate) limits: RateLimits,
    /// What to do about a failure.
    pub(crate) retry: Retry,
    /// The refused field and the service's message, if that is why it failed.
    pub(crate) rejection: Option<Rejection>,
    /// Whether a request was sent. An invalid one is not, nor one without a token.
    pub(crate) is_sent: bool,
}

impl Attempt {
    fn failed(error: Error, retry: Retry) -> Self {
        Self {
            outcome: Err(error),
            limits: RateLimits::default(),
            retry,
            rejection: None,
            is_sent: true,
        }
    }
}

impl Client {
    /// Sends the request once.
    pub(crate) async fn attempt(&self, prepared: &PreparedRequest<'_>) -> Attempt {
        let Self(inner) = self;
        let deployment = prepared.deployment;
        let body = match prepared.request.body(deployment) {
            Ok(body) => body,
            Err(error) => {
                return Attempt {
                    is_sent: false,
                    ..Attempt::failed(error, Retry::NO)
                };
            }
        };
        if let Err((error, retry)) = inner.credential.sign_in().await {
            return Attempt {
                is_sent: false,
                ..Attempt::failed(error, retry)
            };
        }
        let post = inner.http.post(inner.endpoint.chat_url(deployment));
        let started = Instant::now();
        let answer = match inner.credential.send(post, body, self.way()).await {
            Ok(answer) => answer,
            Err((error, retry)) => return Attempt::failed(error, retry),
        };
        let latency = started.elapsed();
        let now = SystemTime::now();
        let limits = RateLimits::from_headers(&answer.headers, now);
        let context = RequestContext {
            endpoint: &inner.endpoint,
            credential: &inner.credential,
            deployment,
        };
        if !(200..300).contains(&answer.status) {
            // It is a rejection even if its text is incomplete.
            let (body, unread) = match answer.body {
                Ok(body) => (body, None),
                Err((why, _)) => (Vec::new(), Some(why)),
            };
            let error = context.refused(answer.status, &answer.headers, &body, &limits);
            let error = match unread {
                Some(why) => error.with_unread_body(&why),
                None => error,
            };
            let retry = error_mapping::retry(&error, answer.status, &answer.headers, now);
            return Attempt {
                outcome: Err(error),
                limits,
                retry,
                rejection: Rejection::from_response(answer.status, &body),
                is_sent: true,
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
                    rejection: None,
                    is_sent: true,
                };
            }
        };
        let UnreadBody { why, body } = match ChatCompletion::from_body(body) {
            Ok(mut completion) => {
                completion.exchange = Exchange {
                    latency,
                    request_id,
                    profile: prepared.tag.clone(),
                    ..Exchange::default()
                };
                return Attempt {
                    outcome: Ok(completion),
                    limits,
                    retry: Retry::NO,
                    rejection: None,
                    is_sent: true,
                };
            }
            Err(unread) => unread,
        };
        // An error quotes the beginning of a body that is not an answer.
        let beginning = body.get(..BEGINNING).unwrap_or(&body);
        let texts = event_stream::texts(beginning);
        let is_error = |text: &&String| embedded_error::json_with_error(text.as_bytes()).is_some();
        let text = texts.iter().find(is_error).or(texts.first());
        let beginning = text.map_or(beginning, |text| text.as_bytes());
        let success = (answer.status, &answer.headers, beginning);
        if let Some((error, retry)) = context.embedded_error(success, &limits, now) {
            // An error without a status of its own may be a rejection all the same.
            let status = error.status().filter(|status| *status >= 300);
            return Attempt {
                outcome: Err(error),
                limits,
                retry,
                is_sent: true,
                rejection: Rejection::from_response(status.unwrap_or(400), beginning),
            };
        }
        // A truncated answer may arrive whole the next time.
        let retry = match why {
            NoAnswer::BreaksOff { .. } => Retry::YES,
            NoAnswer::Filtered(_) | NoAnswer::Other(_) => Retry::NO,
        };
        let error = match why {
            NoAnswer::Filtered(filter) => context
                .refused_prompt(answer.status, filter, &limits)
                .with_body(Json::of_body(beginning, MAX_BODY)),
            why => self.misread(&why.to_string(), beginning),
        };
        Attempt {
            outcome: Err(error.with_status(answer.status).with_request_id(request_id)),
            limits,
            retry,
            is_sent: true,
            rejection: None,
        }
    }

    fn way(&self) -> transport::RequestRoute<'_> {
        let Self(inner) = self;
        transport::RequestRoute {
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
        let error = Error::new(ErrorKind::Response, message);
        error.with_body(Json::of_body(body, MAX_BODY)).with_hint(format!(
            "is {} the address of the service itself, and not of a page or a gateway in front of \
             it?",
            self.0.endpoint.address_variable()
        ))
    }
}
