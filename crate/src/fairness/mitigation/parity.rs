//! Parity: how often two groups have the favorable outcome.

use crate::error::Result;
use crate::text::sanitize_line;

use super::labels::{LabeledRows, argument};

/// How often two groups have the favorable outcome, with the terms of AIF360's
/// `BinaryLabelDatasetMetric`.
///
/// ```
/// use evenhand::fairness::mitigation::LabeledRows;
///
/// let labels = LabeledRows::new([("m", 1), ("m", 1), ("f", 1), ("f", 0)]
///     .map(|(group, outcome)| (group, outcome.to_string())))?;
/// let parity = labels.parity("f", "m", "1")?;
/// assert_eq!(parity.statistical_parity_difference(), -0.5);
/// assert_eq!(parity.disparate_impact(), Some(0.5));
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parity {
    /// The weighted share of the unprivileged group with the favorable outcome, from 0 to 1.
    pub unprivileged: f64,
    /// The weighted share of the privileged group with the favorable outcome.
    pub privileged: f64,
}

impl Parity {
    /// `P(y | unprivileged) - P(y | privileged)`: 0 is even-handed; negative values mean a
    /// disadvantage for the unprivileged group.
    pub fn statistical_parity_difference(&self) -> f64 {
        self.unprivileged - self.privileged
    }

    /// `P(y | unprivileged) / P(y | privileged)`: 1 is even-handed. `None` if no privileged row has
    /// the outcome, since the ratio is then undefined.
    pub fn disparate_impact(&self) -> Option<f64> {
        let ratio = self.unprivileged / self.privileged;
        ratio.is_finite().then_some(ratio)
    }
}

impl LabeledRows {
    /// Compares two groups by their share of the favorable outcome.
    ///
    /// # Errors
    /// A group has no rows or a total weight of 0; no row has the outcome.
    pub fn parity(&self, unprivileged: &str, privileged: &str, favorable: &str) -> Result<Parity> {
        if !self.rows().any(|(_, outcome)| outcome == favorable) {
            let favorable = sanitize_line(favorable, 60);
            return Err(argument(format!("no row has the outcome '{favorable}'")));
        }
        Ok(Parity {
            unprivileged: self.base_rate(unprivileged, favorable)?,
            privileged: self.base_rate(privileged, favorable)?,
        })
    }

    /// The weighted share of a group with an outcome, from 0 to 1.
    ///
    /// # Errors
    /// The group has no rows or a total weight of 0.
    pub fn base_rate(&self, group: &str, outcome: &str) -> Result<f64> {
        let mut all = 0.0;
        let mut with = 0.0;
        for ((of_group, of_outcome), weight) in self.rows().zip(self.weights()) {
            if of_group == group {
                all += weight;
                with += if of_outcome == outcome { *weight } else { 0.0 };
            }
        }
        if all > 0.0 {
            return Ok(with / all);
        }
        let group = sanitize_line(group, 60);
        Err(argument(format!(
            "no row with a weight above 0 has the group '{group}'"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_to_nothing_is_none() {
        let labels = LabeledRows::new([("m", "no"), ("f", "yes")]).unwrap();
        let parity = labels.parity("f", "m", "yes").unwrap();
        assert_eq!(parity.disparate_impact(), None);
        assert_eq!(parity.statistical_parity_difference(), 1.0);
    }

    #[test]
    fn a_word_that_no_row_has_is_an_error_and_not_a_rate_of_0() {
        let labels = LabeledRows::new([("m", "no"), ("f", "yes")]).unwrap();
        labels.parity("f", "x", "yes").unwrap_err();
        labels.parity("f", "m", "maybe").unwrap_err();
    }
}
