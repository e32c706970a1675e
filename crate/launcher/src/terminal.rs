//! Output to the terminal.
//!
//! `println!` panics if the reader is gone (`evenhand run | head`, or a kernel whose Jupyter was
//! killed), and work in progress would be lost. Output here never fails. And since a terminal
//! interprets control sequences, while much of the text comes from a model, a service or a
//! notebook, everything is sanitized by the library's `text::terminal`. Only this file contains
//! the launcher's own control sequences.

use std::io::Write;

use evenhand::text::terminal::{sanitize, sanitize_styled};

/// Prints a line to standard output.
macro_rules! out {
    ($($line:tt)*) => { $crate::terminal::line(std::io::stdout(), format_args!($($line)*)) };
}

/// Prints a line to standard error.
macro_rules! err {
    ($($line:tt)*) => { $crate::terminal::line(std::io::stderr(), format_args!($($line)*)) };
}

pub(crate) use {err, out};

/// The function behind `out!` and `err!`.
pub fn line(mut to: impl Write, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(to, "{}", sanitize(&line.to_string()));
}

/// Prints a line, and keeps its colors if `styled`.
pub fn styled_line(mut to: impl Write, line: &str, styled: bool) {
    let _ = writeln!(to, "{}", sanitize_styled(line, styled));
}

/// Replaces the terminal's current line by this text, without a newline.
pub fn replace_line(mut to: impl Write, text: &str) {
    let text = sanitize(text).replace('\n', " ");
    let _ = write!(to, "\r\x1b[2K{text}").and_then(|()| to.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\x1b]0;mine\x07a\rb\u{9b}2J\u{202e}";
    const SHOWN: &str = "�]0;mine�a�b�2J�";

    fn printed(print: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut bytes = Vec::new();
        print(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_is_printed_steers_no_terminal() {
        let printed_line = printed(|to| line(to, format_args!("model {HOSTILE}")));
        assert_eq!(printed_line, format!("model {SHOWN}\n"));
        let replaced = printed(|to| replace_line(to, &format!("{HOSTILE}\nx")));
        assert_eq!(replaced, format!("\r\x1b[2K{SHOWN} x"));
        let styled = format!("\x1b[91merror\x1b[0m: {HOSTILE}");
        let kept = printed(|to| styled_line(to, &styled, true));
        assert_eq!(kept, format!("\x1b[91merror\x1b[0m: {SHOWN}\n"));
        let left_out = printed(|to| styled_line(to, &styled, false));
        assert_eq!(left_out, format!("error: {SHOWN}\n"));
    }

    #[test]
    fn a_reader_that_has_gone_ends_nothing() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
        }
        line(Gone, format_args!("line"));
        styled_line(Gone, "line", true);
        replace_line(Gone, "line");
    }
}
