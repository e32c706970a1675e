//! Reading CSV files that people made in a spreadsheet.

use crate::error::{Error, ErrorKind, Result};
use crate::text::sanitize_line;

/// The separators that spreadsheets write.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

/// A line, with its number in the file, counted from 1.
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) cells: Vec<String>,
}

/// The text of a file: UTF-8 with or without a byte order mark, or UTF-16 with one, which Excel
/// writes as 'Unicode text'. Bytes of another encoding become `�`.
pub(super) fn decoded(bytes: &[u8]) -> String {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units = bytes.get(2..).unwrap_or_default().chunks_exact(2);
        let units = units.map(|pair| unit([pair[0], pair[1]]));
        String::from_utf16_lossy(&units.collect::<Vec<_>>())
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The lines of a CSV text that are not empty, split at the separator that gives the first line the
/// most cells. A first line `sep=;` states it.
///
/// # Errors
/// A quotation mark without its counterpart. `file` is its name in messages.
pub(super) fn parse_lines(text: &str, file: &str) -> Result<Vec<Line>> {
    let first = text.lines().next().unwrap_or_default();
    let stated = first.trim().strip_prefix("sep=");
    if let Some(separator) = stated.and_then(|rest| rest.chars().next()) {
        let mut lines = split(text, separator, file)?;
        lines.retain(|line| line.number > 1);
        return Ok(lines);
    }
    let cells = |separator: char| {
        split(first, separator, file)
            .map_or(1, |lines| lines.first().map_or(1, |line| line.cells.len()))
    };
    let mut best = (SEPARATORS[0], 0);
    for separator in SEPARATORS {
        let cells = cells(separator);
        if cells > best.1 {
            best = (separator, cells);
        }
    }
    split(text, best.0, file)
}

/// Splits a text as RFC 4180 says, with any line ending.
fn split(text: &str, separator: char, file: &str) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let (mut number, mut begun) = (1, 1);
    let mut quote_opened_in: Option<usize> = None;
    let mut letters = text.chars().peekable();
    let mut end_line = |cells: &mut Vec<String>, cell: &mut String, begun: usize| {
        cells.push(std::mem::take(cell));
        let cells = std::mem::take(cells);
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            lines.push(Line {
                number: begun,
                cells,
            });
        }
    };
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quote_opened_in.is_some() => {
                if letters.next_if_eq(&'"').is_some() {
                    cell.push('"');
                } else {
                    quote_opened_in = None;
                }
            }
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quote_opened_in = Some(number);
            }
            '\r' | '\n' => {
                if letter == '\r' {
                    letters.next_if_eq(&'\n');
                }
                number += 1;
                if quote_opened_in.is_some() {
                    cell.push('\n');
                } else {
                    end_line(&mut cells, &mut cell, begun);
                    begun = number;
                }
            }
            letter if letter == separator && quote_opened_in.is_none() => {
                cells.push(std::mem::take(&mut cell));
            }
            letter => cell.push(letter),
        }
    }
    if let Some(opened) = quote_opened_in {
        let message = format!(
            "{}, line {opened}: a quotation mark is never closed",
            sanitize_line(file, 200)
        );
        return Err(Error::new(ErrorKind::Argument, message)
            .with_hint("save the sheet again as CSV from the spreadsheet"));
    }
    end_line(&mut cells, &mut cell, begun);
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        let lines = parse_lines(text, "a.csv").unwrap();
        lines.into_iter().map(|line| line.cells).collect()
    }

    #[test]
    fn every_spreadsheet_s_csv_is_read() {
        let expected = [
            vec!["row", "answer", "label"],
            vec!["b", "x, \"y\"\nz", "male"],
        ];
        for text in [
            "row,answer,label\r\nb,\"x, \"\"y\"\"\nz\",male\r\n",
            "row;answer;label\nb;\"x, \"\"y\"\"\r\nz\";male\n\n;;\n",
            "row\tanswer\tlabel\rb\t\"x, \"\"y\"\"\rz\"\tmale",
            "sep=|\nrow|answer|label\nb| \"x, \"\"y\"\"\nz\"|male",
        ] {
            assert_eq!(cells(text), expected, "{text:?}");
        }
        let number = |text| parse_lines(text, "a.csv").unwrap()[1].number;
        assert_eq!(number("row,label\n\n\"b\nc\",male"), 3);
        assert!(cells("").is_empty());
    }

    #[test]
    fn every_encoding_with_a_mark_is_read() {
        for (bytes, text) in [
            (b"\xef\xbb\xbfrow".as_slice(), "row"),
            (b"\xff\xfer\0o\0w\0", "row"),
            (b"\xfe\xff\0r\0o\0w", "row"),
            (b"caf\xe9", "caf\u{fffd}"),
        ] {
            assert_eq!(decoded(bytes), text);
        }
    }

    #[test]
    fn a_quotation_mark_alone_is_named() {
        let error = parse_lines("row,label\nb,\"male\n", "a.csv")
            .map(|_| ())
            .unwrap_err();
        insta::assert_snapshot!(error, @"
        a.csv, line 2: a quotation mark is never closed
          hint: save the sheet again as CSV from the spreadsheet
        ");
    }
}
