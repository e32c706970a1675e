//! Writing CSV.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use polars::prelude::{
    AnyValue, Column, CsvWriter, DataFrame, DataType, IntoColumn, PolarsError, SerWriter,
    StringChunked,
};

use crate::error::{Error, ErrorKind, Result};
use crate::files::atomic;
use crate::files::location::quoted;
use crate::table::time_text;
use crate::text::without_formulas;

/// Writes a frame as CSV.
pub(in crate::files) fn write(
    frame: &DataFrame,
    path: &Path,
    separator: u8,
    may_replace: bool,
) -> Result<()> {
    if frame.width() == 0 {
        let message = format!("the frame has no column that {} could hold", path.display());
        return Err(Error::new(ErrorKind::Argument, message));
    }
    if let Some(column) = frame
        .columns()
        .iter()
        .find(|column| is_not_for_csv(column.dtype()))
    {
        let message = format!(
            "the column {} holds {}, which CSV can't",
            quoted(column.name()),
            column.dtype()
        );
        return Err(Error::new(ErrorKind::Argument, message)
            .with_hint("JSON lines can: use the extension `.jsonl`"));
    }
    let columns = frame.columns().iter().map(written_column).collect();
    let mut frame =
        DataFrame::new(frame.height(), columns).map_err(crate::files::lazy::internal)?;
    atomic::write(path, may_replace, |file: &File| {
        CsvWriter::new(file)
            .with_separator(separator)
            .finish(&mut frame)
            .map_err(|error| match error {
                PolarsError::IO { error, .. } => {
                    atomic::unwritable(path, std::io::Error::new(error.kind(), error.to_string()))
                }
                error => crate::files::lazy::internal(error),
            })
    })
}

fn is_not_for_csv(dtype: &DataType) -> bool {
    dtype.is_nested() || dtype.is_binary() || dtype.is_object()
}

/// The column as it is written: dates and times as tables show them, since polars' writer takes only
/// some of them, and texts and a name that no spreadsheet computes.
fn written_column(column: &Column) -> Column {
    let name = harmless(column.name()).into_owned();
    let dtype = column.dtype();
    let column = match dtype.is_temporal() || dtype.is_decimal() {
        true => texts(column),
        false => harmless_column(column),
    };
    column.with_name(name.into())
}

fn texts(column: &Column) -> Column {
    let values = column.as_materialized_series().iter();
    let texts = values.map(|value| match value {
        AnyValue::Null => None,
        value => Some(time_text(&value)),
    });
    texts.collect::<StringChunked>().into_column()
}

fn harmless_column(column: &Column) -> Column {
    let column = match column.dtype() {
        DataType::Categorical(..) | DataType::Enum(..) => column
            .cast(&DataType::String)
            .unwrap_or_else(|_| column.clone()),
        _ => column.clone(),
    };
    match column.str() {
        Ok(texts) if texts.iter().flatten().any(|text| harmless(text) != text) => {
            let texts = texts.iter().map(|text| text.map(harmless));
            texts.collect::<StringChunked>().into_column()
        }
        _ => column,
    }
}

/// A text that no spreadsheet computes, also where it splits cells at semicolons, tabs or line ends.
fn harmless(text: &str) -> Cow<'_, str> {
    without_formulas(text, &[';', '\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_text_that_a_spreadsheet_would_compute_gets_an_apostrophe() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            (" \"@SUM(A1)", "' \"@SUM(A1)"),
            ("\tx", "'\tx"),
            ("a;=1", "a;'=1"),
            ("a\n＝1", "a\n'＝1"),
            ("mother-in-law", "mother-in-law"),
            ("1 = 1", "1 = 1"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), written, "{text:?}");
        }
    }
}
