//! Writes a frame as one Arrow stream, with types that Spark takes.

use std::sync::Arc;

use polars::prelude::{CompatLevel, DataFrame, Series};
use polars_arrow::array::ArrayRef;
use polars_arrow::datatypes::{ArrowSchema, Field};
use polars_arrow::io::ipc::write::{StreamWriter, WriteOptions};
use polars_arrow::record_batch::RecordBatchT;

use super::guarded;
use super::to_spark::{self, Change};
use crate::error::{Error, ErrorKind, Result};

/// The largest frame that is sent, in bytes. Servers refuse messages above 128 MB.
pub(in crate::spark) const MAX_SIZE: usize = 64 * 1024 * 1024;

/// A frame as an Arrow stream.
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    /// What has another type in Spark: one sentence for each column.
    pub(crate) changes: Vec<String>,
}

/// # Errors
/// The frame has no columns, is too large, or has a column whose type or values Spark lacks.
pub(crate) fn encode(frame: &DataFrame) -> Result<Encoded> {
    if frame.width() == 0 {
        return Err(Error::new(
            ErrorKind::Argument,
            "a frame without columns can't be sent",
        ));
    }
    check_size(frame.estimated_size())?;
    let series = aligned(frame);
    let chunks = series.first().map_or(0, |series| series.n_chunks());
    let mut columns = Vec::with_capacity(series.len());
    let mut changes = Vec::new();
    for series in &series {
        let name = series.name();
        let mut change = Change::default();
        let arrays = (0..chunks)
            .map(|chunk| {
                let what = format!("column `{name}` can't be converted for Spark");
                let array = guarded(&what, || Ok(series.to_arrow(chunk, CompatLevel::oldest())))?;
                to_spark::convert(array, &mut change).map_err(|error| named(&error, name))
            })
            .collect::<Result<Vec<ArrayRef>>>()?;
        changes.extend(change.notes(name, series.dtype()));
        columns.push((name.clone(), arrays));
    }
    let bytes = guarded("the frame can't be written as Arrow", || {
        let schema: ArrowSchema = columns
            .iter()
            .map(|(name, arrays)| {
                let dtype = arrays
                    .first()
                    .map_or_else(Default::default, |array| array.dtype().clone());
                (name.clone(), Field::new(name.clone(), dtype, true))
            })
            .collect();
        let schema = Arc::new(schema);
        let mut writer = StreamWriter::new(Vec::new(), WriteOptions { compression: None });
        writer.start(&schema, None)?;
        for chunk in 0..chunks {
            let arrays: Vec<ArrayRef> = columns
                .iter()
                .filter_map(|(_, arrays)| arrays.get(chunk).cloned())
                .collect();
            let height = arrays.first().map_or(0, |array| array.len());
            writer.write(
                &RecordBatchT::try_new(height, schema.clone(), arrays)?,
                None,
            )?;
        }
        writer.finish()?;
        Ok(writer.into_inner())
    })?;
    check_size(bytes.len())?;
    Ok(Encoded { bytes, changes })
}

/// The columns, cut into chunks at the same rows.
fn aligned(frame: &DataFrame) -> Vec<Series> {
    let series = frame
        .columns()
        .iter()
        .map(|column| column.as_materialized_series().clone());
    let series: Vec<Series> = series.collect();
    let is_aligned = series
        .windows(2)
        .all(|pair| pair[0].chunk_lengths().eq(pair[1].chunk_lengths()));
    match is_aligned {
        true => series,
        false => series.iter().map(|series| series.rechunk()).collect(),
    }
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes <= MAX_SIZE {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Argument,
        format!(
            "the frame has {} MB, and at most {} MB are sent as one",
            bytes / 1_000_000,
            MAX_SIZE / 1_000_000
        ),
    )
    .with_hint(
        "write it to a file that the server can read, and use `spark.read()`; or send it in parts \
         and append them to a table",
    ))
}

fn named(error: &Error, column: &str) -> Error {
    let named = Error::new(
        error.kind(),
        format!("column `{column}`: {}", error.message()),
    );
    match error.hint() {
        Some(hint) => named.with_hint(hint),
        None => named,
    }
}
