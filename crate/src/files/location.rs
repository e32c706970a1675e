//! Where in a file something is wrong, in the words of a person who opens it in an editor.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::words;
use crate::error::{Error, ErrorKind};
use crate::text::sanitize_line;

/// The most characters of a cell or a name that a message quotes.
const QUOTED: usize = 60;

/// What is wrong at some byte of a file.
#[derive(Debug)]
pub(super) struct Fault {
    /// The offset of the line or the byte that is meant.
    pub(super) offset: u64,
    /// Where in the line it is, such as `column 3 (`n`)`.
    pub(super) within: Option<String>,
    pub(super) what: String,
    /// What another place holds instead, and its offset.
    pub(super) unlike: Option<(&'static str, u64)>,
    pub(super) hint: Option<String>,
}

impl Fault {
    pub(super) fn new(offset: u64, what: impl Into<String>) -> Self {
        Self {
            offset,
            within: None,
            what: what.into(),
            unlike: None,
            hint: None,
        }
    }

    pub(super) fn within(self, within: impl Into<String>) -> Self {
        Self {
            within: Some(within.into()),
            ..self
        }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The error about the file, with the number of the line.
    pub(super) fn of_file(self, path: &Path) -> Error {
        let line = match line_at(path, self.offset) {
            Ok(line) => format!("line {line}"),
            Err(_) => format!("byte {}", self.offset),
        };
        let unlike = self
            .unlike
            .map(|(what, offset)| match line_at(path, offset) {
                Ok(line) => format!(", but {what} in line {line}"),
                Err(_) => format!(", but {what} before"),
            });
        let within = self.within.map(|within| format!(", {within}"));
        let message = format!(
            "{}, {line}{}: {}{}",
            path.display(),
            within.unwrap_or_default(),
            self.what,
            unlike.unwrap_or_default()
        );
        let error = Error::new(ErrorKind::Data, message);
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// The number of the line that this byte is in, counted from 1.
pub(super) fn line_at(path: &Path, offset: u64) -> io::Result<u64> {
    let mut before = File::open(path)?.take(offset);
    let mut block = vec![0; 1 << 20];
    let mut line = 1;
    loop {
        match before.read(&mut block) {
            Ok(0) => return Ok(line),
            Ok(length) => line += line_ends(&block[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    words::count(bytes, b'\n') as u64
}

/// A cell or a name as messages quote it.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", sanitize_line(text, QUOTED))
}

/// The column as messages name it: its number, counted from 1, and its name.
pub(super) fn column(number: usize, name: &str) -> String {
    format!("column {number} ({})", quoted(name))
}

/// The bytes as text. `offset` is that of the first byte.
pub(super) fn utf8(bytes: &[u8], offset: u64) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = error.valid_up_to();
        let begun = bytes[..valid].iter().rposition(|byte| *byte == b'\n');
        let before = &bytes[begun.map_or(0, |end| end + 1)..valid];
        let character = String::from_utf8_lossy(before).chars().count() + 1;
        let what = format!(
            "the byte {:#04x} is not UTF-8, perhaps Latin-1 or Windows-1252",
            bytes[valid]
        );
        Fault::new(offset + valid as u64, what)
            .within(format!("character {character}"))
            .hint(
                "save the file as UTF-8, for example with `!iconv -f WINDOWS-1252 -t UTF-8 OLD -o NEW` \
                 in a cell",
            )
    })
}
