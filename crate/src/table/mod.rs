//! Data frames as tables: static, escaped, accessible HTML that is complete without any
//! script, so that it reads the same in an untrusted notebook, on GitHub and in e-mail; then
//! one script that makes it a table to work with, where scripts run.
//!
//! - `view` is what is to be shown: a frame, a title, the columns, the number of rows; `preview`
//!   is the rows that this comes to, and `lazy` those of a `LazyFrame`.
//! - `kind` and `value` say what a column is and how each of its values reads.
//! - `html` writes the static table, `payload` what the script works on.
//! - `limits` are what the output keeps to, `caption` says it.
//! - `script` is the script with its style, which an output holds once.
//! - `side_by_side` puts several things side by side.

mod caption;
mod html;
mod kind;
mod lazy;
mod limits;
mod payload;
mod preview;
mod script;
mod side_by_side;
mod suggest;
mod value;
mod view;

pub use side_by_side::{SideBySide, side_by_side};
pub(crate) use suggest::{listed, missing, quoted};
pub use view::{Table, table};

#[cfg(test)]
mod tests;
