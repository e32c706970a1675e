//! Requests to a workspace's REST API.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::credential::Credential;
use super::error_mapping;
use super::settings::DatabricksSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::http::proxy::Destination;
use crate::http::redact::Redactor;
use crate::http::retry::{Retry, pause_unless_stopped};
use crate::http::transport::{self, HttpResponse, Limits, RequestRoute};
use crate::identity::{Chain, TokenCache};
use crate::json::Json;
use crate::secret::Secret;
use crate::settings::IdentitySettings;
use crate::waiting::PollOptions;

/// How long a request may take, and a connection to it.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(15);

/// The statuses after which any request is sent again, as in Databricks' SDKs.
const PASSING: [u16; 2] = [429, 503];

/// The statuses after which a request that changes nothing is sent again.
const PASSING_FOR_READS: [u16; 5] = [429, 500, 502, 503, 504];

/// How many times a request that failed for a transient reason is sent again.
const RETRIES: u32 = 5;

/// A workspace's REST API, and who asks it.
#[derive(Clone)]
pub(super) struct Rest {
    host: Url,
    http: reqwest::Client,
    limits: Limits,
    pub(super) credential: Arc<Credential>,
    azure_resource_id: Option<HeaderValue>,
    /// Tokens of Azure's management, for an identity that is not a member of the workspace yet.
    management: Option<Arc<TokenCache<Chain>>>,
    /// What ends the waits before a request is sent again, and who is told of them.
    pub(super) polling: PollOptions,
}

impl Rest {
    /// # Errors
    /// The system's certificates can't be read, or the sign-in's settings are malformed.
    pub(super) fn new(settings: &DatabricksSettings, polling: PollOptions) -> Result<Self> {
        let credential = Credential::new(settings)?;
        let id = settings.azure_resource_id.as_deref();
        Self::with_credential(settings.host.clone(), credential, id, None, polling)
    }

    /// A workspace that Azure names, asked by whoever is signed in to Azure.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn of_azure(
        host: Url,
        identity: &IdentitySettings,
        id: &str,
        management: Arc<TokenCache<Chain>>,
        polling: PollOptions,
    ) -> Result<Self> {
        let credential = Credential::of_azure(identity)?;
        Self::with_credential(host, credential, Some(id), Some(management), polling)
    }

    fn with_credential(
        host: Url,
        credential: Credential,
        id: Option<&str>,
        management: Option<Arc<TokenCache<Chain>>>,
        polling: PollOptions,
    ) -> Result<Self> {
        let is_plain_http = host.scheme() == "http";
        let destination = Destination {
            // Plain HTTP is for this machine alone.
            is_loopback: is_plain_http,
            is_plain_http,
        };
        let limits = Limits::with_timeouts(TIMEOUT, CONNECT);
        let place = host.host_str().unwrap_or_default();
        Ok(Self {
            http: transport::client(destination, &limits)?,
            limits: limits.on_the_way_to(place, destination),
            credential: Arc::new(credential),
            azure_resource_id: id.and_then(|id| HeaderValue::from_str(id).ok()),
            management,
            polling,
            host,
        })
    }

    pub(super) fn host(&self) -> &str {
        self.host.host_str().unwrap_or_default()
    }

    pub(super) fn origin(&self) -> &Url {
        &self.host
    }

    /// The answer to a GET, read as this type.
    ///
    /// # Errors
    /// The workspace refuses, can't be reached, or says something else.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.http.get(url).header(ACCEPT, "application/json");
        self.send_and_parse(path, request, &PASSING_FOR_READS).await
    }

    /// The answer to a POST, read as this type.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T> {
        let request = self.http.post(self.url(path));
        let request = request.header(CONTENT_TYPE, "application/json");
        let request = request.header(ACCEPT, "application/json");
        self.send_and_parse(path, request.body(body.to_string()), &PASSING)
            .await
    }

    /// Sends a file.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(super) async fn put(
        &self,
        path: &str,
        query: &[(&str, &str)],
        content: Vec<u8>,
    ) -> Result<()> {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(query);
        let request = self.http.request(Method::PUT, url);
        let request = request.header(CONTENT_TYPE, "application/octet-stream");
        self.send(path, request.body(content), &PASSING)
            .await
            .map(drop)
    }

    /// Deletes something.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(super) async fn delete(&self, path: &str) -> Result<()> {
        let request = self.http.delete(self.url(path));
        self.send(path, request, &PASSING).await.map(drop)
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.host.clone();
        url.set_path(path);
        url
    }

    async fn send_and_parse<T: DeserializeOwned>(
        &self,
        path: &str,
        request: reqwest::RequestBuilder,
        passing: &[u16],
    ) -> Result<T> {
        let answer = self.send(path, request, passing).await?;
        let refused = || {
            let host = self.host();
            let message = format!("{host} gave an answer without the documented fields");
            Error::new(ErrorKind::Response, message)
                .with_hint("check DATABRICKS_HOST: it is the address of the workspace")
        };
        // A list would pass for an object whose fields are all missing.
        if !answer.text().trim_start().starts_with('{') {
            return Err(refused());
        }
        serde_json::from_str(answer.text()).map_err(|error| refused().with_source(error))
    }

    async fn send(
        &self,
        path: &str,
        request: reqwest::RequestBuilder,
        passing: &[u16],
    ) -> Result<Json> {
        let mut retries = 0;
        let mut is_renewed = false;
        let what = format!("{}, asked for {path}", self.host());
        let mut told = self.polling.begin(what, Duration::MAX);
        loop {
            let answer = told.answer(self.ask_once(path, &request, passing));
            let (error, retry) = match answer.await {
                Ok(answer) => {
                    told.end("answered");
                    self.credential.accepted();
                    return Ok(answer);
                }
                Err(failed) => failed,
            };
            if error.kind() == ErrorKind::Authentication && !is_renewed {
                is_renewed = true;
                if self.credential.renew().await? {
                    continue;
                }
            }
            if !retry.again || retries == RETRIES {
                return Err(error);
            }
            let pause = retry.wait(retries, fastrand::f64());
            told.report_retry(&error, pause);
            pause_unless_stopped(pause, retries, &error, Some(&self.polling.stop)).await?;
            retries += 1;
        }
    }

    async fn ask_once(
        &self,
        path: &str,
        request: &reqwest::RequestBuilder,
        passing: &[u16],
    ) -> Result<Json, transport::Failed> {
        let unsendable = || {
            let message = "the request to Databricks can't be sent: the token is not plain ASCII";
            let error = Error::new(ErrorKind::Settings, message);
            (error.with_hint(self.credential.hint()), Retry::NO)
        };
        let token = self
            .credential
            .token()
            .await
            .map_err(|error| (error, Retry::NO))?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| unsendable())?;
        bearer.set_sensitive(true);
        let mut once = request
            .try_clone()
            .ok_or_else(unsendable)?
            .header(AUTHORIZATION, bearer);
        if let Some(id) = &self.azure_resource_id {
            once = once.header("x-databricks-azure-workspace-resource-id", id);
        }
        let mut tokens = vec![token];
        if let Some(management) = self.management_token().await {
            let value = HeaderValue::from_str(management.expose()).map_err(|_| unsendable())?;
            let mut value = value;
            value.set_sensitive(true);
            once = once.header("x-databricks-azure-sp-management-token", value);
            tokens.push(management);
        }
        let redactor = Redactor::new(tokens);
        let route = RequestRoute {
            host: self.host(),
            limits: &self.limits,
            redactor: &redactor,
        };
        let HttpResponse {
            status,
            headers,
            body,
        } = transport::open(once, route).await?.read_body().await;
        let body = body?;
        if (200..300).contains(&status) {
            let text = String::from_utf8_lossy(&body).into_owned();
            // A file that was stored is answered by nothing.
            let is_nothing = status == 204 || text.is_empty();
            let text = if is_nothing { "{}".to_owned() } else { text };
            return Json::new(text).map_err(|_| (self.unreadable(), Retry::NO));
        }
        let retry = Retry::after_one_of(passing, status, &headers, SystemTime::now());
        let refused =
            error_mapping::error(self.host(), path, self.credential.hint(), status, &body);
        Err((refused, retry))
    }

    fn unreadable(&self) -> Error {
        let message = format!(
            "what answers at {} is not a Databricks workspace",
            self.host()
        );
        Error::new(ErrorKind::Response, message)
            .with_hint("check DATABRICKS_HOST: it is the address of the workspace")
    }

    /// A token of Azure's management, if this identity may need it and can have it.
    async fn management_token(&self) -> Option<Secret> {
        let held = self.management.as_ref()?.current().await.ok()?;
        Some(held.token.secret)
    }
}
