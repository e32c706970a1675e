//! What is kept of a row: its name in the journal, and its outcome as a line there.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::Batch;
use super::answers::RequestStats;
use super::driver::{StopCondition, StopReason};
use super::format::{Account, OutputLine, RequestLine};
use super::journal::{self, Journal, Ledger, Parameters};
use super::options::{BatchOptions, JournalChoice};
use super::progress::{self, say};
use crate::error::{Error, ErrorKind, Result};
use crate::openai::{ChatCompletion, ChatRequest, Client};
use crate::runtime;

/// How often a journal that another run holds is tried again.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// A journal, and who is asked, which is part of every row's name.
pub(crate) struct AnswerCache {
    /// Who knows the key, which no file may hold.
    client: Client,
    journal: Journal,
    parameters: Parameters,
    /// Why something was not written; the last reason.
    trouble: Mutex<Option<Error>>,
}

/// Opens the journal of a batch, if it has one. Waits while another run holds it.
///
/// Where nobody named a journal and none can be made, the batch goes without, and says so.
///
/// # Errors
/// The journal can't be used; or the batch was ended while it waited.
pub(crate) async fn open(
    client: &Client,
    options: &BatchOptions,
    parameters: Parameters,
    until: &StopCondition,
) -> Result<Option<Arc<AnswerCache>>> {
    let choice = &options.journal;
    let opened = match choice {
        JournalChoice::None => return Ok(None),
        // Beside a notebook there is a journal although nobody asked for one: a cell that is run
        // again must not cost again.
        JournalChoice::Usual if !runtime::in_kernel() => return Ok(None),
        JournalChoice::Usual | JournalChoice::File(_) => {
            AnswerCache::open(client, options, parameters, until).await
        }
    };
    match (choice, opened) {
        (JournalChoice::Usual, Err(error)) if error.kind() == ErrorKind::Io => {
            say(&format!("keeps no journal: {}", error.message()));
            Ok(None)
        }
        (_, opened) => opened.map(|records| records.map(Arc::new)),
    }
}

impl AnswerCache {
    async fn open(
        client: &Client,
        options: &BatchOptions,
        parameters: Parameters,
        until: &StopCondition,
    ) -> Result<Option<Self>> {
        let path = match &options.journal {
            JournalChoice::File(path) => path.clone(),
            _ => match journal::place(Path::new(""), &parameters)? {
                Some(path) => path,
                None => return Ok(None),
            },
        };
        let expected = (!options.varied).then(|| parameters.clone());
        let mut told = false;
        let journal = loop {
            let opened = open_now(path.clone(), expected.clone()).await;
            if let Some(journal) = opened.map_err(|error| options.journal.hinted(error))? {
                break journal;
            }
            if let Some(ended) = until.stop_reason() {
                return Err(ended.error());
            }
            if !std::mem::replace(&mut told, true) {
                let what = format!("for another run that uses {}", path.display());
                progress::tell_of_wait(options.listener.as_ref(), what);
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        };
        journal.notes().iter().for_each(|note| say(note));
        Ok(Some(Self {
            client: client.clone(),
            journal,
            parameters,
            trouble: Mutex::new(None),
        }))
    }
}

impl JournalChoice {
    /// Who named the file can name another; the settings have no say in it.
    fn hinted(&self, error: Error) -> Error {
        match self {
            Self::File(_) if error.kind() == ErrorKind::Io => {
                error.with_hint("name a file on a local disk, in a folder that you may write to")
            }
            _ => error,
        }
    }
}

impl<A> Batch<A> {
    /// What all its requests have in common.
    pub(crate) fn parameters(&self) -> Parameters {
        let deployment = self.answerer().unwrap_or_default();
        Parameters::new(self.client.host(), deployment, &body(&self.common))
    }
}

/// Reads both files, which may be large, on a thread that may block.
async fn open_now(path: PathBuf, parameters: Option<Parameters>) -> Result<Option<Journal>> {
    tokio::task::spawn_blocking(move || Journal::open(&path, parameters.as_ref()))
        .await
        .unwrap_or_else(|_| Err(StopReason::Stopped.error()))
}

impl AnswerCache {
    /// The name of the row that asks this for the `occurrence`-th time, from 0.
    pub(crate) fn id(&self, request: &ChatRequest, occurrence: u32) -> String {
        let question = self.parameters.question(&body(request));
        question.custom_id(u64::from(occurrence))
    }

    /// The name of a row whose asker has named it: the same name and request are the same row.
    pub(crate) fn named_id(&self, request: &ChatRequest, name: &str) -> String {
        let mut body = body(request);
        let (host, deployment) = (self.parameters.host(), self.deployment(request));
        let parameters = Parameters::new(host, deployment, &body);
        if let Some(fields) = body.as_object_mut() {
            fields.insert("custom_id".to_owned(), name.into());
        }
        parameters.question(&body).custom_id(0)
    }

    /// Who is asked: the batch's deployment, unless the request names its own.
    pub(crate) fn deployment<'a>(&'a self, request: &'a ChatRequest) -> &'a str {
        let own = request.model.as_deref();
        own.unwrap_or_else(|| self.parameters.deployment())
    }

    /// The answer of an earlier run, and what it took then.
    pub(crate) fn answer(&self, id: &str) -> Option<(ChatCompletion, RequestStats)> {
        let line = self.journal.find(id).unwrap_or_else(|error| {
            self.note_trouble(error);
            None
        })?;
        let effort = line
            .evenhand
            .as_ref()
            .map(RequestStats::from)
            .unwrap_or_default();
        // What can't be read any more is asked again.
        let completion = line.completion().ok().flatten()?;
        Some((completion, effort))
    }

    /// Notes what is about to be asked.
    pub(crate) fn record_request(&self, id: &str, request: &ChatRequest) {
        let mut line = self.request_line(id, request);
        // Whoever pastes the key into a prompt sends it where it belongs, but keeps it nowhere.
        let body = line.body.to_string();
        if let Cow::Owned(clean) = self.client.redactor().line(body.as_bytes()) {
            line.body = serde_json::from_slice(&clean).unwrap_or_default();
        }
        self.note(self.journal.asked(&line));
    }

    /// The request as it stands in a file of requests.
    pub(crate) fn request_line(&self, id: &str, request: &ChatRequest) -> RequestLine {
        let mut body = body(request);
        if let Some(fields) = body.as_object_mut() {
            fields.insert("model".to_owned(), self.deployment(request).into());
        }
        RequestLine::new(id, body)
    }

    /// The batches that were handed to the Batch API.
    ///
    /// # Errors
    /// Their file can't be used.
    pub(crate) fn ledger(&self) -> Result<Ledger> {
        self.journal.ledger()
    }

    /// What is to be said when some of these questions wait in a batch of the Batch API, where
    /// they are answered, and paid for, too.
    ///
    /// # Errors
    /// The list of batches can't be used.
    pub(crate) fn count_submitted_questions(
        &self,
        ids: impl Iterator<Item = String>,
    ) -> Result<Option<String>> {
        let under_way = self.journal.under_way()?;
        if under_way.is_empty() {
            return Ok(None);
        }
        let waits = |id: &String| {
            under_way.iter().any(|sent| sent.rows.contains(id)) && self.answer(id).is_none()
        };
        let count = ids.filter(waits).count();
        let said = format!(
            "questions that wait in a batch which was submitted are asked, and paid for, once \
             more: {count}. `submitted()` finds the batch, `cancel()` ends it"
        );
        Ok((count > 0).then_some(said))
    }

    /// What the user should know of how the journal was found.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.journal.notes().to_vec()
    }

    /// Keeps what came of a row that this deployment was asked.
    pub(crate) fn record_outcome(
        &self,
        id: &str,
        deployment: &str,
        outcome: &Result<ChatCompletion>,
        effort: &RequestStats,
    ) {
        let account = Account {
            host: self.parameters.host().to_owned(),
            deployment: deployment.to_owned(),
            ..Account::from(effort)
        };
        let line = match outcome {
            Ok(completion) => OutputLine::answered(id, completion, account),
            Err(error) => OutputLine::failed(id, error, account),
        };
        self.note(self.journal.append(&line));
    }

    /// Brings all to the disk; false when something is not there.
    pub(crate) fn is_saved(&self) -> bool {
        self.journal.sync().is_ok() && self.trouble().is_none()
    }

    /// Brings all to the disk. Says what is not there, if so.
    pub(crate) fn close(&self) -> Option<Error> {
        let synced = self.journal.sync();
        let trouble = self.take_trouble();
        match synced {
            Err(error) => Some(error.with_hint(
                "make room on the disk and run it again: only what the journal lacks is asked",
            )),
            // What could not be written at first has been written since.
            Ok(()) => trouble.filter(|error| error.kind() != ErrorKind::Io),
        }
    }

    /// Why something was not written, if so, once.
    pub(crate) fn take_trouble(&self) -> Option<Error> {
        self.trouble().take()
    }

    fn note(&self, written: Result<()>) {
        if let Err(error) = written {
            self.note_trouble(error);
        }
    }

    fn note_trouble(&self, error: Error) {
        *self.trouble() = Some(error);
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Error>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<&RequestStats> for Account {
    fn from(effort: &RequestStats) -> Self {
        Self {
            attempts: effort.attempts,
            latency_ms: u64::try_from(effort.latency.as_millis()).unwrap_or(u64::MAX),
            asked_at: effort.asked_at.map_or(0, seconds_since_1970),
            ..Self::default()
        }
    }
}

impl From<&Account> for RequestStats {
    fn from(account: &Account) -> Self {
        Self {
            attempts: account.attempts,
            latency: Duration::from_millis(account.latency_ms),
            asked_at: (account.asked_at > 0)
                .then(|| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(account.asked_at)))
                .flatten(),
            ..Self::default()
        }
    }
}

/// A request that can be sent is JSON.
fn body(request: &ChatRequest) -> Value {
    serde_json::to_value(request).unwrap_or_default()
}

fn seconds_since_1970(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |time| time.as_secs())
}
