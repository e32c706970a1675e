//! The formatting of values. Every value has one text, which the static table writes and the
//! script reproduces: integers and decimals with thousands separators, floats to six decimals,
//! texts unchanged, and the rest as polars writes it.

use std::borrow::Cow;
use std::fmt::Write;

use polars::prelude::{AnyValue, Series, TimeUnit};

use super::limits::cut;
use crate::text::counted;

/// A value, reduced to what matters to a reader.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Boolean(bool),
    Integer(i128),
    /// All digits of a decimal that its type has.
    Decimal(String),
    Float(f64),
    /// A text, and how many characters of it were cut off.
    Text(Cow<'a, str>, usize),
    /// A date, a time or a duration, and a number to sort it by.
    Time(String, i64),
}

impl<'a> Value<'a> {
    /// The value, with its text cut to at most this many characters.
    pub(super) fn from_any(value: &'a AnyValue<'a>, characters: usize) -> Self {
        match value {
            AnyValue::Null => Self::Null,
            AnyValue::Boolean(value) => Self::Boolean(*value),
            AnyValue::Float32(value) => Self::Float(shortest(*value)),
            AnyValue::Float64(value) => Self::Float(*value),
            AnyValue::Decimal(value, _, scale) => Self::Decimal(decimal(*value, *scale)),
            AnyValue::Date(days) => Self::Time(time(value), i64::from(*days)),
            AnyValue::Datetime(at, ..)
            | AnyValue::DatetimeOwned(at, ..)
            | AnyValue::Duration(at, _)
            | AnyValue::Time(at) => Self::Time(time(value), *at),
            AnyValue::Binary(bytes) => Self::binary(bytes, characters),
            AnyValue::BinaryOwned(bytes) => Self::binary(bytes, characters),
            AnyValue::List(_) | AnyValue::Struct(..) | AnyValue::StructOwned(_) => {
                let mut text = String::new();
                push_nested(&mut text, value, characters);
                Self::Text(text.into(), 0)
            }
            value if value.is_integer() => match value.extract() {
                Some(integer) => Self::Integer(integer),
                None => Self::Text(value.to_string().into(), 0),
            },
            value => match value.str_value() {
                Cow::Borrowed(text) => {
                    let (text, left_out) = cut(text, characters);
                    Self::Text(text.into(), left_out)
                }
                Cow::Owned(text) => {
                    let (text, left_out) = cut(&text, characters);
                    Self::Text(text.to_owned().into(), left_out)
                }
            },
        }
    }

    /// Bytes as polars writes them, `b"a\x00"`, but only as many as there is room for.
    fn binary(bytes: &[u8], characters: usize) -> Self {
        let shown = &bytes[..bytes.len().min(characters / 4)];
        let mut text = String::from("b\"");
        for byte in shown {
            if byte.is_ascii_alphanumeric() || byte.is_ascii_punctuation() {
                text.push(char::from(*byte));
            } else {
                push(&mut text, format_args!("\\x{byte:02x}"));
            }
        }
        text.push('"');
        match bytes.len() - shown.len() {
            0 => {}
            left_out => push(
                &mut text,
                format_args!("… {} more", counted(left_out, "byte")),
            ),
        }
        Self::Text(text.into(), 0)
    }
}

/// A number's text with thousands separators, `-1234567.5` as `-1,234,567.5`. Numbers with an
/// exponent, and texts that are not numbers, are unchanged.
pub(super) fn grouped(number: &str) -> String {
    let start = usize::from(number.starts_with('-'));
    let end = number.find('.').unwrap_or(number.len());
    let whole = &number[start..end];
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.to_owned();
    }
    let mut text = number[..start].to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + &number[end..]
}

/// A float for a reader: at most six decimals, or the shortest digits that represent exactly this
/// number if it is very small or very large.
pub(super) fn float(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0.0".to_owned()
    } else if !value.is_finite() {
        value.to_string()
    } else if !(1e-4..1e15).contains(&size) {
        format!("{value:e}")
    } else {
        // A tie at six decimals is an odd number of 128ths: its last digits are 25 or 75. Rust
        // rounds them to the even 2 or 8, browsers away from zero to 3 or 8.
        let mut text = format!("{value:.6}");
        let tie = (size * 128.0) % 2.0 == 1.0;
        if tie && text.ends_with('2') {
            text.replace_range(text.len() - 1.., "3");
        }
        let text = text.trim_end_matches('0');
        let zero = if text.ends_with('.') { "0" } else { "" };
        format!("{text}{zero}")
    }
}

/// The number that a reader expects for the `f32`: 0.1, not 0.10000000149011612.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

fn decimal(value: i128, scale: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, rest) = digits.split_at(digits.len() - scale);
    let point = if scale > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{rest}")
}

/// polars panics when it formats years beyond ± 262,000, which its calendar library does not cover.
const DAYS: i64 = 95_690_000;
const NANOSECONDS_OF_A_DAY: i64 = 86_400_000_000_000;

/// The text of a date, a time or a duration. Beyond the calendar, it is the number that is stored.
pub(crate) fn time(value: &AnyValue) -> String {
    let (at, days, unit) = match value {
        AnyValue::Date(days) => (i64::from(*days), i64::from(*days), "days from 1970-01-01"),
        AnyValue::Datetime(at, unit, _) | AnyValue::DatetimeOwned(at, unit, _) => match unit {
            TimeUnit::Milliseconds => (*at, at / 86_400_000, "ms from 1970-01-01"),
            TimeUnit::Microseconds => (*at, at / 86_400_000_000, "µs from 1970-01-01"),
            TimeUnit::Nanoseconds => (*at, 0, ""),
        },
        AnyValue::Time(at) if !(0..NANOSECONDS_OF_A_DAY).contains(at) => {
            (*at, i64::MAX, "ns from midnight")
        }
        _ => (0, 0, ""),
    };
    match (-DAYS..=DAYS).contains(&days) {
        true => value.to_string(),
        false => format!("{at} {unit}"),
    }
}

/// Appends `[1, 2, 3]` or `{name: "Ada", age: 36}`. When the room is used up, it says how many
/// items or fields are left out.
fn push_nested(text: &mut String, value: &AnyValue, room: usize) {
    match value {
        AnyValue::List(items) => push_items(text, items, room),
        AnyValue::StructOwned(parts) => {
            let (values, fields) = &**parts;
            text.push('{');
            for (at, (value, field)) in values.iter().zip(fields).enumerate() {
                if !push_comma(text, at, values.len(), room) {
                    break;
                }
                let (name, _) = cut(field.name(), room.saturating_sub(text.len()));
                push(text, format_args!("{name}: "));
                push_nested(text, value, room);
            }
            text.push('}');
        }
        AnyValue::Struct(..) => push_nested(text, &value.clone().into_static(), room),
        AnyValue::Null => text.push_str("null"),
        value => push_scalar(text, value, room),
    }
}

fn push_items(text: &mut String, items: &Series, room: usize) {
    text.push('[');
    for (at, item) in items.iter().enumerate() {
        if !push_comma(text, at, items.len(), room) {
            break;
        }
        push_nested(text, &item, room);
    }
    text.push(']');
}

/// Appends the separator before the next item, or a note that there is no room for the rest.
/// Returns whether there is room.
fn push_comma(text: &mut String, at: usize, all: usize, room: usize) -> bool {
    if at > 0 {
        text.push_str(", ");
    }
    let fits = text.len() < room;
    if !fits {
        push(text, format_args!("… {} more", all - at));
    }
    fits
}

fn push_scalar(text: &mut String, value: &AnyValue, room: usize) {
    match Value::from_any(value, room.saturating_sub(text.len())) {
        Value::Null => text.push_str("null"),
        Value::Boolean(value) => push(text, format_args!("{value}")),
        Value::Integer(value) => push(text, format_args!("{value}")),
        Value::Decimal(digits) => text.push_str(&digits),
        Value::Float(value) => text.push_str(&float(value)),
        Value::Time(time, _) => text.push_str(&time),
        Value::Text(part, left_out) => {
            let quote = match value {
                AnyValue::Binary(_) | AnyValue::BinaryOwned(_) => "",
                _ => "\"",
            };
            let more = if left_out > 0 { "…" } else { "" };
            push(text, format_args!("{quote}{part}{more}{quote}"));
        }
    }
}

/// Writing into a string can't fail.
pub(super) fn push(text: &mut String, arguments: std::fmt::Arguments) {
    let _ = text.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn floats_read_well() {
        let texts = [
            0.1 + 0.2,
            1234.5,
            -0.0,
            1e-4,
            0.000_099,
            123_456_789.125,
            1e15,
            1e300,
            -2.5e-7,
            0.007_812_5,
            -0.007_812_5,
            27_590_258_556_689.727,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ]
        .map(float);
        assert_eq!(
            texts,
            [
                "0.3",
                "1234.5",
                "0.0",
                "0.0001",
                "9.9e-5",
                "123456789.125",
                "1e15",
                "1e300",
                "-2.5e-7",
                "0.007813",
                "-0.007813",
                "27590258556689.726563",
                "NaN",
                "inf",
                "-inf",
            ]
        );
    }

    #[test]
    fn thousands_are_grouped_and_exponents_are_not() {
        let texts = [
            "0",
            "-123",
            "1234",
            "-1234567.8901",
            "1e15",
            "1.5e150",
            "NaN",
            "-inf",
        ];
        assert_eq!(
            texts.map(grouped),
            [
                "0",
                "-123",
                "1,234",
                "-1,234,567.8901",
                "1e15",
                "1.5e150",
                "NaN",
                "-inf"
            ]
        );
    }

    #[test]
    fn decimals_keep_their_zeros() {
        let texts =
            [(0, 2), (5, 3), (-12_345, 2), (7, 0)].map(|(value, scale)| decimal(value, scale));
        assert_eq!(texts, ["0.00", "0.005", "-123.45", "7"]);
    }

    #[test]
    fn times_that_no_calendar_names_are_numbers() {
        let zone = polars::prelude::TimeZone::opt_try_new(Some("Europe/Berlin")).unwrap();
        for at in [i64::MIN, i64::MAX] {
            for unit in [
                TimeUnit::Milliseconds,
                TimeUnit::Microseconds,
                TimeUnit::Nanoseconds,
            ] {
                time(&AnyValue::Datetime(at, unit, None));
                time(&AnyValue::Datetime(at, unit, zone.as_ref()));
                time(&AnyValue::Duration(at, unit));
            }
            time(&AnyValue::Time(at));
        }
        assert_eq!(
            time(&AnyValue::Date(i32::MAX)),
            "2147483647 days from 1970-01-01"
        );
        assert_eq!(time(&AnyValue::Date(0)), "1970-01-01");
    }

    proptest! {
        #[test]
        fn a_float_is_shown_as_what_it_is(value in any::<f64>()) {
            let shown: f64 = float(value).parse().unwrap();
            let error = (shown - value).abs();
            prop_assert!(value.is_nan() || value.is_infinite() || error <= 5.1e-7, "{shown}");
        }
    }
}
