//! The service's API for files and batches: one function per call.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use serde_json::value::RawValue;

use super::hint::hinted;
use super::state::{BatchState, BatchStatus};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Json, field, fields, first, items};
use crate::openai::rest::{Call, Failed, RestResponse};
use crate::openai::{Client, Protocol};

/// The boundary of the multipart form of an upload. JSON contains no line break followed by
/// hyphens, so no file contains this boundary.
pub(super) const BOUNDARY: &str = "evenhand-batch-6f1d0c1e";

/// How often a batch is polled by default, as the service recommends.
const BETWEEN_LOOKS: Duration = Duration::from_secs(60);
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(600);

/// The shortest polling interval, whatever the service says.
const LEAST_BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// How often an uploaded file is polled, and how long the service may take to check it.
const BETWEEN_FILE_LOOKS: Duration = Duration::from_secs(2);
const MAX_FILE_CHECK: Duration = Duration::from_secs(600);

/// How many pages of the list of batches are searched, of a hundred batches each.
const PAGES: usize = 100;

pub(super) struct Service {
    client: Client,
    deployment: String,
    retries: u32,
}

/// A batch as the service reports it.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) status: BatchStatus,
    /// The output and error files, if there are any.
    pub(super) files: Vec<String>,
    /// How long the service asked to wait before the next poll.
    retry_after: Option<Duration>,
}

#[derive(Deserialize)]
struct FileObject {
    id: String,
    #[serde(default)]
    status: Option<String>,
}

#[derive(Deserialize)]
struct BatchObject {
    id: String,
    status: String,
    #[serde(default)]
    input_file_id: Option<String>,
    #[serde(default)]
    output_file_id: Option<String>,
    #[serde(default)]
    error_file_id: Option<String>,
    #[serde(default)]
    request_counts: Option<Counts>,
    #[serde(default)]
    errors: Json,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Counts {
    total: Option<u64>,
    completed: Option<u64>,
    failed: Option<u64>,
}

/// More rows than any batch has: a larger count is ignored.
const ABSURD: u64 = 1_000_000_000;

/// A count that is safe to add to others.
fn count(reported: Option<u64>) -> u64 {
    reported.filter(|count| *count < ABSURD).unwrap_or_default()
}

/// The most batches that are read from a page, and the most reasons that are read from an error.
/// Both are larger than what the service sends.
const MAX_LISTED: usize = 1_000;

#[derive(Deserialize)]
struct Page {
    #[serde(deserialize_with = "first::<_, _, MAX_LISTED>")]
    data: Vec<BatchObject>,
    #[serde(default)]
    has_more: bool,
}

impl Service {
    pub(super) fn new(client: &Client, deployment: &str, retries: u32) -> Self {
        Self {
            client: client.clone(),
            deployment: deployment.to_owned(),
            retries,
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn deployment(&self) -> &str {
        &self.deployment
    }

    /// The path in each line of a request file.
    pub(super) fn line_url(&self) -> &'static str {
        match self.client.protocol() {
            Protocol::AzureDated => "/chat/completions",
            Protocol::AzureV1 | Protocol::OpenAi => "/v1/chat/completions",
        }
    }

    /// The path of a whole batch.
    fn batch_url(&self) -> &'static str {
        match self.client.protocol() {
            Protocol::AzureDated | Protocol::AzureV1 => "/chat/completions",
            Protocol::OpenAi => "/v1/chat/completions",
        }
    }

    fn call(&self, method: Method, path: &[&str]) -> Call {
        self.client.call(method, path, &[], &self.deployment)
    }

    async fn send(&self, call: &Call) -> Result<RestResponse> {
        let sent = call.send(self.retries).await;
        sent.map_err(|error| hinted(error, &self.deployment))
    }

    /// Uploads a form with a request file, and returns the file's ID once the service has checked
    /// the file.
    pub(super) async fn upload(&self, form: Vec<u8>) -> Result<String> {
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        let call = self
            .call(Method::POST, &["files"])
            .body(&content_type, form);
        let response = self.send(&call).await?;
        drop(call);
        let mut file: FileObject = self.parse_response(&response)?;
        let id = self.checked(std::mem::take(&mut file.id))?;
        let look = self.call(Method::GET, &["files", &id]);
        let started = Instant::now();
        let mut asked = response.retry_after;
        loop {
            match file
                .status
                .as_deref()
                .map(str::to_ascii_lowercase)
                .as_deref()
            {
                Some("pending" | "running" | "notrunning") => {}
                Some(status @ ("error" | "failed")) => return Err(self.refused_file(&id, status)),
                // Servers that report no status have accepted the file.
                _ => return Ok(id),
            }
            if started.elapsed() > MAX_FILE_CHECK {
                return Err(self.refused_file(&id, "still pending after ten minutes"));
            }
            tokio::time::sleep(self.pace(asked, BETWEEN_FILE_LOOKS)).await;
            let response = self.send(&look).await?;
            asked = response.retry_after;
            file = self.parse_response(&response)?;
        }
    }

    fn refused_file(&self, id: &str, status: &str) -> Error {
        Error::new(
            ErrorKind::Response,
            format!("the service did not accept the request file {id}: its status is {status}"),
        )
        .with_hint("submit again: no batch was created from it")
    }

    /// Creates a batch from a file. A failure never leads to two batches: if the batch may exist
    /// after all, it is searched for before the next attempt.
    ///
    /// The inner error is the reason why there is no batch.
    ///
    /// # Errors
    /// It is not known whether there is a batch.
    pub(super) async fn make(&self, file: &str) -> Result<Result<Made>> {
        let call = self.call(Method::POST, &["batches"]).json(&json!({
            "input_file_id": file,
            "endpoint": self.batch_url(),
            "completion_window": "24h",
        }));
        let mut done = 0;
        loop {
            let (error, retry) = match self.made(call.send_once().await) {
                Ok(made) => return Ok(Ok(made)),
                Err(failed) => failed,
            };
            if is_in_doubt(&error)
                && let Some(made) = self.find(file).await?
            {
                return Ok(Ok(made));
            }
            if !retry.again || done >= self.retries {
                return Ok(Err(hinted(error, &self.deployment)));
            }
            retry.pause(done, &error).await;
            done += 1;
        }
    }

    fn made(&self, sent: Result<RestResponse, Failed>) -> Result<Made, Failed> {
        let response = sent?;
        let made = self
            .parse_response(&response)
            .and_then(|batch| self.judged(batch, &response));
        made.map_err(|error| (error, crate::http::retry::Retry::NO))
    }

    /// The batch of this file, if there is one.
    ///
    /// # Errors
    /// The list of batches can't be read.
    pub(super) async fn find(&self, file: &str) -> Result<Option<Made>> {
        let mut last = String::new();
        for _ in 0..PAGES {
            let query = [("limit", "100"), ("after", last.as_str())];
            let query = if last.is_empty() { &query[..1] } else { &query };
            let call = self
                .client
                .call(Method::GET, &["batches"], query, &self.deployment);
            let response = self
                .send(&call)
                .await
                .map_err(|error| in_doubt(file, error))?;
            let page: Page = self
                .parse_response(&response)
                .map_err(|error| in_doubt(file, error))?;
            last = page
                .data
                .last()
                .map(|batch| batch.id.clone())
                .unwrap_or_default();
            let found = page
                .data
                .into_iter()
                .find(|batch| batch.input_file_id.as_deref() == Some(file));
            if let Some(batch) = found {
                return self.judged(batch, &response).map(Some);
            }
            if !page.has_more || last.is_empty() {
                return Ok(None);
            }
        }
        let error = Error::new(ErrorKind::Response, "the list of batches is too long");
        Err(in_doubt(file, error))
    }

    pub(super) async fn look(&self, batch: &str) -> Result<Made> {
        let response = self
            .send(&self.call(Method::GET, &["batches", batch]))
            .await?;
        self.judged(self.parse_response(&response)?, &response)
    }

    pub(super) async fn cancel(&self, batch: &str) -> Result<()> {
        let call = self.call(Method::POST, &["batches", batch, "cancel"]);
        self.send(&call).await.map(drop)
    }

    /// The call that fetches the file's content.
    pub(super) fn content(&self, file: &str) -> Call {
        self.call(Method::GET, &["files", file, "content"])
    }

    pub(super) async fn delete(&self, file: &str) -> Result<()> {
        self.send(&self.call(Method::DELETE, &["files", file]))
            .await
            .map(drop)
    }

    pub(super) fn retries(&self) -> u32 {
        self.retries
    }

    /// How long to wait before these batches are polled again.
    pub(super) fn pause<'a>(&self, batches: impl IntoIterator<Item = &'a Made>) -> Duration {
        let asked = batches
            .into_iter()
            .filter_map(|made| made.retry_after)
            .max();
        self.pace(asked, BETWEEN_LOOKS)
    }

    /// The interval that the service asked for, within bounds: only a service on this machine is
    /// polled more often than usual.
    fn pace(&self, asked: Option<Duration>, usual: Duration) -> Duration {
        let least = if self.client.is_loopback() {
            LEAST_BETWEEN_LOOKS
        } else {
            usual
        };
        asked.unwrap_or(usual).clamp(least, MAX_POLL_INTERVAL)
    }

    fn judged(&self, batch: BatchObject, response: &RestResponse) -> Result<Made> {
        let counts = batch.request_counts.unwrap_or_default();
        let files = [batch.output_file_id, batch.error_file_id];
        let files = files.into_iter().flatten().filter(|id| !id.is_empty());
        Ok(Made {
            status: BatchStatus {
                id: self.checked(batch.id)?,
                state: BatchState::from_word(&self.client.excerpt(&batch.status, 40)),
                total: count(counts.total),
                completed: count(counts.completed),
                failed: count(counts.failed),
                errors: self.reasons(&batch.errors),
            },
            files: files.map(|id| self.checked(id)).collect::<Result<_>>()?,
            retry_after: response.retry_after,
        })
    }

    /// The reasons why the file was not accepted, one per entry.
    fn reasons(&self, errors: &Json) -> Vec<String> {
        let list = field(errors.raw(), "data").unwrap_or(errors.raw());
        let reason = |error: &RawValue| {
            let [code, message, line] = fields(error, ["code", "message", "line"]);
            let text = |json: Option<&RawValue>| json.and_then(json::deserialize::<String>);
            let reason = match (text(code), text(message)) {
                (code, None) => code.unwrap_or_default(),
                (None, Some(message)) => message,
                (Some(code), Some(message)) => format!("{code}: {message}"),
            };
            let line = line.and_then(json::deserialize::<u64>);
            let line = line.map_or_else(String::new, |line| format!(" (line {line})"));
            self.client.excerpt(&reason, 300) + &line
        };
        items(list, MAX_LISTED).into_iter().map(reason).collect()
    }

    fn parse_response<T: DeserializeOwned>(&self, response: &RestResponse) -> Result<T> {
        serde_json::from_slice(&response.body).map_err(|error| {
            let excerpt = String::from_utf8_lossy(&response.body);
            let excerpt = self.client.excerpt(&excerpt, 200);
            Error::new(
                ErrorKind::Response,
                format!("the answer is neither a file nor a batch: {excerpt}"),
            )
            .with_source(error)
            .with_hint("does the service have a Batch API? Not every compatible server does")
        })
    }

    /// Checks that an ID is safe to use in a URL and in a message.
    fn checked(&self, id: String) -> Result<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if (1..=200).contains(&id.len())
            && id.chars().all(plain)
            && id.contains(char::is_alphanumeric)
        {
            return Ok(id);
        }
        let id = self.client.excerpt(&id, 60);
        Err(Error::new(
            ErrorKind::Response,
            format!("the service returned an invalid ID: {id}"),
        ))
    }
}

/// Whether the service may have carried out the request despite this error.
fn is_in_doubt(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::BadRequest
            | ErrorKind::Authentication
            | ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::UnprocessableEntity
            | ErrorKind::RateLimit
            | ErrorKind::ContentFilter
            | ErrorKind::UnexpectedStatus
    )
}

fn in_doubt(file: &str, error: Error) -> Error {
    Error::new(
        error.kind(),
        format!(
            "it is not known whether a batch of the file {file} was made: {}",
            error.message()
        ),
    )
    .with_hint(
        "submit again when the service answers: it looks for the batch and creates no second one",
    )
    .with_source(error)
}
