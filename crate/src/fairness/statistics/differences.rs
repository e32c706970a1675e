//! Paired differences: one number per unit, the first group minus the second. All paired tests,
//! intervals and effect sizes start from them.

use super::check;
use crate::error::Result;

/// The relative size up to which a value may be a rounding error: enough for sums of a few thousand
/// numbers.
pub(super) const ROUNDING: f64 = 1e-12;

/// One difference per unit, in the measure's unit of measurement. There is at least one, and all
/// are finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences(Vec<f64>);

/// `a` minus `b`; 0 if they are equal within rounding error (10^-12 of the values).
pub(in crate::fairness) fn difference(a: f64, b: f64) -> f64 {
    let difference = a - b;
    match difference.abs() <= ROUNDING * a.abs().max(b.abs()) {
        true => 0.0,
        false => difference,
    }
}

impl Differences {
    /// Creates differences from values that have already been subtracted.
    ///
    /// # Errors
    /// No values; a value that is not finite, or values so large that the sum of their squares
    /// overflows.
    pub fn new(values: impl Into<Vec<f64>>) -> Result<Self> {
        let values = values.into();
        check::at_least("a comparison", values.len(), 1)?;
        check::finite(&values)?;
        let squares: f64 = values.iter().map(|value| value * value).sum();
        if !squares.is_finite() {
            return Err(check::invalid("the values are too large to compute with"));
        }
        Ok(Self(values))
    }

    /// The first group minus the second, unit by unit. A difference within rounding error (10^-12
    /// of the values) is set to 0.
    ///
    /// # Errors
    /// Groups of different lengths; the errors of [`new`](Self::new).
    pub fn between(first: &[f64], second: &[f64]) -> Result<Self> {
        check::same_length(first.len(), second.len())?;
        let pairs = first.iter().zip(second);
        let differences = pairs.map(|(a, b)| difference(*a, *b));
        Self::new(differences.collect::<Vec<_>>())
    }

    /// The differences.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The number of units.
    pub fn units(&self) -> usize {
        self.0.len()
    }

    /// The mean difference, which all intervals here estimate.
    pub fn mean(&self) -> f64 {
        check::mean(&self.0)
    }

    /// The standard deviation, with n - 1 in the denominator. `None` for one unit, and if all
    /// differences are equal.
    pub fn standard_deviation(&self) -> Option<f64> {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (squares / (self.0.len().checked_sub(1)?) as f64).sqrt();
        let largest = self
            .0
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs()));
        (deviation > ROUNDING * largest).then_some(deviation)
    }

    /// The standard error of the mean, s / sqrt(n). `None` as for the standard deviation.
    pub fn standard_error(&self) -> Option<f64> {
        Some(self.standard_deviation()? / (self.units() as f64).sqrt())
    }

    /// Cohen's d_z = mean / s of the differences: the effect in standard deviations (Cohen
    /// 1988, 2.3.5; Lakens 2013, equation 6). `None` as for the standard deviation.
    pub fn d_z(&self) -> Option<f64> {
        Some(self.mean() / self.standard_deviation()?)
    }

    /// The differences, each minus `point`.
    pub(super) fn about(&self, point: f64) -> Vec<f64> {
        self.0.iter().map(|value| value - point).collect()
    }
}
