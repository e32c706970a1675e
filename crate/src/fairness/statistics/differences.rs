//! The paired differences: one number a unit, first group less second. All paired tests,
//! intervals and effect sizes start from them.

use super::check;
use crate::error::Result;

/// What of a value can be rounding: sums of a few thousand numbers, with room.
pub(super) const ROUNDING: f64 = 1e-12;

/// One difference a unit, in the measure's own unit. At least one, all finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences(Vec<f64>);

impl Differences {
    /// Takes the differences as they are.
    ///
    /// # Errors
    /// None at all; one that is not finite, or so large that the squares have no sum.
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

    /// First less second, unit by unit. A difference that is nothing but rounding
    /// (10^-12 of the values) is 0.
    ///
    /// # Errors
    /// Groups of different length; as [`new`](Self::new).
    pub fn between(first: &[f64], second: &[f64]) -> Result<Self> {
        check::same_length(first.len(), second.len())?;
        let pairs = first.iter().zip(second);
        let difference = |(a, b): (&f64, &f64)| {
            let difference = a - b;
            let rounding = ROUNDING * a.abs().max(b.abs());
            if difference.abs() <= rounding {
                0.0
            } else {
                difference
            }
        };
        Self::new(pairs.map(difference).collect::<Vec<_>>())
    }

    /// The differences.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The number of units.
    pub fn units(&self) -> usize {
        self.0.len()
    }

    /// The mean difference: the estimate that all intervals here are for.
    pub fn mean(&self) -> f64 {
        check::mean(&self.0)
    }

    /// The standard deviation, with n - 1. `None` for one unit, and where all differences are
    /// equal.
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

    /// The same differences about another point: each less `point`.
    pub(super) fn about(&self, point: f64) -> Vec<f64> {
        self.0.iter().map(|value| value - point).collect()
    }
}
