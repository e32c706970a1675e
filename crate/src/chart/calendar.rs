//! Times on an axis, in milliseconds since 1970: their labels, and the round ones among them.

use super::scale::{Tick, step};
use crate::civil_calendar::{date, days_to_month};

const SECOND: f64 = 1_000.0;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
pub(super) const DAY: f64 = 24.0 * HOUR;
const WEEK: f64 = 7.0 * DAY;
/// The length of a mean month, used only to choose a step.
const MONTH: f64 = 30.436_875 * DAY;

/// The steps of fixed length. Weeks begin on Mondays.
#[rustfmt::skip]
const STEPS: [f64; 27] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0,
    SECOND, 2.0 * SECOND, 5.0 * SECOND, 10.0 * SECOND, 15.0 * SECOND, 30.0 * SECOND,
    MINUTE, 2.0 * MINUTE, 5.0 * MINUTE, 10.0 * MINUTE, 15.0 * MINUTE, 30.0 * MINUTE,
    HOUR, 3.0 * HOUR, 6.0 * HOUR, DAY, 2.0 * DAY, WEEK,
];

/// The first Monday.
const MONDAY: f64 = 4.0 * DAY;

/// `2024-06-21`, and as much of the time of day as is not zero: `2024-06-21 09:30`.
pub(super) fn format_time(time: f64) -> String {
    let time = time.round();
    let days = (time / DAY).floor();
    let (year, month, day) = date(days as i64);
    let rest = (time - days * DAY) as u32;
    let (seconds, thousandths) = (rest / 1_000, rest % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour + minute, second, thousandths) {
        (0, 0, 0) => date,
        (_, 0, 0) => format!("{date} {hour:02}:{minute:02}"),
        (_, _, 0) => format!("{date} {hour:02}:{minute:02}:{second:02}"),
        _ => format!("{date} {hour:02}:{minute:02}:{second:02}.{thousandths:03}"),
    }
}

/// About this many round times.
pub(super) fn ticks([low, high]: [f64; 2], about: usize) -> Vec<Tick> {
    let raw = (high - low) / about.max(1) as f64;
    if let Some(step) = STEPS.into_iter().find(|step| *step >= raw) {
        return regular([low, high], step);
    }
    let step = [1.0, 3.0, 6.0].into_iter().find(|step| step * MONTH >= raw);
    let years = || 12.0 * self::step([0.0, raw / MONTH / 12.0], 1.0).max(1.0);
    monthly([low, high], step.unwrap_or_else(years) as i64)
}

fn regular([low, high]: [f64; 2], step: f64) -> Vec<Tick> {
    let origin = if step == WEEK { MONDAY } else { 0.0 };
    let first = ((low - origin) / step).ceil();
    let values = (0..).map(|count| origin + (first + f64::from(count)) * step);
    let values = values.take_while(|value| *value <= high);
    values
        .map(|value| Tick {
            value,
            name: format_time(value),
        })
        .collect()
}

/// Ticks every `step` months. If the step is whole years, the year is the label.
fn monthly([low, high]: [f64; 2], step: i64) -> Vec<Tick> {
    let (year, month, _) = date((low / DAY).floor() as i64);
    let first = (year * 12 + month - 1).div_euclid(step);
    (first..)
        .map(|count| count * step)
        .map(|months| (months.div_euclid(12), months.rem_euclid(12) + 1))
        .map(|(year, month)| Tick {
            value: days_to_month(year, month) as f64 * DAY,
            name: match step % 12 {
                0 => year.to_string(),
                _ => format!("{year:04}-{month:02}"),
            },
        })
        .skip_while(|tick| tick.value < low)
        .take_while(|tick| tick.value <= high)
        .collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;
    use crate::chart::scale::span;

    fn at(year: i64, month: i64) -> f64 {
        days_to_month(year, month) as f64 * DAY
    }

    fn named(domain: [f64; 2]) -> String {
        let names: Vec<_> = ticks(domain, 5).into_iter().map(|tick| tick.name).collect();
        names.join(", ")
    }

    #[test]
    fn an_axis_names_round_times() {
        let june = at(2024, 6);
        assert_snapshot!(named([june, june + 40.0]), @"2024-06-01, 2024-06-01 00:00:00.010, 2024-06-01 00:00:00.020, 2024-06-01 00:00:00.030, 2024-06-01 00:00:00.040");
        assert_snapshot!(named([june - 90.0 * SECOND, june + 90.0 * SECOND]), @"2024-05-31 23:59, 2024-06-01, 2024-06-01 00:01");
        assert_snapshot!(named([june, june + DAY]), @"2024-06-01, 2024-06-01 06:00, 2024-06-01 12:00, 2024-06-01 18:00, 2024-06-02");
        assert_snapshot!(named([june, june + 30.0 * DAY]), @"2024-06-03, 2024-06-10, 2024-06-17, 2024-06-24, 2024-07-01");
        assert_snapshot!(named([at(2023, 11), at(2024, 8)]), @"2024-01, 2024-04, 2024-07");
        assert_snapshot!(named([at(1995, 2), at(2024, 8)]), @"2000, 2005, 2010, 2015, 2020");
        assert_snapshot!(named([at(-300, 1), at(2024, 8)]), @"0, 500, 1000, 1500, 2000");
        assert_snapshot!(named([i64::MIN as f64, i64::MAX as f64]), @"-200000000, -100000000, 0, 100000000, 200000000");
    }

    proptest! {
        #[test]
        fn any_day_is_found_again(day in -800_000_000_000_i64..800_000_000_000) {
            let (year, month, of_month) = date(day);
            prop_assert!((1..=12).contains(&month));
            prop_assert_eq!(days_to_month(year, month) + of_month - 1, day);
        }

        #[test]
        fn any_span_has_few_ticks_inside(
            low in -9.2e18..9.2e18_f64, size in -1.0..19.0_f64, about in 1..9_usize,
        ) {
            let domain = span([low, low + 10_f64.powf(size)]);
            let ticks = ticks(domain, about);
            prop_assert!(ticks.len() <= 3 * about + 1, "{}", ticks.len());
            for tick in &ticks {
                prop_assert!(domain[0] <= tick.value && tick.value <= domain[1]);
            }
        }
    }
}
