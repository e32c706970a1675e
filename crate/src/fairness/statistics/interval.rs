//! An interval, independent of the method that computed it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An interval that would contain the true value in a share `level` of all repetitions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Interval {
    /// The lower end, in the estimate's unit.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The nominal coverage, such as 0.95.
    pub level: f64,
}

impl Interval {
    /// Whether the value is in the interval, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The width, in the estimate's unit.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }
}

/// `[-0.034, 0.134]`: three decimals, or the precision given in the format string.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(3);
        write!(f, "[{:.*}, {:.*}]", decimals, self.low, decimals, self.high)
    }
}
