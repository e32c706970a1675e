//! The noise floor: the gap between two groups that chance alone produces, estimated from how much
//! the answers to the same prompt differ among themselves.

use super::bootstrap::{check_rounds, quantile};
use super::check::{self, invalid};
use super::samples::Pairs;
use crate::error::Result;
use crate::random::Random;

/// The differences that chance alone produces in a comparison with these numbers of units and
/// samples. All values are in the measure's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct NoiseFloor {
    /// The expected size of the mean difference, |mean d|.
    pub of_mean: f64,
    /// The bound below which 95 % of such mean differences stay.
    pub of_mean_95: f64,
    /// The expected size of one unit's difference, the mean of |d_i|.
    pub of_unit: f64,
}

/// Splits the samples of each unit and group at random into halves, `rounds` times, using the seed,
/// and takes the difference of the halves' means, to which no bias can contribute.
///
/// Halves are smaller than groups and differ more: with halves of h1 and h2 of k samples the
/// difference is scaled by sqrt((1/k) / (1/h1 + 1/h2)), so that its variance is that of a mean of k
/// samples, and the differences of the two groups are added. For the noise floor of one prompt
/// against itself, pair it with itself.
///
/// # Errors
/// A unit with one sample in a group; fewer than 100 rounds.
pub fn noise_floor(pairs: &Pairs, rounds: usize, seed: u64) -> Result<NoiseFloor> {
    check_rounds(rounds)?;
    let samples = |(first, second): (&[f64], &[f64])| [first.to_vec(), second.to_vec()];
    let mut cells: Vec<[Vec<f64>; 2]> = pairs.iter().map(samples).collect();
    if let Some(unit) = cells
        .iter()
        .position(|groups| groups.iter().any(|cell| cell.len() < 2))
    {
        let message = format!("unit {unit} has a group with one sample");
        return Err(
            invalid(message).with_hint("the noise floor needs at least 2 samples of each prompt")
        );
    }
    let units = cells.len() as f64;
    let mut random = Random::new(seed);
    let (mut of_mean, mut of_unit) = (Vec::with_capacity(rounds), 0.0);
    for _ in 0..rounds {
        let (mut sum, mut sizes) = (0.0, 0.0);
        for groups in &mut cells {
            let halves = groups.each_mut().map(|cell| split_half(cell, &mut random));
            let difference: f64 = halves.iter().sum();
            sum += difference;
            sizes += difference.abs();
        }
        of_mean.push((sum / units).abs());
        of_unit += sizes / units;
    }
    of_mean.sort_by(f64::total_cmp);
    Ok(NoiseFloor {
        of_mean: check::mean(&of_mean),
        of_mean_95: quantile(&of_mean, 0.95),
        of_unit: of_unit / rounds as f64,
    })
}

/// The scaled difference of the means of two random halves.
fn split_half(cell: &mut [f64], random: &mut Random) -> f64 {
    random.shuffle(cell);
    let (one, other) = cell.split_at(cell.len() / 2);
    let parts = 1.0 / one.len() as f64 + 1.0 / other.len() as f64;
    let scale = (1.0 / (cell.len() as f64 * parts)).sqrt();
    (check::mean(one) - check::mean(other)) * scale
}
