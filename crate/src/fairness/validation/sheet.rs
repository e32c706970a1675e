//! The sheet that people fill in: a CSV file that spreadsheets open.

use std::fs::OpenOptions;
use std::io::{ErrorKind as IoKind, Write};
use std::path::Path;

use super::labels::is_empty_sheet;
use super::{LABEL, LabelSample, ROW};
use crate::error::{Error, ErrorKind, Result};
use crate::text::{sanitize_line, without_formulas};

/// With it, Excel takes the file as UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

impl LabelSample {
    /// The sheet: a CSV file (RFC 4180, with a byte order mark) with the columns `row`, `answer` and
    /// `label`, the last one empty. Its head lists the possible labels.
    ///
    /// The answers come from a model, and a spreadsheet computes what looks like a formula, which
    /// can even start programs. So each answer is written on one line, and an apostrophe is placed
    /// before what begins with `=`, `+`, `-` or `@`, at its beginning and after each character at which a
    /// spreadsheet might split it (comma, semicolon, vertical bar). Invisible characters are shown as `�`.
    pub fn to_csv(&self) -> String {
        let mut csv = BYTE_ORDER_MARK.to_owned();
        let label = format!("{LABEL} ({})", self.classes().join(" / "));
        push_line(&mut csv, [ROW, "answer", &harmless(&label)]);
        for row in self.rows() {
            push_line(&mut csv, [&row.name, &harmless(&row.text), ""]);
        }
        csv
    }

    /// Writes the sheet to a file, for one or two people to fill in and send back. With two people,
    /// give each a copy, or add a second column whose name begins with `label`.
    ///
    /// A sheet that is already there is replaced if it has no label.
    ///
    /// # Errors
    /// The file exists and has labels, or is not a sheet; or it can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let (path, csv) = (path.as_ref(), self.to_csv());
        let failed = |error: std::io::Error| {
            let message = format!("the sheet can't be written to {}", path.display());
            Error::new(ErrorKind::Io, message).with_source(error)
        };
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(mut file) => file.write_all(csv.as_bytes()).map_err(failed),
            Err(error) if error.kind() == IoKind::AlreadyExists => {
                if is_empty_sheet(path) {
                    return std::fs::write(path, csv).map_err(failed);
                }
                let message = format!(
                    "{} exists and is not an empty sheet: labels in it would be lost",
                    path.display()
                );
                Err(Error::new(ErrorKind::Io, message)
                    .with_hint("save the sheet under another name, or remove that file"))
            }
            Err(error) => Err(failed(error)),
        }
    }
}

fn push_line(csv: &mut String, cells: [&str; 3]) {
    let quoted = cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
    csv.push_str(&quoted.join(","));
    csv.push_str("\r\n");
}

/// A text on one line that no spreadsheet computes, at whichever separator it splits lines.
fn harmless(text: &str) -> String {
    let line = sanitize_line(text, usize::MAX);
    without_formulas(&line, &[',', ';', '|']).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::harmless;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, written) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("  @SUM(A1)", "'@SUM(A1)"),
            ("\t-2+3", "'-2+3"),
            ("She earns 5; =1+1", "She earns 5;' =1+1"),
            ("She, -1", "She,' -1"),
            ("\"=1+1\"", "'\"=1+1\""),
            ("a\n=HYPERLINK(\"http://x\")", "a =HYPERLINK(\"http://x\")"),
            ("a mother-in-law + 2 = 3", "a mother-in-law + 2 = 3"),
        ] {
            assert_eq!(harmless(text), written);
        }
    }

    proptest! {
        #[test]
        fn at_no_separator_a_cell_begins_as_a_formula(text in "[ =+@,;|a\"'\n\t-]{0,40}") {
            let written = harmless(&text);
            prop_assert!(!written.contains(['\n', '\r', '\t']));
            for separator in [',', ';', '|', '\u{0}'] {
                for cell in written.split(separator) {
                    let first = cell.trim_start_matches([' ', '"']).chars().next();
                    prop_assert!(!first.is_some_and(|first| "=+-@".contains(first)), "{written}");
                }
            }
        }
    }
}
