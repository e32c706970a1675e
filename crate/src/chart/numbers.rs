//! Numbers formatted for people.

use crate::text::grouped;

/// A value with three significant digits, or more for whole numbers: `0.896`, `12.3`, `1,234,567`,
/// `1.8e308`.
pub(super) fn format_number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return trimmed_power(&format!("{value:.2e}"));
    }
    if size >= 1000.0 || value.fract() == 0.0 {
        return fixed(value, 0);
    }
    let digits = (2.0 - size.log10().floor()).clamp(0.0, 6.0);
    let text = fixed(value, digits as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A value with six significant digits, or more for whole numbers: `0.895833`.
pub(super) fn precise(value: f64) -> String {
    let is_plain = (1e-4..1e15).contains(&value.abs());
    let rounded = format!("{value:.5e}").parse::<f64>();
    match rounded {
        Ok(rounded) if is_plain && value.fract() != 0.0 && value.abs() < 1e6 => rounded.to_string(),
        _ => format_number(value),
    }
}

fn trimmed_power(text: &str) -> String {
    match text.split_once('e') {
        Some((digits, power)) => {
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            format!("{digits}e{power}")
        }
        None => text.to_owned(),
    }
}

/// The labels of values on an axis that are one step apart, all in the same form.
pub(super) fn axis(values: &[f64], step: f64) -> Vec<String> {
    let most = values
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    let decimals = decimals(step);
    let prefix = [(1e12, "T"), (1e9, "G"), (1e6, "M")]
        .into_iter()
        .find(|(size, _)| *size <= most && self::decimals(step / size) <= 2);
    let name = |value: &f64| match prefix {
        _ if most >= 1e15 || decimals > 6 => scientific(*value, most, step),
        Some(_) if *value == 0.0 => "0".to_owned(),
        Some((size, letter)) => {
            format!(
                "{}{letter}",
                fixed(value / size, self::decimals(step / size))
            )
        }
        None => fixed(*value, decimals),
    };
    values.iter().map(name).collect()
}

/// The value in scientific notation, with enough digits to distinguish neighboring values.
fn scientific(value: f64, most: f64, step: f64) -> String {
    let digits = (most.log10().floor() - step.log10().floor()).clamp(0.0, 15.0);
    format!("{value:.0$e}", digits as usize)
}

/// The number of decimals that distinguish values one step apart.
fn decimals(step: f64) -> usize {
    (-(step.log10() + 1e-9).floor()).clamp(0.0, 99.0) as usize
}

/// The value with this many decimals, and with thousands separators.
fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    // Four digits have no comma, so that a year looks like a year.
    let whole = match whole.len() > 4 {
        true => whole.parse().map_or(whole.to_owned(), grouped),
        false => whole.to_owned(),
    };
    let point = if rest.is_empty() { "" } else { "." };
    let nothing = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = if value < 0.0 && !nothing { "-" } else { "" };
    format!("{sign}{whole}{point}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_enough_to_read() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.8958, "0.896"),
            (0.9, "0.9"),
            (12.345, "12.3"),
            (-999.96, "-1000"),
            (12_345.6, "12,346"),
            (1_234_567.0, "1,234,567"),
            (f64::MAX, "1.8e308"),
            (5e-324, "4.94e-324"),
            (0.00012, "0.00012"),
        ] {
            assert_eq!(format_number(value), text);
        }
    }

    #[test]
    fn six_digits_are_more_than_a_picture_shows() {
        for (value, text) in [
            (2.0 / 3.0, "0.666667"),
            (0.1 + 0.2, "0.3"),
            (-12_345.678_9, "-12345.7"),
            (2_345_678.9, "2,345,679"),
            (12_345.0, "12,345"),
            (0.0, "0"),
            (f64::MAX, "1.8e308"),
            (5e-324, "4.94e-324"),
        ] {
            assert_eq!(precise(value), text);
        }
    }
}
