//! A `LazyFrame` as a table: only its head, since a frame is never collected whole for display.

use polars::prelude::LazyFrame;

use super::plan::{Plan, Source};
use super::view::Table;
use crate::display::{MimeBundle, Show};

impl From<LazyFrame> for Table {
    fn from(lazy: LazyFrame) -> Self {
        Self::from_source(Source::Lazy(Plan::new(lazy)))
    }
}

impl From<&LazyFrame> for Table {
    fn from(lazy: &LazyFrame) -> Self {
        // The plan is shared, not copied.
        lazy.clone().into()
    }
}

impl Show for LazyFrame {
    /// The head of the result, which is collected for this. If that fails, the reason is shown
    /// instead.
    fn mime_bundle(&self) -> MimeBundle {
        Table::from(self).mime_bundle()
    }

    fn try_mime_bundle(&self) -> std::result::Result<MimeBundle, String> {
        Table::from(self).try_mime_bundle()
    }
}
