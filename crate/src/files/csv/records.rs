//! Records and fields of CSV in bytes: what polars' reader does not tell about its errors.

use std::borrow::Cow;

use crate::files::words;

pub(super) const QUOTE: u8 = b'"';

/// A row of a CSV file: one line, or several if a quoted field contains line ends.
pub(super) struct Record<'a> {
    /// Where it begins in the bytes.
    pub(super) offset: usize,
    bytes: &'a [u8],
    separator: u8,
}

impl<'a> Record<'a> {
    /// The fields as written, with their quotes.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let separator = self.separator;
        let mut is_quoted = false;
        self.bytes.split(move |byte| {
            is_quoted ^= *byte == QUOTE;
            *byte == separator && !is_quoted
        })
    }

    pub(super) fn is_blank(&self) -> bool {
        self.bytes.trim_ascii().is_empty()
    }
}

/// What a field says, without its quotes.
pub(super) fn content(field: &[u8]) -> Cow<'_, str> {
    let inner = field
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    match inner {
        Some(inner) => match String::from_utf8_lossy(inner) {
            text if text.contains("\"\"") => text.replace("\"\"", "\"").into(),
            text => text,
        },
        None => String::from_utf8_lossy(field),
    }
}

/// The records in these bytes.
pub(super) fn records(bytes: &[u8], separator: u8) -> impl Iterator<Item = Record<'_>> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(offset..).filter(|rest| !rest.is_empty())?;
        let end = first_row_end(rest).unwrap_or(rest.len());
        let line = &rest[..end];
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let record = Record {
            offset,
            bytes: line.strip_suffix(b"\r").unwrap_or(line),
            separator,
        };
        offset += end;
        Some(record)
    })
}

/// The bytes without the lines that are blank, if there are any.
pub(super) fn without_blank_lines(bytes: &[u8], separator: u8) -> Option<Vec<u8>> {
    let mut starts: Vec<_> = records(bytes, separator)
        .map(|record| (record.offset, record.is_blank()))
        .collect();
    if !starts.iter().any(|(_, is_blank)| *is_blank) {
        return None;
    }
    starts.push((bytes.len(), true));
    let kept = starts.windows(2).filter(|pair| !pair[0].1);
    Some(
        kept.flat_map(|pair| &bytes[pair[0].0..pair[1].0])
            .copied()
            .collect(),
    )
}

/// The length of the first row with its line end, if it has one.
pub(super) fn first_row_end(bytes: &[u8]) -> Option<usize> {
    let mut is_quoted = false;
    let end = bytes.iter().position(|byte| {
        is_quoted ^= *byte == QUOTE;
        *byte == b'\n' && !is_quoted
    });
    end.map(|end| end + 1)
}

/// The length of the whole rows at the beginning of these bytes, which begin with a row.
pub(super) fn last_row_end(bytes: &[u8]) -> Option<usize> {
    let mut is_quoted = words::count(bytes, QUOTE) % 2 == 1;
    let end = bytes.iter().rposition(|byte| {
        if *byte == b'\n' && !is_quoted {
            return true;
        }
        is_quoted ^= *byte == QUOTE;
        false
    });
    end.map(|end| end + 1)
}

/// Where the first row begins in which a quotation mark neither begins nor ends a field, as in
/// `12" screen`, or in which a quoted field is never closed.
pub(super) fn row_with_loose_quote(bytes: &[u8], separator: u8) -> Option<usize> {
    odd_row(bytes, separator, true)
}

/// Where the first row begins in which a quoted field is followed by more text, as in `"a \"b\""`.
pub(super) fn row_with_text_behind_quote(bytes: &[u8], separator: u8) -> Option<usize> {
    odd_row(bytes, separator, false)
}

/// The first row with text behind a quoted field, or with any other quotation mark that is loose.
fn odd_row(bytes: &[u8], separator: u8, or_loose: bool) -> Option<usize> {
    enum In {
        Start,
        Plain { quotes: usize },
        Quoted,
        Ended,
    }
    let (mut row, mut place) = (0, In::Start);
    for (at, byte) in bytes.iter().enumerate() {
        let ends = *byte == separator || *byte == b'\n';
        place = match place {
            In::Start if *byte == QUOTE => In::Quoted,
            In::Ended if *byte == QUOTE => In::Quoted,
            In::Quoted if *byte == QUOTE => In::Ended,
            In::Quoted => In::Quoted,
            In::Plain { quotes } if ends && or_loose && quotes % 2 == 1 => return Some(row),
            In::Start | In::Plain { .. } | In::Ended if ends => {
                if *byte == b'\n' {
                    row = at + 1;
                }
                In::Start
            }
            In::Ended if *byte == b'\r' => In::Ended,
            In::Ended => return Some(row),
            In::Plain { quotes } => In::Plain {
                quotes: quotes + usize::from(*byte == QUOTE),
            },
            In::Start => In::Plain { quotes: 0 },
        };
    }
    match place {
        In::Quoted if or_loose => Some(row),
        In::Plain { quotes } if or_loose && quotes % 2 == 1 => Some(row),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_ends_outside_of_quotes() {
        let bytes = b"a,\"b\r\n\"\"c\"\"\",\r\n\n1;2\n";
        let rows: Vec<Vec<_>> = records(bytes, b',')
            .map(|record| {
                record
                    .fields()
                    .map(|field| content(field).into_owned())
                    .collect()
            })
            .collect();
        assert_eq!(rows, [vec!["a", "b\r\n\"c\"", ""], vec![""], vec!["1;2"]]);
    }

    #[test]
    fn blank_lines_are_taken_out_unless_they_are_quoted() {
        assert_eq!(without_blank_lines(b"a,b\n\"c\n\n\",d", b','), None);
        let without = without_blank_lines(b"\na,b\r\n\r\n \nc,d\n\n", b',');
        assert_eq!(without.unwrap(), b"a,b\r\nc,d\n");
    }

    #[test]
    fn a_loose_quotation_mark_is_found_where_it_stands() {
        for (text, row) in [
            ("a,\"b\"\n1,12\" wide\n2,\"c\"\n", Some(6)),
            ("a,b\n\"c\"d,e\n\"f\",g\n", Some(4)),
            ("a,b\n1,\"c\n2,d\n", Some(4)),
            ("a\n1\n2\"", Some(4)),
            ("a, \"b\"\r\n\"c \"\"d\"\"\r\n\",\"\"\r\n", None),
        ] {
            assert_eq!(row_with_loose_quote(text.as_bytes(), b','), row, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn an_odd_number_of_quotation_marks_has_a_row(text in "[a\",\r\n]{0,60}") {
            let row = row_with_loose_quote(text.as_bytes(), b',');
            let is_odd = text.bytes().filter(|byte| *byte == QUOTE).count() % 2 == 1;
            prop_assert!(!is_odd || row.is_some());
        }

        #[test]
        fn whole_rows_and_the_rest_are_all_bytes(text in "[a\",\r\n]{0,60}") {
            let bytes = text.as_bytes();
            let mut end = 0;
            while let Some(length) = first_row_end(&bytes[end..]) {
                end += length;
            }
            prop_assert_eq!(last_row_end(bytes).unwrap_or_default(), end);
            let starts: Vec<_> = records(bytes, b',').map(|record| record.offset).collect();
            prop_assert!(starts.is_sorted() && starts.first().is_none_or(|first| *first == 0));
        }
    }
}
