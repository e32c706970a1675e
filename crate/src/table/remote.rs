//! A frame that is elsewhere, such as on a server: only its head is fetched.

use std::fmt::Debug;

use polars::prelude::DataFrame;

use super::caption::Height;
use super::preview::Head;
use crate::error::Result;

/// What a table asks a frame that is elsewhere.
pub(crate) trait RemoteFrame: Debug + Send + Sync {
    /// What it is, for the caption: `a Spark DataFrame`.
    fn kind(&self) -> &'static str;

    /// The first rows, of these columns or of all.
    fn head(&self, columns: Option<&[String]>, rows: usize) -> Result<DataFrame>;
}

/// The first `wanted` rows, of the named columns or of all.
pub(super) fn head(
    frame: &dyn RemoteFrame,
    names: Option<&[String]>,
    wanted: usize,
) -> Result<Head> {
    // One extra row shows whether there are more.
    let fetched = frame.head(names, wanted + 1)?;
    Ok(match fetched.height() > wanted {
        true => Head {
            frame: fetched.head(Some(wanted)),
            height: Height::MoreThan(wanted, frame.kind()),
        },
        false => Head::whole(fetched),
    })
}
