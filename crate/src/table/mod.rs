//! Data frames as tables: static, escaped, accessible HTML that is complete without any
//! script, so that it looks the same in an untrusted notebook, on GitHub and in e-mail; plus
//! one script that makes the table interactive where scripts run.
//!
//! - `view` describes what to show: a frame, a title, the columns, the number of rows; `preview`
//!   selects the rows, `plan` does so for a `LazyFrame`, which `lazy` makes a table of, and `remote` for a frame on a
//!   server.
//! - `show` shows it.
//! - `kind` and `value` define the kinds of columns and how each value is formatted.
//! - `html` writes the static table, `payload` the data for the script.
//! - `limits` bounds the output; `caption` states how much is shown.
//! - `script` is the script with its style, which an output contains once.
//! - `side_by_side` puts several things side by side.

mod caption;
mod html;
mod kind;
mod lazy;
mod limits;
mod payload;
mod plan;
mod preview;
#[cfg(feature = "spark")]
mod remote;
mod script;
mod show;
mod side_by_side;
mod suggest;
mod value;
mod view;

#[cfg(feature = "spark")]
pub(crate) use remote::RemoteFrame;
pub use side_by_side::{SideBySide, side_by_side};
pub(crate) use suggest::{listed, missing_column, quoted};
pub(crate) use value::time as time_text;
#[cfg(feature = "spark")]
pub(crate) use view::remote_table;
pub use view::{Table, table};

#[cfg(test)]
mod tests;
