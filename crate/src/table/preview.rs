//! The rows of a table.

use polars::prelude::DataFrame;

use super::caption::Height;
use super::suggest::missing_column;
use crate::error::{Error, ErrorKind, Result};

/// The available rows, and whether there are more.
pub(super) struct Head {
    pub(super) frame: DataFrame,
    pub(super) height: Height,
}

impl Head {
    pub(super) fn whole(frame: DataFrame) -> Self {
        let height = Height::Known(frame.height());
        Self { frame, height }
    }
}

/// Only the columns with these names, in this order, or all columns.
pub(super) fn selected(frame: &DataFrame, names: Option<&[String]>) -> Result<DataFrame> {
    let Some(names) = names else {
        return Ok(frame.clone());
    };
    let unknown = names
        .iter()
        .find(|name| frame.get_column_index(name).is_none());
    if let Some(name) = unknown {
        return Err(missing_column(frame, name));
    }
    frame.select(names).map_err(|error| {
        Error::new(ErrorKind::Display, "a column is listed twice").with_source(error)
    })
}
