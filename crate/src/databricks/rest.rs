//! Requests to a workspace's REST API, and its errors in the user's words.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::credential::Credential;
use super::settings::DatabricksSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::http::proxy::Destination;
use crate::http::redact::Redactor;
use crate::http::retry::Retry;
use crate::http::transport::{self, HttpResponse, Limits, Way};
use crate::json::{Json, fields, plain_text};
use crate::text::{message, sanitize_line};

/// How long a request may take, and a connection to it.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(15);

/// How many times a request that failed for a transient reason is sent again.
const RETRIES: u32 = 5;

/// The longest text of the service that is shown, in characters.
const LONGEST: usize = 500;

/// A workspace, and who asks it.
pub(crate) struct Workspace {
    host: Url,
    http: reqwest::Client,
    limits: Limits,
    pub(crate) credential: Arc<Credential>,
    azure_resource_id: Option<HeaderValue>,
}

impl Workspace {
    /// # Errors
    /// The system's certificates can't be read, or the sign-in's settings are malformed.
    pub(crate) fn new(settings: &DatabricksSettings) -> Result<Self> {
        let is_plain_http = settings.host.scheme() == "http";
        let destination = Destination {
            // Plain HTTP is for this machine alone.
            is_loopback: is_plain_http,
            is_plain_http,
        };
        let limits = Limits::of(TIMEOUT, CONNECT);
        let id = settings.azure_resource_id.as_deref();
        Ok(Self {
            http: transport::client(destination, &limits)?,
            limits: limits.on_the_way_to(settings.place(), destination),
            host: settings.host.clone(),
            credential: Arc::new(Credential::new(settings)?),
            azure_resource_id: id.and_then(|id| HeaderValue::from_str(id).ok()),
        })
    }

    pub(crate) fn host(&self) -> &str {
        self.host.host_str().unwrap_or_default()
    }

    /// The answer to a GET.
    ///
    /// # Errors
    /// The workspace refuses, or can't be reached.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Json> {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(query);
        self.ask(self.http.get(url)).await
    }

    /// The answer to a POST.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) async fn post(&self, path: &str, body: String) -> Result<Json> {
        let request = self.http.post(self.url(path));
        let request = request.header("content-type", "application/json");
        self.ask(request.body(body)).await
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.host.clone();
        url.set_path(path);
        url
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<Json> {
        let mut retries = 0;
        let mut is_renewed = false;
        loop {
            let (error, retry) = match self.ask_once(&request).await {
                Ok(answer) => {
                    self.credential.accepted();
                    return Ok(answer);
                }
                Err(failed) => failed,
            };
            if error.kind() == ErrorKind::Authentication && !is_renewed {
                is_renewed = true;
                if self.credential.renew().await {
                    continue;
                }
            }
            if !retry.again || retries == RETRIES {
                return Err(error);
            }
            tokio::time::sleep(retry.wait(retries, fastrand::f64())).await;
            retries += 1;
        }
    }

    async fn ask_once(&self, request: &reqwest::RequestBuilder) -> Result<Json, transport::Failed> {
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
        let redactor = Redactor::new([token]);
        let way = Way {
            host: self.host(),
            limits: &self.limits,
            redactor: &redactor,
        };
        let HttpResponse {
            status,
            headers,
            body,
        } = transport::open(once, way).await?.read().await;
        let body = body?;
        if status == 200 {
            let text = String::from_utf8_lossy(&body).into_owned();
            return Json::new(text).map_err(|_| (self.unreadable(), Retry::NO));
        }
        let retry = match status {
            429 | 503 => Retry::after_status(status, &headers, SystemTime::now()),
            _ => Retry::NO,
        };
        Err((self.refusal(status, &body), retry))
    }

    fn unreadable(&self) -> Error {
        let message = format!(
            "what answers at {} is not a Databricks workspace",
            self.host()
        );
        Error::new(ErrorKind::Response, message)
            .with_hint("check DATABRICKS_HOST: it is the address of the workspace")
    }

    fn refusal(&self, status: u16, body: &[u8]) -> Error {
        let text = String::from_utf8_lossy(body);
        let (code, said) = match Json::new(text.clone().into_owned()) {
            Ok(json) => {
                let names = ["error_code", "message", "error", "detail"];
                let [code, said, error, detail] = fields(json.raw(), names);
                let mut said = [said, error, detail].into_iter().flatten();
                let said = said.find_map(plain_text);
                (code.and_then(plain_text), said.unwrap_or_default())
            }
            Err(_) => (None, message::of_html(&text)),
        };
        let said = sanitize_line(&said, LONGEST);
        // A missing cluster is a bad request in their words.
        let is_missing = said.contains("does not exist") || status == 404;
        let (kind, hint) = match status {
            _ if is_missing => (
                ErrorKind::NotFound,
                "check DATABRICKS_CLUSTER_ID and DATABRICKS_HOST: the cluster's page shows both in its \
                 address",
            ),
            401 => (ErrorKind::Authentication, self.credential.hint()),
            403 => (
                ErrorKind::PermissionDenied,
                "ask the cluster's owner for the permission 'Can Restart', or, if it runs, 'Can Attach To'",
            ),
            429 => (
                ErrorKind::RateLimit,
                "the workspace is busy: try again in a minute",
            ),
            500.. => (
                ErrorKind::Server,
                "try again; the workspace's status page may say more",
            ),
            _ => (ErrorKind::BadRequest, "the message says what is wrong"),
        };
        let message = match said.is_empty() {
            true => format!("{} refused, with the HTTP status {status}", self.host()),
            false => format!("{} refused: {said}", self.host()),
        };
        Error::new(kind, message)
            .with_status(status)
            .with_code(code)
            .with_hint(hint)
    }
}
