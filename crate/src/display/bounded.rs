//! The `Debug` form of a value, up to a limit: a notebook must be able to open what a cell returned.

use std::fmt::{self, Debug, Write};

use crate::text::grouped;

/// A longer form ends here, with a note. A page of this length takes no time to show.
const MOST_BYTES: usize = 100_000;

/// The value as `{:?}` writes it. Of a long form, the beginning, and how much more there is.
pub(super) fn debug<T: Debug + ?Sized>(value: &T) -> String {
    let mut bounded = Bounded {
        text: String::new(),
        left_out: 0,
    };
    // A value whose `Debug` fails is shown as far as it went.
    let _ = write!(bounded, "{value:?}");
    match bounded.left_out {
        0 => bounded.text,
        more => format!("{}… and {} characters more", bounded.text, grouped(more)),
    }
}

struct Bounded {
    text: String,
    /// The number of characters that were left out.
    left_out: u64,
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = MOST_BYTES.saturating_sub(self.text.len());
        // Once something was left out, so is everything after it.
        let room = if self.left_out > 0 { 0 } else { room };
        let (kept, rest) = more.split_at(more.floor_char_boundary(room));
        self.text.push_str(kept);
        self.left_out += rest.chars().count() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_value_is_whole() {
        assert_eq!(debug(&vec![Some(1), None]), "[Some(1), None]");
        assert_eq!(debug("a\nb"), "\"a\\nb\"");
    }

    #[test]
    fn a_long_value_has_an_end_and_says_how_much_more_there_is() {
        let numbers = debug(&vec![7_u8; 1_000_000]);
        assert!(numbers.starts_with("[7, 7, "));
        // Three characters for each number, one of them the comma: "[7" and "]" at the ends.
        assert!(
            numbers.ends_with("… and 2,900,000 characters more"),
            "{}",
            &numbers[99_990..]
        );
        let text = debug(&*"é".repeat(60_000));
        assert!(text.len() < 100_100 && text.ends_with(" characters more"));
    }
}
