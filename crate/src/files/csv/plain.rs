//! Rows as almost all files have them, in one pass over their bytes.
//!
//! polars' reader goes over them byte by byte unless it is compiled with an unstable compiler. In a cell, it
//! alone takes 1.8 times as long for a file of 1 GB as polars in Python, and 2.1 times lazily with a filter;
//! with this, 0.7 and 0.8 times (`cargo bench --bench files`). Whatever is unusual is left to it: rows of
//! another width, blank lines, quotation marks within a field, values that are not of their column's type.

use polars::prelude::{Column, DataFrame, Schema};

use super::records::QUOTE;
use crate::files::cells::Cells;
use crate::files::words;

/// The columns of these rows, which begin with a row, or `None` if one of them is unusual.
pub(super) fn parse(
    bytes: &[u8],
    separator: u8,
    schema: &Schema,
    projection: Option<&[usize]>,
) -> Option<DataFrame> {
    if matches!(separator, QUOTE | b'\n' | b'\r') {
        return None;
    }
    let mut scanner = Scanner {
        text: std::str::from_utf8(bytes).ok()?,
        at: 0,
        separator,
        unescaped: String::new(),
    };
    let is_kept = |at: usize| projection.is_none_or(|places| places.binary_search(&at).is_ok());
    // Each row has at least what ends its fields.
    let most = words::count(bytes, b'\n').min(bytes.len() / schema.len().max(1)) + 1;
    let mut columns: Vec<Option<Cells>> = (0..schema.len())
        .zip(schema.iter_values())
        .map(|(at, kind)| is_kept(at).then(|| Cells::new(kind, most)))
        .collect();
    let last = columns.len().checked_sub(1)?;
    let mut rows = 0;
    while let Some(first) = bytes.get(scanner.at) {
        // It may be a blank line, which is no row.
        if matches!(first, b'\n' | b'\r') {
            return None;
        }
        for (at, cells) in columns.iter_mut().enumerate() {
            scanner.field(cells.as_mut(), at == last)?;
        }
        rows += 1;
    }
    let columns = columns.into_iter().zip(schema.iter_names());
    let columns: Vec<Column> = columns
        .filter_map(|(cells, name)| Some(cells?.finish(name.clone())))
        .collect();
    DataFrame::new(rows, columns).ok()
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    separator: u8,
    unescaped: String,
}

impl Scanner<'_> {
    /// Reads the field that begins here, and goes on behind it.
    fn field(&mut self, cells: Option<&mut Cells>, is_last: bool) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        if rest.first() == Some(&QUOTE) {
            return self.quoted(cells, is_last);
        }
        let separator = self.separator;
        let length = words::before(rest, |word| {
            words::equal(word, separator) | words::equal(word, b'\n') | words::equal(word, QUOTE)
        });
        let field = &self.text[self.at..self.at + length];
        self.at += length;
        self.end(is_last)?;
        let field = field
            .strip_suffix('\r')
            .filter(|_| is_last)
            .unwrap_or(field);
        match cells {
            Some(cells) if field.is_empty() => cells.push_null(),
            Some(cells) => cells.push_cell(field)?,
            None => {}
        }
        Some(())
    }

    /// Reads a field in quotation marks, in which a mark is written twice.
    fn quoted(&mut self, cells: Option<&mut Cells>, is_last: bool) -> Option<()> {
        let bytes = self.text.as_bytes();
        let begin = self.at + 1;
        self.at = begin;
        let mut has_quotes = false;
        loop {
            self.at += words::before(&bytes[self.at..], |word| words::equal(word, QUOTE));
            if bytes.get(self.at + 1) != Some(&QUOTE) {
                break;
            }
            has_quotes = true;
            self.at += 2;
        }
        let inner = self.text.get(begin..self.at)?;
        bytes.get(self.at)?;
        self.at += 1;
        if is_last && bytes.get(self.at) == Some(&b'\r') {
            self.at += 1;
        }
        self.end(is_last)?;
        let Some(cells) = cells else {
            return Some(());
        };
        if !has_quotes {
            return cells.push_cell(inner);
        }
        self.unescaped.clear();
        let mut rest = inner;
        while !rest.is_empty() {
            let end = words::before(rest.as_bytes(), |word| words::equal(word, QUOTE));
            let end = rest.len().min(end + 1);
            self.unescaped.push_str(&rest[..end]);
            // The second of the two marks.
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        cells.push_cell(&self.unescaped)
    }

    /// Goes on behind what ends a field.
    fn end(&mut self, is_last: bool) -> Option<()> {
        let end = self.text.as_bytes().get(self.at);
        let is_right = match is_last {
            true => end.is_none_or(|end| *end == b'\n'),
            false => end == Some(&self.separator),
        };
        self.at += 1;
        is_right.then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Csv;
    use super::*;
    use crate::files::lazy::Rows;

    /// What is read here and what polars reads of a file with these columns and rows.
    fn both(
        header: &str,
        rows: &str,
        projection: Option<&[usize]>,
    ) -> (Option<DataFrame>, Option<DataFrame>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, format!("{header}\n{rows}")).unwrap();
        let Ok(file) = Csv::new(path).open() else {
            return (None, None);
        };
        let schema = file.schema();
        let plain = parse(rows.as_bytes(), file.head.separator, &schema, projection);
        (plain, file.parse_bytes(rows.as_bytes(), projection).ok())
    }

    #[test]
    fn usual_rows_are_read_here() {
        let rows =
            "1,-0.5,\"a, \"\"b\"\"\",true\r\n\"2\",1e3,\"\",\n,,,false\n3,4,\"c\nd\",\"true\"";
        let (plain, polars) = both("n,x,text,is", rows, None);
        assert_eq!(plain.as_ref().unwrap().height(), 4);
        assert!(plain.unwrap().equals_missing(&polars.unwrap()));
        let (plain, polars) = both("n,x,text,is", rows, Some(&[1, 3]));
        assert_eq!(plain.as_ref().unwrap().width(), 2);
        assert!(plain.unwrap().equals_missing(&polars.unwrap()));
    }

    #[test]
    fn unusual_rows_are_left_to_polars() {
        for rows in [
            "1\n",
            "1,2,3\n",
            "1,a\n\n",
            "\r\n1,a\n",
            "1,a\"b\"\n",
            "1,\"a\"b\n",
            "1,\"a\n",
        ] {
            assert!(both("n,text", rows, None).0.is_none(), "{rows:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_here_is_what_polars_reads(
            rows in r#"((-?[0-9]{0,3}|"[0-9]"|0\.5|NaN|\+1| 1)[,;](a|é|"b""c"|"d,
    "|""|"|x y){0,2}[,;](true|false|"true"|1)?(\n|\r\n)){0,5}"#,
            projection in proptest::option::of(proptest::sample::subsequence(vec![0, 1, 2], 1..3)),
        ) {
            let (plain, polars) = both("n,text,is", &rows, projection.as_deref());
            if let Some(plain) = plain {
                let polars = polars.unwrap();
                prop_assert!(plain.equals_missing(&polars), "{plain} {polars}");
            }
        }
    }
}
