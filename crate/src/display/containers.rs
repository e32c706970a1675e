//! Rust's own types: plain values in their `Debug` form, and types that hold others by what they hold.
//!
//! evcxr shows other values in their `Debug` form, but it has to compile the cell a second time for
//! that.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use super::mime_bundle::{MimeBundle, Show, stack};
use super::shared_script::MAX_OUTPUT;

/// The most bytes of plain text.
const MAX_LENGTH: usize = 100_000;

fn plain(text: String) -> MimeBundle {
    MimeBundle {
        html: String::new(),
        text,
    }
}

macro_rules! show_as_debug {
    ($($type:ty)+) => {
        $(
            impl Show for $type {
                fn mime_bundle(&self) -> MimeBundle {
                    plain(format!("{self:?}"))
                }
            }
        )+
    };
}

show_as_debug!(bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64);

impl Show for str {
    /// The head of a long text, and how much more there is.
    fn mime_bundle(&self) -> MimeBundle {
        let head = &self[..self.floor_char_boundary(MAX_LENGTH)];
        plain(match self.len() - head.len() {
            0 => format!("{self:?}"),
            _ => {
                let more = self[head.len()..].chars().count();
                format!("{head:?}… and {more} characters more")
            }
        })
    }
}

impl Show for String {
    fn mime_bundle(&self) -> MimeBundle {
        self.as_str().mime_bundle()
    }
}

/// Shows types that point to another type as that type.
macro_rules! show_as_what_is_inside {
    ($($type:ident)+) => {
        $(
            impl<T: Show + ?Sized> Show for $type<T> {
                fn mime_bundle(&self) -> MimeBundle {
                    (**self).mime_bundle()
                }
            }
        )+
    };
}

show_as_what_is_inside!(Box Arc);

impl<T: Show> Show for [T] {
    fn mime_bundle(&self) -> MimeBundle {
        list(["[", "]"], self.len(), self.iter().map(Show::mime_bundle))
    }
}

impl<T: Show, const N: usize> Show for [T; N] {
    fn mime_bundle(&self) -> MimeBundle {
        self.as_slice().mime_bundle()
    }
}

impl<T: Show> Show for Vec<T> {
    fn mime_bundle(&self) -> MimeBundle {
        self.as_slice().mime_bundle()
    }
}

impl<T: Show> Show for Option<T> {
    fn mime_bundle(&self) -> MimeBundle {
        match self {
            Some(value) => list(["Some(", ")"], 1, [value.mime_bundle()]),
            None => plain("None".to_owned()),
        }
    }
}

impl<T: Show, E: Display> Show for std::result::Result<T, E> {
    /// The value, or the error's message.
    fn mime_bundle(&self) -> MimeBundle {
        match self {
            Ok(value) => value.mime_bundle(),
            Err(error) => plain(format!("error: {error}")),
        }
    }
}

macro_rules! show_tuple {
    ($($type:ident $field:tt),+) => {
        impl<$($type: Show),+> Show for ($($type,)+) {
            fn mime_bundle(&self) -> MimeBundle {
                let parts = [$(self.$field.mime_bundle()),+];
                list(["(", ")"], parts.len(), parts)
            }
        }
    };
}

show_tuple!(A 0, B 1);
show_tuple!(A 0, B 1, C 2);
show_tuple!(A 0, B 1, C 2, D 3);

macro_rules! show_set {
    ($($type:ident)+) => {
        $(
            impl<T: Show> Show for $type<T> {
                fn mime_bundle(&self) -> MimeBundle {
                    list(["{", "}"], self.len(), self.iter().map(Show::mime_bundle))
                }
            }
        )+
    };
}

show_set!(BTreeSet HashSet);

macro_rules! show_map {
    ($($type:ident)+) => {
        $(
            impl<K: Show, V: Show> Show for $type<K, V> {
                fn mime_bundle(&self) -> MimeBundle {
                    let entries = self.iter().map(|(key, value)| entry(key, value));
                    list(["{", "}"], self.len(), entries)
                }
            }
        )+
    };
}

show_map!(BTreeMap HashMap);

fn entry(key: &impl Show, value: &impl Show) -> MimeBundle {
    let (key, value) = (key.mime_bundle(), value.mime_bundle());
    if key.html.is_empty() && value.html.is_empty() {
        return plain(format!("{}: {}", key.text, value.text));
    }
    stack(&[key, value])
}

/// Values in a row, or below each other if one of them is more than plain text. Of many, only the
/// first are made.
fn list(
    [open, close]: [&str; 2],
    length: usize,
    values: impl IntoIterator<Item = MimeBundle>,
) -> MimeBundle {
    let (mut shown, mut text, mut html) = (Vec::new(), 0, 0);
    for value in values {
        text += value.text.len();
        html += value.html.len();
        shown.push(value);
        if text > MAX_LENGTH || html > MAX_OUTPUT / 2 {
            break;
        }
    }
    if let left @ 1.. = length.saturating_sub(shown.len()) {
        shown.push(plain(format!("… and {left} more")));
    }
    if shown.iter().any(|value| !value.html.is_empty()) {
        return stack(&shown);
    }
    let texts: Vec<_> = shown.iter().map(|value| &*value.text).collect();
    plain(format!("{open}{}{close}", texts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Card;

    impl Show for Card {
        fn mime_bundle(&self) -> MimeBundle {
            MimeBundle {
                html: "<b>card</b>".to_owned(),
                text: "card".to_owned(),
            }
        }
    }

    #[test]
    fn plain_values_look_as_debug_shows_them() {
        let map = BTreeMap::from([("a", vec![Some(1.5), None])]);
        assert_eq!(map.mime_bundle().text, format!("{map:?}"));
        let nested = (1, 'x', ["s"; 2], String::from("t\n"));
        assert_eq!(nested.mime_bundle().text, format!("{nested:?}"));
        assert_eq!(Vec::<u8>::new().mime_bundle().text, "[]");
        assert_eq!(nested.mime_bundle().html, "");
    }

    #[test]
    fn what_displays_itself_does_so_inside_of_others() {
        assert_eq!(Some(Card).mime_bundle(), Card.mime_bundle());
        assert_eq!(
            Ok::<_, String>(Box::new(Card)).mime_bundle(),
            Card.mime_bundle()
        );
        let html = vec![Card, Card].mime_bundle().html;
        assert_eq!(html.matches("<b>card</b>").count(), 2);
        let mixed = (1, Card).mime_bundle();
        assert!(mixed.html.contains(">1</pre>") && mixed.html.contains("<b>card</b>"));
        assert_eq!(Err::<Card, _>("no").mime_bundle().text, "error: no");
    }

    #[test]
    fn of_what_is_long_the_head_is_shown_and_how_much_more() {
        let numbers = vec![7_u8; 3_000_000].mime_bundle().text;
        assert!(numbers.len() < 400_000, "{}", numbers.len());
        assert!(numbers.ends_with(" more]"));
        let text = "é".repeat(60_000).mime_bundle().text;
        assert!(text.ends_with("… and 10000 characters more"));
        let cards: Vec<Card> = (0..1_000_000).map(|_| Card).collect();
        assert!(cards.mime_bundle().html.len() < 4 * MAX_OUTPUT);
    }
}
