//! The level of the primary tests for skewed differences, and against a margin. The tables in the
//! docs come from more samples of the same distributions.

use super::super::super::*;
use super::super::differences;
use super::super::shape::{SHAPES, Shape};
use crate::random::Random;

fn sample(shape: Shape, units: usize, mean: f64, random: &mut Random) -> Differences {
    let values: Vec<f64> = (0..units).map(|_| mean + shape.draw(random)).collect();
    differences(&values)
}

fn differs(sample: &Differences, alpha: f64) -> bool {
    PrimaryTest::new(sample, 1).p() <= alpha
}

/// The share of samples, in percent, of which `holds` is true.
fn rate(
    shape: Shape,
    units: usize,
    mean: f64,
    samples: u32,
    holds: impl Fn(&Differences) -> bool,
) -> f64 {
    let mut random = Random::new(units as u64);
    let held = (0..samples).filter(|_| holds(&sample(shape, units, mean, &mut random)));
    100.0 * held.count() as f64 / f64::from(samples)
}

/// What 5 % may be in this number of samples, with a probability of 99.9 %.
fn allowed(samples: u32) -> f64 {
    5.0 + 3.29 * (5.0 * 95.0 / f64::from(samples)).sqrt()
}

/// A test that shares 5 % with two others, so that a report of three is wrong in 5 % at most.
#[test]
fn skewed_differences_are_seldom_taken_for_a_difference() {
    let (samples, level) = (1_000, 0.05 / 3.0);
    for shape in SHAPES {
        for units in [8, 12, 20] {
            let wrong = rate(shape, units, 0.0, samples, |sample| differs(sample, level));
            let most = 1.7 + 3.29 * (1.7 * 98.3 / f64::from(samples)).sqrt();
            assert!(wrong <= most, "{shape:?} {units}: {wrong} %");
        }
    }
    // Sign flips alone are wrong three times as often, so the simulation could have failed.
    let alone = rate(Shape::Lognormal, 12, 0.0, samples, |sample| {
        sign_flip(sample, Alternative::TwoSided, 1).p <= level
    });
    assert!(alone > 6.0, "{alone} %");
}

#[test]
fn a_difference_of_the_margin_is_seldom_called_smaller() {
    let samples = 1_000;
    for shape in SHAPES {
        for units in [12, 20] {
            let is_within = |sample: &Differences| {
                let tested = PrimaryTest::new(sample, 1).against(1.2).unwrap();
                tested.within.is_some_and(|p| p <= 0.05)
            };
            let wrong = rate(shape, units, 1.2, samples, is_within);
            assert!(wrong <= allowed(samples), "{shape:?} {units}: {wrong} %");
            let found = rate(Shape::Normal, units, 0.0, 300, is_within);
            let least = if units == 12 { 50.0 } else { 90.0 };
            assert!(found > least, "{units}: {found} %");
        }
    }
    let larger =
        |sample: &Differences| PrimaryTest::new(sample, 1).against(1.2).unwrap().beyond <= 0.05;
    assert!(rate(Shape::Normal, 12, 1.2, samples, larger) <= allowed(samples));
    assert!(rate(Shape::Normal, 12, 3.0, 300, larger) > 70.0);
}

/// For all shapes and sizes, and three tests under Holm, as in the docs: `cargo test --release --
/// --ignored` takes a minute.
#[test]
#[ignore = "a minute"]
fn the_level_of_reports_with_three_tests() {
    let samples = 8_000;
    for shape in SHAPES {
        for units in [8, 10, 12, 15, 20, 60] {
            let wrong = rate(shape, units, 0.0, samples, |one| differs(one, 0.05 / 3.0));
            let any = 100.0 * (1.0 - (1.0 - wrong / 100.0).powi(3));
            assert!(any <= 6.0, "{shape:?} {units}: {any}");
        }
    }
}
