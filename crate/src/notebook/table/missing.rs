//! A column that is not there, and those that the reader may have meant.

use polars::prelude::DataFrame;

use crate::error::{Error, ErrorKind};

/// So many names are told.
const TOLD: usize = 20;

/// The error for a name that no column has. It lists those that exist, nearest first.
pub(super) fn column(name: &str, frame: &DataFrame) -> Error {
    let mut names: Vec<_> = frame
        .columns()
        .iter()
        .map(|column| column.name().as_str())
        .collect();
    // The sort is stable: what is as near stays in the frame's order.
    names.sort_by_cached_key(|other| distance(name, other));
    let rest = names.len().saturating_sub(TOLD);
    names.truncate(TOLD);
    let more = match rest {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    let hint = match names.is_empty() {
        true => "the frame has no columns".to_owned(),
        false => format!("there are, nearest first: `{}`{more}", names.join("`, `")),
    };
    Error::new(ErrorKind::Display, format!("there is no column `{name}`")).with_hint(hint)
}

/// How many letters have to be put in, taken away or changed (Levenshtein 1966), in lower
/// case, over the first 100 letters.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| -> Vec<char> {
        let lower = text.chars().flat_map(char::to_lowercase);
        lower.take(100).collect()
    };
    let (a, b) = (letters(a), letters(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use polars::df;

    use super::*;

    #[test]
    fn a_slip_finds_its_column() {
        let frame = df!["group" => [1], "answer" => [1], "occupation" => [1]].unwrap();
        assert_snapshot!(column("Ocupation", &frame), @"
        there is no column `Ocupation`
          hint: there are, nearest first: `occupation`, `group`, `answer`
        ");
        assert_snapshot!(column("a", &DataFrame::empty()), @"
        there is no column `a`
          hint: the frame has no columns
        ");
    }

    #[test]
    fn the_distance_is_levenshteins() {
        for (a, b, expected) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "ABC", 0)] {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected));
        }
    }
}
