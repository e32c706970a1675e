//! Writing JSON lines.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use polars::prelude::{AnyValue, DataFrame, DataType};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::files::atomic;
use crate::files::location::quoted;
use crate::table::time_text;

/// Writes a frame as JSON lines. Lists and structs stay what they are; dates, times and decimals
/// become text, since JSON has none.
pub(in crate::files) fn write(frame: &DataFrame, path: &Path, may_replace: bool) -> Result<()> {
    let columns: Vec<_> = frame
        .columns()
        .iter()
        .map(|column| column.as_materialized_series().rechunk())
        .collect();
    let names: Vec<_> = columns
        .iter()
        .map(|column| Value::from(column.name().as_str()).to_string())
        .collect();
    atomic::write(path, may_replace, |file: &File| {
        let mut lines = BufWriter::new(file);
        for row in 0..frame.height() {
            let mut separator = '{';
            for (column, name) in columns.iter().zip(&names) {
                let value = column.get(row).map_err(crate::files::lazy::internal)?;
                let value =
                    json(&value).map_err(|what| refused(path, row, column.name(), &what))?;
                write!(lines, "{separator}{name}:{value}")
                    .map_err(|error| atomic::unwritable(path, error))?;
                separator = ',';
            }
            let end = if separator == '{' { "{}\n" } else { "}\n" };
            lines
                .write_all(end.as_bytes())
                .map_err(|error| atomic::unwritable(path, error))?;
        }
        lines
            .flush()
            .map_err(|error| atomic::unwritable(path, error))
    })
}

fn refused(path: &Path, row: usize, name: &str, what: &str) -> Error {
    let message = format!(
        "{what} in the column {} can't be written to {}, row {}",
        quoted(name),
        path.display(),
        row + 1
    );
    Error::new(ErrorKind::Argument, message)
        .with_hint("JSON has only finite numbers: replace it, for example by null")
}

/// A value as JSON, or what it is that JSON does not have.
fn json(value: &AnyValue) -> Result<Value, String> {
    Ok(match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(truth) => Value::from(*truth),
        AnyValue::String(text) => Value::from(*text),
        AnyValue::StringOwned(text) => Value::from(text.as_str()),
        AnyValue::List(items) => {
            let items = items.iter().map(|item| json(&item));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        AnyValue::Struct(..) | AnyValue::StructOwned(_) => object(value)?,
        number if number.dtype().is_float() => {
            let float = number.extract::<f64>().unwrap_or(f64::NAN);
            let short = match number {
                // The shortest digits of the smaller type, not those of its value in the larger one.
                AnyValue::Float32(float) => float.to_string().parse().ok(),
                _ => Some(float),
            };
            let finite = short.and_then(serde_json::Number::from_f64);
            finite.map(Value::Number).ok_or_else(|| float.to_string())?
        }
        number if number.dtype().is_integer() => match number.extract::<i64>() {
            Some(integer) => Value::from(integer),
            None => match number.extract::<u64>() {
                Some(integer) => Value::from(integer),
                None => Value::from(number.to_string()),
            },
        },
        time if time.dtype().is_temporal() => Value::from(time_text(time)),
        other => text(other),
    })
}

fn object(value: &AnyValue) -> Result<Value, String> {
    let DataType::Struct(fields) = value.dtype() else {
        return Ok(text(value));
    };
    let mut values = Vec::new();
    value._materialize_struct_av(&mut values);
    let mut object = serde_json::Map::new();
    for (field, value) in fields.iter().zip(values) {
        object.insert(field.name().to_string(), json(&value)?);
    }
    Ok(Value::Object(object))
}

/// A date, a time, a category and the like, as polars writes them.
fn text(value: &AnyValue) -> Value {
    match value.get_str() {
        Some(text) => Value::from(text),
        None => Value::from(value.to_string()),
    }
}
