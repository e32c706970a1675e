//! What a table says of itself: how much of the frame is shown, and how large that is.

use crate::client::text::grouped;

/// `100 of 12,345 rows × 3 columns · 1.2 MB`. `note` stands after the rows.
pub(super) fn caption(
    (shown, height): (usize, usize),
    note: &str,
    (columns, width): (usize, usize),
    bytes: usize,
) -> String {
    format!(
        "{}{note} × {} · {}",
        part(shown, height, "row"),
        part(columns, width, "column"),
        size(bytes)
    )
}

fn part(shown: usize, all: usize, thing: &str) -> String {
    match shown < all {
        true => format!("{} of {}", grouped(shown as u64), count(all, thing)),
        false => count(all, thing),
    }
}

/// `1 row`, `1,234 rows`.
pub(super) fn count(number: usize, thing: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {thing}{s}", grouped(number as u64))
}

/// In memory, in steps of a thousand, as disks and networks count.
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
    use super::*;

    #[test]
    fn a_caption_tells_what_is_left_out() {
        assert_eq!(
            caption((100, 12_345), "", (3, 3), 1_234_567),
            "100 of 12,345 rows × 3 columns · 1.2 MB"
        );
        assert_eq!(
            caption((10_000, 1_234_567), " held here", (100, 5_000), 999),
            "10,000 of 1,234,567 rows held here × 100 of 5,000 columns · 999 B"
        );
        assert_eq!(caption((1, 1), "", (1, 1), 8), "1 row × 1 column · 8 B");
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
