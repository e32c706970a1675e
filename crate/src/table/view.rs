//! What to show: the rows, and how.

use polars::prelude::{Column, DataFrame, Series};

use super::limits;
use super::plan::Source;
use super::preview::{Head, selected};
use crate::error::Result;

/// A data frame with settings for how it is shown. It is created by [`table`], and shown with
/// [`display`](crate::display::display) or as the last expression of a cell.
///
/// Values are formatted as polars writes them, except numbers: integers, decimals and floats have
/// thousands separators, unless a word in the column's name (`id`, `key`, `code`, `year`, `zip`,
/// `phone`, `seed`, `index` and the like) indicates that they are not quantities; a float has up to
/// six decimals, or all its digits below 0.0001 and from 10^15. Lists and structs are written out.
/// Long values are folded, and values longer than 10,000 characters, or than their share of 50,000
/// if more than five columns share a row, are cut, with a note.
///
/// Where scripts run, the table is interactive: it sorts, searches, filters and pages, shows a
/// profile of the columns, copies as CSV or Markdown and downloads as CSV. A column's filter is a
/// part of its text, or `>10`, `<=10`, `=3`; numbers and times also accept `10..20` and
/// `2024-01..2024-06`, where a date is compared only as far as it is written. In a CSV, a text that
/// a spreadsheet would run as a formula is prefixed with an apostrophe.
///
/// # Default
/// No title, all columns up to 100, 50 rows, a script where scripts run. Up to 10,000 rows, as far
/// as they fit into 1.9 MB, are held for the script to sort, search and page through. The caption
/// states what was left out.
///
/// A setter leaves its table unchanged and returns another one of the same frame, so that a table
/// in a variable can be shown in several ways. A clone is cheap: columns are shared.
#[derive(Clone, Debug)]
#[must_use = "a table is visible only when it is displayed"]
pub struct Table {
    source: Source,
    title: Option<String>,
    columns: Option<Vec<String>>,
    page: usize,
    is_static: bool,
}

/// Creates a [`Table`] from a data frame, a `LazyFrame`, a series or a column.
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
/// Only the head of a `LazyFrame` is collected: 10,000 rows, or without the script, only those of
/// the table. If it has more, the caption says that the total is not known. If it can't be
/// collected, the reason is shown in its place, and a cell that ends with it fails.
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

/// A table of a frame that is elsewhere.
#[cfg(feature = "spark")]
pub(crate) fn remote_table(frame: impl super::remote::RemoteFrame + 'static) -> Table {
    Table::from_source(Source::Remote(std::sync::Arc::new(frame)))
}

impl Table {
    pub(super) fn from_source(source: Source) -> Self {
        Self {
            source,
            title: None,
            columns: None,
            page: limits::ROWS,
            is_static: false,
        }
    }

    /// Sets a title above the table, which also names the table for a screen reader.
    pub fn titled(&self, title: impl Into<String>) -> Self {
        Self {
            title: Some(title.into()),
            ..self.clone()
        }
    }

    /// Sets the number of rows in the static table, and on a page where the script runs.
    pub fn page_size(&self, rows: usize) -> Self {
        Self {
            page: rows,
            ..self.clone()
        }
    }

    /// Shows only these columns, in this order. If one is missing, a message instead of the table
    /// says so and lists the existing ones, nearest first.
    pub fn columns<S: Into<String>>(&self, names: impl IntoIterator<Item = S>) -> Self {
        Self {
            columns: Some(names.into_iter().map(Into::into).collect()),
            ..self.clone()
        }
    }

    /// Leaves out the script and its data: the smallest output, the same everywhere.
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

    pub(super) fn head(&self) -> Result<Head> {
        let names = self.columns.as_deref();
        match &self.source {
            Source::Frame(frame) => Ok(Head::whole(selected(frame, names)?)),
            Source::Lazy(plan) => plan.head(names, self.wanted()),
            #[cfg(feature = "spark")]
            Source::Remote(frame) => super::remote::head(&**frame, names, self.wanted()),
        }
    }

    /// How many rows of a longer frame are asked for. A static table never has room for as many as
    /// are held for the script.
    fn wanted(&self) -> usize {
        match self.is_static {
            true => self.page.min(limits::HELD),
            false => limits::HELD,
        }
    }
}

impl From<DataFrame> for Table {
    fn from(frame: DataFrame) -> Self {
        Self::from_source(Source::Frame(frame))
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
