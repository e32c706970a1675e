//! Reads the data of a chart from a data frame: numbers and names, from columns that exist.

use std::collections::HashMap;

use polars::prelude::{AnyValue, Column, DataFrame, DataType, TimeUnit};

use super::axis_domain::AxisDomain;
use super::calendar::DAY;
use super::text_metrics::clean;
use crate::error::{Error, ErrorKind, Result};
use crate::table::{listed, missing_column, quoted};

/// A column of numbers, with `None` for everything that is not a finite number.
///
/// # Errors
/// The column does not exist or is not numeric.
pub(super) fn numbers(frame: &DataFrame, name: &str) -> Result<Vec<Option<f64>>> {
    let column = column(frame, name)?;
    let dtype = column.dtype();
    if !(dtype.is_numeric() || dtype.is_null()) {
        return Err(no_numbers(frame, column));
    }
    floats(column)
}

fn floats(column: &Column) -> Result<Vec<Option<f64>>> {
    let broken = |error| {
        let name = quoted(column.name());
        let message = format!("the numbers of the column {name} can't be read");
        Error::new(ErrorKind::Display, message).with_source(error)
    };
    let floats = column.cast(&DataType::Float64).map_err(broken)?;
    let values = floats.f64().map_err(broken)?.iter();
    Ok(values
        .map(|value| value.filter(|value| value.is_finite()))
        .collect())
}

/// The axis domain of a column, and the value of each row on that axis.
///
/// # Errors
/// The column does not exist, or contains neither numbers, dates, times nor names.
pub(super) fn along(frame: &DataFrame, name: &str) -> Result<(AxisDomain, Vec<Option<f64>>)> {
    let column = column(frame, name)?;
    let milliseconds = match column.dtype() {
        DataType::Date => DAY,
        DataType::Datetime(TimeUnit::Milliseconds, _) => 1.0,
        DataType::Datetime(TimeUnit::Microseconds, _) => 1e-3,
        DataType::Datetime(TimeUnit::Nanoseconds, _) => 1e-6,
        DataType::String | DataType::Boolean | DataType::Categorical(..) | DataType::Enum(..) => {
            return Ok(places(column));
        }
        other if other.is_numeric() || other.is_null() => {
            return Ok((AxisDomain::Numbers, floats(column)?));
        }
        other => {
            let message = format!("the column {} holds {other}", quoted(name));
            return Err(Error::new(ErrorKind::Argument, message).with_hint(
                "an axis can show numbers, dates, dates with times, and names; \
                 `column.cast(&DataType::Int64)` converts durations to numbers",
            ));
        }
    };
    let times = floats(column)?.into_iter();
    let times = times.map(|time| time.map(|time| time * milliseconds));
    Ok((AxisDomain::Times, times.collect()))
}

/// The axis label of a column. Times with a zone are drawn in UTC.
pub(super) fn label(frame: &DataFrame, name: &str) -> String {
    match frame.column(name).map(Column::dtype) {
        Ok(DataType::Datetime(_, Some(_))) => format!("{name} (UTC)"),
        _ => name.to_owned(),
    }
}

/// The names in the order of their first occurrence, and for each row the position of its name.
fn places(column: &Column) -> (AxisDomain, Vec<Option<f64>>) {
    let mut known = HashMap::new();
    let mut names = Vec::new();
    let mut labels = NameLabels::default();
    let mut place = |row: usize| {
        let name = name(column, row)?;
        let place = *known.entry(name).or_insert_with_key(|name| {
            names.push(labels.unused_name(name));
            names.len() - 1
        });
        Some(place as f64)
    };
    let places = (0..column.len()).map(&mut place).collect();
    (AxisDomain::Names(names), places)
}

/// The names in a column of any type: a function from the index of a row to its text, on one line.
/// Different names have different texts. That of a missing name is `null`.
///
/// # Errors
/// The column does not exist.
pub(super) fn names<'a>(
    frame: &'a DataFrame,
    name: &str,
) -> Result<impl FnMut(usize) -> String + use<'a>> {
    let column = column(frame, name)?;
    let mut labels = NameLabels::default();
    Ok(move |row| match self::name(column, row) {
        Some(name) => labels.unused_name(&name),
        None => MISSING.to_owned(),
    })
}

/// The label of a missing name.
const MISSING: &str = "null";

/// Gives each name a label on one line, not too long, that no other name has.
#[derive(Default)]
struct NameLabels {
    labels: HashMap<String, String>,
    /// How many names share a label, apart from its number.
    shared: HashMap<String, usize>,
}

impl NameLabels {
    fn unused_name(&mut self, name: &str) -> String {
        if let Some(label) = self.labels.get(name) {
            return label.clone();
        }
        let label = match name {
            // A text is not a missing name.
            MISSING => format!("\"{MISSING}\""),
            name => clean(name),
        };
        let shared = self.shared.entry(label.clone()).or_default();
        *shared += 1;
        let label = match *shared {
            1 => label,
            number => format!("{label} ({number})"),
        };
        self.labels.insert(name.to_owned(), label.clone());
        label
    }
}

/// The text of a row's value; `None` for a null.
fn name(column: &Column, row: usize) -> Option<String> {
    match column.get(row) {
        Ok(AnyValue::Null) | Err(_) => None,
        Ok(value) => Some(value.str_value().into_owned()),
    }
}

fn column<'a>(frame: &'a DataFrame, name: &str) -> Result<&'a Column> {
    frame.column(name).map_err(|_| missing_column(frame, name))
}

fn no_numbers(frame: &DataFrame, column: &Column) -> Error {
    let message = format!(
        "the column {} holds {}, not numbers",
        quoted(column.name()),
        column.dtype()
    );
    let numeric = frame.columns().iter().filter(|it| it.dtype().is_numeric());
    let there: Vec<_> = numeric.map(|it| it.name().as_str()).collect();
    let hint = match there.len() {
        0 => "no column of the frame holds numbers; `column.cast(&DataType::Float64)` converts \
              strings to numbers"
            .to_owned(),
        _ => format!("numbers are in {}", listed(&there)),
    };
    Error::new(ErrorKind::Argument, message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use polars::df;

    use super::*;

    #[test]
    fn a_missing_column_is_told_as_a_table_tells_it() {
        let frame = df!["occupation" => ["nurse"], "share" => [0.9]].unwrap();
        let error = numbers(&frame, "Shares").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert_snapshot!(error, @"
        there is no column `Shares`
          hint: the columns are, nearest first: `share`, `occupation`
        ");
        assert_eq!(
            error.to_string(),
            missing_column(&frame, "Shares").to_string()
        );
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
          hint: no column of the frame holds numbers; `column.cast(&DataType::Float64)` converts strings to numbers
        ");
    }

    #[test]
    fn different_names_have_different_labels() {
        let long = "x".repeat(300);
        let ends = [format!("{long}1"), format!("{long}2")];
        let between = ["a", "b"].map(|middle| format!("{long}{middle}{long}"));
        let texts = [ends, between].concat();
        let mut texts: Vec<_> = texts.iter().map(|text| Some(text.as_str())).collect();
        texts.extend([Some("null"), None, Some("a\nb"), Some("a b"), Some("null")]);
        let frame = df!["name" => texts].unwrap();
        let labels: Vec<_> = (0..9).map(names(&frame, "name").unwrap()).collect();
        assert_eq!(
            labels[4..],
            ["\"null\"", "null", "a b", "a b (2)", "\"null\""]
        );
        assert_ne!(labels[0], labels[1]);
        assert_eq!(labels[3], format!("{} (2)", labels[2]));
        assert!(labels.iter().all(|label| label.chars().count() < 210));
    }

    #[test]
    fn what_is_no_finite_number_is_none() {
        let frame = df!["x" => [Some(1.5), None, Some(f64::NAN), Some(f64::INFINITY)]].unwrap();
        assert_eq!(numbers(&frame, "x").unwrap(), [Some(1.5), None, None, None]);
    }
}
