//! Why a block of rows can't be read: the line and the column, which polars' errors do not name.

use polars::prelude::{DataType, Schema};

use super::head::is_code;
use super::records::{Record, content, records};
use crate::files::blocks::Block;
use crate::files::location::{Fault, column, quoted, utf8};

const AN_INTEGER: &str = "an integer";
const A_NUMBER: &str = "a number";

/// What to do about a block that polars refuses.
pub(super) enum Diagnosis {
    /// These columns of integers hold numbers with decimals.
    Widen(Vec<usize>),
    Fault(Fault),
}

/// The first fault in a block. `is_missing` tells which cells stand for a missing value.
pub(super) fn diagnose(
    block: &Block,
    separator: u8,
    schema: &Schema,
    is_missing: impl Fn(&str) -> bool,
) -> Option<Diagnosis> {
    if let Err(fault) = utf8(&block.bytes, block.offset) {
        return Some(Diagnosis::Fault(fault));
    }
    let mut widened = Vec::new();
    for record in records(&block.bytes, separator).filter(|record| !record.is_blank()) {
        let offset = block.offset + record.offset as u64;
        if is_header(&record, schema) {
            return Some(Diagnosis::Fault(header_again(offset)));
        }
        let width = record.fields().count();
        if width > schema.len() {
            return Some(Diagnosis::Fault(other_width(offset, width, schema.len())));
        }
        for (at, field) in record.fields().enumerate() {
            let (Some((name, kind)), cell) = (schema.get_at_index(at), content(field)) else {
                continue;
            };
            if cell.is_empty() || is_missing(&cell) {
                continue;
            }
            match kind {
                DataType::Int64 if cell.trim().parse::<i64>().is_err() => {
                    let is_decimal = cell.contains(['.', 'e', 'E']);
                    if is_decimal && cell.trim().parse::<f64>().is_ok_and(f64::is_finite) {
                        if !widened.contains(&at) {
                            widened.push(at);
                        }
                        continue;
                    }
                    return Some(Diagnosis::Fault(other_kind(
                        offset, at, name, &cell, AN_INTEGER,
                    )));
                }
                DataType::Float64 if cell.trim().parse::<f64>().is_err() => {
                    return Some(Diagnosis::Fault(other_kind(
                        offset, at, name, &cell, A_NUMBER,
                    )));
                }
                DataType::Boolean if cell != "true" && cell != "false" => {
                    let what = "`true` or `false`";
                    return Some(Diagnosis::Fault(other_kind(offset, at, name, &cell, what)));
                }
                _ => {}
            }
        }
    }
    (!widened.is_empty()).then_some(Diagnosis::Widen(widened))
}

/// The first row with fewer fields than there are columns.
pub(super) fn short_row(block: &Block, separator: u8, width: usize) -> Option<Fault> {
    let mut rows = records(&block.bytes, separator).filter(|record| !record.is_blank());
    let short = rows.find(|record| record.fields().count() < width)?;
    let fields = short.fields().count();
    let fault = other_width(block.offset + short.offset as u64, fields, width);
    Some(fault.hint(
        "fix the row, or treat the fields that it lacks as missing: \
         `Csv::new(path).allow_short_rows().read()?`",
    ))
}

/// The first cell of a column of numbers that is a code such as `01234`, of which polars would drop the
/// zero. `projection` are the columns that are read.
pub(super) fn code_among_numbers(
    block: &Block,
    separator: u8,
    schema: &Schema,
    projection: Option<&[usize]>,
    is_missing: impl Fn(&str) -> bool,
) -> Option<Fault> {
    let mut pairs = block.bytes.windows(2);
    if !pairs.any(|pair| pair[0] == b'0' && pair[1].is_ascii_digit()) {
        return None;
    }
    let is_read = |at: &usize| projection.is_none_or(|places| places.binary_search(at).is_ok());
    let kinds = schema.iter().enumerate();
    let numbers: Vec<_> = kinds
        .filter(|(at, (_, kind))| is_read(at) && kind.is_primitive_numeric())
        .map(|(at, (name, kind))| (at, name, kind))
        .collect();
    for record in records(&block.bytes, separator) {
        let mut fields = record.fields().enumerate();
        for (at, name, kind) in &numbers {
            let Some((_, field)) = fields.find(|(place, _)| place == at) else {
                break;
            };
            let cell = content(field);
            if is_code(&cell) && !is_missing(&cell) {
                let offset = block.offset + record.offset as u64;
                let expected = if kind.is_float() {
                    A_NUMBER
                } else {
                    AN_INTEGER
                };
                return Some(other_kind(offset, *at, name, &cell, expected));
            }
        }
    }
    None
}

/// The first row that is the header again.
pub(super) fn repeated_header(block: &Block, separator: u8, schema: &Schema) -> Option<Fault> {
    let mut rows = records(&block.bytes, separator);
    let again = rows.find(|record| is_header(record, schema))?;
    Some(header_again(block.offset + again.offset as u64))
}

fn is_header(record: &Record, schema: &Schema) -> bool {
    let mut fields = record.fields();
    schema.iter_names().all(|name| {
        fields
            .next()
            .is_some_and(|field| content(field) == name.as_str())
    }) && fields.next().is_none()
}

fn header_again(offset: u64) -> Fault {
    Fault::new(offset, "the header is repeated here")
        .hint("remove that line: perhaps two files were joined")
}

fn other_width(offset: u64, fields: usize, columns: usize) -> Fault {
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    let is = if columns == 1 { "is" } else { "are" };
    let (fields, named) = (counted(fields, "field"), counted(columns, "column"));
    let what = format!("the row has {fields}, but there {is} {named}");
    Fault::new(offset, what).hint(match columns {
        1 => {
            "a field that contains the separator must be in quotation marks; or, if the names of the columns \
             stand below a title, remove what is above them: `!tail -n +3 OLD > NEW` in a cell begins at line 3"
        }
        _ => "a field that contains the separator must be in quotation marks",
    })
}

fn other_kind(offset: u64, at: usize, name: &str, cell: &str, expected: &str) -> Fault {
    let what = format!("{} is not {expected}, as the rows above have", quoted(cell));
    let hint = format!(
        "fix the cell, read the column as text: `Csv::new(path).text_columns([{name:?}]).read()?`, or say \
         that it \
         means a missing value: `.null_values([{cell:?}])`"
    );
    Fault::new(offset, what)
        .within(column(at + 1, name))
        .hint(hint)
}
