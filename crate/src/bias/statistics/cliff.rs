//! Cliff's delta: how often one group's value is above the other's.

use super::check;
use crate::error::Result;

/// How the values of two groups lie to each other, over all pairs of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dominance {
    /// Pairs in which the first group's value is greater.
    pub greater: u64,
    /// Pairs in which it is less.
    pub less: u64,
    /// All pairs, ties too.
    pub pairs: u64,
}

impl Dominance {
    /// Cliff's delta = (#greater - #less) / (n m), from -1 to 1 (Cliff 1993, equation 1).
    pub fn delta(&self) -> f64 {
        (self.greater as f64 - self.less as f64) / self.pairs as f64
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
