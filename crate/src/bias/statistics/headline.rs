//! The interval that a report leads with, chosen by simulation.

use super::bootstrap::{check_rounds, quantile};
use super::check::{self, no_spread};
use super::differences::{Differences, ROUNDING};
use super::interval::Interval;
use crate::error::Result;
use crate::random::Random;

/// The level that a headline interval stands for.
pub const HEADLINE_LEVEL: f64 = 0.95;

/// The nominal level at which the studentised bootstrap covers 95 % in few and skewed
/// differences.
const BOOTSTRAP_LEVEL: f64 = 0.9625;

/// The fewest units of which an interval is given: with fewer there is no verdict either.
const FEWEST_UNITS: usize = 6;

/// The headline interval of a mean difference, at 95 %: the
/// [studentised bootstrap](studentised_interval) at the nominal level 96.25 %.
///
/// How often 95 % intervals hold the true mean, in percent, by simulation (10,000 samples
/// each, 5,000 rounds; standard error 0.2):
///
/// | differences | units | 8 | 10 | 12 | 15 | 20 | 30 | 45 | 60 |
/// |---|---|---|---|---|---|---|---|---|---|
/// | normal | this | 96.1 | 96.0 | 96.2 | 96.3 | 96.5 | 96.1 | 96.4 | 96.2 |
/// | | Student | 95.0 | 94.9 | 95.0 | 94.9 | 95.2 | 95.0 | 95.2 | 95.1 |
/// | exponential | this | 95.4 | 95.4 | 95.4 | 95.8 | 95.8 | 95.8 | 96.2 | 95.9 |
/// | | Student | 89.7 | 90.3 | 90.4 | 91.2 | 91.7 | 92.8 | 93.4 | 93.3 |
/// | lognormal, sigma 1 | this | 91.6 | 91.8 | 92.5 | 93.0 | 93.4 | 94.0 | 94.3 | 94.6 |
/// | | Student | 82.8 | 83.7 | 84.5 | 85.7 | 86.9 | 88.6 | 89.5 | 90.2 |
///
/// Of 8 normal differences percentile and BCa hold it in 89 %, of 8 lognormal ones in 78 and
/// 81 %; the inverted sign-flip test is as Student's. No interval holds 95 % in 8 differences
/// of any shape: in lognormal ones a sample seldom shows how skewed they are. The price of
/// what holds is width: against Student's, in normal differences 1.26 times at 8 units, 1.13
/// at 12 and 1.06 at 60.
///
/// Of other shapes (8 to 60 units, 4,000 samples): 95.8 to 96.2 in differences of counts of ten,
/// 94.5 to 96.8 where a fifth of the units is far off, 93.7 to 94.3 in heavy tails (t with 3
/// degrees of freedom), 97.1 to 97.9 in flat ones (uniform).
///
/// It has no verdict of its own, which is [`sign_flip`](super::sign_flip)'s: that may be
/// significant where the interval, being wider, still holds 0.
///
/// # Errors
/// As [`studentised_interval`].
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
