//! The caption of a table: how much of the data is shown, and how large it is.

use crate::text::{counted, grouped};

/// How many rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Height {
    Known(usize),
    /// What is named here, such as a `LazyFrame`, has more rows than this. The total is unknown until
    /// it is collected.
    MoreThan(usize, &'static str),
}

/// `100 of 12,345 rows × 3 columns · 1.2 MB`. `note` is placed after the rows.
pub(super) fn caption(
    (shown, height): (usize, Height),
    note: &str,
    (columns, width): (usize, usize),
    bytes: usize,
) -> String {
    format!(
        "{}{note} × {} · {}{}",
        height.rows(shown),
        part(columns, width, "column"),
        size(bytes),
        height.rest()
    )
}

impl Height {
    /// `50 of 60 rows`, `first 50 rows of a LazyFrame`.
    fn rows(self, shown: usize) -> String {
        match self {
            Self::Known(all) => part(shown, all, "row"),
            Self::MoreThan(head, kind) => {
                let of = if shown < head {
                    format!("{} of the ", grouped(shown as u64))
                } else {
                    String::new()
                };
                format!("{of}first {} of {kind}", counted(head, "row"))
            }
        }
    }

    fn rest(self) -> &'static str {
        match self {
            Self::Known(_) => "",
            Self::MoreThan(..) => "; how many there are is not known until it is collected",
        }
    }

    /// The note below the rows if there are more of them.
    pub(super) fn into_note(self) -> Option<String> {
        match self {
            Self::Known(_) => None,
            Self::MoreThan(head, _) => Some(self.rows(head) + self.rest()),
        }
    }
}

fn part(shown: usize, all: usize, thing: &str) -> String {
    match shown < all {
        true => format!("{} of {}", grouped(shown as u64), counted(all, thing)),
        false => counted(all, thing),
    }
}

/// A size in memory, in decimal units (powers of 1,000).
fn size(bytes: usize) -> String {
    let mut value = bytes as f64;
    if value < 1e3 {
        return format!("{bytes} B");
    }
    for unit in ["kB", "MB", "GB"] {
        value /= 1e3;
        if value < 999.5 {
            return format!("{value:.*} {unit}", usize::from(value < 9.95));
        }
    }
    format!("{:.1} TB", value / 1e3)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_caption_tells_what_is_left_out() {
        assert_eq!(
            caption((100, Height::Known(12_345)), "", (3, 3), 1_234_567),
            "100 of 12,345 rows × 3 columns · 1.2 MB"
        );
        assert_eq!(
            caption(
                (10_000, Height::Known(1_234_567)),
                " held here",
                (100, 5_000),
                999
            ),
            "10,000 of 1,234,567 rows held here × 100 of 5,000 columns · 999 B"
        );
        assert_eq!(
            caption((1, Height::Known(1)), "", (1, 1), 8),
            "1 row × 1 column · 8 B"
        );
    }

    #[test]
    fn a_number_of_rows_that_nobody_knows_is_not_told() {
        let height = Height::MoreThan(10_000, "a LazyFrame");
        assert_snapshot!(caption((50, height), "", (3, 3), 8_000), @"50 of the first 10,000 rows of a LazyFrame × 3 columns · 8.0 kB; how many there are is not known until it is collected");
        assert_snapshot!(caption((10_000, height), " held here", (100, 200), 8_000), @"first 10,000 rows of a LazyFrame held here × 100 of 200 columns · 8.0 kB; how many there are is not known until it is collected");
        assert_snapshot!(Height::MoreThan(1, "a LazyFrame").into_note().unwrap(), @"first 1 row of a LazyFrame; how many there are is not known until it is collected");
        assert_eq!(Height::Known(1).into_note(), None);
    }

    #[test]
    fn sizes_keep_two_digits() {
        let sizes = [
            1_000,
            9_949,
            9_950,
            999_499,
            999_500,
            1_600_000_000,
            5_000_000_000_000,
        ];
        assert_eq!(
            sizes.map(size),
            [
                "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "1.6 GB", "5.0 TB"
            ]
        );
    }
}
