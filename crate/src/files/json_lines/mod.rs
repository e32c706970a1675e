//! Reading and writing JSON lines: one object on each line, one row of a frame.
//!
//! Threads read blocks of whole lines: `fields` finds the fields of a line, which `row` reads into
//! `columns`; `merge` puts the blocks together, whose columns may differ. `write` writes.
//!
//! It is done here, since polars' own reader needs thirteen packages, and an engine besides to be
//! lazy.

mod columns;
mod fields;
mod merge;
mod row;
mod write;

use std::sync::Arc;

use polars::prelude::{DataFrame, LazyFrame, PlSmallStr, Schema, SchemaRef};

use super::blocks::{self, Block};
use super::lazy::{self, Keep, Rows, Take};
use super::opened::Opened;
use crate::error::Result;
use columns::{Columns, Kind};

pub(super) use write::write;

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
        let mut parts = Vec::new();
        let read = |block: &Block| {
            let read = row::read_rows(block, Columns::open());
            read.map_err(|fault| fault.of_file(self.opened.path()))
        };
        blocks::in_order(&self.opened, 0, last_line_end, read, &mut |part| {
            parts.push(part);
            Ok(true)
        })?;
        merge::merge(parts, self.opened.path())
    }

    /// The rows as they are asked for: their columns are those at the beginning.
    pub(super) fn scan(mut self) -> Result<LazyFrame> {
        let mut end = last_line_end(self.opened.head());
        while end.is_none() && !self.opened.is_whole() {
            self.opened.extend()?;
            end = last_line_end(self.opened.head());
        }
        let head = self.opened.head();
        let end = end.filter(|_| !self.opened.is_whole());
        let sample = Block::beginning(&head[..end.unwrap_or(head.len())]);
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

// The signatures are those of the trait: each format has its own implementation.
impl Rows for JsonRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn each_block(
        &self,
        columns: Option<&[PlSmallStr]>,
        keep: &Keep<'_>,
        take: &mut Take<'_>,
    ) -> Result<()> {
        let parse = |block: &Block| -> Result<DataFrame> {
            let fixed = Columns::fixed(&self.kinds, columns);
            let of_file = |fault: super::location::Fault| fault.of_file(self.opened.path());
            let rows = row::read_rows(block, fixed).map_err(of_file)?;
            keep(rows.into_frame().map_err(lazy::internal)?)
        };
        blocks::in_order(&self.opened, 0, last_line_end, parse, take)
    }
}

fn last_line_end(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    end.map(|end| end + 1)
}
