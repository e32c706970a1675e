//! The journal of a run. Every finished row is appended to `NAME.jsonl` before it is shown, in
//! the output format of the Azure OpenAI Batch API, and its request to `NAME.requests.jsonl`,
//! in the input format. The two files are joined by `custom_id`, a hash of the request. The
//! journal serves as crash recovery, as cache, as input for polars and Spark, and as the
//! destination of the Batch API's results.
//!
//! - [`Parameters`] gives rows their IDs; [`place()`] chooses the location of the file.
//! - `batch_record` records the batches that were submitted to the Batch API.
//! - `private` keeps other users out of it.
//! - `shipped` fills a new one with answers that come with the toolkit.
//! - `scan` reads a file once and builds the `index`; `log` appends; `background_sync` writes
//!   every row to disk within a second; `errors` holds the error messages.

mod background_sync;
mod batch_record;
mod errors;
mod index;
mod location;
mod log;
mod parameters;
mod private;
#[cfg(any(test, feature = "notebook"))]
mod reader;
#[cfg(feature = "notebook")]
mod requests;
mod scan;
mod shipped;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::format::{self, OutputLine, RequestLine};
use crate::error::{Error, Result};
use background_sync::BackgroundSync;
use errors::{unreadable, unusable, unwritable};
use index::Index;
use log::Log;
use scan::{FileKind, Lines, Scan, scan};

pub(crate) use batch_record::{BatchRecord, Sent};
pub(crate) use location::place;
pub(crate) use parameters::Parameters;
#[cfg(any(test, feature = "notebook"))]
pub(crate) use reader::read_rows;
#[cfg(feature = "notebook")]
pub(crate) use requests::prompts;
pub(crate) use shipped::fill;

/// An open journal. No other run can open it until it is dropped.
pub(crate) struct Journal {
    path: PathBuf,
    /// The offsets of the answers that were in the file when it was opened.
    answered: Index,
    asked: Index,
    files: Arc<Files>,
    notes: Vec<String>,
    background_sync: BackgroundSync,
}

/// The two files of a journal.
struct Files {
    answers: Log,
    requests: Log,
}

impl Journal {
    /// Opens the journal, or creates it. `None` while another run has it open, in this or
    /// another process: try again later.
    ///
    /// Reads both files completely, which may take seconds. If `parameters` are given, all
    /// answers in the file must belong to requests with these parameters.
    ///
    /// # Errors
    /// The files can't be created, read, locked or written; one of them is not a journal; or
    /// the answers belong to other parameters. Existing files are then left unchanged.
    pub(crate) fn open(path: &Path, parameters: Option<&Parameters>) -> Result<Option<Self>> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            location::make_folder(folder).map_err(|error| unwritable(folder, error))?;
        }
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(errors::unlockable(path, error)),
        }
        let ours = parameters.map(Parameters::hash);
        let is_foreign = |name: &str| {
            let theirs = parameters::shared_part(name);
            ours.is_some() && theirs.is_some() && theirs != ours.as_deref()
        };
        let answers = scanned(path, &file, FileKind::Answers, is_foreign)?;
        let requests_path = requests_path(path);
        let requests_file = open(&requests_path)?;
        let requests = scanned(&requests_path, &requests_file, FileKind::Requests, |_| {
            false
        })?;

        let notes = [(path, &answers), (&requests_path, &requests)]
            .into_iter()
            .flat_map(|(path, scan)| scan.notes(path))
            .collect();
        let files = Arc::new(Files {
            answers: Log::new(path.to_owned(), file, answers.end, answers.tail),
            requests: Log::new(
                requests_path.clone(),
                requests_file,
                requests.end,
                requests.tail,
            ),
        });
        if let (Some(name), Some(ours)) = (&answers.foreign_row, parameters) {
            let answer = answers.index.offsets(name).next();
            let answer = answer.and_then(|offset| files.answers.row_at(offset).ok());
            let request = recorded_request(&requests_path, name);
            return Err(errors::other_parameters(path, ours, answer, request));
        }
        let background_sync =
            BackgroundSync::start(Arc::clone(&files)).map_err(|error| unwritable(path, error))?;
        Ok(Some(Self {
            path: path.to_owned(),
            answered: answers.index,
            asked: requests.index,
            files,
            notes,
            background_sync,
        }))
    }

    /// Notes for the user about the state in which the files were found.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The latest answer with this ID among those in the file when it was opened.
    ///
    /// # Errors
    /// The row can't be read; it can be requested again.
    pub(crate) fn find(&self, custom_id: &str) -> Result<Option<OutputLine>> {
        for offset in self.answered.offsets(custom_id) {
            let line: OutputLine = self.files.answers.row_at(offset)?;
            if line.custom_id == custom_id {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// Appends a finished row. Safe to call from many threads.
    ///
    /// # Errors
    /// The row was not written. It is kept in memory and written as soon as possible, unless it
    /// is longer than a line may be.
    pub(crate) fn append(&self, row: &OutputLine) -> Result<()> {
        let line = format::write(row)?;
        let appended = self.files.answers.append(&row.custom_id, line);
        self.background_sync.wake();
        appended.map_err(|error| self.incomplete(error))
    }

    /// Appends the line of a request, unless it was in the file when the journal was opened.
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    pub(crate) fn asked(&self, custom_id: &str, line: Vec<u8>) -> Result<()> {
        let is_this = |offset| {
            let line = self.files.requests.row_at::<RequestLine>(offset);
            line.is_ok_and(|line| line.custom_id == custom_id)
        };
        if self.asked.offsets(custom_id).any(is_this) {
            return Ok(());
        }
        let appended = self.files.requests.append(custom_id, line);
        self.background_sync.wake();
        appended.map_err(|error| self.incomplete(error))
    }

    /// The IDs of the finished rows that are not in the file.
    pub(crate) fn unwritten(&self) -> Vec<String> {
        self.files.answers.unwritten()
    }

    /// Writes every row to disk. Dropping a journal does the same, but can't report a failure.
    ///
    /// # Errors
    /// Some rows are not on disk.
    pub(crate) fn sync(&self) -> Result<()> {
        self.files.sync().map_err(|error| self.incomplete(error))
    }

    fn incomplete(&self, error: io::Error) -> Error {
        errors::incomplete(&self.path, self.unwritten().len(), error)
    }
}

impl Files {
    /// Syncs both files, even if the first one fails.
    fn sync(&self) -> io::Result<()> {
        let requests = self.requests.sync();
        self.answers.sync().and(requests)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.answers.unlock();
    }
}

/// The file next to the journal that holds the requests.
pub(crate) fn requests_path(path: &Path) -> PathBuf {
    beside(path, "requests")
}

/// The file next to the journal with this suffix in its name.
fn beside(path: &Path, what: &str) -> PathBuf {
    let name = match path.extension() {
        Some(extension) if extension == "jsonl" => path.file_stem(),
        _ => path.file_name(),
    };
    let mut name = name.unwrap_or_default().to_owned();
    name.push(format!(".{what}.jsonl"));
    path.with_file_name(name)
}

/// Opens a file of a journal for its owner alone, or creates it.
fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if path.is_dir() {
        return Err(unusable(path, "is a folder").with_hint("name a file in it"));
    }
    let file = options
        .open(path)
        .map_err(|error| unwritable(path, error))?;
    let found = file.metadata().map_err(|error| unreadable(path, error))?;
    if found.is_file() {
        private::close_file(path, &file, &found)?;
        Ok(file)
    } else {
        Err(unusable(path, "is not a regular file"))
    }
}

fn scanned(
    path: &Path,
    file: &File,
    kind: FileKind,
    is_foreign: impl Fn(&str) -> bool,
) -> Result<Scan> {
    let format = match kind {
        FileKind::Answers => "output",
        FileKind::Requests => "input",
    };
    scan(file, kind, is_foreign)
        .map_err(|error| unreadable(path, error))?
        .ok_or_else(|| errors::no_journal(path, format))
}

/// A recorded request with the same parameters as the row with this ID, if there is one.
fn recorded_request(path: &Path, name: &str) -> Option<RequestLine> {
    let parameters = parameters::shared_part(name)?;
    let mut lines = Lines::new(File::open(path).ok()?);
    while let Ok(Some(line)) = lines.next() {
        let request = line
            .text
            .and_then(|text| format::parse::<RequestLine>(text).ok());
        let of_theirs =
            |request: &RequestLine| parameters::shared_part(&request.custom_id) == Some(parameters);
        if let Some(request) = request.filter(of_theirs) {
            return Some(request);
        }
    }
    None
}

#[cfg(test)]
mod tests;
