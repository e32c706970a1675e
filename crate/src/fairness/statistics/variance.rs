//! Components of variance of crossed factors.

use super::check;

/// The components of variance of values that several crossed factors determine, additively.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct VarianceComponents {
    /// The mean square of each factor.
    pub squares: Vec<f64>,
    /// The variance due to each factor: what its mean square exceeds the rest by, or 0, divided by
    /// the number of values for each of its levels. `None` for a factor with one level.
    pub factors: Vec<Option<f64>>,
    /// The mean square of the residuals: interactions, and the variation of the values themselves.
    /// `None` if there is only one factor with several levels, from which they can't be separated.
    pub rest: Option<f64>,
}

/// Estimates the components (Henderson's method for balanced data, which is the analysis of
/// variance) of values in row-major order: the last factor varies fastest. `None` if the number of
/// values is not the product of the numbers of levels, or no factor has several levels.
pub fn variance_components(levels: &[usize], values: &[f64]) -> Option<VarianceComponents> {
    let count = values.len();
    let several = levels.iter().any(|levels| *levels > 1);
    if levels.iter().product::<usize>() != count || !several {
        return None;
    }
    let mean = check::mean(values);
    let effects: Vec<Vec<f64>> = (0..levels.len())
        .map(|factor| effects(levels, factor, values, mean))
        .collect();
    let residual = |(place, value): (usize, &f64)| {
        let fit: f64 = effects
            .iter()
            .enumerate()
            .filter_map(|(factor, effects)| effects.get(level_of(levels, factor, place)))
            .sum();
        (value - mean - fit).powi(2)
    };
    let used: usize = levels.iter().map(|levels| levels - 1).sum();
    let freedom = (count - 1).checked_sub(used).filter(|freedom| *freedom > 0);
    let rest = freedom
        .map(|freedom| values.iter().enumerate().map(residual).sum::<f64>() / freedom as f64);
    let squares: Vec<f64> = effects
        .iter()
        .map(|effects| {
            let repeats = (count / effects.len()) as f64;
            let sum: f64 = effects.iter().map(|effect| effect.powi(2)).sum();
            repeats * sum / (effects.len() as f64 - 1.0).max(1.0)
        })
        .collect();
    let factors = levels.iter().zip(&squares).map(|(levels, square)| {
        let repeats = (count / levels) as f64;
        (*levels > 1).then(|| (square - rest.unwrap_or(0.0)).max(0.0) / repeats)
    });
    Some(VarianceComponents {
        factors: factors.collect(),
        squares,
        rest,
    })
}

/// The level of a factor at a place of the values.
fn level_of(levels: &[usize], factor: usize, place: usize) -> usize {
    let after: usize = levels.iter().skip(factor + 1).product();
    let own = levels.get(factor).copied().unwrap_or(1);
    place / after % own
}

/// The mean of each level of a factor, minus the mean of all.
fn effects(levels: &[usize], factor: usize, values: &[f64], mean: f64) -> Vec<f64> {
    let own = levels.get(factor).copied().unwrap_or(1);
    let mut sums = vec![0.0; own];
    for (place, value) in values.iter().enumerate() {
        if let Some(sum) = sums.get_mut(level_of(levels, factor, place)) {
            *sum += value;
        }
    }
    let repeats = (values.len() / own) as f64;
    sums.iter().map(|sum| sum / repeats - mean).collect()
}
