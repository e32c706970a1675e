//! The interval that a report leads with, chosen by simulation.

use super::bootstrap::{check_rounds, quantile};
use super::check::{self, no_spread};
use super::differences::{Differences, ROUNDING};
use super::interval::Interval;
use super::random::Random;
use crate::error::Result;

/// The level that a headline interval stands for.
pub const HEADLINE_LEVEL: f64 = 0.95;

/// The level at which the studentised bootstrap covers it in few and skewed differences.
const BOOTSTRAP_LEVEL: f64 = 0.965;

/// The fewest units of which an interval is given.
const FEWEST_UNITS: usize = 6;

/// The headline interval of a mean difference, at 95 %.
pub fn headline_interval(differences: &Differences, rounds: usize, seed: u64) -> Result<Interval> {
    let interval = studentised_interval(differences, BOOTSTRAP_LEVEL, rounds, seed)?;
    Ok(Interval {
        level: HEADLINE_LEVEL,
        ..interval
    })
}

/// The studentised bootstrap, or bootstrap-t (Efron 1981; Hall 1988): the quantiles of
/// t* = (mean* - mean) / (s* / sqrt(n)) over resamples of the units take the place of
/// Student's: mean - t*(1 - alpha/2) s / sqrt(n) to mean - t*(alpha/2) s / sqrt(n). The
/// interval leans as the differences do.
///
/// Resamples without spread have no t* and are left out. The interval holds the estimate,
/// also where all t* have one sign.
///
/// # Errors
/// A level outside (0, 1); fewer than 6 units or than 100 rounds; differences that are all
/// equal.
pub fn studentised_interval(
    differences: &Differences,
    level: f64,
    rounds: usize,
    seed: u64,
) -> Result<Interval> {
    check::between_0_and_1("the level", level)?;
    check::at_least("a studentised interval", differences.units(), FEWEST_UNITS)?;
    check_rounds(rounds)?;
    let error = differences.standard_error().ok_or_else(no_spread)?;
    let mut ratios = ratios(differences, rounds, seed);
    ratios.sort_by(f64::total_cmp);
    let (mean, tail) = (differences.mean(), 0.5 * (1.0 - level));
    Ok(Interval {
        low: mean - quantile(&ratios, 1.0 - tail).max(0.0) * error,
        high: mean - quantile(&ratios, tail).min(0.0) * error,
        level,
    })
}

/// The t* of all resamples that have one.
fn ratios(differences: &Differences, rounds: usize, seed: u64) -> Vec<f64> {
    let centred = differences.about(differences.mean());
    let count = centred.len() as f64;
    let spread = centred.iter().map(|value| value * value).sum::<f64>();
    let mut random = Random::new(seed);
    let ratio = |_| {
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..centred.len() {
            let value = centred
                .get(random.below(centred.len()))
                .copied()
                .unwrap_or(0.0);
            sum += value;
            squares += value * value;
        }
        let about_mean = squares - sum * sum / count;
        let has_spread = about_mean > ROUNDING * spread;
        has_spread.then(|| sum / (about_mean * count / (count - 1.0)).sqrt())
    };
    (0..rounds).filter_map(ratio).collect()
}
