//! Where a table's rows come from: a frame, or a plan of which only the head is computed, since a
//! frame is never collected whole for display.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::{DataFrame, IdxSize, LazyFrame, PolarsResult, by_name};

use super::caption::Height;
use super::limits::{FOLDS, cut};
use super::preview::{Head, selected};
use crate::error::{Error, ErrorKind, Result};
use crate::text::counted;

/// Where a table's rows come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Frame(DataFrame),
    Lazy(Plan),
    #[cfg(feature = "spark")]
    Remote(std::sync::Arc<dyn super::remote::RemoteFrame>),
}

/// The plan to be computed. It is boxed because it is much larger than a frame.
#[derive(Clone)]
pub(super) struct Plan(Box<LazyFrame>);

impl Plan {
    pub(super) fn new(lazy: LazyFrame) -> Self {
        Self(Box::new(lazy))
    }

    /// The first `wanted` rows, of the named columns or of all.
    pub(super) fn head(&self, names: Option<&[String]>, wanted: usize) -> Result<Head> {
        let lazy = narrowed((*self.0).clone(), names)?;
        // One extra row shows whether there are more.
        let rows = IdxSize::try_from(wanted + 1).unwrap_or(IdxSize::MAX);
        let frame = guarded(|| lazy.limit(rows).collect())?;
        Ok(match frame.height() > wanted {
            true => Head {
                frame: frame.head(Some(wanted)),
                height: Height::MoreThan(wanted, "a LazyFrame"),
            },
            false => Head::whole(frame),
        })
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazyFrame")
    }
}

/// Selects the columns before anything is computed, so that the others cost nothing and failures in
/// them do not matter.
fn narrowed(mut lazy: LazyFrame, names: Option<&[String]>) -> Result<LazyFrame> {
    let Some(names) = names else {
        return Ok(lazy);
    };
    let schema = guarded(|| lazy.collect_schema())?;
    selected(&DataFrame::empty_with_schema(&schema), Some(names))?;
    // Not with `col`, which treats `*` and `^…$` as patterns.
    Ok(lazy.select([by_name(names, true, false).as_expr()]))
}

/// What polars computes, or why it could not. polars panics if an expression needs a feature that
/// is not compiled in.
fn guarded<T>(compute: impl FnOnce() -> PolarsResult<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(compute)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => {
            let text = error.to_string();
            // If polars fails to make a plan, its message has one below an empty line.
            let (reason, hint) = match text.split_once("\n\n") {
                Some((reason, _)) => (reason, "call `.collect()?` instead to see which step fails"),
                None => (&*text, "`.explain(false)?` shows the steps"),
            };
            Err(failed(reason).with_hint(hint).with_source(error))
        }
        Err(panic) => Err(failed(reason(&*panic)).with_hint(
            "polars panicked: an expression may need a feature of polars that is not enabled here",
        )),
    }
}

fn failed(reason: &str) -> Error {
    let (reason, left_out) = cut(reason, FOLDS);
    let more = match left_out {
        0 => String::new(),
        left_out => format!("… and {} more", counted(left_out, "character")),
    };
    let message = format!("the LazyFrame can't be collected: {reason}{more}");
    Error::new(ErrorKind::Display, message)
}

fn reason(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no reason was given")
}
