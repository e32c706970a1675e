//! Unpaired comparison of two groups of values: Cliff's delta, how often one group's value is above
//! the other's, and the corresponding test.

use super::check;
use super::rank::midranks;
use crate::error::Result;

/// How the values of two groups compare, counted over all pairs of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dominance {
    /// Pairs in which the first group's value is greater.
    pub greater: u64,
    /// Pairs in which it is less.
    pub less: u64,
    /// All pairs, including ties.
    pub pairs: u64,
}

impl Dominance {
    /// Cliff's delta = (#greater - #less) / (n m), from -1 to 1 (Cliff 1993, equation 1).
    pub fn delta(&self) -> f64 {
        (self.greater as f64 - self.less as f64) / self.pairs as f64
    }

    /// Mann and Whitney's U of the first group: the pairs in which its value is greater, ties
    /// counting half.
    pub fn u(&self) -> f64 {
        0.5 * (self.pairs + self.greater - self.less) as f64
    }
}

/// Compares each value of one group with each of the other, unpaired, in n log n steps.
///
/// # Errors
/// A group without values; a value that is not finite.
pub fn dominance(first: &[f64], second: &[f64]) -> Result<Dominance> {
    for group in [first, second] {
        check::at_least("a comparison of two groups", group.len(), 1)?;
        check::finite(group)?;
    }
    let mut ordered = second.to_vec();
    ordered.sort_by(f64::total_cmp);
    let (mut greater, mut less) = (0, 0);
    for value in first {
        greater += ordered.partition_point(|other| other < value);
        less += ordered.len() - ordered.partition_point(|other| other <= value);
    }
    Ok(Dominance {
        greater: greater as u64,
        less: less as u64,
        pairs: (first.len() * second.len()) as u64,
    })
}

/// The exact count takes time that grows with the cube of the number of values.
const MANN_WHITNEY_VALUES: usize = 100;

/// The exact two-sided p-value of Mann and Whitney's test (1947), also with ties: of all ways to
/// choose the first group among the values, the share whose U is at least as far from its mean as
/// the observed one; twice the smaller tail, at most 1. For unpaired values: when each occupation
/// was asked about both groups, [`sign_flip`](super::sign_flip) has more power.
///
/// # Errors
/// A group without values; a value that is not finite; more than 100 values.
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Result<f64> {
    let u = dominance(first, second)?.u();
    let values: Vec<f64> = first.iter().chain(second).copied().collect();
    check::argument(values.len() <= MANN_WHITNEY_VALUES, || {
        format!("an exact Mann-Whitney test takes at most {MANN_WHITNEY_VALUES} values")
    })?;
    let ranks = midranks(&values);
    let chances = chances_of_rank_sums(&ranks, first.len());
    // U is the sum of the first group's ranks minus its smallest possible value. All are doubled.
    let least = first.len() * (first.len() + 1);
    let observed = (2.0 * u).round() as usize + least;
    let below: f64 = chances.iter().take(observed + 1).sum();
    let above: f64 = chances.iter().skip(observed).sum();
    Ok((2.0 * below.min(above)).min(1.0))
}

/// The probability of each sum of (doubled) ranks when all choices of `chosen` ranks are equally
/// likely.
fn chances_of_rank_sums(ranks: &[usize], chosen: usize) -> Vec<f64> {
    let all: usize = ranks.iter().sum();
    let mut chances = vec![vec![0.0; all + 1]; chosen + 1];
    if let Some(none) = chances.first_mut().and_then(|row| row.first_mut()) {
        *none = 1.0;
    }
    for (seen, rank) in ranks.iter().enumerate() {
        // The probability that the next rank is among the chosen, drawing without replacement.
        let left = (ranks.len() - seen) as f64;
        let mut next = vec![vec![0.0; all + 1]; chosen + 1];
        for (taken, row) in chances.iter().enumerate() {
            let in_chance = (chosen - taken) as f64 / left;
            for (sum, chance) in row.iter().enumerate().filter(|(_, chance)| **chance > 0.0) {
                add(&mut next, taken, sum, chance * (1.0 - in_chance));
                add(&mut next, taken + 1, sum + rank, chance * in_chance);
            }
        }
        chances = next;
    }
    chances.pop().unwrap_or_default()
}

fn add(chances: &mut [Vec<f64>], taken: usize, sum: usize, chance: f64) {
    if let Some(slot) = chances.get_mut(taken).and_then(|row| row.get_mut(sum)) {
        *slot += chance;
    }
}
