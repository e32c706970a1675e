//! The library that every cell calls. It is compiled once, and loaded once by the process that runs
//! the cells, so its statics last as long as that process.
//!
//! - `store`: the variables of a kernel.
//! - `streams`: standard output and standard error, which do not pass through evcxr.
//! - `input`: standard input.
//! - `show`: the value of a cell's last expression.
//!
//! To keep the calling cells small, generic functions only wrap functions that are not generic.

mod input;
pub mod show;
mod store;
mod streams;

use std::any::Any;
use std::fmt::{Arguments, Display};

pub use show::{Opened, send_text_plain};
pub use store::{USER_ERROR_OCCURRED, VARIABLE_CHANGED_TYPE, VariableStore, create_variable_store};
pub use streams::{print, println};

/// The cell's own code begins. `orders` says that the cell's code uses evcxr's display protocol, and
/// `reads` that it may read from standard input.
pub fn begin(token: &str, orders: bool, reads: bool) {
    streams::begin(token, orders);
    input::begin(reads);
}

/// The cell ends: evcxr's orders come through standard input again, and evcxr is told.
pub fn end() {
    input::end();
    streams::end();
}

/// The cell panicked with this payload. The message is empty if the payload is not text.
pub fn panicked(payload: Box<dyn Any + Send>) {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    streams::tell_evcxr("EVCXR_PANIC_NOTIFICATION");
    streams::mark("panic", &escaped(text.unwrap_or_default()));
}

/// The cell left through `?` with this error. Variables that it defined are lost.
pub fn returned(error: Arguments<'_>) {
    streams::tell_evcxr(USER_ERROR_OCCURRED);
    streams::mark("error", &escaped(&error.to_string()));
}

/// The error with which a cell leaves through `?`. It has been reported when it exists.
pub struct UserError;

impl<E: Display> From<E> for UserError {
    fn from(error: E) -> Self {
        returned(format_args!("{error}"));
        UserError
    }
}

/// A newline would end the mark.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}
