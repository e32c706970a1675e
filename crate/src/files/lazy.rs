//! What polars asks for rows when a lazy frame of a file is computed.
//!
//! polars' own lazy readers run in its streaming engine, which is not compiled in. Here, a file is
//! read in blocks, and of each block only the rows and the columns that the query needs are kept.

use std::any::Any;
use std::sync::Arc;

use polars::prelude::{
    AnonymousScan, AnonymousScanArgs, Column, DataFrame, Expr, IntoColumn, IntoLazy, LazyFrame,
    PlSmallStr, PolarsError, PolarsResult, ScanArgsAnonymous, SchemaRef, StringChunked,
};

use crate::error::{Error, ErrorKind, Result};

/// What is kept of a block. It may run on several threads.
pub(super) type Keep<'a> = dyn Fn(DataFrame) -> Result<DataFrame> + Sync + 'a;

/// Takes the rows of a block, and says whether to go on.
pub(super) type Take<'a> = dyn FnMut(DataFrame) -> Result<bool> + 'a;

/// A file whose rows can be read block by block.
pub(super) trait Rows: Send + Sync + 'static {
    fn schema(&self) -> SchemaRef;

    /// Calls `take` with the rows of each block, in the file's order, until it returns `false`.
    fn each_block(
        &self,
        columns: Option<&[PlSmallStr]>,
        keep: &Keep<'_>,
        take: &mut Take<'_>,
    ) -> Result<()>;
}

/// The lazy frame of a file.
pub(super) fn frame(rows: impl Rows) -> Result<LazyFrame> {
    let arguments = ScanArgsAnonymous {
        schema: Some(rows.schema()),
        name: "FILE SCAN",
        ..Default::default()
    };
    LazyFrame::anonymous_scan(Arc::new(Scan(rows)), arguments).map_err(internal)
}

/// All rows of a file.
pub(super) fn collect(rows: &impl Rows) -> Result<DataFrame> {
    let mut whole = Whole::new(None);
    rows.each_block(None, &Ok, &mut |frame| whole.add(frame))?;
    whole.finish(rows.schema())
}

/// An error of polars that no file should cause.
pub(super) fn internal(error: PolarsError) -> Error {
    Error::new(ErrorKind::Data, error.to_string())
}

struct Scan<R>(R);

impl<R: Rows> AnonymousScan for Scan<R> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn allows_predicate_pushdown(&self) -> bool {
        true
    }

    fn allows_projection_pushdown(&self) -> bool {
        true
    }

    fn scan(&self, asked: AnonymousScanArgs) -> PolarsResult<DataFrame> {
        self.rows(asked)
            .map_err(|error| PolarsError::ComputeError(error.to_string().into()))
    }
}

impl<R: Rows> Scan<R> {
    fn rows(&self, asked: AnonymousScanArgs) -> Result<DataFrame> {
        let shown = asked.with_columns.as_deref();
        let needed = shown.map(|shown| needed(shown, asked.predicate.as_ref()));
        let predicate = asked.predicate.as_ref();
        // A condition that looks at other rows too (`over`) needs all of them, and a limit below a
        // condition counts the rows before it.
        let needs_all = |predicate| asked.n_rows.is_some() || looks_at_other_rows(predicate);
        let is_by_row = !predicate.is_some_and(needs_all);
        let select = |frame: DataFrame| match predicate {
            Some(predicate) => filtered(frame, predicate),
            None => Ok(frame),
        };
        let keep = |frame: DataFrame| {
            if !is_by_row {
                return Ok(frame);
            }
            let rows = frame.height();
            let kept = projected(select(frame)?, shown)?;
            match kept.height() < rows / 2 {
                true => compact(kept),
                false => Ok(kept),
            }
        };
        let mut whole = Whole::new(asked.n_rows);
        self.0
            .each_block(needed.as_deref(), &keep, &mut |frame| whole.add(frame))?;
        if is_by_row {
            let schema = asked.output_schema.unwrap_or(asked.schema);
            return projected(whole.finish(schema)?, shown);
        }
        projected(select(whole.finish(self.0.schema())?)?, shown)
    }
}

/// The columns to show and those that the condition looks at.
fn needed(shown: &[PlSmallStr], predicate: Option<&Expr>) -> Vec<PlSmallStr> {
    let mut needed = shown.to_vec();
    for part in predicate.into_iter().flatten() {
        if let Expr::Column(name) = part
            && !needed.contains(name)
        {
            needed.push(name.clone());
        }
    }
    needed
}

fn looks_at_other_rows(predicate: &Expr) -> bool {
    predicate.into_iter().any(|part| {
        !matches!(
            part,
            Expr::Column(_)
                | Expr::Literal(_)
                | Expr::BinaryExpr { .. }
                | Expr::Cast { .. }
                | Expr::Ternary { .. }
                | Expr::Function { .. }
                | Expr::AnonymousFunction { .. }
                | Expr::Alias(..)
        )
    })
}

fn filtered(frame: DataFrame, predicate: &Expr) -> Result<DataFrame> {
    let lazy = frame.lazy().filter(predicate.clone());
    lazy.collect().map_err(internal)
}

fn projected(frame: DataFrame, shown: Option<&[PlSmallStr]>) -> Result<DataFrame> {
    match shown {
        Some(shown) => frame.select(shown.iter().cloned()).map_err(internal),
        None => Ok(frame),
    }
}

/// The rows without what was left out. Texts that are kept would keep all others of their block, and few
/// rows of a large file would fill the memory.
fn compact(frame: DataFrame) -> Result<DataFrame> {
    let compacted = |column: &Column| match column.str() {
        Ok(texts) => {
            let chunks = texts.downcast_iter().map(|texts| texts.clone().gc());
            StringChunked::from_chunk_iter(column.name().clone(), chunks).into_column()
        }
        Err(_) => column.clone(),
    };
    let columns = frame.columns().iter().map(compacted).collect();
    DataFrame::new(frame.height(), columns).map_err(internal)
}

/// The rows of the blocks so far, up to a limit.
struct Whole {
    frame: Option<DataFrame>,
    most: Option<usize>,
}

impl Whole {
    fn new(most: Option<usize>) -> Self {
        Self { frame: None, most }
    }

    /// Adds the rows of the next block. Returns whether more are wanted.
    fn add(&mut self, block: DataFrame) -> Result<bool> {
        let frame = match &mut self.frame {
            Some(frame) => {
                frame.vstack_mut_owned(block).map_err(internal)?;
                frame
            }
            None => self.frame.insert(block),
        };
        Ok(self.most.is_none_or(|most| frame.height() < most))
    }

    fn finish(self, schema: SchemaRef) -> Result<DataFrame> {
        let frame = self.frame;
        let frame = frame.unwrap_or_else(|| DataFrame::empty_with_schema(&schema));
        Ok(match self.most {
            Some(most) => frame.head(Some(most)),
            None => frame,
        })
    }
}
