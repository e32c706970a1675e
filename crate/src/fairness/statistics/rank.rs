//! Paired tests that use only signs and ranks, provided for comparison with the sign-flip test,
//! which decides.

use super::check;
use super::differences::{Differences, ROUNDING};
use super::distribution::fair_coin_p;
use crate::error::Result;

/// The exact count of Wilcoxon's test takes time that grows with the cube of the number of units.
const WILCOXON_UNITS: usize = 500;

/// The result of the sign test.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SignTest {
    /// Units where the first group has more.
    pub positive: u64,
    /// Units where the first group has less. Units without a difference are counted in neither
    /// field.
    pub negative: u64,
    /// The two-sided p-value, above 0 and at most 1.
    pub p: f64,
}

/// The exact sign test: p = 2 P(X <= min(n+, n-)) for X of n+ + n- fair coins, at most 1 (Dixon and
/// Mood 1946). Ties are omitted.
pub fn sign_test(differences: &Differences) -> SignTest {
    let count = |keep: fn(&f64) -> bool| {
        let kept = differences.values().iter().filter(|value| keep(value));
        kept.count() as u64
    };
    let (positive, negative) = (count(|value| *value > 0.0), count(|value| *value < 0.0));
    SignTest {
        positive,
        negative,
        p: fair_coin_p(positive, negative),
    }
}

/// The result of Wilcoxon's signed-rank test.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Wilcoxon {
    /// The smaller of the two sums of ranks.
    pub statistic: f64,
    /// The exact two-sided p-value, above 0 and at most 1.
    pub p: f64,
}

/// Wilcoxon's signed-rank test (1945), exact even with ties: |d| are ranked, with mean ranks for
/// ties, and the distribution of the signed rank sum is counted over all assignments of signs.
/// Differences of 0 are omitted.
///
/// # Errors
/// More than 500 units.
pub fn wilcoxon(differences: &Differences) -> Result<Wilcoxon> {
    check::argument(differences.units() <= WILCOXON_UNITS, || {
        format!("an exact Wilcoxon test takes at most {WILCOXON_UNITS} units")
    })?;
    let ranked = doubled_ranks(differences.values());
    let all: usize = ranked.iter().map(|(rank, _)| rank).sum();
    let positive = ranked.iter().filter(|(_, value)| *value > 0.0);
    let positive: usize = positive.map(|(rank, _)| rank).sum();
    let smaller = positive.min(all - positive);
    let chances = chances_of_sums(&ranked, all);
    let tail: f64 = chances.iter().take(smaller + 1).sum();
    Ok(Wilcoxon {
        statistic: 0.5 * smaller as f64,
        p: (2.0 * tail).min(1.0),
    })
}

/// Twice the rank of each value, in ascending order: doubling keeps the mean ranks of ties
/// integers.
pub(super) fn midranks(values: &[f64]) -> Vec<usize> {
    let mut ordered = values.to_vec();
    ordered.sort_by(f64::total_cmp);
    let mut ranks = Vec::with_capacity(values.len());
    for ties in ordered.chunk_by(|a, b| a == b) {
        ranks.extend(std::iter::repeat_n(
            2 * ranks.len() + ties.len() + 1,
            ties.len(),
        ));
    }
    ranks
}

/// Twice the rank of each |d| other than 0, with its d: doubling keeps the mean ranks of ties
/// integers.
fn doubled_ranks(values: &[f64]) -> Vec<(usize, f64)> {
    let signed = values.iter().copied();
    let mut values: Vec<f64> = signed.filter(|value| *value != 0.0).collect();
    values.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let largest = values.last().map_or(0.0, |value| value.abs());
    let same = |a: &f64, b: &f64| b.abs() - a.abs() <= ROUNDING * largest;
    let mut ranked = Vec::with_capacity(values.len());
    for ties in values.chunk_by(same) {
        let before = ranked.len();
        let rank = 2 * before + ties.len() + 1;
        ranked.extend(ties.iter().map(|value| (rank, *value)));
    }
    ranked
}

/// The probability of each sum of (doubled) ranks when each rank is included with probability 1/2.
fn chances_of_sums(ranked: &[(usize, f64)], all: usize) -> Vec<f64> {
    let mut chances = vec![0.0; all + 1];
    if let Some(none) = chances.first_mut() {
        *none = 1.0;
    }
    let mut reached = 0;
    for (rank, _) in ranked {
        reached += rank;
        for sum in (0..=reached).rev() {
            let without = chances.get(sum).copied().unwrap_or(0.0);
            let from = sum.checked_sub(*rank);
            let with = from
                .and_then(|from| chances.get(from))
                .copied()
                .unwrap_or(0.0);
            if let Some(chance) = chances.get_mut(sum) {
                *chance = 0.5 * (without + with);
            }
        }
    }
    chances
}
