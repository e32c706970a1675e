//! Adjustment of p-values for multiple testing.

use super::check;
use crate::error::Result;

/// Holm's step-down adjustment (1979), which keeps the probability of any false alarm at or below
/// alpha under any dependence between the tests. The i-th smallest of m p-values becomes
/// (m - i + 1) p, at most 1, and no less than the one before it. The result is in the order of the
/// input.
///
/// # Errors
/// A p-value outside [0, 1].
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>> {
    let order = ascending(p_values)?;
    let mut adjusted = p_values.to_vec();
    let mut least = 0.0_f64;
    for (rank, (place, p)) in order.iter().enumerate() {
        let stepped = (p_values.len() - rank) as f64 * p;
        least = least.max(stepped.min(1.0));
        put(&mut adjusted, *place, least);
    }
    Ok(adjusted)
}

/// Bonferroni's adjustment: m p, at most 1. [`holm`] gives the same guarantee, and its adjusted
/// p-values are never larger.
///
/// # Errors
/// A p-value outside [0, 1].
pub fn bonferroni(p_values: &[f64]) -> Result<Vec<f64>> {
    ascending(p_values)?;
    let tests = p_values.len() as f64;
    Ok(p_values.iter().map(|p| (tests * p).min(1.0)).collect())
}

/// The step-up adjustment of Benjamini and Hochberg (1995), which keeps the expected share of false
/// alarms among all alarms at or below alpha: the i-th smallest of m p-values becomes m p / i, and
/// no more than the one after it. Used for the many words of a comparison. The result is in the
/// order of the input.
///
/// # Errors
/// A p-value outside [0, 1].
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>> {
    step_up(p_values, 1.0)
}

/// Like [`benjamini_hochberg`], but valid under any dependence between the tests (Benjamini and
/// Yekutieli 2001): m p / i times 1 + 1/2 + .. + 1/m.
///
/// # Errors
/// A p-value outside [0, 1].
pub fn benjamini_yekutieli(p_values: &[f64]) -> Result<Vec<f64>> {
    let harmonic = (1..=p_values.len()).map(|rank| 1.0 / rank as f64).sum();
    step_up(p_values, harmonic)
}

fn step_up(p_values: &[f64], factor: f64) -> Result<Vec<f64>> {
    let order = ascending(p_values)?;
    let mut adjusted = p_values.to_vec();
    let mut most = 1.0_f64;
    for (rank, (place, p)) in order.iter().enumerate().rev() {
        // With this order of operations, rounding can't make the result smaller than p.
        let stepped = p * (factor * p_values.len() as f64 / (rank + 1) as f64);
        most = most.min(stepped);
        put(&mut adjusted, *place, most);
    }
    Ok(adjusted)
}

/// The p-values with their positions in the input, smallest first.
fn ascending(p_values: &[f64]) -> Result<Vec<(usize, f64)>> {
    if let Some(p) = p_values.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(check::invalid(format!("{p} is not a p-value")));
    }
    let mut order: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    Ok(order)
}

fn put(values: &mut [f64], place: usize, value: f64) {
    if let Some(slot) = values.get_mut(place) {
        *slot = value;
    }
}
