//! The kinds of columns that matter to readers, to the script and to sorting.

use polars::prelude::DataType;

/// The kind of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Integers and decimals: exact digits.
    Digits,
    Float,
    Boolean,
    Text,
    /// Dates, times and durations: a text, and a number to sort by.
    Time,
    /// Lists and structs, which are folded.
    Nested,
}

impl Kind {
    pub(super) fn from_dtype(dtype: &DataType) -> Self {
        match dtype {
            DataType::Boolean => Self::Boolean,
            DataType::Date | DataType::Datetime(..) | DataType::Duration(_) | DataType::Time => {
                Self::Time
            }
            DataType::Decimal(..) => Self::Digits,
            dtype if dtype.is_integer() => Self::Digits,
            dtype if dtype.is_float() => Self::Float,
            dtype if dtype.is_nested() => Self::Nested,
            _ => Self::Text,
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Digits | Self::Float)
    }

    /// The script's name for the kind.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Text => "text",
            Self::Time => "time",
            Self::Nested => "nested",
        }
    }
}

/// Words in the names of columns whose numbers are not quantities: adding them up makes no sense.
const LABELS: [&str; 11] = [
    "id", "ids", "key", "code", "year", "zip", "postcode", "phone", "seed", "port", "index",
];

/// Whether the numbers of a column with this name get thousands separators: those of `salary`
/// do, those of `year`, `person_id` and `zipCode` don't.
pub(super) fn is_quantity(name: &str) -> bool {
    !words(name).any(|word| LABELS.contains(&word.to_lowercase().as_str()))
}

/// `person_id`, `person id` and `personId` are two words each.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|character: char| !character.is_alphanumeric())
        .flat_map(|part| {
            let mut rest = part;
            std::iter::from_fn(move || {
                let mut letters = rest.char_indices().skip(1);
                let mut before = rest.chars().next()?;
                let end = letters.find(|(_, letter)| {
                    let begins = before.is_lowercase() && letter.is_uppercase();
                    before = *letter;
                    begins
                });
                let (word, left) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
                rest = left;
                Some(word)
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_thing_is_no_quantity() {
        for name in [
            "id",
            "ID",
            "person_id",
            "personId",
            "zip code",
            "year",
            "birthYear",
        ] {
            assert!(!is_quantity(name), "{name}");
        }
        for name in [
            "", "n", "salary", "width", "paid", "tokens", "valid", "median", "IDE",
        ] {
            assert!(is_quantity(name), "{name}");
        }
    }
}
