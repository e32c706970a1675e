//! Reads a whole journal, row by row.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::errors::{unreadable, unusable};
use super::scan::Lines;
use crate::batch::format::{self, MAX_LINE, OutputLine};
use crate::error::Result;

/// The rows of a journal or of the Batch API's output, in the order in which they finished.
/// Includes failures; a row that was requested several times appears several times.
pub(crate) struct Rows {
    path: PathBuf,
    lines: Lines<File>,
    is_broken: bool,
}

/// Reads the rows of a file, one in memory at a time. Another run may be writing it.
///
/// # Errors
/// The file can't be opened. A line that is not a row becomes an error item, and reading
/// continues after it.
pub(crate) fn read_rows(path: &Path) -> Result<Rows> {
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    Ok(Rows {
        path: path.to_owned(),
        lines: Lines::new(file),
        is_broken: false,
    })
}

impl Iterator for Rows {
    type Item = Result<OutputLine>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_broken {
            let line = match self.lines.next() {
                Ok(line) => line?,
                Err(error) => {
                    self.is_broken = true;
                    return Some(Err(unreadable(&self.path, error)));
                }
            };
            let Some(text) = line.text else {
                let limit = MAX_LINE >> 20;
                let what = format!("has a line of more than {limit} MB, line {}", line.number);
                return Some(Err(unusable(&self.path, &what)));
            };
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let what = if line.is_ended {
                "has a line that is not a row"
            } else {
                "ends in the middle of a row"
            };
            let no_row = || unusable(&self.path, &format!("{what}, line {}", line.number));
            return Some(match format::parse::<OutputLine>(text) {
                Ok(row) if row.response.is_none() && row.error.is_none() => Err(no_row()),
                Ok(row) => Ok(row),
                Err(error) => Err(no_row().with_source(error)),
            });
        }
        None
    }
}
