//! What a panic prints, and how much of it the reader is shown.
//!
//! Rust prints a panic before it is known whether anything catches it. So the text is held back
//! for a moment: a panic that ends the cell is shown once, as the cell's error with the line that
//! it came from, and any other is printed unchanged. The error has no backtrace: in a cell it
//! shows only evcxr's frames.

use std::time::{Duration, Instant};

/// How long the message and what follows it are held back. Unwinding takes less than that, unless a
/// destructor runs for long.
const HELD: Duration = Duration::from_millis(500);

/// The panics of a cell.
#[derive(Debug, Default)]
pub struct Panic {
    held: Vec<String>,
    since: Option<Instant>,
    /// The start of a line that may be a panic's, or belongs to one.
    partial: String,
    /// Whether the next text continues a line that was printed.
    is_within_a_line: bool,
    /// The message of the panic that ended the cell.
    uncaught: Option<String>,
}

/// A panic that ended a cell.
#[derive(Debug, PartialEq, Eq)]
pub struct Uncaught {
    pub message: String,
    /// File, line and column, as Rust prints them.
    pub place: String,
}

impl Panic {
    /// Takes text of standard error, and returns what is to be printed now.
    pub fn heard(&mut self, text: &str) -> Option<String> {
        let mut printed = String::new();
        if self
            .deadline()
            .is_some_and(|deadline| deadline <= Instant::now())
        {
            printed.extend(self.release());
        }
        let text = std::mem::take(&mut self.partial) + text;
        let mut pieces = text.split_inclusive('\n').peekable();
        while let Some(piece) = pieces.next() {
            let starts = !self.is_within_a_line;
            let is_whole = piece.ends_with('\n');
            // Rust prints an empty line before the message.
            let is_before = piece == "\n" && pieces.peek().is_some_and(|next| may_be_head(next));
            if starts && !is_whole && (!self.held.is_empty() || may_be_head(piece)) {
                self.partial = piece.to_owned();
                self.since.get_or_insert_with(Instant::now);
            } else if starts && (is_before || (is_whole && is_head(piece))) {
                if self.held.last().is_none_or(|last| last != "\n") {
                    printed.extend(self.release());
                }
                self.held.push(piece.to_owned());
                self.since = Some(Instant::now());
            } else if !self.held.is_empty() {
                self.held.push(piece.to_owned());
            } else {
                printed.push_str(piece);
                self.is_within_a_line = !is_whole;
            }
        }
        (!printed.is_empty()).then_some(printed)
    }

    /// The cell ended with a panic.
    pub fn uncaught(&mut self, message: String) {
        self.uncaught = Some(message);
    }

    /// When the held text is to be printed, unless the panic turns out to end the cell.
    pub fn deadline(&self) -> Option<Instant> {
        let waits = self.uncaught.is_none() && !(self.held.is_empty() && self.partial.is_empty());
        self.since.filter(|_| waits).map(|since| since + HELD)
    }

    /// Returns the text that was held back.
    pub fn release(&mut self) -> Option<String> {
        let text = self.held.concat() + &self.partial;
        self.is_within_a_line = !self.partial.is_empty();
        self.held.clear();
        self.partial.clear();
        self.since = None;
        (!text.is_empty()).then_some(text)
    }

    /// Returns what is left to be printed, and the panic that ended the cell.
    pub fn finish(mut self) -> (Option<String>, Option<Uncaught>) {
        let Some(message) = self.uncaught.take() else {
            return (self.release(), None);
        };
        let text = self.held.concat() + &self.partial;
        let (head, rest) = text.trim_start().split_once('\n').unwrap_or((&text, ""));
        let printed = rest.split("stack backtrace:\n").next().unwrap_or_default();
        let place = head
            .rsplit_once(" panicked at ")
            .map_or("", |(_, place)| place);
        let uncaught = Uncaught {
            message: match (message.as_str(), printed.trim_end()) {
                ("", "") => "the cell panicked".to_owned(),
                ("", printed) => printed.to_owned(),
                _ => message,
            },
            place: place.trim_end_matches(':').to_owned(),
        };
        // What destructors print follows the last line of the backtrace.
        let after = text
            .split_once("\nnote: Some details are omitted")
            .and_then(|(_, rest)| rest.split_once('\n'))
            .map(|(_, after)| after.to_owned());
        (after.filter(|after| !after.is_empty()), Some(uncaught))
    }
}

/// Whether a line that is not complete yet may become the head of a panic.
fn may_be_head(piece: &str) -> bool {
    const START: &str = "thread '";
    piece.starts_with(START) || START.starts_with(piece)
}

fn is_head(line: &str) -> bool {
    line.starts_with("thread '") && line.contains(" panicked at ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: [&str; 6] = [
        "\nthread '<unnamed>' (7) panicked at src/lib.rs:3:22:\n",
        "index out of bounds\n",
        "stack backtrace:\n",
        "   0: __rustc::rust_begin_unwind\n",
        "note: Some details are omitted, run with `RUST_BACKTRACE=full` for more.\n",
        "dropped\n",
    ];

    fn heard(lines: &[&str]) -> (Panic, String) {
        let mut panic = Panic::default();
        let printed = lines.iter().filter_map(|line| panic.heard(line)).collect();
        (panic, printed)
    }

    #[test]
    fn a_panic_that_ends_the_cell_is_its_error() {
        let (mut panic, printed) = heard(&[&["before\n"], &PRINTED[..]].concat());
        assert_eq!(printed, "before\n");
        panic.uncaught("index out of bounds".to_owned());
        assert_eq!(panic.deadline(), None);
        let (text, uncaught) = panic.finish();
        assert_eq!(text.as_deref(), Some("dropped\n"));
        let uncaught = uncaught.unwrap();
        assert_eq!(uncaught.message, "index out of bounds");
        assert_eq!(uncaught.place, "src/lib.rs:3:22");
    }

    #[test]
    fn a_panic_in_pieces_is_the_same() {
        let mut panic = Panic::default();
        let text = PRINTED.concat();
        let printed: String = text
            .char_indices()
            .filter_map(|(at, next)| panic.heard(&text[at..at + next.len_utf8()]))
            .collect();
        assert_eq!(printed, "\n");
        panic.uncaught(String::new());
        assert_eq!(panic.finish().1.unwrap().message, "index out of bounds");
    }

    #[test]
    fn text_without_an_end_is_printed_at_once() {
        let mut panic = Panic::default();
        for piece in ["50 %\r", "100 %\r", "\n", "done", " thread 'x"] {
            assert_eq!(panic.heard(piece).as_deref(), Some(piece));
        }
        assert_eq!(panic.deadline(), None);
    }

    #[test]
    fn a_panic_that_something_catches_is_printed_as_it_was() {
        let (mut panic, printed) = heard(&PRINTED);
        assert_eq!(printed, "");
        assert!(panic.deadline().is_some());
        let again = panic.heard(PRINTED[0]);
        assert_eq!(again, Some(PRINTED.concat()));
        assert_eq!(panic.finish(), (Some(PRINTED[0].to_owned()), None));
    }

    #[test]
    fn the_message_is_what_was_printed_if_it_is_no_text() {
        let (mut panic, _) = heard(&PRINTED);
        panic.uncaught(String::new());
        let report = panic.finish().1.unwrap();
        assert_eq!(report.message, "index out of bounds");
        let mut silent = Panic::default();
        silent.uncaught(String::new());
        assert_eq!(silent.finish().1.unwrap().message, "the cell panicked");
    }
}
