//! Reading and writing CSV, over polars' reader and writer.
//!
//! `head` finds the separator, the names and the types. Threads read blocks of whole rows: `plain` reads
//! those that are as usual, and polars all others; `diagnose` names the line and the column of what
//! polars refuses; `records` and `quotes` split rows where polars is not asked. `write` writes.

mod diagnose;
mod head;
mod plain;
mod quotes;
mod records;
mod write;

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use polars::prelude::{
    CsvParseOptions, CsvReadOptions, DataFrame, DataType, LazyFrame, NullValues, PlSmallStr,
    PolarsError, PolarsResult, Schema, SchemaRef, SerReader,
};

use super::blocks::{self, Block};
use super::lazy::{self, Keep, Rows, Take};
use super::location::Fault;
use super::opened::Opened;
use crate::error::{Error, ErrorKind, Result};
use diagnose::{Diagnosis, diagnose, repeated_header, short_row};
use head::Head;
use quotes::{never_closed, open_row, text_behind_quote};
use records::{
    last_row_end, row_with_loose_quote, row_with_text_behind_quote, without_blank_lines,
};

pub(super) use write::write;

/// A CSV file that needs more than [`read`](super::read) detects.
///
/// ```
/// use evenhand::files::Csv;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("survey.csv");
/// # std::fs::write(&path, "1;nurse;NA\n2;pilot;7\n").unwrap();
///
/// let survey = Csv::new(&path).without_header().null_values(["NA"]).read()?;
/// assert_eq!(survey.column("column_3")?.null_count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a file is read by `read` or `scan`"]
pub struct Csv {
    path: PathBuf,
    separator: Option<char>,
    has_header: bool,
    allows_short_rows: bool,
    text: Vec<String>,
    missing: Vec<String>,
}

impl Csv {
    /// The file at this path. Nothing is read yet.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            separator: None,
            has_header: true,
            allows_short_rows: false,
            text: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Sets what separates the fields of a row: one character of ASCII.
    ///
    /// # Default
    /// Whichever of `,`, `;`, tab and `|` cuts the first row into most fields.
    pub fn separator(self, separator: char) -> Self {
        Self {
            separator: Some(separator),
            ..self
        }
    }

    /// The first row holds data, not names. The columns are `column_1`, `column_2` and so on.
    ///
    /// # Default
    /// The first row holds the names.
    pub fn without_header(self) -> Self {
        Self {
            has_header: false,
            ..self
        }
    }

    /// A row with fewer fields than there are columns has missing values at its end, and is not an error.
    ///
    /// # Default
    /// A short row is an error.
    pub fn allow_short_rows(self) -> Self {
        Self {
            allows_short_rows: true,
            ..self
        }
    }

    /// Reads these columns as text, whatever they look like.
    ///
    /// # Default
    /// A column is text if one of its cells is neither a number, a date nor a truth value.
    pub fn text_columns<S: Into<String>>(self, columns: impl IntoIterator<Item = S>) -> Self {
        Self {
            text: columns.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Cells with one of these strings are missing values, such as `NA` or `-`.
    ///
    /// # Default
    /// Only empty cells without quotation marks.
    pub fn null_values<S: Into<String>>(self, texts: impl IntoIterator<Item = S>) -> Self {
        Self {
            missing: texts.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// As [`read`](super::read); a [separator](Self::separator) that is not ASCII.
    pub fn read(&self) -> Result<DataFrame> {
        let mut file = self.open()?;
        loop {
            let read = lazy::collect(&file);
            let widened =
                std::mem::take(&mut *file.widened.lock().unwrap_or_else(PoisonError::into_inner));
            if widened.is_empty() {
                return read;
            }
            // Integers that a later row continues with decimals are numbers from the start.
            let schema = Arc::make_mut(&mut file.head.schema);
            for at in widened {
                let _ = schema.set_dtype_at_index(at, DataType::Float64);
            }
        }
    }

    /// Reads the file when its rows are asked for.
    ///
    /// # Errors
    /// As [`scan`](super::scan).
    pub fn scan(&self) -> Result<LazyFrame> {
        lazy::frame(self.open()?)
    }

    fn open(&self) -> Result<CsvRows> {
        let mut opened = Opened::open(&self.path)?;
        if let Err(error) = opened.format()
            && error.kind() == ErrorKind::Data
        {
            return Err(error);
        }
        let separator = self.separator.map(byte).transpose()?;
        let head = Head::read_head(self, separator, &mut opened)?;
        Ok(CsvRows {
            csv: self.clone(),
            opened,
            head,
            widened: Mutex::default(),
        })
    }

    fn overwrite_types(&self, schema: &mut Schema) -> Result<()> {
        for name in &self.text {
            if !schema.contains(name) {
                let message = format!("{} has no column `{name}`", self.path.display());
                let names: Vec<_> = schema
                    .iter_names()
                    .take(10)
                    .map(PlSmallStr::as_str)
                    .collect();
                return Err(Error::new(ErrorKind::Argument, message)
                    .with_hint(format!("the columns are {}", names.join(", "))));
            }
            schema.set_dtype(name, DataType::String);
        }
        Ok(())
    }

    fn parse_options(&self, separator: u8) -> CsvParseOptions {
        let missing: Vec<PlSmallStr> = self
            .missing
            .iter()
            .map(|text| text.as_str().into())
            .collect();
        CsvParseOptions::default()
            .with_separator(separator)
            .with_null_values((!missing.is_empty()).then_some(NullValues::AllColumns(missing)))
    }
}

/// A separator as polars takes it.
fn byte(separator: char) -> Result<u8> {
    let byte = u8::try_from(separator).ok().filter(u8::is_ascii);
    let wrong = |what: &str| {
        let message = format!("the separator `{}` {what}", separator.escape_debug());
        Err(Error::new(ErrorKind::Argument, message))
    };
    match byte {
        None => wrong("is not ASCII"),
        Some(b'"' | b'\n' | b'\r') => wrong("has another meaning in CSV"),
        Some(byte) => Ok(byte),
    }
}

/// The rows of an opened CSV file.
struct CsvRows {
    csv: Csv,
    opened: Opened,
    head: Head,
    /// Columns of integers in which a number with decimals was found.
    widened: Mutex<Vec<usize>>,
}

// The signatures are those of the trait: each format has its own implementation.
impl Rows for CsvRows {
    fn schema(&self) -> SchemaRef {
        self.head.schema.clone()
    }

    fn each_block(
        &self,
        columns: Option<&[PlSmallStr]>,
        keep: &Keep<'_>,
        take: &mut Take<'_>,
    ) -> Result<()> {
        let projection = columns.map(|columns| self.projection(columns));
        let parse = |block: &Block| keep(self.parse(block, projection.as_deref())?);
        blocks::in_order(&self.opened, self.head.body, last_row_end, parse, take)
    }
}

impl CsvRows {
    /// The places of these columns, in the file's order.
    fn projection(&self, columns: &[PlSmallStr]) -> Vec<usize> {
        let schema = &self.head.schema;
        let mut places: Vec<_> = columns
            .iter()
            .filter_map(|name| schema.index_of(name))
            .collect();
        places.sort_unstable();
        places
    }

    fn parse(&self, block: &Block, projection: Option<&[usize]>) -> Result<DataFrame> {
        let (bytes, separator) = (block.bytes.as_slice(), self.head.separator);
        if block.is_last
            && let Some(open) = open_row(bytes, separator)
        {
            let fault = never_closed(block.offset + open as u64, &bytes[open..], separator);
            return Err(fault.of_file(self.opened.path()));
        }
        let plain = match self.csv.missing.is_empty() {
            true => plain::parse(bytes, separator, &self.head.schema, projection),
            false => None,
        };
        if let Some(frame) = plain {
            return self.without_header(frame, block);
        }
        // polars drops marks that are not where they should be.
        if let Some(row) = row_with_text_behind_quote(bytes, separator) {
            let fault = text_behind_quote(block.offset + row as u64);
            return Err(fault.of_file(self.opened.path()));
        }
        match self.parse_bytes(bytes, projection) {
            Ok(frame) => {
                if let Some(fault) = self.code_among_numbers(block, projection) {
                    return Err(fault.of_file(self.opened.path()));
                }
                self.checked(frame, block, projection)
            }
            Err(error) => Err(self.refused(block, error)),
        }
    }

    fn parse_bytes(&self, bytes: &[u8], projection: Option<&[usize]>) -> PolarsResult<DataFrame> {
        CsvReadOptions::default()
            .with_has_header(false)
            .with_infer_schema_length(Some(0))
            .with_raise_if_empty(false)
            .with_schema(Some(self.head.schema.clone()))
            .with_projection(projection.map(|places| Arc::new(places.to_vec())))
            .with_parse_options(self.csv.parse_options(self.head.separator))
            .into_reader_with_file_handle(Cursor::new(bytes))
            .finish()
    }

    /// The rows, unless one of them is the header.
    fn without_header(&self, frame: DataFrame, block: &Block) -> Result<DataFrame> {
        let (schema, separator) = (&self.head.schema, self.head.separator);
        let are_texts = schema.iter_values().all(DataType::is_string);
        if self.csv.has_header
            && are_texts
            && let Some(fault) = repeated_header_in(&frame, block, separator, schema)
        {
            return Err(fault.of_file(self.opened.path()));
        }
        Ok(frame)
    }

    /// The rows, unless polars took something for data.
    fn checked(
        &self,
        frame: DataFrame,
        block: &Block,
        projection: Option<&[usize]>,
    ) -> Result<DataFrame> {
        let (schema, separator) = (&self.head.schema, self.head.separator);
        let last = schema.get_at_index(schema.len().saturating_sub(1));
        let last = last.and_then(|(name, _)| frame.column(name).ok());
        // Without the last column, whether rows are short is not asked: none of their cells is lost.
        let may_be_short = last.is_some_and(|last| last.null_count() > 0) && schema.len() > 1;
        if may_be_short
            && !self.csv.allows_short_rows
            && let Some(fault) = short_row(block, separator, schema.len())
        {
            return Err(fault.of_file(self.opened.path()));
        }
        let frame = self.without_header(frame, block)?;
        // polars takes a blank line for a row without a value.
        let mut columns = frame.columns().iter();
        let may_be_blank = schema.len() > 1 && columns.all(|column| column.null_count() > 0);
        let without = may_be_blank.then(|| without_blank_lines(&block.bytes, separator));
        match without.flatten() {
            Some(bytes) => self
                .parse_bytes(&bytes, projection)
                .map_err(|error| self.refused(block, error)),
            None => Ok(frame),
        }
    }

    fn is_missing(&self, cell: &str) -> bool {
        self.csv.missing.iter().any(|text| text == cell)
    }

    fn code_among_numbers(&self, block: &Block, projection: Option<&[usize]>) -> Option<Fault> {
        let (schema, separator) = (&self.head.schema, self.head.separator);
        diagnose::code_among_numbers(block, separator, schema, projection, |cell| {
            self.is_missing(cell)
        })
    }

    /// Why polars refuses a block.
    fn refused(&self, block: &Block, error: PolarsError) -> Error {
        let is_missing = |cell: &str| self.is_missing(cell);
        match diagnose(block, self.head.separator, &self.head.schema, is_missing) {
            Some(Diagnosis::Fault(fault)) => fault.of_file(self.opened.path()),
            Some(Diagnosis::Widen(columns)) => {
                let names = columns
                    .iter()
                    .filter_map(|at| self.head.schema.get_at_index(*at));
                let names: Vec<_> = names.map(|(name, _)| format!("`{name}`")).collect();
                let message = format!(
                    "{}: integers are followed by numbers with decimals in {}",
                    self.opened.path().display(),
                    names.join(", ")
                );
                *self.widened.lock().unwrap_or_else(PoisonError::into_inner) = columns;
                Error::new(ErrorKind::Data, message).with_hint("`read` takes both")
            }
            None => {
                let loose = row_with_loose_quote(&block.bytes, self.head.separator);
                if let Some(row) = loose {
                    let rest = block.bytes.get(row..).unwrap_or_default();
                    let offset = block.offset + row as u64;
                    let fault = never_closed(offset, rest, self.head.separator);
                    return fault.of_file(self.opened.path());
                }
                let message = format!("{} can't be read as CSV", self.opened.path().display());
                Error::new(ErrorKind::Data, message)
                    .with_source(error)
                    .with_hint("`Csv::new(path)` has other separators, and columns as text")
            }
        }
    }
}

/// The header as a row, where the first column has its own name as a value.
fn repeated_header_in(
    frame: &DataFrame,
    block: &Block,
    separator: u8,
    schema: &Schema,
) -> Option<Fault> {
    let column = frame.columns().first()?;
    let name = column.name().as_str();
    let has_name = column.str().ok()?.iter().flatten().any(|cell| cell == name);
    has_name
        .then(|| repeated_header(block, separator, schema))
        .flatten()
}
