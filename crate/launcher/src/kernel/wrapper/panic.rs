//! What a panic prints, and how much of it the reader is shown.
//!
//! Rust prints a panic before it is known whether anything catches it. So the text is held back
//! for a moment: a panic that ends the cell is shown once, as the cell's error with the line that
//! it came from, and any other is printed unchanged. The error has no backtrace: in a cell it
//! shows only evcxr's frames.

use std::time::{Duration, Instant};

use super::error::CellError;

/// How long printed lines are held back after the last one. Unwinding takes less than that,
/// unless a destructor runs for long.
const HELD: Duration = Duration::from_millis(500);

/// The file of the generated code of all cells.
const GENERATED: &str = "src/lib.rs";

/// The panics of a cell.
#[derive(Debug, Default)]
pub struct Panic {
    held: Vec<String>,
    since: Option<Instant>,
    /// The message of the panic that ended the cell.
    uncaught: Option<String>,
}

/// A panic that ended a cell.
#[derive(Debug, PartialEq, Eq)]
pub struct Uncaught {
    message: String,
    /// File, line and column, as Rust prints them.
    place: String,
}

impl Panic {
    /// Takes a line of standard error, and returns what is to be printed now.
    pub fn heard(&mut self, line: String) -> Option<String> {
        if is_head(&line) {
            let before = self.release();
            self.held.push(line);
            self.since = Some(Instant::now());
            return before;
        }
        if self.held.is_empty() {
            return Some(line);
        }
        self.held.push(line);
        self.since = Some(Instant::now());
        None
    }

    /// The cell ended with a panic.
    pub fn uncaught(&mut self, message: String) {
        self.uncaught = Some(message);
    }

    /// When the held text is to be printed, unless the panic turns out to end the cell.
    pub fn deadline(&self) -> Option<Instant> {
        let waits = self.uncaught.is_none() && !self.held.is_empty();
        self.since.filter(|_| waits).map(|since| since + HELD)
    }

    /// Returns the text that was held back.
    pub fn release(&mut self) -> Option<String> {
        let text = self.held.concat();
        self.held.clear();
        (!text.is_empty()).then_some(text)
    }

    /// Returns what is left to be printed, and the panic that ended the cell.
    pub fn finish(mut self) -> (Option<String>, Option<Uncaught>) {
        let Some(message) = self.uncaught.take() else {
            return (self.release(), None);
        };
        let text = self.held.concat();
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

impl Uncaught {
    /// The cell's error, with the reader's line if it can be found in the generated code.
    pub fn error(self, cell: &str, generated: &str) -> CellError {
        let mut error = CellError::new("panic", self.message);
        let mut place = self.place.splitn(3, ':');
        let (file, number) = (place.next().unwrap_or_default(), place.next());
        let line = number
            .and_then(|number| number.parse::<usize>().ok())
            .filter(|_| file == GENERATED)
            .and_then(|number| generated.lines().nth(number.checked_sub(1)?))
            .map(str::trim);
        match line {
            Some(line) => {
                let at = cell.lines().position(|own| own.trim() == line);
                let at = at.or_else(|| cell.lines().position(|own| own.contains(line)));
                match at {
                    Some(at) => {
                        error
                            .traceback
                            .push(format!("  at line {} of this cell:", at + 1));
                        let own = cell.lines().nth(at).unwrap_or(line);
                        error.traceback.push(format!("{:>4} | {own}", at + 1));
                    }
                    None => {
                        error
                            .traceback
                            .push("  in the code of an earlier cell:".to_owned());
                        error.traceback.push(format!("     | {line}"));
                    }
                }
            }
            None if !self.place.is_empty() => error.traceback.push(format!("  at {}", self.place)),
            None => {}
        }
        error
    }
}

fn is_head(line: &str) -> bool {
    line.trim_start().starts_with("thread '") && line.contains(" panicked at ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

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
        let printed = lines
            .iter()
            .filter_map(|line| panic.heard((*line).to_owned()))
            .collect();
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
        let generated = "#![allow(dead_code)]\nmod x;\nlet n = v[7];\n";
        let error = uncaught
            .unwrap()
            .error("let v = vec![1];\n  let n = v[7];", generated);
        assert_snapshot!(error.traceback.join("\n").replace('\u{1b}', "ESC"), @"
        ESC[91mpanicESC[0m: index out of bounds
          at line 2 of this cell:
           2 |   let n = v[7];
        ");
    }

    #[test]
    fn a_panic_elsewhere_says_where() {
        let error = |place: &str, generated: &str| {
            let uncaught = Uncaught {
                message: "no".to_owned(),
                place: place.to_owned(),
            };
            uncaught.error("f()", generated).traceback[1..].join("\n")
        };
        assert_snapshot!(error("src/lib.rs:1:9", "fn f() { panic!() }"), @"
          in the code of an earlier cell:
             | fn f() { panic!() }
        ");
        assert_snapshot!(error("/x/polars/lib.rs:1:9", "f()"), @"  at /x/polars/lib.rs:1:9");
        assert_eq!(error("", ""), "");
        assert_eq!(error("src/lib.rs:0:1", "f()"), "  at src/lib.rs:0:1");
    }

    #[test]
    fn a_panic_that_something_catches_is_printed_as_it_was() {
        let (mut panic, printed) = heard(&PRINTED);
        assert_eq!(printed, "");
        assert!(panic.deadline().is_some());
        let again = panic.heard(PRINTED[0].to_owned());
        assert_eq!(again, Some(PRINTED.concat()));
        assert_eq!(panic.finish(), (Some(PRINTED[0].to_owned()), None));
    }

    #[test]
    fn the_message_is_what_was_printed_if_it_is_no_text() {
        let (mut panic, _) = heard(&PRINTED);
        panic.uncaught(String::new());
        let said = panic.finish().1.unwrap();
        assert_eq!(said.message, "index out of bounds");
        let mut silent = Panic::default();
        silent.uncaught(String::new());
        assert_eq!(silent.finish().1.unwrap().message, "the cell panicked");
    }
}
