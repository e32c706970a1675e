//! The occupations as a data frame.

use polars::prelude::{Column, DataFrame};

use super::all;
use crate::error::{Error, ErrorKind, Result};

/// The 60 occupations of [`all`], in its order: `occupation`, `women` (their share, from 0 to 1)
/// and `year`. The figures come from [`SOURCE`](super::SOURCE).
///
/// ```
/// let frame = evenhand::fairness::occupations::frame()?;
/// assert_eq!(frame.shape(), (60, 3));
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// # Errors
/// None that a user could cause.
pub fn frame() -> Result<DataFrame> {
    let all = all();
    let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
    let women: Vec<_> = all.iter().map(|one| one.women).collect();
    let years: Vec<_> = all.iter().map(|one| one.year.map(i32::from)).collect();
    let columns = vec![
        Column::new("occupation".into(), names),
        Column::new("women".into(), women),
        Column::new("year".into(), years),
    ];
    DataFrame::new(all.len(), columns).map_err(|error| {
        let message = "the occupations do not fit into a data frame";
        Error::new(ErrorKind::Display, message).with_source(error)
    })
}
