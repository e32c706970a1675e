//! The only code that prints: what a notebook cell shows, and how it reaches the screen.
//!
//! - [`display`] shows a table or one of the toolkit's own results; [`EvcxrDisplay`] does
//!   the same for the last expression of a cell.
//! - `ask` asks the reader, `bundle` is what one thing looks like: HTML, and plain text beside it.
//! - [`table`] shows data frames, [`side_by_side`] several things in a row; `card` renders the
//!   toolkit's own small results.
//! - `bar` is how far long work is, in its place.
//! - `escape` makes text from a model harmless in HTML.
//! - `cell` knows which cell is running; `writer` is the one way to standard output.

mod ask;
mod bar;
mod bundle;
mod card;
mod cell;
mod escape;
mod show;
mod table;
mod writer;

pub(crate) use bar::Bar;
pub use bundle::{Bundle, Show};
pub(crate) use escape::{escaped, push_escaped};
pub use show::{EvcxrDisplay, display};
pub use table::{SideBySide, Table, side_by_side, table};
pub(crate) use table::{listed, missing, quoted};
pub(crate) use writer::note;
