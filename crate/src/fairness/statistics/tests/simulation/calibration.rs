//! How often an interval contains the true value, and how often a test raises a false
//! alarm or finds an effect. The seeds are fixed, so each run gives the same results.

use super::super::super::*;
use super::super::differences;
use crate::random::Random;

/// Distributions of differences. All have mean 0.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Normal,
    /// Skewness 2.
    Exponential,
    /// exp(Z) minus its mean: skewness 6.2.
    Lognormal,
}

impl Shape {
    fn draw(self, random: &mut Random) -> f64 {
        match self {
            Self::Normal => random.normal(),
            Self::Exponential => -random.open_unit().ln() - 1.0,
            Self::Lognormal => random.normal().exp() - 0.5_f64.exp(),
        }
    }

    fn sample(self, units: usize, random: &mut Random) -> Differences {
        let values: Vec<f64> = (0..units).map(|_| self.draw(random)).collect();
        differences(&values)
    }
}

/// The share of samples whose interval contains 0, the true mean.
fn coverage(
    shape: Shape,
    units: usize,
    samples: u64,
    interval: impl Fn(&Differences, u64) -> Interval,
) -> f64 {
    let mut random = Random::new(units as u64);
    let held = (0..samples).filter(|seed| {
        let sample = shape.sample(units, &mut random);
        interval(&sample, *seed).contains(0.0)
    });
    held.count() as f64 / samples as f64
}

/// The distance from `p` within which the observed share of independent trials lies with 99.9 %
/// probability.
fn allowance(p: f64, chances: u64) -> f64 {
    3.29 * (p * (1.0 - p) / chances as f64).sqrt()
}

fn primary(sample: &Differences, seed: u64) -> Interval {
    primary_interval(sample, 400, seed).unwrap()
}

#[test]
fn the_primary_interval_covers_what_it_says() {
    for shape in [Shape::Normal, Shape::Exponential, Shape::Lognormal] {
        for (units, samples) in [(8, 2_000), (12, 1_000)] {
            let covered = coverage(shape, units, samples, primary);
            let noise = allowance(0.95, samples) / 3.0;
            assert!(
                (0.93 - noise..=0.97 + noise).contains(&covered),
                "{shape:?} {units}: {covered}"
            );
        }
    }
}

/// The long version, with other intervals and other shapes; `cargo test --release -- --ignored
/// --nocapture` takes several minutes.
#[test]
#[ignore = "minutes"]
fn the_primary_interval_covers_at_all_sizes() {
    let primary = |sample: &Differences, seed| primary_interval(sample, 1_500, seed).unwrap();
    let student = |sample: &Differences, _| student_interval(sample, 0.95).unwrap();
    let samples = 10_000;
    let mut table = String::new();
    for shape in [Shape::Normal, Shape::Exponential, Shape::Lognormal] {
        for units in [8, 10, 12, 15, 20, 30, 45, 60] {
            let covered = coverage(shape, units, samples, primary);
            let beside = coverage(shape, units, samples, student);
            let noise = allowance(0.95, samples);
            let within = (0.93 - noise..=0.97 + noise).contains(&covered);
            table += &format!("{shape:?} {units}: {covered}, Student {beside}; {within}\n");
        }
    }
    assert!(!table.contains("false"), "{table}");
}

/// The reason why the other intervals are not the primary interval.
#[test]
fn percentile_and_bca_cover_too_seldom_in_few_units() {
    let resampled = |sample: &Differences, seed| Bootstrap::of_units(sample, 400, seed).unwrap();
    let percentile = |sample: &Differences, seed| resampled(sample, seed).percentile(0.95).unwrap();
    let bca = |sample: &Differences, seed| resampled(sample, seed).bca(0.95).unwrap();
    assert!(coverage(Shape::Normal, 8, 1_000, percentile) < 0.93);
    assert!(coverage(Shape::Normal, 8, 1_000, bca) < 0.93);
    let student = |sample: &Differences, _| student_interval(sample, 0.95).unwrap();
    assert!(coverage(Shape::Exponential, 8, 2_000, student) < 0.92);
    let flips = |sample: &Differences, seed| sign_flip_interval(sample, 0.95, seed).unwrap();
    assert!(coverage(Shape::Exponential, 8, 500, flips) < 0.93);
}

/// The adjusted p-values of four unbiased measures of the same texts, which share a random effect
/// of each unit.
fn four_measures(units: usize, random: &mut Random) -> Vec<f64> {
    let shared: Vec<f64> = (0..units).map(|_| random.normal()).collect();
    let p_values: Vec<f64> = (0..4)
        .map(|_| {
            let values = shared.iter().map(|common| common + 0.7 * random.normal());
            let sample = differences(&values.collect::<Vec<_>>());
            sign_flip(&sample, Alternative::TwoSided, 1).p
        })
        .collect();
    holm(&p_values).unwrap()
}

#[test]
fn four_measures_raise_a_false_alarm_in_5_percent_at_most() {
    let (studies, nominal) = (2_000, 0.05);
    for units in [8, 12, 20] {
        let mut random = Random::new(units as u64);
        let alarms = (0..studies).filter(|_| {
            four_measures(units, &mut random)
                .iter()
                .any(|p| *p <= nominal)
        });
        let rate = alarms.count() as f64 / studies as f64;
        assert!(
            rate <= nominal + allowance(nominal, studies),
            "{units}: {rate}"
        );
        // Rules out a test that never rejects.
        assert!(rate > 0.01, "{units}: {rate}");
    }
}

#[test]
fn fifteen_units_find_an_effect_of_0_8_four_times_in_five() {
    let samples = 2_000;
    let mut random = Random::new(8);
    let found = (0..samples).filter(|_| {
        let shifted = Shape::Normal.sample(15, &mut random).about(-0.8);
        sign_flip(&differences(&shifted), Alternative::TwoSided, 1).p <= 0.05
    });
    let power = found.count() as f64 / samples as f64;
    let expected = paired_power(0.8, 15, 0.05).unwrap();
    assert!((expected - 0.8).abs() < 0.03, "{expected}");
    assert!(
        (power - expected).abs() < allowance(expected, samples) + 0.01,
        "{power} {expected}"
    );
}

/// The values come from 3,000 simulated samples, to 1 %, and from Phi(d)^8 for 8 units, all of
/// which must have the same sign there.
#[test]
fn few_units_see_less_than_the_t_test_does() {
    let level = 0.05 / 6.0;
    for (effect, units, expected) in [
        (1.7, 8, 0.69),
        (2.0, 8, 0.83),
        (1.2, 12, 0.80),
        (1.0, 12, 0.60),
    ] {
        let power = sign_flip_power(effect, units, level).unwrap();
        assert!((power - expected).abs() < 0.04, "{effect} {units}: {power}");
        assert!(power <= paired_power(effect, units, level).unwrap() + 0.02);
    }
    assert_eq!(sign_flip_power(3.0, 7, level).unwrap(), 0.0);
    // The numbers in the docs of `Study`.
    assert!(sign_flip_power(0.8, 23, level).unwrap() >= 0.8);
    assert!(sign_flip_power(0.8, 22, level).unwrap() < 0.8);
    assert!(sign_flip_power(0.8, 15, 0.05).unwrap() >= 0.79);
}
