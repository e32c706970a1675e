//! Records the batches that were submitted to the Batch API, in `NAME.batches.jsonl` next to the
//! journal: one line before a batch is created, one once it exists, and one when its answers are
//! in the journal. Each line is on disk before the next step is taken, so that the next process
//! can tell where a killed one stopped.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::log::{Log, Tail};
use super::scan::Lines;
use super::{Journal, beside, open, unreadable, unwritable};
use crate::batch::format;
use crate::error::Result;

/// The batches that are not settled. Only the holder of the journal can have a record of them.
pub(crate) struct BatchRecord {
    path: PathBuf,
    log: Log,
    open: Vec<Sent>,
    notes: Vec<String>,
}

/// The rows of a submitted batch that is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The service's ID of the request file, which belongs to no other batch.
    pub(crate) file: String,
    /// The batch's ID; `None` if it is not known whether the batch was created.
    pub(crate) batch: Option<String>,
    /// The IDs of the rows.
    pub(crate) rows: HashSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Note {
    /// A batch of this file is about to be created.
    Making {
        file: String,
        host: String,
        deployment: String,
        rows: HashSet<String>,
    },
    Made {
        file: String,
        batch: String,
    },
    /// The batch is done or will never exist.
    Settled {
        file: String,
    },
}

impl Journal {
    /// The batches that were submitted from this journal and are not settled, oldest first. Does
    /// not create the record.
    ///
    /// # Errors
    /// The file can't be read.
    pub(crate) fn under_way(&self) -> Result<Vec<Sent>> {
        if beside(&self.path, "batches").exists() {
            Ok(self.batch_record()?.open)
        } else {
            Ok(Vec::new())
        }
    }

    /// The batches that were submitted from this journal.
    ///
    /// # Errors
    /// The file can't be created, read or written.
    pub(crate) fn batch_record(&self) -> Result<BatchRecord> {
        let path = beside(&self.path, "batches");
        let file = open(&path)?;
        let (mut sent, mut notes) = (Vec::new(), Vec::new());
        let (mut end, mut tail) = (0, Tail::Whole);
        let mut lines = Lines::new(&file);
        while let Some(line) = lines.next().map_err(|error| unreadable(&path, error))? {
            match line.text.and_then(|text| format::parse(text).ok()) {
                Some(note) => apply_note(&mut sent, note),
                // The line was cut off, so the step it announces was not taken.
                None if !line.is_ended => {
                    tail = Tail::Torn;
                    break;
                }
                None => notes.push(format!(
                    "{}: line {} can't be read; if it records a batch, that batch is not known here",
                    path.display(),
                    line.number
                )),
            }
            if !line.is_ended {
                tail = Tail::Unended;
            }
            end = line.next_offset;
        }
        drop(lines);
        Ok(BatchRecord {
            log: Log::new(path.clone(), file, end, tail),
            path,
            open: sent,
            notes,
        })
    }
}

fn apply_note(open: &mut Vec<Sent>, note: Note) {
    match note {
        Note::Making { file, rows, .. } => open.push(Sent {
            file,
            batch: None,
            rows,
        }),
        Note::Made { file, batch } => {
            if let Some(sent) = open.iter_mut().rev().find(|sent| sent.file == file) {
                sent.batch = Some(batch);
            }
        }
        Note::Settled { file } => open.retain(|sent| sent.file != file),
    }
}

impl BatchRecord {
    /// Notes for the user about the state in which the file was found.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The batches that are not settled, oldest first.
    pub(crate) fn open(&self) -> &[Sent] {
        &self.open
    }

    /// Records that a batch of these rows is about to be created.
    ///
    /// # Errors
    /// The record is not on disk, so the batch must not be created.
    pub(crate) fn making(
        &mut self,
        file: &str,
        rows: HashSet<String>,
        host: &str,
        deployment: &str,
    ) -> Result<()> {
        self.write_note(Note::Making {
            file: file.to_owned(),
            host: host.to_owned(),
            deployment: deployment.to_owned(),
            rows,
        })
    }

    /// Records the batch's ID.
    ///
    /// # Errors
    /// The record is not on disk.
    pub(crate) fn made(&mut self, file: &str, batch: &str) -> Result<()> {
        self.write_note(Note::Made {
            file: file.to_owned(),
            batch: batch.to_owned(),
        })
    }

    /// Records that the batch is done or will never exist.
    ///
    /// # Errors
    /// The record is not on disk.
    pub(crate) fn settled(&mut self, file: &str) -> Result<()> {
        self.write_note(Note::Settled {
            file: file.to_owned(),
        })
    }

    fn write_note(&mut self, note: Note) -> Result<()> {
        let line = format::write(&note)?;
        let written = self.log.append("", line).and_then(|()| self.log.sync());
        written.map_err(|error| unwritable(&self.path, error))?;
        apply_note(&mut self.open, note);
        Ok(())
    }
}
