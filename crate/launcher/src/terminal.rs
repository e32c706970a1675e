//! What the launcher says in its terminal.
//!
//! `println!` panics when the reader has gone (`evenhand run | head`, or a kernel whose Jupyter
//! was killed), and what was under way would be lost with it. Nothing here depends on being read.
//! And a terminal obeys what it shows, while much of that comes from a model, a service or a
//! notebook: all of it passes the library's `text::terminal`. The launcher's own orders to the
//! terminal are in this file alone.

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

/// What `out!` and `err!` do.
pub fn line(mut to: impl Write, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(to, "{}", sanitize(&line.to_string()));
}

/// Prints a line whose colors stay where they are wanted.
pub fn styled_line(mut to: impl Write, line: &str, styled: bool) {
    let _ = writeln!(to, "{}", sanitize_styled(line, styled));
}

/// Begins the terminal's line anew, with a text that is not a line yet.
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
