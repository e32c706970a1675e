//! p-values of several tests, adjusted for being several.

use super::check;
use crate::error::Result;

/// Holm's step-down adjustment (1979), which keeps the chance of any false alarm at alpha
/// whatever the tests have in common: the i-th smallest of m becomes (m - i + 1) p, at most
/// 1, and no less than the one before. In the order of the input.
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

/// The step-up adjustment of Benjamini and Hochberg (1995), which keeps the expected share of
/// false alarms among all alarms at alpha: the i-th smallest of m becomes m p / i, and no more
/// than the one after. For the many words of a comparison. In the order of the input.
///
/// # Errors
/// A p-value outside [0, 1].
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>> {
    let order = ascending(p_values)?;
    let mut adjusted = p_values.to_vec();
    let mut most = 1.0_f64;
    for (rank, (place, p)) in order.iter().enumerate().rev() {
        // In this order, rounding leaves no result below p.
        let stepped = p * (p_values.len() as f64 / (rank + 1) as f64);
        most = most.min(stepped);
        put(&mut adjusted, *place, most);
    }
    Ok(adjusted)
}

/// The p-values with their places, smallest first.
fn ascending(p_values: &[f64]) -> Result<Vec<(usize, f64)>> {
    if let Some(p) = p_values.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(check::invalid(format!("{p} is no p-value")));
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
