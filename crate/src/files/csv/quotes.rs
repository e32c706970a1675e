//! Quotation marks without a counterpart.

use super::records::{QUOTE, last_row_end, row_with_loose_quote};
use crate::files::location::Fault;
use crate::files::words;

/// Where the row begins with a quote that has no counterpart, if the quotes are not even in number.
pub(super) fn open_row(bytes: &[u8], separator: u8) -> Option<usize> {
    let is_open = words::count(bytes, QUOTE) % 2 == 1;
    is_open.then(|| {
        let row = row_with_loose_quote(bytes, separator);
        row.or_else(|| last_row_end(bytes)).unwrap_or_default()
    })
}

/// The fault of a row with a quote that has no counterpart. `row` begins with it.
pub(super) fn never_closed(offset: u64, row: &[u8], separator: u8) -> Fault {
    let line = row.split(|byte| *byte == b'\n').next().unwrap_or(row);
    if has_quote_behind_blank(line, separator) {
        let what = "a blank is in front of a quotation mark, which therefore begins no field";
        return Fault::new(offset, what)
            .hint("remove the blanks between the separators and the quotation marks");
    }
    Fault::new(offset, "a quotation mark in this row is unbalanced").hint(WRITTEN_TWICE)
}

fn has_quote_behind_blank(line: &[u8], separator: u8) -> bool {
    let mut fields = line.split(|byte| *byte == separator);
    fields.any(|field| {
        let rest = field.trim_ascii_start();
        rest.len() < field.len() && rest.starts_with(&[QUOTE])
    })
}

/// The fault of a row with text behind the end of a quoted field.
pub(super) fn text_behind_quote(offset: u64) -> Fault {
    let what = "a field in quotation marks ends in this row, and more text follows it";
    Fault::new(offset, what).hint(WRITTEN_TWICE)
}

const WRITTEN_TWICE: &str = "in CSV, a field that contains a quotation mark is put in quotation marks, and the mark \
                             within it is doubled: `\"12\"\" screen\"`";
