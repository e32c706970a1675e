//! What the beginning of a CSV file tells: its separator, the names of its columns, and their types.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{CsvReadOptions, DataType, PlSmallStr, Schema, SchemaRef, SerReader};

use super::Csv;
use super::quotes::{never_closed, open_row};
use super::records::{Record, content, first_row_end, last_row_end, records};
use crate::error::{Error, ErrorKind, Result};
use crate::files::location::{Fault, column, quoted, utf8};
use crate::files::opened::Opened;

const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// The most bytes that a header may have, and the most columns.
const MAX_HEADER: usize = 64 << 20;
const MAX_COLUMNS: usize = 100_000;

/// A CSV file's columns, and where its rows begin.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) separator: u8,
    pub(super) schema: SchemaRef,
    /// The offset of the first row.
    pub(super) body: u64,
}

impl Head {
    pub(super) fn read_head(csv: &Csv, asked: Option<u8>, opened: &mut Opened) -> Result<Self> {
        let (stated, begin) = beginning(opened.head());
        while first_row_end(&opened.head()[begin..]).is_none()
            && !opened.is_whole()
            && opened.head().len() < MAX_HEADER
        {
            opened.extend()?;
        }
        let head = opened.head();
        let bytes = &head[begin..];
        let whole_rows = match opened.is_whole() {
            true => bytes.len(),
            false => last_row_end(bytes).unwrap_or(bytes.len()),
        };
        let bytes = &bytes[..whole_rows];
        if let Err(fault) = utf8(bytes, begin as u64) {
            return Err(fault.of_file(opened.path()));
        }
        if let Some(fault) = old_line_ends(bytes) {
            return Err(fault.of_file(opened.path()));
        }
        let is_tabbed = extension_is_of_tabs(opened.path());
        let separator = asked
            .or(stated)
            .unwrap_or_else(|| separator(bytes, is_tabbed));
        if let Some(open) = open_row(bytes, separator) {
            let fault = never_closed((begin + open) as u64, &bytes[open..], separator);
            return Err(fault.of_file(opened.path()));
        }
        let Some(first) = records(bytes, separator).find(|record| !record.is_blank()) else {
            let message = format!("{} has no row", opened.path().display());
            return Err(Error::new(ErrorKind::Data, message));
        };
        let offset = (begin + first.offset) as u64;
        let of_file = |fault: Fault| fault.of_file(opened.path());
        let width = first.fields().take(MAX_COLUMNS + 1).count();
        if width > MAX_COLUMNS {
            let fault = Fault::new(offset, "the row has more than 100,000 fields");
            return Err(of_file(fault.hint("perhaps the file has no line ends")));
        }
        let (names, body) = match csv.has_header {
            true => {
                let end = first_row_end(&bytes[first.offset..]).map(|end| first.offset + end);
                let names = names(&first, offset).map_err(of_file)?;
                (names, end.unwrap_or(bytes.len()))
            }
            false => {
                let names = (1..=width).map(|at| format!("column_{at}").into());
                (names.collect(), first.offset)
            }
        };
        let types = types(csv, &bytes[body..], separator, names.len());
        let mut schema = Schema::default();
        for (name, kind) in names.into_iter().zip(types) {
            schema.insert(name, kind);
        }
        csv.overwrite_types(&mut schema)?;
        Ok(Self {
            separator,
            schema: Arc::new(schema),
            body: (begin + body) as u64,
        })
    }
}

/// The separator that a first line `sep=;` states, and where the file begins behind it.
fn beginning(head: &[u8]) -> (Option<u8>, usize) {
    let mark = if head.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    match head[mark..] {
        [b's', b'e', b'p', b'=', separator, b'\n', ..] => (Some(separator), mark + 6),
        [b's', b'e', b'p', b'=', separator, b'\r', b'\n', ..] => (Some(separator), mark + 7),
        _ => (None, mark),
    }
}

/// The fault of a file whose lines end as those of old Macintoshes, which would be one long header.
fn old_line_ends(bytes: &[u8]) -> Option<Fault> {
    let is_old = !bytes.contains(&b'\n') && bytes.trim_ascii_end().contains(&b'\r');
    is_old.then(|| {
        Fault::new(0, "the lines end in a carriage return alone").hint(
            "end them in a line feed, for example with `!tr '\\r' '\\n' < OLD > NEW` in a cell",
        )
    })
}

fn extension_is_of_tabs(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["tsv", "tab"]
        .iter()
        .any(|tabbed| extension.eq_ignore_ascii_case(tabbed))
}

/// The separator that cuts the first row into most fields. In a file whose extension promises tabs, it is
/// another one only if that cuts the first two rows into as many fields, and a tab neither.
fn separator(bytes: &[u8], is_tabbed: bool) -> u8 {
    let fields = |separator: u8| {
        let rows = records(bytes, separator).filter(|record| !record.is_blank());
        let mut counts = rows.map(|record| record.fields().count());
        (counts.next().unwrap_or(0), counts.next())
    };
    let mut best = (SEPARATORS[0], fields(SEPARATORS[0]));
    for separator in SEPARATORS {
        let fields = fields(separator);
        if fields.0 > best.1.0 {
            best = (separator, fields);
        }
    }
    let (separator, (first, second)) = best;
    let has_tabs = || fields(b'\t') != (1, second.map(|_| 1));
    match is_tabbed && (has_tabs() || first == 1 || second.is_some_and(|second| second != first)) {
        true => b'\t',
        false => separator,
    }
}

/// The names in the first row.
fn names(first: &Record, offset: u64) -> Result<Vec<PlSmallStr>, Fault> {
    let cells: Vec<_> = first.fields().map(content).collect();
    let is_data = |cell: &&str| cell.trim().parse::<f64>().is_ok();
    let names: Vec<&str> = cells
        .iter()
        .map(AsRef::as_ref)
        .filter(|cell| !cell.is_empty())
        .collect();
    if !names.is_empty() && names.iter().all(is_data) {
        let what = format!(
            "the first row holds numbers ({} ..) and no names",
            quoted(names[0])
        );
        let hint = "`Csv::new(path).without_header().read()?` reads a file without names";
        return Err(Fault::new(offset, what).hint(hint));
    }
    let mut names: Vec<PlSmallStr> = Vec::with_capacity(cells.len());
    let mut seen = std::collections::HashMap::with_capacity(cells.len());
    for (at, cell) in cells.iter().enumerate() {
        let name = match cell.is_empty() {
            true => format!("column_{}", at + 1).into(),
            false => PlSmallStr::from(cell.as_ref()),
        };
        if let Some(before) = seen.insert(name.clone(), at) {
            let what = format!("column {} has the same name", before + 1);
            let hint = "give one of the two another name in the file";
            return Err(Fault::new(offset, what)
                .within(column(at + 1, &name))
                .hint(hint));
        }
        names.push(name);
    }
    Ok(names)
}

/// The types of the columns in these rows.
fn types(csv: &Csv, rows: &[u8], separator: u8, width: usize) -> Vec<DataType> {
    if rows.trim_ascii().is_empty() {
        return vec![DataType::String; width];
    }
    let schema: Schema = (1..=width)
        .map(|at| (PlSmallStr::from(format!("column_{at}")), DataType::String))
        .collect();
    let texts = CsvReadOptions::default()
        .with_has_header(false)
        .with_infer_schema_length(Some(0))
        .with_schema(Some(Arc::new(schema)))
        .with_parse_options(
            csv.parse_options(separator)
                .with_truncate_ragged_lines(true),
        )
        .into_reader_with_file_handle(Cursor::new(rows))
        .finish();
    // Rows that can't be read are refused, with their place, when they are read for good.
    let Ok(texts) = texts else {
        return vec![DataType::String; width];
    };
    let kinds = texts.columns().iter().map(|column| match column.str() {
        Ok(cells) => kind(cells.iter().flatten()),
        Err(_) => DataType::String,
    });
    kinds.collect()
}

/// The narrowest type of all cells.
fn kind<'a>(cells: impl Iterator<Item = &'a str>) -> DataType {
    let mut all: Option<DataType> = None;
    for cell in cells {
        let joined = joined(all, kind_of(cell));
        if joined == DataType::String {
            return joined;
        }
        all = Some(joined);
    }
    all.unwrap_or(DataType::String)
}

fn joined(before: Option<DataType>, one: DataType) -> DataType {
    use DataType::{Float64, Int64, String};
    match (before, one) {
        (None, one) => one,
        (Some(Int64), Float64) | (Some(Float64), Int64) => Float64,
        (Some(before), one) if before == one => one,
        _ => String,
    }
}

/// Whether it is the code of a place or a person, such as `01234`, which a number would cut.
pub(super) fn is_code(cell: &str) -> bool {
    let unsigned = cell.trim().trim_start_matches(['-', '+']);
    let mut bytes = unsigned.bytes();
    bytes.next() == Some(b'0') && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
}

fn kind_of(cell: &str) -> DataType {
    let unsigned = cell.strip_prefix('-').unwrap_or(cell);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if is_code(cell) {
        return DataType::String;
    }
    let is_number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    match cell {
        "true" | "false" => DataType::Boolean,
        _ if !is_number => match unsigned {
            "NaN" | "inf" => DataType::Float64,
            _ => DataType::String,
        },
        _ if digits == unsigned.len() => match cell.parse::<i64>() {
            Ok(_) => DataType::Int64,
            // A number of more digits than an integer has would lose its last ones.
            Err(_) => DataType::String,
        },
        _ => match cell.parse::<f64>() {
            Ok(number) if number.is_finite() => DataType::Float64,
            _ => DataType::String,
        },
    }
}
