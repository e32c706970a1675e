//! Reading and writing JSON lines: one object on each line, one row of a frame.
//!
//! `pieces` cuts the file into pieces of whole lines, which threads parse; `row` reads one line into
//! `columns`; `merge` puts the pieces together, whose columns may differ. `write` writes.
//!
//! It is done here, since polars' own reader needs thirteen packages, and an engine besides to be
//! lazy.

mod columns;
mod merge;
mod pieces;
mod row;
mod write;

use std::sync::Arc;

use polars::prelude::{DataFrame, LazyFrame, PlSmallStr, Schema, SchemaRef};

use super::lazy::{self, Rows};
use super::opened::Opened;
use crate::error::Result;
use columns::{Columns, Kind};
use pieces::Piece;

pub(super) use write::write;

/// How much of the beginning tells a lazy frame its columns.
const SAMPLE: u64 = super::opened::HEAD as u64;

/// A file of JSON lines.
pub(super) struct JsonLines {
    opened: Opened,
}

impl JsonLines {
    pub(super) fn new(opened: Opened) -> Self {
        Self { opened }
    }

    /// Reads the file: its columns are those of all rows.
    pub(super) fn read(self) -> Result<DataFrame> {
        let parts = pieces::each(&self.opened, |piece| {
            row::read_rows(&piece, Columns::open())
        })?;
        merge::merge(parts, self.opened.path())
    }

    /// The rows as they are asked for: their columns are those at the beginning.
    pub(super) fn scan(self) -> Result<LazyFrame> {
        let sample = pieces::first(&self.opened, SAMPLE)?;
        let of_file = |fault: super::location::Fault| fault.of_file(self.opened.path());
        let columns = row::read_rows(&sample, Columns::open()).map_err(of_file)?;
        let kinds = columns.fields().iter();
        let kinds: Vec<_> = kinds
            .map(|field| (field.name.clone(), field.kind.known(), field.first))
            .collect();
        let schema: Schema = kinds
            .iter()
            .map(|(name, kind, _)| (name.clone(), kind.dtype()))
            .collect();
        lazy::frame(JsonRows {
            opened: self.opened,
            kinds,
            schema: Arc::new(schema),
        })
    }
}

/// The rows of a file whose columns are known.
struct JsonRows {
    opened: Opened,
    /// The columns, with the offsets of the rows that gave them their kinds.
    kinds: Vec<(PlSmallStr, Kind, u64)>,
    schema: SchemaRef,
}

impl Rows for JsonRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn each_block(
        &self,
        columns: Option<&[PlSmallStr]>,
        keep: &(dyn Fn(DataFrame) -> Result<DataFrame> + Sync),
        take: &mut dyn FnMut(DataFrame) -> Result<bool>,
    ) -> Result<()> {
        let parse = |piece: Piece| -> Result<DataFrame> {
            let fixed = Columns::fixed(&self.kinds, columns);
            let of_file = |fault: super::location::Fault| fault.of_file(self.opened.path());
            let rows = row::read_rows(&piece, fixed).map_err(of_file)?;
            keep(rows.into_frame().map_err(lazy::internal)?)
        };
        pieces::in_order(&self.opened, parse, take)
    }
}
