//! A file to which rows are appended, each one completely or not at all.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;

use super::errors::{unreadable, unusable};
use crate::batch::format::{self, MAX_LINE};
use crate::error::Result;

/// How the file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// With a whole row.
    Whole,
    /// With a whole row that lacks its line end.
    Unended,
    /// With a partial row, which is cut off before the next row is written.
    Torn,
}

pub(super) struct Log {
    path: PathBuf,
    file: File,
    state: Mutex<State>,
}

struct State {
    /// The length of the part that holds whole rows, in bytes.
    end: u64,
    tail: Tail,
    /// The rows that could not be written yet, with their IDs.
    waiting: VecDeque<(String, Vec<u8>)>,
    /// The first sync error: written rows may be missing on disk. The system reports each error
    /// only once.
    sync_failed: Option<String>,
}

impl Log {
    /// The file must be open for reading and appending, and used by nobody else.
    pub(super) fn new(path: PathBuf, file: File, end: u64, tail: Tail) -> Self {
        Self {
            path,
            file,
            state: Mutex::new(State {
                end,
                tail,
                waiting: VecDeque::new(),
                sync_failed: None,
            }),
        }
    }

    /// Writes the row with one call, after the waiting rows. A row that can't be written waits
    /// and is tried again before the next one.
    pub(super) fn append(&self, name: &str, line: Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        state.waiting.push_back((name.to_owned(), line));
        state.write_all(&self.file)
    }

    /// Writes the waiting rows and syncs the file to disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        let written = self.lock().write_all(&self.file);
        // Without the lock, so that other rows can be written meanwhile.
        let synced = self.file.sync_data();
        let mut state = self.lock();
        if let Err(error) = synced {
            state.sync_failed.get_or_insert(error.to_string());
        }
        written?;
        match &state.sync_failed {
            Some(why) => Err(io::Error::other(why.clone())),
            None => Ok(()),
        }
    }

    /// The row that begins at this offset.
    pub(super) fn row_at<T: DeserializeOwned>(&self, offset: u64) -> Result<T> {
        let line = self
            .line_at(offset)
            .map_err(|error| unreadable(&self.path, error))?;
        format::parse(&line).map_err(|error| {
            unusable(
                &self.path,
                &format!("holds a row that can't be read, at byte {offset}"),
            )
            .with_source(error)
        })
    }

    fn line_at(&self, offset: u64) -> io::Result<Vec<u8>> {
        let _place = self.lock();
        (&self.file).seek(SeekFrom::Start(offset))?;
        let mut line = Vec::new();
        BufReader::new(&self.file)
            .take(MAX_LINE as u64)
            .read_until(b'\n', &mut line)?;
        Ok(line)
    }

    /// Releases the lock. Closing the file is not enough: a child process that is just being
    /// started inherits the file and holds the lock until it executes its program.
    pub(super) fn unlock(&self) {
        let _ = self.file.unlock();
    }

    /// The IDs of the rows that are not in the file.
    pub(super) fn unwritten(&self) -> Vec<String> {
        let state = self.lock();
        state.waiting.iter().map(|(name, _)| name.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write_all(&mut self, file: &File) -> io::Result<()> {
        while let Some((_, line)) = self.waiting.front() {
            match self.tail {
                Tail::Whole => {}
                Tail::Torn => file.set_len(self.end)?,
                Tail::Unended => {
                    (&*file).write_all(b"\n")?;
                    self.end += 1;
                }
            }
            self.tail = Tail::Whole;
            if let Err(error) = (&*file).write_all(line) {
                // Remove the partial row at once, so that no reader sees it.
                if file.set_len(self.end).is_err() {
                    self.tail = Tail::Torn;
                }
                return Err(error);
            }
            self.end += line.len() as u64;
            self.waiting.pop_front();
        }
        Ok(())
    }
}
