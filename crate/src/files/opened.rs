//! A file that is to be read, and what it holds.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::{Error, ErrorKind, Result};

/// How much of a file is looked at to learn what it holds.
pub(super) const HEAD: usize = 1 << 20;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    JsonLines,
    Journal,
    Parquet,
}

/// A file with its beginning.
#[derive(Debug)]
pub(super) struct Opened {
    path: PathBuf,
    head: Vec<u8>,
    length: u64,
}

impl Opened {
    /// Opens a regular file and reads its beginning.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let found = path.metadata().map_err(|error| unreadable(path, error))?;
        let is =
            |what: &str| Error::new(ErrorKind::Argument, format!("{} is {what}", path.display()));
        if found.is_dir() {
            return Err(is("a folder").with_hint("name a file in it"));
        }
        // Reading anything else, such as a pipe, may never end.
        if !found.is_file() {
            return Err(is("not a regular file"));
        }
        let head = read_head(path, HEAD).map_err(|error| unreadable(path, error))?;
        if head.is_empty() {
            return Err(Error::new(
                ErrorKind::Data,
                format!("{} is empty", path.display()),
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            head,
            length: found.len(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// The number of bytes of the file when it was opened.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Whether the head is all of the file.
    pub(super) fn is_whole(&self) -> bool {
        self.head.len() as u64 >= self.length
    }

    /// Reads more of the beginning: twice as much as there is.
    pub(super) fn extend(&mut self) -> Result<()> {
        let most = 2 * self.head.len();
        self.head = read_head(&self.path, most).map_err(|error| unreadable(&self.path, error))?;
        // It may have become shorter.
        if self.head.len() < most {
            self.length = self.head.len() as u64;
        }
        Ok(())
    }

    pub(super) fn format(&self) -> Result<Format> {
        let extension = self.path.extension().unwrap_or_default();
        let extension = extension.to_ascii_lowercase();
        let extension = extension.to_str().unwrap_or_default();
        if self.head.starts_with(b"PAR1") {
            return Ok(Format::Parquet);
        }
        if let Some((what, hint)) = other_kind(&self.head).or_else(|| other_text(&self.head)) {
            return Err(self.no_data(what).with_hint(hint));
        }
        match extension {
            "csv" | "tsv" | "tab" if !begins_with_object(&self.head) => return Ok(Format::Csv),
            "parquet" | "pq" => {
                let hint = "it may be cut off or of another format: download it again";
                return Err(self
                    .no_data("is not Parquet: it does not begin with `PAR1`")
                    .with_hint(hint));
            }
            _ => {}
        }
        let text = self
            .head
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&self.head);
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
        match (extension, first) {
            ("json", Some(b'[')) => Err(self.no_data("is a single JSON array").with_hint(
                "JSON lines are read: one object on each line, without `[`, `,` and `]`",
            )),
            ("jsonl" | "ndjson" | "json", _) | (_, Some(b'{')) => Ok(match is_journal(text) {
                true => Format::Journal,
                false => Format::JsonLines,
            }),
            _ => Ok(Format::Csv),
        }
    }

    fn no_data(&self, what: &str) -> Error {
        Error::new(ErrorKind::Data, format!("{} {what}", self.path.display()))
    }
}

/// Whether the first line is an object of JSON.
fn begins_with_object(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or(text);
    line.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

fn read_head(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(most as u64).read_to_end(&mut head)?;
    Ok(head)
}

pub(super) fn unreadable(path: &Path, error: io::Error) -> Error {
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    let what = match is_missing {
        true if path.is_symlink() => "is a symbolic link that leads nowhere",
        true => "does not exist",
        false => "can't be read",
    };
    let unreadable = Error::new(ErrorKind::Io, format!("{} {what}", path.display()));
    match where_it_was_looked_for(path).filter(|_| is_missing) {
        Some(hint) => unreadable.with_hint(hint),
        None => unreadable.with_source(error),
    }
}

/// What may be wrong with the path of a file that is not there.
fn where_it_was_looked_for(path: &Path) -> Option<String> {
    let text = path.to_string_lossy();
    if text.is_empty() {
        return Some("the path is empty".to_owned());
    }
    if text.contains("://") {
        return Some("fetch it first: `!curl -LO ADDRESS` in a cell".to_owned());
    }
    if text.starts_with("~/") {
        return Some(
            "`~` means your home folder to a shell alone: write the whole path".to_owned(),
        );
    }
    if text.contains(['*', '?']) {
        return Some("a path names one file; read several one by one".to_owned());
    }
    let folder = std::env::current_dir()
        .ok()
        .filter(|_| path.is_relative())?;
    Some(format!("the path is looked for in {}", folder.display()))
}

const SAVE_AS_UTF8: &str = "save it as UTF-8, for example with `!iconv -f UTF-16 -t UTF-8 OLD -o NEW` in a cell, or as \
                            `CSV UTF-8` from a spreadsheet";

/// What a file is that is none of the formats, and what to do.
fn other_kind(head: &[u8]) -> Option<(&'static str, &'static str)> {
    match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some(("is UTF-32", SAVE_AS_UTF8)),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(("is UTF-16", SAVE_AS_UTF8)),
        [0x1f, 0x8b, ..] => Some((
            "is compressed (gzip)",
            "unpack it: `!gunzip FILE` in a cell",
        )),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some((
            "is compressed (zstd)",
            "unpack it: `!zstd -d FILE` in a cell",
        )),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => Some((
            "is compressed (bzip2)",
            "unpack it: `!bunzip2 FILE` in a cell",
        )),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            Some(("is compressed (xz)", "unpack it: `!unxz FILE` in a cell"))
        }
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Some((
            "is a workbook of an old spreadsheet",
            "save the sheet as CSV from the spreadsheet",
        )),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some((
            "is a PDF",
            "ask for the data themselves, or copy the table into a spreadsheet and save it as CSV",
        )),
        [b'P', b'K', 3, 4, ..] => Some((
            "is a ZIP archive or a workbook",
            "unpack it, or save the sheet as CSV from the spreadsheet",
        )),
        _ if head.contains(&0) => Some((
            "is not a text file: it has bytes that are 0, as binary files and UTF-16 without a byte order mark have",
            SAVE_AS_UTF8,
        )),
        _ => None,
    }
}

/// The same of files that are text.
fn other_text(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start();
    let begins = |with: &str| {
        text.get(..with.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()))
    };
    if begins("<!doctype html") || begins("<html") {
        let hint = "the address may want a sign-in, or may be that of the page about the file: look at it in a browser";
        return Some(("is a web page and no data", hint));
    }
    if begins("<?xml") {
        let hint = "save the data as CSV or JSON lines";
        return Some(("is XML", hint));
    }
    begins("version https://git-lfs.github.com/").then_some((
        "stands for a file that Git LFS has not fetched",
        "fetch it: `!git lfs pull` in a cell",
    ))
}

/// Whether the first line is a row of a journal, or of the Batch API's output.
fn is_journal(text: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Row {
        #[serde(rename = "custom_id")]
        _custom_id: IgnoredAny,
        response: Option<IgnoredAny>,
        error: Option<IgnoredAny>,
    }
    let lines = text.split(|byte| *byte == b'\n');
    let first = lines.filter(|line| !line.trim_ascii().is_empty()).take(1);
    let mut rows = first.filter_map(|line| serde_json::from_slice::<Row>(line).ok());
    rows.any(|row| row.response.is_some() || row.error.is_some())
}
