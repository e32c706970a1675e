//! The mapping from values to pixels, and the values that an axis labels.
//!
//! Everything is halved before it is subtracted, because the difference of two numbers may exceed
//! the largest float.

use super::numbers;

/// A range of values, and the range of pixels that it is mapped to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    from: f64,
    to: f64,
}

/// A value that an axis labels, and its label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) name: String,
}

impl Scale {
    pub(super) fn new([low, high]: [f64; 2], from: f64, to: f64) -> Self {
        Self {
            low,
            high,
            from,
            to,
        }
    }

    /// The position of a value; one outside the range is clamped to its end.
    pub(super) fn at(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * part(value, [self.low, self.high])
    }

    /// About this many round values.
    pub(super) fn ticks(&self, about: usize) -> Vec<Tick> {
        ticks([self.low, self.high], about)
    }
}

/// The position of a value between two others, as a fraction from 0 to 1.
pub(super) fn part(value: f64, [low, high]: [f64; 2]) -> f64 {
    let part = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
    if part.is_nan() {
        0.0
    } else {
        part.clamp(0.0, 1.0)
    }
}

/// The smallest and the largest of finite values, slightly widened if they are equal; 0 to 1 if
/// there are none.
pub(super) fn span(values: impl IntoIterator<Item = f64>) -> [f64; 2] {
    let [low, high] = values
        .into_iter()
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
            [low.min(value), high.max(value)]
        });
    if low > high {
        return [0.0, 1.0];
    }
    let most = low.abs().max(high.abs());
    // Closer values can't be distinguished with 64-bit floats over this many pixels.
    if high / 2.0 - low / 2.0 > (most * 1e-12).max(1e-300) {
        return [low, high];
    }
    if most == 0.0 {
        return [0.0, 1.0];
    }
    let apart = (most / 10.0).max(1e-299);
    [held(low - apart), held(high + apart)]
}

/// The same, with zero included.
pub(super) fn span_from_zero(values: impl IntoIterator<Item = f64>) -> [f64; 2] {
    span(values.into_iter().chain([0.0]))
}

/// The range widened by a twentieth on both sides.
pub(super) fn roomy([low, high]: [f64; 2]) -> [f64; 2] {
    let more = high / 20.0 - low / 20.0;
    [held(low - more), held(high + more)]
}

/// The range extended to round values, so that an axis does not end before its data. It is for
/// ranges that include zero.
pub(super) fn beyond([low, high]: [f64; 2]) -> [f64; 2] {
    let step = step([low, high], 5.0);
    // A side with next to nothing on it needs no step of its own.
    let end = |value: f64, steps: f64| match value.abs() < step / 2.0 {
        true => value,
        false => held(multiple(steps, step)),
    };
    [
        end(low, (low / step).floor()).min(low),
        end(high, (high / step).ceil()).max(high),
    ]
}

fn held(value: f64) -> f64 {
    value.clamp(-f64::MAX, f64::MAX)
}

/// The round number nearest to the step that divides the span into this many parts: 1, 2 or 5
/// times a power of ten.
pub(super) fn step([low, high]: [f64; 2], parts: f64) -> f64 {
    let parts = parts.max(1.0);
    let raw = held(high / parts - low / parts);
    let power = 10_f64.powf(raw.log10().floor());
    let far = |step: &f64| (step / raw).ln().abs();
    let round = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
    let found = round.into_iter().filter(|step| step.is_finite());
    found
        .min_by(|one, other| far(one).total_cmp(&far(other)))
        .unwrap_or(raw)
}

/// `count` times `step`. For steps below 1 this is a division by a whole number, which rounds only
/// once: three steps of 0.1 are 0.3.
pub(super) fn multiple(count: f64, step: f64) -> f64 {
    let inverse = (1.0 / step).round();
    // Adding zero turns a negative zero into zero.
    match step < 1.0 && inverse.is_finite() && (inverse * step - 1.0).abs() < 1e-9 {
        true => count / inverse + 0.0,
        false => count * step + 0.0,
    }
}

fn ticks(domain: [f64; 2], about: usize) -> Vec<Tick> {
    let [low, high] = domain;
    let step = step(domain, about as f64);
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    let mut values: Vec<f64> = (0..4 * about.max(1))
        .map(|count| first + count as f64)
        .take_while(|count| *count <= last)
        .map(|count| multiple(count, step))
        .collect();
    values.dedup();
    let names = numbers::axis(&values, step);
    values
        .into_iter()
        .zip(names)
        .map(|(value, name)| Tick { value, name })
        .collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn named(domain: [f64; 2]) -> String {
        let names: Vec<_> = ticks(domain, 5).into_iter().map(|tick| tick.name).collect();
        names.join(" ")
    }

    #[test]
    fn an_axis_names_round_values() {
        assert_snapshot!(named([0.0, 0.97]), @"0.0 0.2 0.4 0.6 0.8");
        assert_snapshot!(named([-3.0, 4.0]), @"-3 -2 -1 0 1 2 3 4");
        assert_snapshot!(named([0.0, 23_456.0]), @"0 5000 10,000 15,000 20,000");
        assert_snapshot!(named([0.0, 4.2e9]), @"0 1G 2G 3G 4G");
        assert_snapshot!(named([1e9, 1e9 + 4.0]), @"1,000,000,000 1,000,000,001 1,000,000,002 1,000,000,003 1,000,000,004");
        assert_snapshot!(named([0.0, 3e-7]), @"0.0e0 5.0e-8 1.0e-7 1.5e-7 2.0e-7 2.5e-7 3.0e-7");
        assert_snapshot!(named([-f64::MAX, f64::MAX]), @"-1e308 0e0 1e308");
        assert_snapshot!(named(span([5e-324])), @"-1.0e-299 -5.0e-300 0.0e0 5.0e-300 1.0e-299");
    }

    #[test]
    fn an_axis_ends_beyond_its_data() {
        assert_eq!(beyond([0.0, 0.946]), [0.0, 1.0]);
        assert_eq!(beyond([-3.0, 12_500.0]), [-3.0, 14_000.0]);
        assert_eq!(beyond([-9_000.0, 0.0]), [-10_000.0, 0.0]);
        assert_eq!(beyond([0.0, 1.0]), [0.0, 1.0]);
    }

    proptest! {
        #[test]
        fn an_extended_span_has_its_values(low in any::<f64>(), high in any::<f64>()) {
            let ends = [low, high].map(|end| if end.is_finite() { end } else { 0.0 });
            let [low, high] = span_from_zero(ends);
            let [from, to] = beyond([low, high]);
            prop_assert!(from <= low && high <= to && from.is_finite() && to.is_finite());
        }

        #[test]
        fn any_span_has_places_and_few_ticks(values in prop::collection::vec(any::<f64>(), 0..6)) {
            let domain = roomy(span(values.iter().copied().filter(|value| value.is_finite())));
            prop_assert!(domain[0] < domain[1], "{domain:?}");
            let scale = Scale::new(domain, 10.0, 110.0);
            for value in &values {
                prop_assert!((10.0..=110.0).contains(&scale.at(*value)));
            }
            let ticks = scale.ticks(6);
            prop_assert!(ticks.len() <= 24);
            for pair in ticks.windows(2) {
                prop_assert!(pair[0].value < pair[1].value);
            }
        }
    }
}
