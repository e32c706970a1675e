//! The file through which the processes of a machine share a quota. To the service, the kernels
//! of a class on one server are a single client.
//!
//! A process that wants to send a request locks the file, reads what all have used in the last
//! minute, decides, writes its own charge and unlocks the file, which takes a fraction of a
//! millisecond. A process that is killed leaves charges behind, which expire. Everyone may write
//! to the file, because the kernels belong to different users; it holds times and counts, never
//! text of a prompt.

mod holder;

use std::fmt::Write as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind as IoKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::cost::Cost;
use super::decision::{Decision, Shared};
use super::limits::MINUTE;
use super::state::State;
use crate::error::{Error, ErrorKind, Result};

const TITLE: &str = "evenhand quota ledger 1\n";
/// The most bytes that are read: more than a minute of charges can fill.
const MAX_BYTES: u64 = 1 << 20;
/// Charges are kept a little longer than they count.
const KEPT: u64 = 61_000;
/// Charges closer together than this share a line.
const GRAIN: u64 = 10;

#[derive(Debug)]
pub(super) struct SharedState {
    path: PathBuf,
}

/// The content of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Page {
    /// Until when the service asked all processes to wait, in milliseconds since 1970.
    closed_until: u64,
    lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    /// In milliseconds since 1970.
    at: u64,
    requests: u64,
    tokens: u64,
}

impl SharedState {
    /// The shared state at this path or, if that is a folder, this deployment's state in it.
    ///
    /// # Errors
    /// The file can't be created or written, or is not a shared quota.
    pub(super) fn open(path: &Path, host: &str, deployment: &str) -> Result<Self> {
        let in_folder = || {
            path.join(format!(
                "evenhand-quota-{}-{}",
                plain(host),
                plain(deployment)
            ))
        };
        let path = if path.is_dir() {
            in_folder()
        } else {
            path.to_owned()
        };
        let state = Self { path };
        state
            .file()
            .and_then(|mut file| state.read_page(&mut file))?;
        Ok(state)
    }

    /// Asks the state for a decision, given what all processes have used. `None` while another
    /// process holds the lock.
    pub(super) fn decide(
        &self,
        state: &mut State,
        now: Duration,
        cost: Cost,
    ) -> Result<Option<Decision>> {
        let mut file = self.file()?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(self.failed("be locked", error)),
        }
        let mut page = self.read_page(&mut file)?;
        let wall = milliseconds(SystemTime::now());
        page.forget(wall);
        let before = page.clone();
        let (verdict, closed) = state.ask_shared(now, cost, page.shared(wall, now));
        if let Some(closed) = closed {
            let left = closed.saturating_sub(now).as_millis();
            let until = wall.saturating_add(u64::try_from(left).unwrap_or(u64::MAX));
            page.closed_until = page.closed_until.max(until);
        }
        if let Decision::Go(charge) = &verdict {
            page.add(wall, charge.tokens);
        }
        if page != before {
            self.write(&mut file, &page)?;
        }
        Ok(Some(verdict))
    }

    /// Opens the file, or creates it if it is missing. In a folder that all may write to, an entry
    /// may lead to another user's file. Therefore symbolic links are not followed, files with
    /// several hard links are refused, and the opened file itself is checked.
    fn file(&self) -> Result<File> {
        let file = match self.open_found() {
            Err(error) if error.kind() == IoKind::NotFound => {
                self.make().map_err(|error| self.failed("be made", error))?
            }
            Err(error) if is_link(&error) => return Err(self.is_something_else()),
            opened => opened.map_err(|error| self.failed("be opened", error))?,
        };
        let found = file.metadata();
        let found = found.map_err(|error| self.failed("be opened", error))?;
        if found.is_file() && has_one_name(&found) {
            Ok(file)
        } else {
            Err(self.is_something_else())
        }
    }

    fn open_found(&self) -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            // Opening a pipe would block.
            libc::O_NOFOLLOW | libc::O_NONBLOCK,
        );
        options.open(&self.path)
    }

    fn make(&self) -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        let made = options.read(true).write(true).create_new(true);
        match made.open(&self.path) {
            Ok(file) => {
                #[cfg(unix)]
                {
                    use std::os::unix::fs::PermissionsExt as _;
                    file.set_permissions(std::fs::Permissions::from_mode(0o666))?;
                }
                Ok(file)
            }
            // Another process was faster.
            Err(error) if error.kind() == IoKind::AlreadyExists => self.open_found(),
            Err(error) => Err(error),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A description of the process that holds the file's lock.
    pub(super) fn holder(&self) -> String {
        let file = self.file().ok();
        let process = file.as_ref().and_then(holder::lock_holder);
        process.unwrap_or_else(|| "another process".to_owned())
    }

    fn read_page(&self, file: &mut File) -> Result<Page> {
        let mut bytes = Vec::new();
        file.take(MAX_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|error| self.failed("be read", error))?;
        let text = String::from_utf8_lossy(&bytes);
        Page::parse(&text).ok_or_else(|| self.is_something_else())
    }

    fn write(&self, file: &mut File, page: &Page) -> Result<()> {
        let text = page.text();
        file.rewind()
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.set_len(text.len() as u64))
            .map_err(|error| self.failed("be written", error))
    }

    fn failed(&self, what: &str, error: std::io::Error) -> Error {
        let message = format!(
            "the quota's shared file {} can't {what}",
            self.path.display()
        );
        Error::new(ErrorKind::Io, message)
            .with_source(error)
            .with_hint("name a file or folder that all who share the quota may write")
    }

    fn is_something_else(&self) -> Error {
        let message = format!(
            "{} is not a quota's shared file, and is left as it is",
            self.path.display()
        );
        Error::new(ErrorKind::Argument, message)
            .with_hint("name a file that does not exist yet, or a folder")
    }
}

impl Page {
    /// `None` if the text is not a shared quota. An unfinished line of a killed process is dropped.
    fn parse(text: &str) -> Option<Self> {
        if TITLE.starts_with(text) {
            return Some(Self::default());
        }
        let mut page = Self::default();
        for line in text.strip_prefix(TITLE)?.split_inclusive('\n') {
            let Some(line) = line.strip_suffix('\n') else {
                break;
            };
            let words: Vec<_> = line.split(' ').collect();
            match words.as_slice() {
                ["closed", until] => page.closed_until = until.parse().unwrap_or_default(),
                [at, requests, tokens] => {
                    let numbers = (at.parse(), requests.parse(), tokens.parse());
                    if let (Ok(at), Ok(requests), Ok(tokens)) = numbers {
                        page.lines.push(Line {
                            at,
                            requests,
                            tokens,
                        });
                    }
                }
                _ => {}
            }
        }
        Some(page)
    }

    fn text(&self) -> String {
        let mut text = format!("{TITLE}closed {}\n", self.closed_until);
        for Line {
            at,
            requests,
            tokens,
        } in &self.lines
        {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{at} {requests} {tokens}");
        }
        text
    }

    /// Drops entries that have expired, and entries in the future, which a clock that was set
    /// back leaves behind.
    fn forget(&mut self, wall: u64) {
        let counts = |line: &Line| line.at <= wall && line.at.saturating_add(KEPT) > wall;
        self.lines.retain(counts);
        self.lines.sort_by_key(|line| line.at);
        let minute = u64::try_from(MINUTE.as_millis()).unwrap_or(u64::MAX);
        if self.closed_until > wall.saturating_add(2 * minute) {
            self.closed_until = 0;
        }
    }

    fn add(&mut self, wall: u64, tokens: u64) {
        match self.lines.last_mut() {
            Some(last) if last.at / GRAIN == wall / GRAIN => {
                last.at = wall;
                last.requests = last.requests.saturating_add(1);
                last.tokens = last.tokens.saturating_add(tokens);
            }
            _ => self.lines.push(Line {
                at: wall,
                requests: 1,
                tokens,
            }),
        }
    }

    /// The entries in the time of the limiter's clock.
    fn shared(&self, wall: u64, now: Duration) -> Shared {
        let ago = |at: u64| now.checked_sub(Duration::from_millis(wall.saturating_sub(at)));
        let left = self.closed_until.saturating_sub(wall);
        Shared {
            // Entries older than the limiter count as made at its start.
            charges: self
                .lines
                .iter()
                .map(|line| (ago(line.at).unwrap_or_default(), line.requests, line.tokens))
                .collect(),
            closed_until: (left > 0).then(|| now.saturating_add(Duration::from_millis(left))),
        }
    }
}

#[cfg(unix)]
fn is_link(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(libc::ELOOP)
}

#[cfg(not(unix))]
fn is_link(_error: &std::io::Error) -> bool {
    false
}

#[cfg(unix)]
fn has_one_name(found: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(found) == 1
}

#[cfg(not(unix))]
fn has_one_name(_found: &std::fs::Metadata) -> bool {
    true
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The name with every byte escaped that is not safe in a file name.
fn plain(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => text.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(text, "%{byte:02x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests;
