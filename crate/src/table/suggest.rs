//! Errors for missing columns of tables and charts, with those that the user may have meant.

use polars::prelude::DataFrame;

use crate::error::{Error, ErrorKind};
use crate::text::{grouped, sanitize_line};

/// The maximum number of names listed.
const LISTED: usize = 10;

/// The error for a name that no column has. It lists the existing ones, nearest first.
pub(crate) fn missing_column(frame: &DataFrame, name: &str) -> Error {
    let mut names: Vec<_> = frame
        .columns()
        .iter()
        .map(|column| column.name().as_str())
        .collect();
    // The sort is stable: equally near names stay in the frame's order.
    names.sort_by_cached_key(|other| distance(name, other));
    let hint = match names.is_empty() {
        true => "the frame has no columns".to_owned(),
        false => format!("the columns are, nearest first: {}", listed(&names)),
    };
    let message = format!("there is no column {}", quoted(name));
    Error::new(ErrorKind::Argument, message).with_hint(hint)
}

/// The first ten of these names, and how many more there are.
pub(crate) fn listed(names: &[&str]) -> String {
    let listed: Vec<_> = names.iter().take(LISTED).map(|name| quoted(name)).collect();
    let more = match names.len() - listed.len() {
        0 => String::new(),
        more => format!(" and {} more", grouped(more as u64)),
    };
    format!("{}{more}", listed.join(", "))
}

/// A name as it appears in a message: on one line, and not too long.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", sanitize_line(name, 60))
}

/// How many characters must be inserted, deleted or substituted (Levenshtein 1966), in lower
/// case, over the first 100 characters.
fn distance(a: &str, b: &str) -> usize {
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
    use polars::prelude::Column;

    use super::*;

    #[test]
    fn a_missing_column_names_those_that_exist_nearest_first() {
        let frame = df!["group" => [1], "answer" => [1], "occupation" => [1]].unwrap();
        assert_snapshot!(missing_column(&frame, "Ocupation"), @"
        there is no column `Ocupation`
          hint: the columns are, nearest first: `occupation`, `group`, `answer`
        ");
        assert_snapshot!(missing_column(&DataFrame::empty(), "a\n`\0"), @"
        there is no column `a `�`
          hint: the frame has no columns
        ");
        let many: Vec<_> = (0..5_000)
            .map(|place| Column::new(format!("c{place}").into(), [1]))
            .collect();
        let wide = DataFrame::new(1, many).unwrap();
        assert_snapshot!(missing_column(&wide, "c"), @"
        there is no column `c`
          hint: the columns are, nearest first: `c0`, `c1`, `c2`, `c3`, `c4`, `c5`, `c6`, `c7`, `c8`, `c9` and 4,990 more
        ");
    }

    #[test]
    fn the_distance_is_levenshteins() {
        for (a, b, expected) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "ABC", 0)] {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected));
        }
    }
}
