//! Whether a sample is large enough to support a verdict, checked before looking at its values.

use std::fmt;

use super::check;
use crate::error::{Error, ErrorKind, Result};

/// The smallest p-value that a sample can have, compared with the largest that a verdict allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feasibility {
    units: usize,
    tests: usize,
    alpha: f64,
}

impl Feasibility {
    /// The feasibility of the sign-flip test with `units` pairs, for one of `tests` primary
    /// measures with Holm's adjustment, at `alpha`.
    ///
    /// # Errors
    /// No tests; an alpha outside (0, 1).
    pub fn new(units: usize, tests: usize, alpha: f64) -> Result<Self> {
        check::argument(tests > 0, || "a verdict needs at least one test".to_owned())?;
        check::between_0_and_1("alpha", alpha)?;
        Ok(Self {
            units,
            tests,
            alpha,
        })
    }

    /// The smallest two-sided p-value that this number of pairs can have: 2^(1-n), at most 1.
    pub fn floor(&self) -> f64 {
        smallest_p(self.units)
    }

    /// The limit for the smallest p-value of all tests: alpha / m, Holm's first step.
    pub fn threshold(&self) -> f64 {
        self.alpha / self.tests as f64
    }

    /// The fewest pairs that can support a verdict: the least n with 2^(1-n) <= alpha / m.
    pub fn needed(&self) -> usize {
        (1..)
            .find(|units| smallest_p(*units) <= self.threshold())
            .unwrap_or(usize::MAX)
    }

    /// Whether the sample can support a verdict.
    pub fn supports_verdict(&self) -> bool {
        self.floor() <= self.threshold()
    }

    /// Returns an error unless the sample can support a verdict.
    ///
    /// # Errors
    /// The sample is too small: the message gives the reason, and the hint the number of units
    /// needed.
    pub fn require(&self) -> Result<()> {
        if self.supports_verdict() {
            return Ok(());
        }
        let hint = format!(
            "{} would do; more samples of the same units don't help",
            self.needed()
        );
        Err(Error::new(ErrorKind::Statistics, self.to_string()).with_hint(hint))
    }
}

/// 2^(1-n), at most 1.
fn smallest_p(units: usize) -> f64 {
    let exponent = i32::try_from(units).unwrap_or(i32::MAX);
    2.0_f64.powi(1_i32.saturating_sub(exponent)).min(1.0)
}

/// The reason why the sample can or can't support a verdict.
impl fmt::Display for Feasibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.supports_verdict() {
            "can"
        } else {
            "can't"
        };
        let pairs = if self.units == 1 { "pair" } else { "pairs" };
        let (floor, threshold) = (short(self.floor()), short(self.threshold()));
        write!(f, "{} {pairs} {verb} support a verdict: ", self.units)?;
        write!(
            f,
            "the smallest p-value they can have is {floor}, and {threshold} is needed"
        )?;
        if self.tests > 1 {
            write!(f, " ({} over {} measures)", self.alpha, self.tests)?;
        }
        Ok(())
    }
}

/// A p-value in short form: `0.0625`, `0.05`, `2e-9`.
fn short(p: f64) -> String {
    if p < 0.0001 {
        return format!("{p:.0e}");
    }
    format!("{p:.4}")
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::Feasibility;

    fn says(units: usize, tests: usize) -> String {
        let reach = Feasibility::new(units, tests, 0.05).unwrap();
        match reach.require() {
            Ok(()) => reach.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_refusal_names_the_reason_and_the_number_that_would_do() {
        insta::assert_snapshot!(says(5, 1), @r"
        5 pairs can't support a verdict: the smallest p-value they can have is 0.0625, and 0.05 is needed
          hint: 6 would do; more samples of the same units don't help
        ");
        insta::assert_snapshot!(says(7, 4), @r"
        7 pairs can't support a verdict: the smallest p-value they can have is 0.0156, and 0.0125 is needed (0.05 over 4 measures)
          hint: 8 would do; more samples of the same units don't help
        ");
        insta::assert_snapshot!(says(1, 1), @r"
        1 pair can't support a verdict: the smallest p-value they can have is 1, and 0.05 is needed
          hint: 6 would do; more samples of the same units don't help
        ");
        insta::assert_snapshot!(says(0, 1), @r"
        0 pairs can't support a verdict: the smallest p-value they can have is 1, and 0.05 is needed
          hint: 6 would do; more samples of the same units don't help
        ");
    }

    #[test]
    fn a_sample_that_can_says_so() {
        insta::assert_snapshot!(says(8, 4), @"8 pairs can support a verdict: the smallest p-value they can have is 0.0078, and 0.0125 is needed (0.05 over 4 measures)");
        insta::assert_snapshot!(says(30, 1), @"30 pairs can support a verdict: the smallest p-value they can have is 2e-9, and 0.05 is needed");
    }
}
