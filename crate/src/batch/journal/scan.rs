//! Reads a file once, from beginning to end, with one line in memory at a time.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::index::Index;
use super::log::Tail;
use crate::batch::format::{Account, MAX_LINE, is_success};
use crate::json;

/// The lines of a file.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    number: u64,
    offset: u64,
    next_offset: u64,
}

/// A line of a file.
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: u64,
    /// Where the line begins, in bytes.
    pub(super) offset: u64,
    /// Where the next line begins.
    pub(super) next_offset: u64,
    /// The line without its line end; `None` if it is longer than a line may be.
    pub(super) text: Option<&'a [u8]>,
    /// Whether the line has a line end.
    pub(super) is_ended: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            reader: BufReader::with_capacity(256 * 1024, source),
            line: Vec::new(),
            number: 0,
            offset: 0,
            next_offset: 0,
        }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        // One long line must not hold its memory for the rest of the file.
        self.line.shrink_to(1024 * 1024);
        let mut length = (&mut self.reader)
            .take(MAX_LINE as u64)
            .read_until(b'\n', &mut self.line)?;
        if length == 0 {
            return Ok(None);
        }
        let mut is_ended = self.line.pop_if(|last| *last == b'\n').is_some();
        let is_whole = is_ended || length < MAX_LINE;
        if !is_whole {
            let (skipped, ended) = skip_line(&mut self.reader)?;
            length += skipped;
            is_ended = ended;
        }
        self.number += 1;
        self.offset = self.next_offset;
        self.next_offset += length as u64;
        Ok(Some(Line {
            number: self.number,
            offset: self.offset,
            next_offset: self.next_offset,
            text: is_whole.then_some(&self.line),
            is_ended,
        }))
    }
}

/// Skips the rest of a line. Returns its length and whether it had a line end.
fn skip_line(reader: &mut impl BufRead) -> io::Result<(usize, bool)> {
    let mut skipped = 0;
    loop {
        let piece = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        if piece.is_empty() {
            return Ok((skipped, false));
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(piece.len(), |place| place + 1);
        reader.consume(length);
        skipped += length;
        if end.is_some() {
            return Ok((skipped, true));
        }
    }
}

/// The fields of a row that are needed to find it again. Bodies are skipped.
#[derive(Deserialize)]
pub(super) struct Head<'a, I = IgnoredAny, A = IgnoredAny> {
    #[serde(borrow)]
    pub(super) custom_id: Cow<'a, str>,
    response: Option<Status>,
    error: Option<IgnoredAny>,
    /// Only requests have a body.
    body: Option<IgnoredAny>,
    /// The other fields that a row is read with: types that accept any value, or those of a row.
    #[serde(default, rename = "id")]
    _id: I,
    #[serde(default, rename = "evenhand")]
    _account: A,
}

#[derive(Deserialize)]
struct Status {
    status_code: u16,
}

/// A head that fails where reading the whole row would.
type Strict<'a> = Head<'a, String, Option<Account>>;

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Row,
    /// A row with a value that its field can't have, such as a number out of range.
    Odd,
    Other,
}

impl<'a> From<Strict<'a>> for Head<'a> {
    fn from(strict: Strict<'a>) -> Self {
        Self {
            custom_id: strict.custom_id,
            response: strict.response,
            error: strict.error,
            body: strict.body,
            _id: IgnoredAny,
            _account: IgnoredAny,
        }
    }
}

impl Head<'_> {
    fn is_answered(&self) -> bool {
        let success = self.response.as_ref().map(|r| is_success(r.status_code));
        success.unwrap_or_default() && self.error.is_none()
    }
}

/// Which of the two files of a journal is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Answers,
    Requests,
}

/// What a file holds.
pub(super) struct Scan {
    /// The rows that were answered, or all requests.
    pub(super) index: Index,
    /// The length of the part of the file that is kept, in bytes.
    pub(super) end: u64,
    pub(super) tail: Tail,
    /// The length of the partial row after that, in bytes.
    pub(super) torn: u64,
    /// The number of lines that are not rows, and the line number of the first.
    pub(super) invalid: Option<(u64, u64)>,
    /// The same for rows with values that their fields can't have.
    pub(super) odd: Option<(u64, u64)>,
    /// The ID of the first row that should not be in this file.
    pub(super) foreign_row: Option<String>,
}

/// Reads the file; `None` if its first line is not a row, so that it is another kind of file.
pub(super) fn scan(
    file: &File,
    kind: FileKind,
    is_foreign: impl Fn(&str) -> bool,
) -> io::Result<Option<Scan>> {
    let mut lines = Lines::new(file);
    let mut scan = Scan {
        index: Index::default(),
        end: 0,
        tail: Tail::Whole,
        torn: 0,
        invalid: None,
        odd: None,
        foreign_row: None,
    };
    let mut is_first = true;
    while let Some(line) = lines.next()? {
        let text = line.text.unwrap_or_default();
        if line.text.is_some() && text.iter().all(u8::is_ascii_whitespace) {
            scan.end = line.next_offset;
            continue;
        }
        let read = match line.text {
            Some(_) => scan.take(text, line.offset, kind, &is_foreign),
            None => Kind::Other,
        };
        if read == Kind::Other && is_first && (line.is_ended || !may_be_torn(text, kind)) {
            return Ok(None);
        }
        is_first = false;
        if read == Kind::Other && !line.is_ended {
            scan.tail = Tail::Torn;
            scan.torn = line.next_offset - line.offset;
            break;
        }
        let unusable = match read {
            Kind::Row => None,
            Kind::Odd => Some(&mut scan.odd),
            Kind::Other => Some(&mut scan.invalid),
        };
        if let Some(lines) = unusable {
            lines.get_or_insert((0, line.number)).0 += 1;
        }
        if !line.is_ended {
            scan.tail = Tail::Unended;
        }
        scan.end = line.next_offset;
    }
    scan.index.sort();
    Ok(Some(scan))
}

impl Scan {
    /// Notes for the user about the state in which the file was found.
    pub(super) fn notes(&self, path: &Path) -> Vec<String> {
        let path = path.display();
        let torn = (self.torn > 0).then(|| {
            format!(
                "{path} ends in the middle of a row (its last {} bytes): the row is treated as unfinished",
                self.torn
            )
        });
        let invalid = self.invalid.map(|(count, first)| match count {
            1 => format!("{path}: line {first} is not a row and is left unchanged"),
            _ => format!(
                "{path}: {count} lines are not rows and are left unchanged; the first is line {first}"
            ),
        });
        let odd = self.odd.map(|(count, first)| {
            let lines = match count {
                1 => format!("line {first} is a row"),
                _ => format!("{count} lines, first line {first}, are rows"),
            };
            format!(
                "{path}: {lines} with a value that can't be read, such as a number out of range. What it \
                 answers is asked again; to keep the answer, correct the line"
            )
        });
        torn.into_iter().chain(invalid).chain(odd).collect()
    }

    /// Adds the row to the index, if the text is one.
    fn take(
        &mut self,
        text: &[u8],
        offset: u64,
        kind: FileKind,
        is_foreign: impl Fn(&str) -> bool,
    ) -> Kind {
        let repaired;
        let head = match head(text, kind) {
            Ok(head) => head,
            Err(_) => {
                repaired = json::repair_surrogates(text);
                match head(repaired.as_bytes(), kind) {
                    Ok(head) => head,
                    Err(_) if kind == FileKind::Answers && is_row(&repaired) => return Kind::Odd,
                    Err(_) => return Kind::Other,
                }
            }
        };
        let keep = match kind {
            FileKind::Requests if head.body.is_none() => return Kind::Other,
            FileKind::Answers if head.response.is_none() && head.error.is_none() => {
                return Kind::Other;
            }
            FileKind::Requests => true,
            FileKind::Answers => head.is_answered(),
        };
        if keep {
            self.index.push(&head.custom_id, offset);
            if self.foreign_row.is_none() && is_foreign(&head.custom_id) {
                self.foreign_row = Some(head.custom_id.into_owned());
            }
        }
        Kind::Row
    }
}

/// The head of a line of this file, if the whole row can be read.
fn head(text: &[u8], kind: FileKind) -> serde_json::Result<Head<'_>> {
    match kind {
        FileKind::Answers => serde_json::from_slice::<Strict<'_>>(text).map(Head::from),
        FileKind::Requests => serde_json::from_slice(text),
    }
}

/// Whether the text is a row, whatever its fields hold.
fn is_row(text: &str) -> bool {
    serde_json::from_str::<Head<'_>>(text)
        .is_ok_and(|head| head.response.is_some() || head.error.is_some())
}

/// Whether a first line without a line end may be the beginning of one of our rows.
fn may_be_torn(text: &[u8], kind: FileKind) -> bool {
    let beginning: &[u8] = match kind {
        FileKind::Answers => b"{\"id\":\"",
        FileKind::Requests => b"{\"custom_id\":\"",
    };
    let breaks_off = serde_json::from_slice::<IgnoredAny>(text).is_err_and(|error| error.is_eof());
    breaks_off && (text.starts_with(beginning) || beginning.starts_with(text))
}
