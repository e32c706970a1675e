//! The sign-flip test, on which the verdict of a study is based: if the groups are treated alike,
//! each difference is equally likely to have the opposite sign (Fisher 1935, section 21).

use super::differences::{Differences, ROUNDING};
use crate::random::Random;

/// Up to this number of differences other than 0, all assignments of signs are counted.
const EXACT_UNITS: usize = 30;

/// The number of random assignments that represent all of them above 30 differences.
pub const SIGN_FLIP_ROUNDS: u32 = 99_999;

/// The alternative hypothesis: which differences are evidence against equal treatment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// The groups differ in either direction.
    TwoSided,
    /// The first group has more.
    Greater,
    /// The first group has less.
    Less,
}

/// The result of the sign-flip test.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SignFlip {
    /// The p-value, above 0 and at most 1.
    pub p: f64,
    /// The smallest p-value that this number n of differences other than 0 can have, whatever their
    /// size: 2^(1-n) for two sides, 2^-n for one; 1 / (rounds + 1) with random assignments.
    pub floor: f64,
    /// Whether all assignments were counted.
    pub exact: bool,
}

/// The sign-flip test: p is the share of all 2^n assignments of signs whose mean is at least as far
/// out as the observed one, for two sides p = #{|mean(s d)| >= |mean d|} / 2^n. Differences of 0 do
/// not affect the result.
///
/// It is exact up to 30 differences other than 0. Above that [`SIGN_FLIP_ROUNDS`] random
/// assignments, drawn with the seed, give p = (b + 1) / (B + 1) (Phipson and Smyth 2010).
pub fn sign_flip(differences: &Differences, alternative: Alternative, seed: u64) -> SignFlip {
    let signed = differences.values().iter().copied();
    let mut values: Vec<f64> = signed.filter(|value| *value != 0.0).collect();
    let toward = match alternative {
        Alternative::TwoSided => values.iter().sum::<f64>(),
        Alternative::Greater => 1.0,
        Alternative::Less => -1.0,
    };
    if toward < 0.0 {
        values.iter_mut().for_each(|value| *value = -*value);
    }
    let sides = if alternative == Alternative::TwoSided {
        2.0
    } else {
        1.0
    };
    if values.len() <= EXACT_UNITS {
        let assignments = 2.0_f64.powi(values.len() as i32);
        SignFlip {
            p: (sides * share_as_high(&values)).min(1.0),
            floor: (sides / assignments).min(1.0),
            exact: true,
        }
    } else {
        let rounds = f64::from(SIGN_FLIP_ROUNDS);
        let hits = random_hits(&values, alternative, seed);
        SignFlip {
            p: (hits + 1.0) / (rounds + 1.0),
            floor: 1.0 / (rounds + 1.0),
            exact: false,
        }
    }
}

/// The threshold from which a sum counts as no less than the observed one, with a margin for
/// rounding.
fn observed(values: &[f64]) -> f64 {
    let size: f64 = values.iter().map(|value| value.abs()).sum();
    values.iter().sum::<f64>() - ROUNDING * size
}

/// The share of all assignments of signs whose sum is no less than the observed one.
///
/// The signed sums of each half of the values are sorted; each sum of one half then pairs with a
/// contiguous run of the other's (Horowitz and Sahni 1974). This takes 2^(n/2) steps instead of
/// 2^n.
pub(super) fn share_as_high(values: &[f64]) -> f64 {
    let limit = observed(values);
    let (left, right) = values.split_at(values.len() / 2);
    let (left, right) = (signed_sums(left), signed_sums(right));
    let mut too_low = right.len();
    let mut hits = 0_u64;
    for sum in &left {
        let reaches = |other: &f64| sum + other >= limit;
        while too_low > 0 && right.get(too_low - 1).is_some_and(reaches) {
            too_low -= 1;
        }
        hits += (right.len() - too_low) as u64;
    }
    hits as f64 / (left.len() as f64 * right.len() as f64)
}

/// The sums under all assignments of signs, in ascending order. Each value merges two sorted runs.
fn signed_sums(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for value in values.iter().map(|value| value.abs()) {
        let mut merged = Vec::with_capacity(2 * sums.len());
        let mut lower = sums.iter().map(|sum| sum - value).peekable();
        for higher in sums.iter().map(|sum| sum + value) {
            while let Some(low) = lower.next_if(|low| *low <= higher) {
                merged.push(low);
            }
            merged.push(higher);
        }
        sums = merged;
    }
    sums
}

/// The number of random assignments that are at least as far out as the observed one.
fn random_hits(values: &[f64], alternative: Alternative, seed: u64) -> f64 {
    let limit = observed(values);
    let mut random = Random::new(seed);
    let mut hits = 0_u32;
    for _ in 0..SIGN_FLIP_ROUNDS {
        let sum = random.signed_sum(values);
        let distance = if alternative == Alternative::TwoSided {
            sum.abs()
        } else {
            sum
        };
        hits += u32::from(distance >= limit);
    }
    f64::from(hits)
}
