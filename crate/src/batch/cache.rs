//! Looks rows up in the journal and stores their outcomes there.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::Batch;
use super::format::{self, Account, OutputLine, RequestLine};
use super::journal::{self, BatchRecord, Journal, Parameters};
use super::options::{BatchOptions, JournalChoice};
use super::profile_file::ProfileFile;
use super::progress;
use super::request_stats::RequestStats;
use super::stop_condition::{StopCondition, StopReason};
use crate::display::note_line;
use crate::error::{Error, ErrorKind, Result};
use crate::openai::profile::SharedProfile;
use crate::openai::{ChatCompletion, ChatRequest, Client};
use crate::runtime;

/// The interval between attempts to open a journal that another run holds.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// A journal, and the host and deployment, which are part of every row's ID.
pub(crate) struct AnswerCache {
    /// Knows the key, which must not be written to any file.
    client: Client,
    journal: Journal,
    parameters: Parameters,
    profile: ProfileFile,
    notes: Vec<String>,
    /// The last write error.
    trouble: Mutex<Option<Error>>,
}

/// Opens the journal of a batch, if it has one. Waits while another run holds it.
///
/// If the journal's location is the default and it can't be created, the batch runs without
/// one and says so.
///
/// # Errors
/// The journal can't be used, or the batch was stopped while it waited.
pub(crate) async fn open(
    client: &Client,
    options: &BatchOptions,
    parameters: Parameters,
    until: &StopCondition,
) -> Result<Option<Arc<AnswerCache>>> {
    let choice = &options.journal;
    let opened = match choice {
        JournalChoice::None => return Ok(None),
        // A notebook has a journal by default, so that running a cell again costs nothing.
        JournalChoice::Usual if !runtime::in_kernel() => return Ok(None),
        JournalChoice::Usual | JournalChoice::File(_) => {
            AnswerCache::open(client, options, parameters, until).await
        }
    };
    match (choice, opened) {
        (JournalChoice::Usual, Err(error)) if error.kind() == ErrorKind::Io => {
            note_line(&format!("no journal is kept: {}", error.message()));
            Ok(None)
        }
        (_, opened) => opened.map(|cache| cache.map(Arc::new)),
    }
}

impl AnswerCache {
    async fn open(
        client: &Client,
        options: &BatchOptions,
        parameters: Parameters,
        until: &StopCondition,
    ) -> Result<Option<Self>> {
        let mut filled = None;
        let path = match &options.journal {
            JournalChoice::File(path) => path.clone(),
            _ => match journal::place(Path::new(""), &parameters)? {
                Some(path) => {
                    filled = journal::fill(&path)?;
                    path
                }
                None => return Ok(None),
            },
        };
        let expected = (!options.varied).then(|| parameters.clone());
        let mut is_reported = false;
        let journal = loop {
            let opened = open_now(path.clone(), expected.clone()).await;
            if let Some(journal) = opened.map_err(|error| options.journal.hinted(error))? {
                break journal;
            }
            if let Some(ended) = until.stop_reason() {
                return Err(ended.error());
            }
            if !std::mem::replace(&mut is_reported, true) {
                let what = format!("for another run that uses {}", path.display());
                progress::report_wait(options.listener.as_ref(), what);
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        };
        let mut notes = journal.notes().to_vec();
        notes.extend(filled);
        let profile = ProfileFile::beside(&path, &options.journal, &parameters);
        notes.extend(profile.load(client, parameters.deployment()));
        notes.iter().for_each(|line| note_line(line));
        Ok(Some(Self {
            client: client.clone(),
            journal,
            parameters,
            profile,
            notes,
            trouble: Mutex::new(None),
        }))
    }
}

impl JournalChoice {
    /// The hint for a file that the caller named: they can name another one, and the settings
    /// play no part.
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
    /// The parameters that all its requests share.
    pub(crate) fn parameters(&self) -> Parameters {
        let deployment = self.target_deployment().unwrap_or_default();
        Parameters::new(self.client.host(), deployment, &body(&self.common))
    }
}

/// Opens the journal on a blocking thread: both of its files are read and may be large.
async fn open_now(path: PathBuf, parameters: Option<Parameters>) -> Result<Option<Journal>> {
    tokio::task::spawn_blocking(move || Journal::open(&path, parameters.as_ref()))
        .await
        .unwrap_or_else(|_| Err(StopReason::Stopped.error()))
}

impl AnswerCache {
    /// The ID of the row with this request that occurs for the `occurrence`-th time, from 0.
    pub(crate) fn id(&self, request: &ChatRequest, occurrence: u32) -> String {
        let question = self.parameters.question(&body(request));
        question.custom_id(u64::from(occurrence))
    }

    /// The ID of a row that the caller has named: the same name and request are the same row.
    pub(crate) fn named_id(&self, request: &ChatRequest, name: &str) -> String {
        let mut body = body(request);
        let (host, deployment) = (self.parameters.host(), self.deployment(request));
        let parameters = Parameters::new(host, deployment, &body);
        if let Some(fields) = body.as_object_mut() {
            fields.insert("custom_id".to_owned(), name.into());
        }
        parameters.question(&body).custom_id(0)
    }

    /// The ID of a row without a name: the `occurrence`-th with this request, from 0.
    pub(crate) fn unnamed_id(&self, request: &ChatRequest, occurrence: u32) -> String {
        let body = body(request);
        let (host, deployment) = (self.parameters.host(), self.deployment(request));
        let parameters = Parameters::new(host, deployment, &body);
        parameters.question(&body).custom_id(u64::from(occurrence))
    }

    /// The request's deployment, or the batch's if the request names none.
    pub(crate) fn deployment<'a>(&'a self, request: &'a ChatRequest) -> &'a str {
        let own = request.model.as_deref();
        own.unwrap_or_else(|| self.parameters.deployment())
    }

    /// The answer from an earlier run, and its statistics, unless it is asked for again.
    pub(crate) fn answer(&self, id: &str) -> Option<(ChatCompletion, RequestStats)> {
        let answer = self.answer_so_far(id);
        answer.filter(|(_, stats)| !stats.is_provisional)
    }

    /// The same, or the half of one that thinking had cut short.
    pub(crate) fn answer_so_far(&self, id: &str) -> Option<(ChatCompletion, RequestStats)> {
        let line =
            self.journal.find(id).unwrap_or_else(|error| {
                self.note_trouble(error.with_hint(
                    "its request is sent again; remove that line, or move the file away",
                ));
                None
            })?;
        let stats = line
            .evenhand
            .as_ref()
            .map(RequestStats::from)
            .unwrap_or_default();
        // An answer that can't be read is requested again.
        let completion = line.completion().ok().flatten()?;
        // Older versions stored empty answers that thinking had used up.
        (!completion.is_consumed_by_thinking(None)).then_some((completion, stats))
    }

    /// Stores a request that is about to be sent.
    pub(crate) fn record_request(&self, id: &str, request: &ChatRequest) {
        let written = format::write(&self.request_line(id, request)).and_then(|line| {
            // A key pasted into a prompt goes to its own service, but must not be written to a file.
            let line = match self.client.redactor().line(&line) {
                Cow::Owned(clean) => clean,
                Cow::Borrowed(_) => line,
            };
            self.journal.asked(id, line)
        });
        self.note_failure(written);
    }

    /// The request as a line of a request file.
    pub(crate) fn request_line(&self, id: &str, request: &ChatRequest) -> RequestLine {
        let mut body = body(request);
        if let Some(fields) = body.as_object_mut() {
            fields.insert("model".to_owned(), self.deployment(request).into());
        }
        RequestLine::new(id, body)
    }

    /// The batches that were submitted to the Batch API.
    ///
    /// # Errors
    /// The record can't be used.
    pub(crate) fn batch_record(&self) -> Result<BatchRecord> {
        self.journal.batch_record()
    }

    /// A note for the user if some of these questions are also part of an open batch of the
    /// Batch API, where they will be answered and paid for as well.
    ///
    /// # Errors
    /// The record of batches can't be used.
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
        let note = format!(
            "prompts that a submitted batch holds too, and that are now asked, and paid for, twice: \
             {count}. `submitted()` finds the batch, `cancel()` cancels it"
        );
        Ok((count > 0).then_some(note))
    }

    /// Notes for the user about the state in which the journal was found.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// Stores the deployment's profile.
    pub(crate) fn keep_profile(&self, profile: &SharedProfile) {
        self.profile.save(profile, self.parameters.host());
    }

    /// Stores the outcome of a row that was sent to this deployment.
    pub(crate) fn record_outcome(
        &self,
        id: &str,
        deployment: &str,
        outcome: &Result<ChatCompletion>,
        stats: &RequestStats,
    ) {
        let account = Account {
            host: self.parameters.host().to_owned(),
            deployment: deployment.to_owned(),
            profile: outcome
                .as_ref()
                .ok()
                .and_then(|completion| completion.profile().map(str::to_owned)),
            ..Account::from(stats)
        };
        let line = match outcome {
            Ok(completion) => OutputLine::answered(id, completion, account),
            Err(error) => OutputLine::failed(id, error, account),
        };
        self.note_failure(self.journal.append(&line));
    }

    /// Syncs the journal to disk and returns whether everything was written.
    pub(crate) fn is_saved(&self) -> bool {
        self.journal.sync().is_ok() && self.trouble().is_none()
    }

    /// Syncs the journal to disk. Returns an error if something was not written.
    pub(crate) fn close(&self) -> Option<Error> {
        let synced = self.journal.sync();
        let trouble = self.take_trouble();
        match synced {
            Err(error) => Some(error.with_hint(
                "free up disk space and run it again: only rows missing from the journal are sent",
            )),
            // Rows that could not be written at first have been written since.
            Ok(()) => trouble.filter(|error| error.kind() != ErrorKind::Io),
        }
    }

    /// Takes the last write error, if there is one.
    pub(crate) fn take_trouble(&self) -> Option<Error> {
        self.trouble().take()
    }

    fn note_failure(&self, written: Result<()>) {
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
    fn from(stats: &RequestStats) -> Self {
        Self {
            attempts: stats.attempts,
            latency_ms: u64::try_from(stats.latency.as_millis()).unwrap_or(u64::MAX),
            asked_at: stats.asked_at.map_or(0, seconds_since_1970),
            provisional: stats.is_provisional,
            ..Self::default()
        }
    }
}

impl From<&Account> for RequestStats {
    fn from(account: &Account) -> Self {
        Self {
            attempts: account.attempts,
            latency: Duration::from_millis(account.latency_ms),
            is_provisional: account.provisional,
            asked_at: (account.asked_at > 0)
                .then(|| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(account.asked_at)))
                .flatten(),
            ..Self::default()
        }
    }
}

/// The request as JSON; a request that can be sent always serializes.
fn body(request: &ChatRequest) -> Value {
    serde_json::to_value(request).unwrap_or_default()
}

fn seconds_since_1970(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |time| time.as_secs())
}
