//! Marks: what a cell reports to the wrapper, in the streams that it prints to.
//!
//! A mark begins with a random token that is new for each kernel, and ends its line. Marks are printed
//! by the generated code around a cell (`evcxr_build/instrument.rs` and `evcxr_build/cell_library`)
//! and by the library, which shows its results this way (its `display::writer` reads the token
//! from the environment; `evenhand::sideband` defines what both must call alike). Text from a model cannot forge a mark.
//!
//! - `pipes`: how the streams reach the wrapper without passing through evcxr.
//! - `reader`: separates marks from text, and bytes from characters.
//! - `orders`: evcxr's own display protocol, where a cell may use it.

mod orders;
pub mod pipes;
mod reader;

use serde_json::Value;

pub use reader::Reader;

/// The variable that names the folder with the pipes.
pub const STREAMS: &str = "EVENHAND_STREAMS";

/// The first character of the token. Text hardly ever contains it, so text that might be the beginning
/// of a mark is hardly ever held back.
pub const FIRST: char = '\u{10}';

/// The file in the build directory whose existence means that marks are read. While evcxr starts,
/// nothing reads them yet, and it waits until everything that its own code prints has been read.
pub const READ: &str = "marks-are-read";

/// A mark.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// The cell's own code begins, in the process with this id.
    Begin(Option<i32>),
    /// Nothing from the cell follows in this stream.
    End,
    /// The cell panicked with this message, which is empty if the payload was not text.
    Panic(String),
    /// The cell returned this error through `?`.
    Error(String),
    /// The cell's last expression is a `Result`, and its value is shown.
    ResultOpened,
    /// Something to show: the type of the message and its content.
    Show(String, Value),
    /// The cell waits for standard input.
    Input,
    /// The cell may read from standard input, which is empty.
    NoInput,
}

/// One of the two streams of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// A part of a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamPart {
    Text(String),
    Mark(Mark),
}
