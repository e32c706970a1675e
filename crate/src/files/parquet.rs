//! Reading and writing Parquet, over polars' reader and writer.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{
    DataFrame, Field, LazyFrame, ParquetReader, ParquetWriter, PlSmallStr, PolarsError, SchemaRef,
    SerReader,
};

use super::atomic;
use super::lazy::{self, Keep, Rows, Take, internal};
use super::opened::{Opened, unreadable};
use crate::error::{Error, ErrorKind, Result};

/// The rows that are read at once for a lazy frame.
const BLOCK: usize = 1 << 20;

/// Reads these columns and rows (first, number), or all of them.
pub(super) fn read_parquet(
    opened: &Opened,
    columns: Option<&[PlSmallStr]>,
    rows: Option<(usize, usize)>,
) -> Result<DataFrame> {
    let columns = columns.map(|columns| columns.iter().map(ToString::to_string).collect());
    reader(opened)?
        .with_columns(columns)
        .with_slice(rows)
        .finish()
        .map_err(|error| damaged(opened.path(), error))
}

/// The rows as they are asked for.
pub(super) fn scan(opened: Opened) -> Result<LazyFrame> {
    let wrong = |error| damaged(opened.path(), error);
    let mut reader = reader(&opened)?;
    let schema = reader.schema().map_err(wrong)?;
    let height = reader.num_rows().map_err(wrong)?;
    lazy::frame(ParquetRows {
        schema: Arc::new(schema.iter_values().map(Field::from).collect()),
        height,
        opened,
    })
}

/// Writes a frame.
pub(super) fn write(frame: &DataFrame, path: &Path, may_replace: bool) -> Result<()> {
    let mut frame = frame.clone();
    atomic::write(path, may_replace, |file: &File| {
        let written = ParquetWriter::new(file).finish(&mut frame);
        written.map(drop).map_err(|error| match error {
            PolarsError::IO { error, .. } => {
                atomic::unwritable(path, std::io::Error::new(error.kind(), error.to_string()))
            }
            error => internal(error),
        })
    })
}

fn reader(opened: &Opened) -> Result<ParquetReader<File>> {
    let file = File::open(opened.path()).map_err(|error| unreadable(opened.path(), error))?;
    Ok(ParquetReader::new(file))
}

fn damaged(path: &Path, error: PolarsError) -> Error {
    let message = format!("{} is not a complete Parquet file: {error}", path.display());
    Error::new(ErrorKind::Data, message).with_hint("it may be cut off: download it again")
}

/// The rows of an opened Parquet file.
struct ParquetRows {
    opened: Opened,
    schema: SchemaRef,
    height: usize,
}

// The signatures are those of the trait: each format has its own implementation.
impl Rows for ParquetRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn each_block(
        &self,
        columns: Option<&[PlSmallStr]>,
        keep: &Keep<'_>,
        take: &mut Take<'_>,
    ) -> Result<()> {
        for first in (0..self.height).step_by(BLOCK) {
            let block = read_parquet(&self.opened, columns, Some((first, BLOCK)))?;
            if !take(keep(block)?)? {
                break;
            }
        }
        Ok(())
    }
}
