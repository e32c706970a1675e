//! What is to be shown: rows and how.

use polars::prelude::{Column, DataFrame, Series};

use super::preview::{Head, Source, selected};
use super::{html, limits};
use crate::display::escaped;
use crate::display::{MimeBundle, Show};
use crate::error::Result;
use crate::text::terminal::sanitize;

/// A data frame with a say in how it is shown. [`table`] makes it; it shows itself with
/// [`display`](crate::display::display) and as the last expression of a cell.
///
/// Values read as polars writes them, but for numbers: integers, decimals and floats have
/// thousands separators, unless a word of the column's name (`id`, `key`, `code`, `year`,
/// `zip`, `phone`, `seed`, `index` and their like) says that nobody counts with them; a float
/// has up to six decimals, or all its digits below 0.0001 and from 10^15. Lists and structs are
/// written out. What is long folds, and what is longer than 10,000 characters, or than its part
/// of 50,000 where more than five columns share a row, is cut and says so.
///
/// Where scripts run it is a table to work with: it sorts, searches, filters and pages, shows a
/// profile of the columns, copies as CSV or Markdown and downloads as CSV. A column's filter is a
/// part of its text, or `>10`, `<=10`, `=3`; numbers and times take `10..20` and
/// `2024-01..2024-06` too, where a date counts as far as it is written. In a CSV a text that a
/// spreadsheet would run as a formula has an apostrophe before it.
///
/// # Default
/// No title, all columns up to 100, 50 rows, a script where scripts run. Up to 10,000 rows,
/// as far as 1.9 MB go, are held for the script to sort, search and page through. The caption
/// tells what was left out.
///
/// A setter leaves its table as it is and returns another of the same frame, so that a table in
/// a variable can be shown in several ways. A clone is cheap: columns are shared.
#[derive(Clone, Debug)]
#[must_use = "a table is seen only where it is shown"]
pub struct Table {
    source: Source,
    title: Option<String>,
    columns: Option<Vec<String>>,
    page: usize,
    is_static: bool,
}

/// A data frame, a `LazyFrame`, a series or a column, to say how it is shown.
///
/// ```
/// use evenhand::prelude::*;
///
/// let jobs = polars::df![
///     "occupation" => ["nurse", "engineer"],
///     "women" => [0.87, 0.16],
/// ]?;
/// display(table(&jobs).titled("Who does the job").columns(["women", "occupation"]).page_size(20));
/// # Ok::<(), polars::error::PolarsError>(())
/// ```
///
/// Of a `LazyFrame` only the head is collected: 10,000 rows, or without the script those of the
/// table. Where it has more, the caption says that nobody knows how many. Where it can't be
/// collected, its place says why.
///
/// ```
/// use evenhand::prelude::*;
///
/// let jobs = polars::df!["occupation" => ["nurse", "engineer"], "women" => [0.87, 0.16]]?;
/// let most = jobs.lazy().filter(col("women").gt(lit(0.5)));
/// display(table(&most).titled("Mostly women").columns(["occupation"]));
/// display(&most);
/// # Ok::<(), polars::error::PolarsError>(())
/// ```
pub fn table(data: impl Into<Table>) -> Table {
    data.into()
}

impl Table {
    pub(super) fn of(source: Source) -> Self {
        Self {
            source,
            title: None,
            columns: None,
            page: limits::ROWS,
            is_static: false,
        }
    }

    /// A title above the table; it also names the table to a screen reader.
    pub fn titled(&self, title: impl Into<String>) -> Self {
        Self {
            title: Some(title.into()),
            ..self.clone()
        }
    }

    /// So many rows in the static table, and on a page where the script runs.
    pub fn page_size(&self, rows: usize) -> Self {
        Self {
            page: rows,
            ..self.clone()
        }
    }

    /// These columns alone, in this order. If one is missing, the place of the table says so
    /// and which there are, nearest first.
    pub fn columns<S: Into<String>>(&self, names: impl IntoIterator<Item = S>) -> Self {
        Self {
            columns: Some(names.into_iter().map(Into::into).collect()),
            ..self.clone()
        }
    }

    /// Without the script and what it works on: the smallest output, the same everywhere.
    pub fn static_only(&self) -> Self {
        Self {
            is_static: true,
            ..self.clone()
        }
    }

    pub(super) fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    pub(super) fn page(&self) -> usize {
        self.page
    }

    pub(super) fn has_script(&self) -> bool {
        !self.is_static
    }

    fn head(&self) -> Result<Head> {
        let names = self.columns.as_deref();
        match &self.source {
            Source::Frame(frame) => Ok(Head::whole(selected(frame, names)?)),
            Source::Lazy(plan) => {
                // No static table has room for as many rows as are held for the script.
                let wanted = match self.is_static {
                    true => self.page.min(limits::HELD),
                    false => limits::HELD,
                };
                plan.head(names, wanted)
            }
        }
    }
}

impl From<DataFrame> for Table {
    fn from(frame: DataFrame) -> Self {
        Self::of(Source::Frame(frame))
    }
}

impl From<&DataFrame> for Table {
    fn from(frame: &DataFrame) -> Self {
        // The columns are shared, not copied.
        frame.clone().into()
    }
}

impl From<&Series> for Table {
    fn from(series: &Series) -> Self {
        series.clone().into_frame().into()
    }
}

impl From<&Column> for Table {
    fn from(column: &Column) -> Self {
        column.clone().into_frame().into()
    }
}

impl Show for Table {
    fn mime_bundle(&self) -> MimeBundle {
        let (html, text) = match self.head() {
            Ok(head) => (html::html(self, &head), plain(&head)),
            Err(error) => {
                let text = error.to_string();
                (refusal(&text), text)
            }
        };
        let text = match &self.title {
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

/// polars' own form. polars panics at a date that no calendar names; such a frame has a shape
/// at least.
fn plain(head: &Head) -> String {
    let frame = &head.frame;
    let printed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| frame.to_string()));
    let printed = printed.unwrap_or_else(|_| format!("shape: {:?}", frame.shape()));
    match head.height.note() {
        Some(note) => format!("{printed}\n{note}"),
        None => printed,
    }
}
