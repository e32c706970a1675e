//! Between polars' columns and the Arrow streams that Spark sends and takes.
//!
//! - `decode` reads a stream, `encode` writes one.
//! - `from_spark` converts what polars lacks, `to_spark` what Spark refuses. Both work on Arrow's
//!   arrays, at any depth of lists and structs, and never change a value in silence.
//! - `assemble` makes a frame of batches.
//!
//! polars panics where it meets data that it does not expect. What is known to make it panic is
//! refused before; [`guarded`] turns the rest into errors.

mod assemble;
mod decode;
mod encode;
mod from_spark;
#[cfg(test)]
mod tests;
mod to_spark;

use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::PolarsResult;

use crate::error::{Error, ErrorKind, Result};

pub(super) use assemble::Assembly;
pub(super) use encode::encode;

/// What polars computes, or why it could not.
fn guarded<T>(what: &str, compute: impl FnOnce() -> PolarsResult<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(compute)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(unreadable(what).with_source(error)),
        Err(_) => Err(unreadable(what).with_hint("select fewer columns to find the one at fault")),
    }
}

fn unreadable(what: &str) -> Error {
    Error::new(ErrorKind::Response, what)
}
