//! Writes the lines of a batch to the journal. They come in any order and are not trusted: they
//! may be repeated, cut off, or belong to rows that are not in the batch.

use std::collections::HashMap;

use super::hint::hinted;
use super::service::{Made, Service};
use super::state::BatchState;
use crate::batch::cache::AnswerCache;
use crate::batch::format::{self, MAX_LINE, OutputLine, is_success};
use crate::batch::journal::Sent;
use crate::batch::request_stats::RequestStats;
use crate::display::note_line;
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry::Retry;
use crate::openai::ChatCompletion;
use crate::openai::profile::consumed_in_batch;
use crate::openai::rest::{Call, Failed};

/// Merges the results of a batch that has ended.
pub(super) struct Merge<'a> {
    service: &'a Service,
    cache: &'a AnswerCache,
    batch: &'a str,
    rows: HashMap<&'a str, Row>,
    unusable: Unusable,
}

/// A row of the batch.
#[derive(Default)]
struct Row {
    outcome: Option<Result<ChatCompletion>>,
    /// The file and attempt in which its line was last seen.
    seen: Option<Pass>,
}

/// Lines that could not be used.
#[derive(Clone, Copy, Default)]
struct Unusable {
    unreadable: u64,
    unknown: u64,
    twice: u64,
}

/// One attempt to fetch one file.
#[derive(Clone, Copy)]
struct Pass {
    file: usize,
    attempt: u32,
}

/// The outcome of each row, by its ID, and whether every line could be used.
pub(super) struct Merged {
    pub(super) outcomes: Vec<(String, Result<ChatCompletion>)>,
    pub(super) is_clean: bool,
}

/// The statistics of a row of a batch: one request.
pub(super) fn stats() -> RequestStats {
    RequestStats {
        attempts: 1,
        ..RequestStats::default()
    }
}

impl<'a> Merge<'a> {
    pub(super) fn new(service: &'a Service, cache: &'a AnswerCache, sent: &'a Sent) -> Self {
        let rows = sent.rows.iter().map(|row| (row.as_str(), Row::default()));
        Self {
            service,
            cache,
            batch: sent.batch.as_deref().unwrap_or_default(),
            rows: rows.collect(),
            unusable: Unusable::default(),
        }
    }

    /// Fetches the batch's files and writes every line to the journal. Rows without a line have
    /// failed; the batch's state gives the reason.
    ///
    /// # Errors
    /// A file can't be fetched. The lines received until then are in the journal.
    pub(super) async fn run(mut self, made: &Made) -> Result<Merged> {
        let mut gone = None;
        for (place, file) in made.files.iter().enumerate() {
            match self.fetch(place, file).await {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    gone = Some(gone_error(self.batch, &error));
                }
                fetched => fetched?,
            }
        }
        let deployment = self.service.deployment();
        let reason = gone.unwrap_or_else(|| hinted(why_missing(made), deployment));
        Ok(self.finish(&reason))
    }

    async fn fetch(&mut self, file: usize, id: &str) -> Result<()> {
        let call = self.service.content(id);
        let (unusable, mut attempt) = (self.unusable, 0);
        loop {
            // Each attempt begins at the file's first line.
            self.unusable = unusable;
            let pass = Pass { file, attempt };
            let (error, retry) = match self.fetch_once(&call, pass).await {
                Ok(torn) if torn.is_empty() => return Ok(()),
                // The file was cut off without a connection error.
                Ok(torn) if attempt >= self.service.retries() => {
                    self.merge_line(&torn, pass);
                    return Ok(());
                }
                Ok(_) => (broken_off(id), Retry::YES),
                Err(failed) => failed,
            };
            if !retry.again || attempt >= self.service.retries() {
                return Err(error);
            }
            retry.pause(attempt, &error).await;
            attempt += 1;
        }
    }

    /// Merges each line as it arrives. Returns the text after the last line end if it is not a
    /// complete line.
    async fn fetch_once(&mut self, call: &Call, pass: Pass) -> Result<Vec<u8>, Failed> {
        let mut download = call.open().await?;
        let mut line = Vec::new();
        let mut is_too_long = false;
        while let Some(chunk) = download.chunk().await? {
            let mut parts = chunk.as_ref().split(|byte| *byte == b'\n').peekable();
            while let Some(part) = parts.next() {
                is_too_long |= line.len() + part.len() > MAX_LINE;
                if !is_too_long {
                    line.extend_from_slice(part);
                }
                if parts.peek().is_some() {
                    if std::mem::take(&mut is_too_long) {
                        line.clear();
                        line.push(b'?');
                    }
                    self.merge_line(&line, pass);
                    line.clear();
                }
            }
        }
        let is_whole =
            line.iter().all(u8::is_ascii_whitespace) || format::parse::<OutputLine>(&line).is_ok();
        if is_whole {
            self.merge_line(&line, pass);
            line.clear();
        }
        Ok(line)
    }

    fn merge_line(&mut self, text: &[u8], pass: Pass) {
        // A byte order mark is not part of a line.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if text.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let text = self.service.client().redactor().line(text);
        let Ok(mut line) = format::parse::<OutputLine>(&text) else {
            self.unusable.unreadable += 1;
            return;
        };
        let Some(row) = self.rows.get_mut(line.custom_id.as_str()) else {
            self.unusable.unknown += 1;
            return;
        };
        // Lines seen by an attempt that was cut off come again.
        self.unusable.twice += match row.seen.replace(pass) {
            Some(seen) if seen.file == pass.file => u64::from(seen.attempt == pass.attempt),
            seen => u64::from(seen.is_some()),
        };
        // The first answer counts; a failure counts only until there is an answer.
        if matches!(row.outcome, Some(Ok(_))) {
            return;
        }
        let id = std::mem::take(&mut line.custom_id);
        let outcome = outcome(line, self.service);
        if row.outcome.is_some() && outcome.is_err() {
            return;
        }
        let deployment = self.service.deployment();
        self.cache
            .record_outcome(&id, deployment, &outcome, &stats());
        row.outcome = Some(outcome);
    }

    fn finish(self, missing: &Error) -> Merged {
        let Self {
            cache,
            service,
            batch,
            rows,
            unusable,
            ..
        } = self;
        let outcomes = rows.into_iter().map(|(id, row)| {
            let outcome = row.outcome.unwrap_or_else(|| {
                let outcome = Err(missing.clone());
                cache.record_outcome(id, service.deployment(), &outcome, &stats());
                outcome
            });
            (id.to_owned(), outcome)
        });
        let outcomes = outcomes.collect();
        let summary = unusable.summary();
        if !summary.is_empty() {
            note_line(&format!(
                "{batch}: {summary}; its files stay on the service"
            ));
        }
        Merged {
            outcomes,
            is_clean: summary.is_empty(),
        }
    }
}

impl Unusable {
    fn summary(&self) -> String {
        let counts = [
            (self.unreadable, "that can't be read"),
            (self.unknown, "for rows that are not in the batch"),
            (
                self.twice,
                "for rows that already had a line (the first answer counts)",
            ),
        ];
        let summary = counts.iter().filter(|(count, _)| *count > 0);
        let summary = summary.map(|(count, what)| {
            let plural = if *count == 1 { "" } else { "s" };
            format!("{count} line{plural} {what}")
        });
        summary.collect::<Vec<_>>().join(", ")
    }
}

/// The outcome of a row, from its line.
fn outcome(line: OutputLine, service: &Service) -> Result<ChatCompletion> {
    let client = service.client();
    let error = line
        .error
        .filter(|error| error.code.is_some() || error.message.is_some());
    let (code, message) = error
        .map(|error| (error.code, error.message))
        .unwrap_or_default();
    match line.response {
        Some(response)
            if is_success(response.status_code) && code.is_none() && message.is_none() =>
        {
            let completion = ChatCompletion::from_json(response.body)
                .map_err(|why| Error::from(why).with_request_id(response.request_id))?;
            match completion.is_consumed_by_thinking(None) {
                true => Err(consumed_in_batch(&completion)),
                false => Ok(completion),
            }
        }
        Some(response) if !is_success(response.status_code) => {
            let body = response.body.text();
            let refused =
                client.rejection(service.deployment(), response.status_code, body.as_bytes());
            Err(refused.with_request_id(response.request_id.map(|id| client.excerpt(&id, 100))))
        }
        _ => {
            let code = code.map(|code| client.excerpt(&code, 100));
            let message = message.map(|message| client.excerpt(&message, 300));
            let kind = match code.as_deref() {
                Some("batch_expired" | "batch_cancelled") => ErrorKind::Cancelled,
                _ => ErrorKind::Server,
            };
            let message = message
                .or_else(|| code.clone())
                .unwrap_or_else(|| "no reason given".to_owned());
            Err(
                Error::new(kind, format!("the batch has no answer: {message}"))
                    .with_code(code)
                    .with_hint("submit or run it again: only rows without an answer are sent"),
            )
        }
    }
}

/// Why a batch that has ended has no line for a row.
fn why_missing(made: &Made) -> Error {
    let status = &made.status;
    let id = &status.id;
    let again = "submit or run it again: only rows without an answer are sent";
    let error = |kind, what: String| Error::new(kind, what).with_hint(again);
    match (&status.state, status.errors.first()) {
        (BatchState::Expired, _) => error(
            ErrorKind::Cancelled,
            format!("{id} expired before it was answered"),
        ),
        (BatchState::Cancelled, _) => error(
            ErrorKind::Cancelled,
            format!("{id} was cancelled before it was answered"),
        ),
        (BatchState::Failed, reason) => {
            let reason = reason.map_or("the service gives no reason", String::as_str);
            error(
                ErrorKind::BadRequest,
                format!("{id} was not accepted: {reason}"),
            )
        }
        _ => error(
            ErrorKind::Response,
            format!("{id} has ended and has no line for it"),
        ),
    }
}

fn gone_error(batch: &str, error: &Error) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!(
            "the service no longer has the answers of {batch}: {}",
            error.message()
        ),
    )
    .with_hint("submit or run it again: only rows without an answer are sent")
    .with_source(error.clone())
}

fn broken_off(file: &str) -> Error {
    Error::new(ErrorKind::Connection, format!("the file {file} breaks off"))
        .with_hint("collect again: the lines received so far are in the journal")
}
