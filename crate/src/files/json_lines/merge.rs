//! Puts the blocks of a file together, whose columns may differ.

use std::collections::HashMap;
use std::path::Path;

use polars::prelude::{Column, DataFrame, PlSmallStr};

use super::columns::{Columns, Kind, MAX_COUNT};
use super::row::{misfit_fault, too_many};
use crate::error::{Error, ErrorKind, Result};
use crate::files::lazy::internal;
use crate::files::location::quoted;

/// The rows of all blocks. A column that a block does not have is null in its rows.
pub(super) fn merge(blocks: Vec<Columns>, path: &Path) -> Result<DataFrame> {
    let union = union(&blocks, path)?;
    if union.is_empty() {
        let message = format!("{} has no row with a field", path.display());
        return Err(Error::new(ErrorKind::Data, message));
    }
    let mut whole: Option<DataFrame> = None;
    for block in blocks {
        let frame = widened(block, &union)?;
        match &mut whole {
            Some(whole) => {
                whole.vstack_mut_owned(frame).map_err(internal)?;
            }
            None => whole = Some(frame),
        }
    }
    Ok(whole.unwrap_or_default())
}

/// The columns of all blocks, in the order of their first appearance.
fn union(blocks: &[Columns], path: &Path) -> Result<Vec<(PlSmallStr, Kind)>> {
    let mut union: Vec<(PlSmallStr, Kind)> = Vec::new();
    let mut places: HashMap<PlSmallStr, (usize, u64)> = HashMap::new();
    for field in blocks.iter().flat_map(Columns::fields) {
        let Some((place, first)) = places.get_mut(&field.name) else {
            if union.len() == MAX_COUNT {
                return Err(too_many(field.first).of_file(path));
            }
            places.insert(field.name.clone(), (union.len(), field.first));
            union.push((field.name.clone(), field.kind));
            continue;
        };
        let kind = &mut union[*place].1;
        let Some(joined) = kind.join(field.kind) else {
            let fault = misfit_fault(field.first, field.kind, *kind, *first);
            let fault = fault.within(format!("field {}", quoted(&field.name)));
            return Err(fault.of_file(path));
        };
        if *kind == Kind::Null {
            *first = field.first;
        }
        *kind = joined;
    }
    Ok(union)
}

/// The rows of a block with all columns.
fn widened(block: Columns, union: &[(PlSmallStr, Kind)]) -> Result<DataFrame> {
    let rows = block.rows();
    let frame = block.into_frame().map_err(internal)?;
    let column = |(name, kind): &(PlSmallStr, Kind)| match frame.column(name) {
        Ok(column) if column.dtype() == &kind.dtype() => Ok(column.clone()),
        Ok(column) => column.cast(&kind.dtype()).map_err(internal),
        Err(_) => Ok(Column::full_null(name.clone(), rows, &kind.dtype())),
    };
    let columns = union.iter().map(column).collect::<Result<_>>()?;
    DataFrame::new(rows, columns).map_err(internal)
}
