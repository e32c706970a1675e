//! The only code that prints: what a notebook cell shows, and how it reaches the screen.
//!
//! - [`display`] shows a table or one of the toolkit's own results; [`EvcxrDisplay`] does
//!   the same for the last expression of a cell.
//! - `mime_bundle` represents one result: HTML with a plain text alternative.
//! - `containers`: Rust's own types, alone and with results inside.
//! - `card` displays small results; `shared_script` handles the script that an output contains
//!   once.
//! - `progress_bar` shows the progress of long work, updated in place; `notes` shows a line meanwhile.
//! - `silent` takes the room's place without the feature `notebook`.
//! - `escape` makes text from a model harmless in HTML.
//! - `cell` determines which cell is running; all standard output goes through `writer`.

mod card;
mod cell;
mod containers;
pub(crate) mod escape;
mod mime_bundle;
mod notes;
mod progress_bar;
mod shared_script;
mod show;
mod writer;

pub(crate) use card::card;
pub(crate) use escape::{escaped, push_escaped};
pub use mime_bundle::{MimeBundle, Show};
pub(crate) use mime_bundle::{error_card, html_of, stack, text_of};
pub(crate) use notes::{note_line, note_once};
pub(crate) use progress_bar::ProgressBar;
pub(crate) use shared_script::{MAX_OUTPUT, SHARED_BLOCK, dedupe_script, push_data};
pub use show::{EvcxrDisplay, display};
pub(crate) use writer::log_line;
