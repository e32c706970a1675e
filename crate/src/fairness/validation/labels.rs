//! What people wrote into a sheet.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::csv::{Line, decoded, parse_lines};
use super::{LABEL, LabelSample, ROW};
use crate::error::{Error, ErrorKind, Result};
use crate::text::sanitize_line;

/// No sheet is as large.
const MAX_FILE: u64 = 64 << 20;

/// The labels of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Whose they are: the name of the file, and of the column if it has several.
    pub person: String,
    /// The index of the class of each labeled row.
    pub(super) classes: BTreeMap<usize, usize>,
}

impl Labels {
    /// The number of labeled rows.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether no row is labeled.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }
}

impl LabelSample {
    /// Reads a filled-in sheet, for each of its columns whose name begins with `label`. Other
    /// columns than these and `row` are ignored, as is the order of the rows. The file may use any
    /// usual separator and encoding.
    ///
    /// Upper and lower case are the same. A missing label is not an error: the row counts as
    /// not labeled.
    ///
    /// # Errors
    /// A missing column; a row that this sample does not have; a label that is not one of
    /// [`classes`](Self::classes); two different labels of one person for one row. Messages name the
    /// file and the line.
    pub fn read(&self, file: &str, bytes: &[u8]) -> Result<Vec<Labels>> {
        let file = sanitize_line(file, 200);
        let mut lines = parse_lines(&decoded(bytes), &file)?.into_iter();
        let head = lines.next().map(|line| line.cells).unwrap_or_default();
        let columns = Columns::find(&head).ok_or_else(|| no_columns(&file, &head))?;
        let mut people: Vec<Labels> = (columns.labels.iter())
            .map(|(name, _)| Labels {
                person: match columns.labels.len() {
                    1 => file.clone(),
                    _ => format!("{file}: {name}"),
                },
                classes: BTreeMap::new(),
            })
            .collect();
        let names = self.rows().iter().enumerate();
        let places: HashMap<&str, usize> = names
            .map(|(place, row)| (row.name.as_str(), place))
            .collect();
        let mut seen_in: HashMap<(usize, usize), usize> = HashMap::new();
        for line in lines {
            let name = cell(&line, columns.row).to_lowercase();
            let Some(row) = places.get(name.as_str()).copied() else {
                return Err(unknown_row(&file, &line, &name));
            };
            for (person, (_, column)) in columns.labels.iter().enumerate() {
                let Some(class) = self.class(&file, &line, cell(&line, *column))? else {
                    continue;
                };
                let Some(labels) = people.get_mut(person) else {
                    continue;
                };
                let before = labels.classes.insert(row, class);
                let first = *seen_in.entry((person, row)).or_insert(line.number);
                if before.is_some_and(|before| before != class) {
                    let message = format!(
                        "{file}: line {first} and line {} give row {name} different labels",
                        line.number
                    );
                    return Err(invalid_argument(message).with_hint(
                        "one person has one label for a row: correct it, or put a second person's \
                         labels into another column or file",
                    ));
                }
            }
        }
        Ok(people)
    }

    /// The class of a label; `None` if there is none.
    fn class(&self, file: &str, line: &Line, label: &str) -> Result<Option<usize>> {
        if label.is_empty() {
            return Ok(None);
        }
        let same = |class: &String| class.to_lowercase() == label.to_lowercase();
        let class = self.classes().iter().position(same);
        class.map(Some).ok_or_else(|| {
            let message = format!(
                "{file}, line {}: '{}' is not one of the labels",
                line.number,
                sanitize_line(label, 40)
            );
            invalid_argument(message).with_hint(format!(
                "write {}; leave it empty if you did not judge it",
                self.classes().join(", ")
            ))
        })
    }
}

/// Whether a file is a sheet in which no row has a label.
pub(super) fn is_empty_sheet(path: &Path) -> bool {
    let text = bytes_of(path).map(|bytes| decoded(&bytes));
    let Ok(mut lines) = text
        .and_then(|text| parse_lines(&text, ""))
        .map(Vec::into_iter)
    else {
        return false;
    };
    let head = lines.next().map(|line| line.cells).unwrap_or_default();
    let Some(columns) = Columns::find(&head) else {
        return false;
    };
    lines.all(|line| {
        let mut labels = columns.labels.iter();
        labels.all(|(_, column)| cell(&line, *column).is_empty())
    })
}

/// Where the needed columns are.
struct Columns {
    row: usize,
    labels: Vec<(String, usize)>,
}

impl Columns {
    fn find(head: &[String]) -> Option<Self> {
        let names = head.iter().map(|name| name.trim().to_lowercase());
        let names: Vec<String> = names.collect();
        let labels = names.iter().enumerate();
        let labels = labels.filter(|(_, name)| name.starts_with(LABEL));
        let labels: Vec<_> = labels
            .map(|(place, name)| (sanitize_line(name, 40), place))
            .collect();
        Some(Self {
            row: names.iter().position(|name| name == ROW)?,
            labels: (!labels.is_empty()).then_some(labels)?,
        })
    }
}

/// A cell without surrounding white space and the apostrophe that spreadsheets put before text.
fn cell(line: &Line, place: usize) -> &str {
    let cell = line.cells.get(place).map_or("", |cell| cell.trim());
    cell.strip_prefix('\'').unwrap_or(cell)
}

pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| {
        let message = format!("the labels can't be read from {}", path.display());
        Error::new(ErrorKind::Io, message).with_source(error)
    };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut limited = file.take(MAX_FILE + 1);
    limited.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        let message = format!(
            "{} is larger than {} MB, too large for a sheet of labels",
            path.display(),
            MAX_FILE >> 20
        );
        return Err(invalid_argument(message));
    }
    Ok(bytes)
}

fn no_columns(file: &str, head: &[String]) -> Error {
    let found: Vec<_> = head
        .iter()
        .take(10)
        .map(|name| format!("'{}'", sanitize_line(name, 40)))
        .collect();
    let found = match found.is_empty() {
        true => "nothing".to_owned(),
        false => found.join(", "),
    };
    invalid_argument(format!(
        "{file}: the first line has no column '{ROW}', or none that begins with '{LABEL}': it has {found}"
    ))
    .with_hint("keep the first line of the sheet that `sample.save(..)` wrote")
}

fn unknown_row(file: &str, line: &Line, name: &str) -> Error {
    let number = line.number;
    let message = match name {
        "" => format!("{file}, line {number}: the row has no name"),
        name => format!(
            "{file}, line {number}: the sample has no row '{}'",
            sanitize_line(name, 40)
        ),
    };
    invalid_argument(message).with_hint(
        "the labels belong to a sample of the same answers, of the same size and about the same \
         question",
    )
}

fn invalid_argument(message: String) -> Error {
    Error::new(ErrorKind::Argument, message)
}
