//! What the launcher says in its terminal.
//!
//! `println!` panics when the reader has gone (`evenhand run | head`, or a kernel whose Jupyter
//! was killed), and what was under way would be lost with it. Nothing here depends on being read.

use std::io::Write;

/// Prints a line to standard output.
macro_rules! out {
    ($($line:tt)*) => { $crate::terminal::line(std::io::stdout(), format_args!($($line)*)) };
}

/// Prints a line to standard error.
macro_rules! err {
    ($($line:tt)*) => { $crate::terminal::line(std::io::stderr(), format_args!($($line)*)) };
}

/// What `out!` and `err!` do.
pub fn line(mut to: impl Write, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(to, "{line}");
}

/// Shows a text that is not a line yet.
pub fn show(mut to: impl Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
