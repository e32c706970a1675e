//! What the user can do about rows that failed: each hint once, with the number of its rows.

use evenhand::batch::Row;
use evenhand::{Error, ErrorKind};

/// How many different hints are kept. Rows seldom fail for more reasons.
const MOST: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Hints(Vec<(String, usize)>);

impl Hints {
    /// Counts the hint of a row's error, if it has one. Rows that were only stopped need none.
    pub(super) fn add(&mut self, row: &Row) {
        let error = row.outcome.as_ref().err();
        let error = error.filter(|error| error.kind() != ErrorKind::Cancelled);
        if let Some(hint) = error.and_then(Error::hint) {
            self.count(hint);
        }
    }

    fn count(&mut self, hint: &str) {
        if let Some((_, count)) = self.0.iter_mut().find(|(known, _)| known == hint) {
            *count += 1;
        } else if self.0.len() < MOST {
            self.0.push((hint.to_owned(), 1));
        }
    }

    /// The hints as lines.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(hint, count)| match count {
            1 => format!("hint for 1 row: {hint}"),
            count => format!("hint for {count} rows: {hint}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hint_is_told_once() {
        let mut hints = Hints::default();
        (0..3).for_each(|_| hints.count("reword the prompt"));
        (0..9).for_each(|number| hints.count(&format!("try {number}")));
        let lines: Vec<_> = hints.lines().collect();
        assert_eq!(lines.len(), MOST);
        assert_eq!(lines[0], "hint for 3 rows: reword the prompt");
        assert_eq!(lines[1], "hint for 1 row: try 0");
    }
}
