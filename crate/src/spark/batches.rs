//! The rows of a query as they arrive.

use std::fmt;

use polars::prelude::DataFrame;

use super::arrow::Assembly;
use super::execution::Execution;
use super::memory::Headroom;
use super::messages::ArrowBatch;
use crate::display;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;

/// The rows of a query in parts, each a data frame of polars with at least one row.
/// [`DataFrame::batches`](super::DataFrame::batches) makes it.
///
/// After an error there are no further parts. Dropping it stops the query.
#[must_use = "the query begins when the first part is asked for"]
pub struct Batches(Option<Parts>);

struct Parts {
    execution: Execution,
    assembly: Assembly,
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("ended", &self.0.is_none())
            .finish_non_exhaustive()
    }
}

impl Batches {
    pub(super) fn new(execution: Execution) -> Self {
        Self(Some(Parts {
            execution,
            assembly: Assembly::default(),
        }))
    }

    /// The next part for async code; `None` at the end.
    ///
    /// # Errors
    /// As [`DataFrame::to_polars`](super::DataFrame::to_polars).
    pub async fn next_async(&mut self) -> Result<Option<DataFrame>> {
        let Some(parts) = self.0.take() else {
            return Ok(None);
        };
        let (frame, parts) = runtime::run(parts.next()).await?;
        // At the end, nothing is asked for any more.
        self.0 = frame.is_some().then_some(parts);
        Ok(frame)
    }
}

impl Iterator for Batches {
    type Item = Result<DataFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        runtime::wait(self.next_async()).transpose()
    }
}

impl Parts {
    async fn next(mut self) -> Result<(Option<DataFrame>, Self)> {
        while let Some(response) = self.execution.next().await? {
            let Some(batch) = response.arrow_batch else {
                continue;
            };
            if add(&mut self.assembly, &batch)? > 0 {
                let frame = self.assembly.take_frame()?;
                return Ok((Some(frame), self));
            }
        }
        Ok((None, self))
    }
}

/// All rows of a query.
pub(super) async fn collect(mut execution: Execution) -> Result<DataFrame> {
    let mut assembly = Assembly::default();
    let mut headroom = Headroom::default();
    let mut rows: u64 = 0;
    while let Some(response) = execution.next().await? {
        let Some(batch) = response.arrow_batch else {
            continue;
        };
        rows += add(&mut assembly, &batch)? as u64;
        if headroom.is_used_up(batch.data.len()) {
            return Err(out_of_memory(rows));
        }
    }
    for change in assembly.changes() {
        display::log_line(&change);
    }
    assembly.take_frame()
}

/// Adds the rows of a batch, which must be as many as the server says.
fn add(assembly: &mut Assembly, batch: &ArrowBatch) -> Result<usize> {
    let rows = assembly.add(&batch.data)?;
    if i64::try_from(rows) == Ok(batch.row_count) {
        return Ok(rows);
    }
    let message = format!(
        "rows are missing: a batch of {} rows has {rows}",
        batch.row_count
    );
    Err(Error::new(ErrorKind::Response, message).with_hint("run the query again"))
}

fn out_of_memory(rows: u64) -> Error {
    let rows = crate::text::grouped(rows);
    let message = format!(
        "the result does not fit into memory, which was used up after {rows} \
         rows"
    );
    Error::new(ErrorKind::Response, message).with_hint(
        "aggregate, filter or `.limit(..)` it on the server, write it to a file with `.write()`, or \
         read it in parts with `.batches()?`",
    )
}
