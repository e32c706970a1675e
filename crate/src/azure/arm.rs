//! Requests to Azure Resource Manager: signed, repeated by its rules, and read page by page.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::endpoint::ManagerEndpoint;
use super::error_mapping::ArmError;
use crate::display::log_line;
use crate::error::{Error, ErrorKind, Result};
use crate::http::proxy::Destination;
use crate::http::redact::Redactor;
use crate::http::retry::{self, Retry};
use crate::http::transport::{self, HttpResponse, Limits, RequestRoute};
use crate::identity::{self, Chain, NO_CREDENTIAL, TokenCache};
use crate::json::Json;
use crate::settings::IdentitySettings;
use crate::waiting::PollOptions;

/// How long a request may take, and a connection to Azure.
const TIMEOUT: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(15);

/// The statuses after which a request is sent again, as in Azure's SDKs.
const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];

/// How many times a request that failed for a transient reason is sent again.
const RETRIES: u32 = 6;

/// How many times a change is tried again while another one is under way, and the pause between.
const BUSY_RETRIES: u32 = 12;
const BUSY_PAUSE: u32 = 5;

/// The longest wait that Azure may ask for before a request is sent again.
const MAX_REQUESTED_WAIT: Duration = Duration::from_secs(5 * 60);

/// The most pages of a list.
const MAX_PAGES: usize = 500;

/// One request.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<String>,
    /// What is asked, for messages: `create the OpenAI account x`.
    pub(super) doing: String,
}

impl Call {
    pub(super) fn with(self, body: &Value) -> Self {
        Self {
            body: Some(body.to_string()),
            ..self
        }
    }
}

/// A successful answer.
pub(super) struct ArmResponse {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// An empty body counts as `{}`.
    pub(super) body: Json,
}

/// A page of a list.
#[derive(Deserialize)]
struct Page<T> {
    #[serde(default = "Vec::new")]
    value: Vec<T>,
    #[serde(default, rename = "nextLink")]
    next: Option<String>,
}

/// Azure Resource Manager, and who asks it.
pub(super) struct Arm {
    pub(super) endpoint: ManagerEndpoint,
    http: reqwest::Client,
    limits: Limits,
    tokens: Arc<TokenCache<Chain>>,
}

impl Arm {
    /// # Errors
    /// A setting of the sign-in is malformed or missing, or the system's certificates can't be read.
    pub(super) fn new(endpoint: ManagerEndpoint, identity: &IdentitySettings) -> Result<Self> {
        let is_plain_http = endpoint.url.scheme() == "http";
        let destination = Destination {
            is_loopback: endpoint.is_practice,
            is_plain_http,
        };
        let limits = Limits::with_timeouts(TIMEOUT, CONNECT);
        let host = endpoint.url.host_str().unwrap_or_default();
        Ok(Self {
            http: transport::client(destination, &limits)?,
            limits: limits.on_the_way_to(host, destination),
            tokens: identity::tokens(identity, &endpoint.resource, log_line)?,
            endpoint,
        })
    }

    /// The host, for messages.
    pub(super) fn host(&self) -> &str {
        self.endpoint.url.host_str().unwrap_or_default()
    }

    /// Who asks, in words.
    pub(super) fn who(&self) -> String {
        self.tokens.issuer().describe()
    }

    /// A call to this path, whose parts are names: none of them can change the path.
    pub(super) fn call(&self, method: Method, path: &[&str], version: &str, doing: &str) -> Call {
        let mut url = self.endpoint.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url.query_pairs_mut().append_pair("api-version", version);
        Call {
            method,
            url,
            body: None,
            doing: doing.to_owned(),
        }
    }

    /// The answer, read as this type.
    ///
    /// # Errors
    /// Azure refuses, can't be reached, or says something else.
    pub(super) async fn send_and_parse<T: DeserializeOwned>(
        &self,
        call: &Call,
        polling: &PollOptions,
    ) -> Result<T> {
        let answer = self.send(call, polling).await?;
        self.parse(&answer.body, &call.doing)
    }

    /// The same; `None` if there is no such thing.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        call: &Call,
        polling: &PollOptions,
    ) -> Result<Option<T>> {
        match self.send_and_parse(call, polling).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All items of a list, page by page. Every page is on the host that was asked.
    ///
    /// # Errors
    /// As [`read`](Self::read); or the list does not end, or leads to another host.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        call: &Call,
        polling: &PollOptions,
    ) -> Result<Vec<T>> {
        let mut items = Vec::new();
        let mut call = call.clone();
        for _ in 0..MAX_PAGES {
            let page: Page<T> = self.send_and_parse(&call, polling).await?;
            items.extend(page.value);
            let Some(next) = page.next.filter(|next| !next.is_empty()) else {
                return Ok(items);
            };
            let next = self.same_host(&next, &call.doing)?;
            if next == call.url {
                return Err(
                    self.unexpected_response(&call.doing, "a page of the list leads to itself")
                );
            }
            call.url = next;
        }
        Err(self.unexpected_response(&call.doing, "the list does not end"))
    }

    /// An address that Azure names, if it is on the host that was asked: a token goes nowhere else.
    ///
    /// # Errors
    /// It is elsewhere, or malformed.
    pub(super) fn same_host(&self, address: &str, doing: &str) -> Result<Url> {
        let url = self.endpoint.url.join(address).ok();
        let is_ours = |url: &Url| {
            url.origin() == self.endpoint.url.origin()
                && url.username().is_empty()
                && url.password().is_none()
        };
        url.filter(is_ours).ok_or_else(|| {
            self.unexpected_response(
                doing,
                "it leads to another host, which must not get the token",
            )
        })
    }

    pub(super) fn parse<T: DeserializeOwned>(&self, body: &Json, doing: &str) -> Result<T> {
        let refused = || self.unexpected_response(doing, "its answer lacks the documented fields");
        // A list would pass for an object whose fields are all missing.
        if !body.text().trim_start().starts_with('{') {
            return Err(refused());
        }
        serde_json::from_str(body.text()).map_err(|error| refused().with_source(error))
    }

    fn unexpected_response(&self, doing: &str, what: &str) -> Error {
        let message = format!("{} did not {doing}: {what}", self.host());
        Error::new(ErrorKind::Response, message).with_hint(
            "what answers there is not Azure as it is documented: check AZURE_RESOURCE_MANAGER_URL and \
             a proxy on the way",
        )
    }

    /// Sends the request, again if that may help: after a status that passes, a broken connection, or
    /// while another change is under way.
    ///
    /// # Errors
    /// As [`read`](Self::read); or the user stops it.
    pub(super) async fn send(&self, call: &Call, polling: &PollOptions) -> Result<ArmResponse> {
        let (mut retries, mut busy, mut is_renewed) = (0, 0, false);
        let what = format!("Azure, asked to {}", call.doing);
        let mut told = polling.begin(what, Duration::MAX);
        loop {
            let answer = told.answer(self.send_once(call, &mut is_renewed));
            let failure = match answer.await {
                Ok(answer) => {
                    told.end("answered");
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            let pause = match failure {
                Failure::Final(error) => return Err(error),
                Failure::Renewed => continue,
                Failure::Busy(error) if busy == BUSY_RETRIES => return Err(error),
                Failure::Busy(error) => {
                    // A class does not come again all at once.
                    let pause = (polling.first * BUSY_PAUSE).mul_f64(0.5 + fastrand::f64());
                    retry::report(&error, busy, pause);
                    busy += 1;
                    pause
                }
                Failure::Transient(error, _) if retries == RETRIES => return Err(error),
                Failure::Transient(error, retry) => {
                    let asked = retry.asked.filter(|asked| !asked.is_zero());
                    if asked.is_some_and(|asked| asked > MAX_REQUESTED_WAIT) {
                        return Err(error);
                    }
                    let pause = asked.unwrap_or_else(|| retry.wait(retries, fastrand::f64()));
                    retry::report(&error, retries, pause);
                    told.report_retry(&error, pause);
                    retries += 1;
                    pause
                }
            };
            polling
                .pause(pause, &format!("Azure to {}", call.doing))
                .await?;
        }
    }

    async fn send_once(&self, call: &Call, is_renewed: &mut bool) -> Result<ArmResponse, Failure> {
        let held = self.tokens.current().await;
        let held = held.map_err(|(error, _)| Failure::Final(not_signed_in(&error)))?;
        let token = held.token.secret.clone();
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|error| Failure::Final(not_signed_in(&Error::other(error))))?;
        bearer.set_sensitive(true);
        let mut request = self.http.request(call.method.clone(), call.url.clone());
        request = request
            .header(AUTHORIZATION, bearer)
            .header("accept", "application/json");
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        } else if call.method == Method::POST {
            // A POST without a body still says its length.
            request = request.body("");
        }
        let redactor = Redactor::new([token]);
        let route = RequestRoute {
            host: self.host(),
            limits: &self.limits,
            redactor: &redactor,
        };
        let transient = |(error, retry): transport::Failed| match retry.again {
            true => Failure::Transient(error, retry),
            false => Failure::Final(error),
        };
        let opened = transport::open(request, route).await.map_err(transient)?;
        let HttpResponse {
            status,
            headers,
            body,
        } = opened.read_body().await;
        let body = body.map_err(transient)?;
        if (200..300).contains(&status) {
            self.tokens.accepted(&held);
            let text = String::from_utf8_lossy(&body).into_owned();
            let text = if text.trim().is_empty() {
                "{}".to_owned()
            } else {
                text
            };
            let body = Json::new(text).map_err(|_| {
                Failure::Final(self.unexpected_response(&call.doing, "its answer is not JSON"))
            })?;
            return Ok(ArmResponse {
                status,
                headers,
                body,
            });
        }
        if status == 401 && !*is_renewed {
            *is_renewed = true;
            match self.tokens.after_rejection(&held).await {
                Ok(Some(_)) => return Err(Failure::Renewed),
                Ok(None) => {}
                Err((error, _)) => return Err(Failure::Final(error)),
            }
        }
        Err(self.refused(call, status, &headers, &body))
    }

    fn refused(&self, call: &Call, status: u16, headers: &HeaderMap, body: &[u8]) -> Failure {
        let reason = ArmError::from_body(body);
        let is_busy = status == 409 && reason.is_busy();
        let retry = Retry::after_one_of(&PASSING, status, headers, SystemTime::now());
        let id = headers
            .get("x-ms-correlation-request-id")
            .or(headers.get("x-ms-request-id"));
        let id = id.and_then(|id| id.to_str().ok());
        let error = reason
            .into_error(&call.doing, self.host(), Some(status))
            .with_request_id(id.map(|id| crate::text::sanitize_line(id, 80)))
            .with_retry_after(retry.asked);
        let error = match retry.asked.filter(|asked| *asked > MAX_REQUESTED_WAIT) {
            Some(asked) => {
                let minutes = asked.as_secs().div_ceil(60);
                error.with_hint(format!(
                    "Azure asks to wait for {minutes} minutes: try again then"
                ))
            }
            None => error,
        };
        // As in Azure's SDKs: a POST is not sent again if the service may have taken it.
        let is_read = call.url.path().ends_with("/listKeys");
        let may_be_done =
            call.method == Method::POST && !is_read && matches!(status, 500 | 503 | 504);
        match retry.again && (!may_be_done || retry.asked.is_some()) {
            _ if is_busy => Failure::Busy(error),
            true => Failure::Transient(error, retry),
            false => Failure::Final(error),
        }
    }
}

/// Why a request failed.
enum Failure {
    Final(Error),
    Transient(Error, Retry),
    /// Another change of the same thing is under way.
    Busy(Error),
    /// There is a new token.
    Renewed,
}

/// Whether this says that there is no such thing.
pub(super) fn is_missing(error: &Error) -> bool {
    error.status() == Some(404)
        && !matches!(
            error.code(),
            Some("SubscriptionNotFound" | "InvalidSubscriptionId")
        )
}

fn not_signed_in(error: &Error) -> Error {
    let message = format!("nobody is signed in to Azure: {}", error.message());
    let signed_in = "run `az login`; or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET to a \
                     service principal";
    // Whoever refused it knows better.
    let own = error.hint().filter(|hint| *hint != NO_CREDENTIAL);
    let hint = own.unwrap_or(signed_in);
    Error::new(error.kind(), message).with_hint(format!("{hint}; or practice: {}", practice!()))
}
