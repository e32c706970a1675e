//! How a table and what it can be made of are shown: as HTML, and as text.

use polars::prelude::{Column, DataFrame, Series};

use super::html;
use super::preview::Head;
use super::view::Table;
use crate::display::{MimeBundle, Show, escaped};
use crate::text::terminal::sanitize;

impl Show for Table {
    fn mime_bundle(&self) -> MimeBundle {
        let (html, text) = match self.head() {
            Ok(head) => (html::html(self, &head), plain(&head)),
            Err(error) => {
                let text = error.to_string();
                (refusal(&text), text)
            }
        };
        let text = match self.title() {
            Some(title) => format!("{title}\n{text}"),
            None => text,
        };
        let text = sanitize(&text).into_owned();
        MimeBundle { html, text }
    }
}

impl Show for DataFrame {
    /// The frame as [`table`] shows it by default.
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

fn refusal(text: &str) -> String {
    format!(
        "<pre class=\"evenhand tex2jax_ignore mathjax_ignore\" style=\"white-space:pre-wrap\">{}</pre>",
        escaped(text)
    )
}

/// polars' own form, or only the shape of the frame if polars panics, which it does at dates
/// outside its calendar.
fn plain(head: &Head) -> String {
    let frame = &head.frame;
    let printed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| frame.to_string()));
    let printed = printed.unwrap_or_else(|_| format!("shape: {:?}", frame.shape()));
    match head.height.note() {
        Some(note) => format!("{printed}\n{note}"),
        None => printed,
    }
}
