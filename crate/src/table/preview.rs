//! The rows that a table is made of.

use polars::prelude::DataFrame;

use super::caption::Height;
use super::lazy::Plan;
use super::suggest::missing;
use crate::error::{Error, ErrorKind, Result};

/// Where a table's rows come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Frame(DataFrame),
    Lazy(Plan),
}

/// The rows that are there, and whether there are more of them.
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

/// The columns of these names alone, in this order, or all.
pub(super) fn selected(frame: &DataFrame, names: Option<&[String]>) -> Result<DataFrame> {
    let Some(names) = names else {
        return Ok(frame.clone());
    };
    let unknown = names
        .iter()
        .find(|name| frame.get_column_index(name).is_none());
    if let Some(name) = unknown {
        return Err(missing(frame, name));
    }
    frame.select(names).map_err(|error| {
        Error::new(ErrorKind::Display, "a column is named twice").with_source(error)
    })
}
