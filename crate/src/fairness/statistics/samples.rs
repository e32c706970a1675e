//! From samples to units. The unit is what was sampled and what a conclusion is about: an
//! occupation, not an answer. Counting each answer as an independent case is pseudo-replication
//! (Hurlbert 1984): more samples of five occupations are still five occupations.

use super::check::{self, invalid, too_few};
use super::differences::Differences;
use crate::error::Result;

/// The values that were measured in one group, unit by unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    values: Vec<f64>,
    /// Where each unit's values end.
    ends: Vec<usize>,
}

impl Samples {
    /// Creates the samples of a group from those of each unit; units may have different numbers of
    /// samples.
    ///
    /// # Errors
    /// No units; a unit without samples, which the message names by its index from 0; a value that
    /// is not finite.
    pub fn new<U>(units: U) -> Result<Self>
    where
        U: IntoIterator,
        U::Item: AsRef<[f64]>,
    {
        let (mut values, mut ends) = (Vec::new(), Vec::new());
        for unit in units {
            let samples = unit.as_ref();
            if samples.is_empty() {
                let message = format!("unit {} has no samples", ends.len());
                return Err(invalid(message).with_hint("ask it again, or leave the unit out"));
            }
            values.extend_from_slice(samples);
            ends.push(values.len());
        }
        check::finite(&values)?;
        if ends.is_empty() {
            return Err(too_few("samples", 0, 1));
        }
        Ok(Self { values, ends })
    }

    /// The number of units.
    pub fn units(&self) -> usize {
        self.ends.len()
    }

    /// The samples of each unit.
    pub fn iter(&self) -> impl Iterator<Item = &[f64]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let bounds = starts.zip(self.ends.iter().copied());
        bounds.filter_map(|(start, end)| self.values.get(start..end))
    }

    /// The mean of each unit: these are the values to test.
    pub fn means(&self) -> Vec<f64> {
        self.iter().map(check::mean).collect()
    }
}

/// Two groups, measured on the same units.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs {
    first: Samples,
    second: Samples,
}

impl Pairs {
    /// Pairs the groups unit by unit, in their order.
    ///
    /// # Errors
    /// Different numbers of units in the two groups.
    pub fn new(first: Samples, second: Samples) -> Result<Self> {
        check::same_length(first.units(), second.units())?;
        Ok(Self { first, second })
    }

    /// The samples of both groups, unit by unit.
    pub fn iter(&self) -> impl Iterator<Item = (&[f64], &[f64])> {
        self.first.iter().zip(self.second.iter())
    }

    /// The difference of the means of each unit, first group minus second.
    ///
    /// # Errors
    /// Means so large that the sum of squares overflows.
    pub fn differences(&self) -> Result<Differences> {
        Differences::between(&self.first.means(), &self.second.means())
    }
}
