//! The interval that corresponds to the sign-flip test: all mean differences that the test would
//! not reject.

use super::check::{self, too_few};
use super::differences::Differences;
use super::distribution::crossing;
use super::interval::Interval;
use super::sign_flip::share_as_high;
use crate::error::Result;
use crate::random::Random;

/// Up to this number of units the ends are found by bisection, with fifty exact counts each.
const EXACT_UNITS: usize = 24;

/// The number of random subsets that represent all subsets above that.
const SUBSETS: usize = 9_999;

/// All values m that the two-sided sign-flip test of the differences d - m does not reject at
/// 1 - `level`: its ends are order statistics of the means of all subsets of the differences
/// (Hartigan 1969, typical values).
///
/// Exact up to 24 units; above that from the means of 9,999 random subsets, drawn with the seed.
/// The interval assumes that differences are symmetric about their mean: if they are skewed, its
/// coverage is too low (85 % instead of 95 % for lognormal ones, 8 to 15 units).
///
/// # Errors
/// A level outside (0, 1). Fewer units than the level needs: with n units the highest possible
/// level is 1 - 2^(1-n), so 95 % needs 6 units.
pub fn sign_flip_interval(differences: &Differences, level: f64, seed: u64) -> Result<Interval> {
    check::between_0_and_1("the level", level)?;
    let tail = 0.5 * (1.0 - level);
    let units = differences.units();
    let needed = (-tail.log2()).ceil() as usize;
    if units < needed {
        return Err(too_few("a sign-flip interval", units, needed));
    }
    let (low, high) = if units <= EXACT_UNITS {
        let values = differences.values();
        let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
        (lower_end(values, tail), -lower_end(&mirrored, tail))
    } else {
        by_random_subsets(differences.values(), tail, seed)
    };
    Ok(Interval { low, high, level })
}

/// The smallest m at which the one-sided test of d - m has a p-value above `tail`.
fn lower_end(values: &[f64], tail: f64) -> f64 {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = check::mean(values);
    let accepted = |m: f64| {
        let about: Vec<f64> = values.iter().map(|value| value - m).collect();
        share_as_high(&about) > tail
    };
    if accepted(low) {
        return low;
    }
    crossing(low, high, accepted)
}

/// The order statistics of the means of random non-empty subsets.
fn by_random_subsets(values: &[f64], tail: f64, seed: u64) -> (f64, f64) {
    let mut random = Random::new(seed);
    let mut means: Vec<f64> = (0..SUBSETS)
        .map(|_| subset_mean(values, &mut random))
        .collect();
    means.sort_by(f64::total_cmp);
    let place = (tail * (SUBSETS + 1) as f64).floor().max(1.0) as usize;
    let at = |place: usize| means.get(place).copied().unwrap_or(f64::NAN);
    (at(place - 1), at(SUBSETS - place))
}

fn subset_mean(values: &[f64], random: &mut Random) -> f64 {
    loop {
        let (mut sum, mut size) = (0.0, 0_u32);
        for chunk in values.chunks(64) {
            let coins = random.bits();
            for (bit, value) in chunk.iter().enumerate() {
                if coins >> bit & 1 == 1 {
                    sum += value;
                    size += 1;
                }
            }
        }
        if size > 0 {
            return sum / f64::from(size);
        }
    }
}
