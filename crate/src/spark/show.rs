//! A data frame of Spark in a notebook: only its head, since a result may have any size.

use super::column::Column;
use super::frame::DataFrame;
use super::names::quoted;
use super::session::Session;
use crate::display::{MimeBundle, Show};
use crate::error::Result;
use crate::table::{RemoteFrame, Table, remote_table};

impl RemoteFrame for DataFrame {
    fn kind(&self) -> &'static str {
        "a Spark DataFrame"
    }

    fn head(&self, columns: Option<&[String]>, rows: usize) -> Result<polars::prelude::DataFrame> {
        let head = match columns {
            // A dot in a name would reach into a struct.
            Some(names) => self.select(names.iter().map(|name| Column::named(&quoted(name)))),
            None => self.clone(),
        };
        head.limit(rows).to_polars()
    }
}

impl From<DataFrame> for Table {
    fn from(frame: DataFrame) -> Self {
        remote_table(frame)
    }
}

impl From<&DataFrame> for Table {
    fn from(frame: &DataFrame) -> Self {
        remote_table(frame.clone())
    }
}

impl Show for DataFrame {
    /// The head of the result, which is computed for this. If that fails, the reason is shown
    /// instead.
    fn mime_bundle(&self) -> MimeBundle {
        Table::from(self).mime_bundle()
    }
}

impl Show for Session {
    /// The server and the session's id, in plain text.
    fn mime_bundle(&self) -> MimeBundle {
        MimeBundle {
            html: String::new(),
            text: format!("{self:?}"),
        }
    }
}
