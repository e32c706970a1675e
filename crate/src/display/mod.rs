//! The only code that prints: what a notebook cell shows, and how it reaches the screen.
//!
//! - [`display`] shows a table or one of the toolkit's own results; [`EvcxrDisplay`] does
//!   the same for the last expression of a cell.
//! - `mime_bundle` is what one thing looks like: HTML, and plain text beside it.
//! - `card` is how small results look; `shared_script` is what an output holds once.
//! - `progress_bar` is how far long work is, in its place.
//! - `escape` makes text from a model harmless in HTML.
//! - `cell` knows which cell is running; `writer` is the one way to standard output.

mod card;
mod cell;
pub(crate) mod escape;
mod mime_bundle;
mod progress_bar;
mod shared_script;
mod show;
mod writer;

pub(crate) use card::card;
pub(crate) use escape::{escaped, push_escaped};
pub use mime_bundle::{MimeBundle, Show};
pub(crate) use mime_bundle::{html_of, stack, text_of};
pub(crate) use progress_bar::ProgressBar;
pub(crate) use shared_script::{LARGEST_OUTPUT, SHARED_BLOCK, dedupe_script, push_data};
pub use show::{EvcxrDisplay, display};
pub(crate) use writer::log_line;
