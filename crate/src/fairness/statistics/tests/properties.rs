//! Properties that hold for all data.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::*;
use super::differences;

/// Differences like those of measures: in hundredths, so that ties and zeros occur.
fn measured(units: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    vec(
        (-100_i32..=100).prop_map(|hundredths| f64::from(hundredths) / 100.0),
        units,
    )
}

fn negated(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| -value).collect()
}

/// The two-sided p-values of all paired tests that have one.
fn p_values(sample: &Differences) -> Vec<f64> {
    let flips = sign_flip(sample, Alternative::TwoSided, 1).p;
    let t = paired_t(sample).ok().map(|test| test.p);
    let mut all = vec![flips, sign_test(sample).p, wilcoxon(sample).unwrap().p];
    all.extend(t);
    all
}

/// All intervals that are defined for the differences.
fn intervals(sample: &Differences) -> Vec<Interval> {
    let bootstrap = Bootstrap::of_units(sample, 200, 1).ok();
    let percentile = bootstrap
        .as_ref()
        .map(|means| means.percentile(0.95).unwrap());
    let bca = bootstrap.as_ref().map(|means| means.bca(0.95).unwrap());
    let others = [
        primary_interval(sample, 200, 1).ok(),
        student_interval(sample, 0.95).ok(),
        sign_flip_interval(sample, 0.95, 1).ok(),
    ];
    others
        .into_iter()
        .chain([percentile, bca])
        .flatten()
        .collect()
}

fn all_close(ours: &[f64], theirs: &[f64]) -> bool {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * (1.0 + a.abs());
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(close)
}

/// By definition: all assignments of signs, one by one.
fn counted_p(values: &[f64], alternative: Alternative) -> f64 {
    let sum: f64 = values.iter().sum();
    let all = 1_u32 << values.len();
    let hits = (0..all).filter(|signs| {
        let flip = |(place, value): (usize, &f64)| {
            if signs >> place & 1 == 1 {
                -value
            } else {
                *value
            }
        };
        let flipped: f64 = values.iter().enumerate().map(flip).sum();
        match alternative {
            Alternative::TwoSided => flipped.abs() >= sum.abs() - 1e-9,
            Alternative::Greater => flipped >= sum - 1e-9,
            Alternative::Less => flipped <= sum + 1e-9,
        }
    });
    hits.count() as f64 / f64::from(all)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_sign_flip_test_counts_all_signs(values in measured(1..11)) {
        let sample = differences(&values);
        for alternative in [Alternative::TwoSided, Alternative::Greater, Alternative::Less] {
            let test = sign_flip(&sample, alternative, 1);
            prop_assert!(test.exact);
            prop_assert_eq!(test.p, counted_p(&values, alternative));
            prop_assert!(test.p >= test.floor, "{:?}", test);
        }
    }

    #[test]
    fn p_values_are_above_0_and_at_most_1(values in measured(1..20)) {
        let sample = differences(&values);
        for p in p_values(&sample) {
            prop_assert!(p > 0.0 && p <= 1.0, "{}", p);
        }
    }

    /// The groups may be exchanged, the units reordered, and the measure rescaled.
    #[test]
    fn p_values_know_neither_side_nor_order_nor_unit(
        values in measured(2..20),
        unit in 0.001_f64..1000.0,
    ) {
        let before = p_values(&differences(&values));
        let reversed: Vec<f64> = values.iter().rev().copied().collect();
        let scaled: Vec<f64> = values.iter().map(|value| value * unit).collect();
        for same in [negated(&values), reversed, scaled] {
            prop_assert!(all_close(&p_values(&differences(&same)), &before));
        }
        let less = sign_flip(&differences(&values), Alternative::Less, 1).p;
        let greater = sign_flip(&differences(&negated(&values)), Alternative::Greater, 1).p;
        prop_assert_eq!(less, greater);
    }

    /// For a few yes-or-no shares, the interval contains what the test does not reject.
    #[test]
    fn the_primary_interval_holds_0_where_the_test_does_not_reject(
        fifths in vec(prop_oneof![3 => Just(0_i32), 1 => -5..=5], 6..20),
    ) {
        let values: Vec<f64> = fifths.iter().map(|fifths| f64::from(*fifths) / 5.0).collect();
        let sample = differences(&values);
        if let Ok(interval) = primary_interval(&sample, 200, 1)
            && sign_flip(&sample, Alternative::TwoSided, 1).p > 0.05
        {
            prop_assert!(interval.low < 1e-9 && interval.high > -1e-9, "{:?}", interval);
        }
    }

    #[test]
    fn intervals_are_in_order_and_most_hold_the_estimate(values in measured(6..14)) {
        let sample = differences(&values);
        for interval in intervals(&sample) {
            prop_assert!(interval.low <= interval.high, "{:?}", interval);
        }
        let holding = [
            primary_interval(&sample, 200, 1),
            student_interval(&sample, 0.95),
            sign_flip_interval(&sample, 0.95, 1),
        ];
        for interval in holding.into_iter().flatten() {
            let Interval { low, high, .. } = interval;
            let mean = sample.mean();
            prop_assert!(low <= mean + 1e-9 && mean - 1e-9 <= high, "{:?}", interval);
        }
    }

    #[test]
    fn intervals_move_and_stretch_with_the_data(
        values in measured(6..14),
        unit in 0.01_f64..100.0,
        shift in -3.0_f64..3.0,
    ) {
        let changed: Vec<f64> = values.iter().map(|value| value * unit + shift).collect();
        let expected: Vec<f64> = intervals(&differences(&values))
            .iter()
            .flat_map(|interval| [interval.low, interval.high])
            .map(|end| end * unit + shift)
            .collect();
        let found: Vec<f64> = intervals(&differences(&changed))
            .iter()
            .flat_map(|interval| [interval.low, interval.high])
            .collect();
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-6 * (1.0 + unit);
        prop_assert_eq!(found.len(), expected.len());
        prop_assert!(found.iter().zip(&expected).all(near), "{:?} {:?}", found, expected);
    }

    /// A value is in the interval exactly when the test does not reject it.
    #[test]
    fn the_sign_flip_interval_is_the_test_inverted(values in measured(6..12), at in -1.0_f64..1.0) {
        let interval = sign_flip_interval(&differences(&values), 0.95, 1).unwrap();
        let about: Vec<f64> = values.iter().map(|value| value - at).collect();
        let rejected = sign_flip(&differences(&about), Alternative::TwoSided, 1).p <= 0.05;
        let at_an_end = [interval.low, interval.high].iter().any(|end| (end - at).abs() < 1e-9);
        prop_assert!(at_an_end || interval.contains(at) != rejected, "{:?} {}", interval, at);
    }

    #[test]
    fn samples_of_one_unit_count_once(values in measured(6..20), copies in 1_usize..6) {
        let cells = |sign: f64| Samples::new(values.iter().map(|v| vec![sign * v; copies]));
        let pairs = Pairs::new(cells(1.0).unwrap(), cells(0.0).unwrap()).unwrap();
        let sample = pairs.differences().unwrap();
        prop_assert_eq!(sample.units(), values.len());
        prop_assert!(all_close(sample.values(), &values));
    }

    #[test]
    fn dominance_counts_all_pairs(first in measured(1..30), second in measured(1..30)) {
        let compared = dominance(&first, &second).unwrap();
        let over = |a: &[f64], b: &[f64]| {
            let count = |value: &f64| b.iter().filter(|other| value > other).count();
            a.iter().map(count).sum::<usize>() as u64
        };
        prop_assert_eq!(compared.greater, over(&first, &second));
        prop_assert_eq!(compared.less, over(&second, &first));
        let turned = dominance(&second, &first).unwrap();
        prop_assert_eq!(turned.delta(), -compared.delta());
    }

    #[test]
    fn adjusted_p_values_keep_their_order_and_never_shrink(p in vec(0.0_f64..=1.0, 0..20)) {
        let (holm, bh) = (holm(&p).unwrap(), benjamini_hochberg(&p).unwrap());
        for i in 0..p.len() {
            prop_assert!(p[i] <= bh[i] && bh[i] <= holm[i] && holm[i] <= 1.0);
            for j in 0..p.len() {
                prop_assert!(p[i] > p[j] || (holm[i] <= holm[j] && bh[i] <= bh[j]));
            }
        }
    }

    #[test]
    fn rates_lie_in_their_intervals(a in 0_u64..40, b in 0_u64..40, c in 0_u64..40, d in 1_u64..40) {
        let counts = PairedCounts { both: a, first_only: b, second_only: c, neither: d };
        let all = a + b + c + d;
        let [first, second] = [a + b, a + c].map(|k| Proportion::new(k, all).unwrap());
        prop_assert!(first.wilson(0.95).unwrap().contains(first.rate()));
        let difference = first.rate() - second.rate();
        for interval in [counts.newcombe(0.95).unwrap(), newcombe(first, second, 0.95).unwrap()] {
            prop_assert!(interval.contains(difference));
            prop_assert!(interval.low >= -1.0 - 1e-12 && interval.high <= 1.0 + 1e-12);
        }
        let p = counts.mcnemar();
        prop_assert!(p > 0.0 && p <= 1.0);
        let turned = PairedCounts { first_only: c, second_only: b, ..counts };
        let (one, other) = (counts.newcombe(0.9).unwrap(), turned.newcombe(0.9).unwrap());
        prop_assert!(all_close(&[one.low, one.high], &[-other.high, -other.low]));
    }

    /// Within the margin by both tests is the same as Student's 90 % interval within it.
    #[test]
    fn equivalence_is_an_interval_within_the_margin(values in measured(3..30), margin in 0.01_f64..1.0) {
        let sample = differences(&values);
        if let Ok(interval) = student_interval(&sample, 0.90) {
            let p = equivalence(&sample, margin).unwrap().p;
            let within = -margin < interval.low && interval.high < margin;
            prop_assert!((p - 0.05).abs() < 1e-9 || within == (p < 0.05));
        }
    }
}
