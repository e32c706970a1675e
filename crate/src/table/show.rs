//! How a table and what it can be made of are shown: as HTML, and as text.

use polars::prelude::{Column, DataFrame, Series};

use super::html;
use super::preview::Head;
use super::view::Table;
use crate::display::{MimeBundle, Show, error_card};
use crate::text::terminal::sanitize;

impl Show for Table {
    fn mime_bundle(&self) -> MimeBundle {
        let shown = self.try_mime_bundle();
        shown.unwrap_or_else(|message| {
            let refused = error_card(&message);
            MimeBundle {
                text: self.with_title(refused.text),
                ..refused
            }
        })
    }

    fn try_mime_bundle(&self) -> std::result::Result<MimeBundle, String> {
        let head = self.head().map_err(|error| error.to_string())?;
        Ok(MimeBundle {
            html: html::html(self, &head),
            text: self.with_title(plain(&head)),
        })
    }
}

impl Table {
    fn with_title(&self, text: String) -> String {
        let text = match self.title() {
            Some(title) => format!("{title}\n{text}"),
            None => text,
        };
        sanitize(&text).into_owned()
    }
}

impl Show for DataFrame {
    /// The frame as [`table`](crate::table::table()) shows it by default.
    fn mime_bundle(&self) -> MimeBundle {
        Table::from(self).mime_bundle()
    }
}

impl Show for Series {
    /// The series as a table of one column.
    fn mime_bundle(&self) -> MimeBundle {
        Table::from(self).mime_bundle()
    }
}

impl Show for Column {
    /// The column as a table of one column.
    fn mime_bundle(&self) -> MimeBundle {
        Table::from(self).mime_bundle()
    }
}

/// polars' own form, or only the shape of the frame if polars panics, which it does at dates
/// outside its calendar.
fn plain(head: &Head) -> String {
    let frame = &head.frame;
    let printed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| frame.to_string()));
    let printed = printed.unwrap_or_else(|_| format!("shape: {:?}", frame.shape()));
    match head.height.into_note() {
        Some(note) => format!("{printed}\n{note}"),
        None => printed,
    }
}
