//! What a chart takes from a data frame: numbers and names, in columns that exist.

use polars::prelude::{AnyValue, Column, DataFrame, DataType};

use super::letters::clean;
use crate::client::text::{grouped, one_line};
use crate::error::{Error, ErrorKind, Result};
use crate::notebook::distance;

/// How many columns an error names.
const NAMED: usize = 10;

/// A column of numbers; what is no finite number is `None`.
///
/// # Errors
/// There is no such column, or it holds no numbers.
pub(super) fn numbers(frame: &DataFrame, name: &str) -> Result<Vec<Option<f64>>> {
    let column = column(frame, name)?;
    let dtype = column.dtype();
    if !(dtype.is_numeric() || dtype.is_null()) {
        return Err(no_numbers(frame, column));
    }
    let broken = |error| {
        let message = format!("the numbers of the column `{}` can't be read", quoted(name));
        Error::new(ErrorKind::Display, message).with_source(error)
    };
    let floats = column.cast(&DataType::Float64).map_err(broken)?;
    let values = floats.f64().map_err(broken)?.iter();
    Ok(values
        .map(|value| value.filter(|value| value.is_finite()))
        .collect())
}

/// The names in a column of any type: for the place of a row its text, on one line.
///
/// # Errors
/// There is no such column.
pub(super) fn names<'a>(
    frame: &'a DataFrame,
    name: &str,
) -> Result<impl Fn(usize) -> String + use<'a>> {
    let column = column(frame, name)?;
    Ok(move |row| match column.get(row) {
        Ok(AnyValue::Null) | Err(_) => "null".to_owned(),
        Ok(value) => clean(&value.str_value()),
    })
}

fn column<'a>(frame: &'a DataFrame, name: &str) -> Result<&'a Column> {
    frame.column(name).map_err(|_| missing(frame, name))
}

fn missing(frame: &DataFrame, name: &str) -> Error {
    let message = format!("there is no column `{}`", quoted(name));
    let mut there: Vec<_> = frame
        .columns()
        .iter()
        .map(|column| quoted(column.name()))
        .collect();
    there.sort_by_key(|other| distance(other, &quoted(name)));
    let hint = match there.len() {
        0 => "the frame has no columns".to_owned(),
        _ => format!("the columns are {}", listed(&there)),
    };
    Error::new(ErrorKind::Argument, message).with_hint(hint)
}

fn no_numbers(frame: &DataFrame, column: &Column) -> Error {
    let message = format!(
        "the column `{}` holds {}, not numbers",
        quoted(column.name()),
        column.dtype()
    );
    let numeric = frame.columns().iter().filter(|it| it.dtype().is_numeric());
    let there: Vec<_> = numeric.map(|it| quoted(it.name())).collect();
    let hint = match there.len() {
        0 => "no column of the frame holds numbers; `column.cast(&DataType::Float64)` makes \
              numbers of texts"
            .to_owned(),
        _ => format!("numbers are in {}", listed(&there)),
    };
    Error::new(ErrorKind::Argument, message).with_hint(hint)
}

fn quoted(name: &str) -> String {
    one_line(name, 60)
}

fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names
        .iter()
        .take(NAMED)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), grouped(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use polars::df;

    use super::*;

    #[test]
    fn a_missing_column_names_those_that_exist_nearest_first() {
        let frame = df!["occupation" => ["nurse"], "year" => [2015], "share" => [0.9]].unwrap();
        assert_snapshot!(numbers(&frame, "Shares").unwrap_err(), @"
        there is no column `Shares`
          hint: the columns are `share`, `year`, `occupation`
        ");
        assert_snapshot!(numbers(&DataFrame::empty(), "a\n`\0").unwrap_err(), @"
        there is no column `a ``
          hint: the frame has no columns
        ");
        let many: Vec<_> = (0..5_000)
            .map(|place| Column::new(format!("c{place}").into(), [1]))
            .collect();
        let wide = DataFrame::new(1, many).unwrap();
        assert_snapshot!(numbers(&wide, "c").unwrap_err(), @"
        there is no column `c`
          hint: the columns are `c0`, `c1`, `c2`, `c3`, `c4`, `c5`, `c6`, `c7`, `c8`, `c9` and 4,990 more
        ");
    }

    #[test]
    fn a_text_is_no_number() {
        let frame = df!["occupation" => ["nurse"], "share" => [0.9]].unwrap();
        assert_snapshot!(numbers(&frame, "occupation").unwrap_err(), @"
        the column `occupation` holds str, not numbers
          hint: numbers are in `share`
        ");
        let texts = df!["a" => ["1"]].unwrap();
        assert_snapshot!(numbers(&texts, "a").unwrap_err(), @"
        the column `a` holds str, not numbers
          hint: no column of the frame holds numbers; `column.cast(&DataType::Float64)` makes numbers of texts
        ");
    }

    #[test]
    fn what_is_no_finite_number_is_none() {
        let frame = df!["x" => [Some(1.5), None, Some(f64::NAN), Some(f64::INFINITY)]].unwrap();
        assert_eq!(numbers(&frame, "x").unwrap(), [Some(1.5), None, None, None]);
    }
}
