//! Data frames made of columns.

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, PlSmallStr, Series};

use crate::error::{Error, ErrorKind, Result};

/// A value of each row.
pub(super) fn each<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// A column of these values.
pub(super) fn column<T>(name: &str, values: Vec<T>) -> Column
where
    Series: NamedFrom<Vec<T>, [T]>,
{
    Series::new(PlSmallStr::from_str(name), values).into_column()
}

/// A data frame of these columns.
///
/// # Errors
/// Two columns of one name.
pub(super) fn frame(height: usize, columns: Vec<Column>) -> Result<DataFrame> {
    DataFrame::new(height, columns).map_err(|error| {
        let message = "the report does not fit into a data frame";
        Error::new(ErrorKind::Display, message)
            .with_source(error)
            .with_hint("two columns have one name: rename the lexicon's group")
    })
}
