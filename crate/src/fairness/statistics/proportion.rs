//! Rates: of one group, of two independent groups, and of two groups on the same units.

use super::check;
use super::distribution::{beta_quantile, fair_coin_p, hypergeometric, normal_quantile};
use super::interval::Interval;
use crate::error::Result;

/// A number of successes out of a number of trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    successes: u64,
    trials: u64,
}

impl Proportion {
    /// `successes` of `trials`.
    ///
    /// # Errors
    /// No trials, or more successes than trials.
    pub fn new(successes: u64, trials: u64) -> Result<Self> {
        check::argument(trials > 0 && successes <= trials, || {
            format!("{successes} of {trials} is not a proportion")
        })?;
        Ok(Self { successes, trials })
    }

    /// The rate, from 0 to 1.
    pub fn rate(self) -> f64 {
        self.successes as f64 / self.trials as f64
    }

    /// Wilson's score interval (1927): (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n).
    /// It is also valid for rates of 0 and 1.
    ///
    /// # Errors
    /// A level outside (0, 1).
    pub fn wilson(self, level: f64) -> Result<Interval> {
        check::between_0_and_1("the level", level)?;
        let z = normal_quantile(0.5 * (1.0 + level));
        let (rate, trials) = (self.rate(), self.trials as f64);
        let weight = z * z / trials;
        let middle = rate + 0.5 * weight;
        let reach = z * (rate * (1.0 - rate) / trials + 0.25 * weight / trials).sqrt();
        let [low, high] = [middle - reach, middle + reach].map(|end| end / (1.0 + weight));
        // Rounding must not place the rate outside the interval.
        Ok(Interval {
            low: low.clamp(0.0, rate),
            high: high.clamp(rate, 1.0),
            level,
        })
    }

    /// The exact interval of Clopper and Pearson (1934), from quantiles of the beta distribution:
    /// its coverage is at least the nominal level, and it is wider than [`wilson`](Self::wilson)'s.
    ///
    /// # Errors
    /// A level outside (0, 1).
    pub fn clopper_pearson(self, level: f64) -> Result<Interval> {
        check::between_0_and_1("the level", level)?;
        let tail = 0.5 * (1.0 - level);
        let (successes, failures) = (self.successes as f64, (self.trials - self.successes) as f64);
        Ok(Interval {
            low: beta_quantile(tail, successes, failures + 1.0),
            high: beta_quantile(1.0 - tail, successes + 1.0, failures),
            level,
        })
    }
}

/// The exact two-sided p-value of two independent proportions (Fisher 1935): the probability, given
/// the margins, of all tables that are not likelier than the observed one.
pub fn fisher_exact(first: Proportion, second: Proportion) -> f64 {
    let (trials, successes) = (
        first.trials + second.trials,
        first.successes + second.successes,
    );
    let chance = |k: u64| hypergeometric(k, first.trials, successes, trials);
    let least = (first.trials + successes).saturating_sub(trials);
    let observed = chance(first.successes);
    let tables = least..=first.trials.min(successes);
    // Equal probabilities may differ by rounding.
    let unlikely = tables
        .map(chance)
        .filter(|chance| *chance <= observed * (1.0 + 1e-7));
    unlikely.sum::<f64>().clamp(f64::MIN_POSITIVE, 1.0)
}

/// The interval of `first - second` for two independent proportions, measured on different units:
/// Newcombe (1998, Statistics in Medicine 17:873, method 10) adds the squared distances from the
/// rates to the ends of their Wilson intervals.
///
/// # Errors
/// A level outside (0, 1).
pub fn newcombe(first: Proportion, second: Proportion, level: f64) -> Result<Interval> {
    square_and_add(first, second, 0.0, level)
}

/// A yes or no for each of two groups, counted over units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairedCounts {
    /// Yes in both groups.
    pub both: u64,
    /// Yes in the first group only.
    pub first_only: u64,
    /// Yes in the second group only.
    pub second_only: u64,
    /// Yes in neither.
    pub neither: u64,
}

impl PairedCounts {
    /// The exact two-sided p-value of McNemar's test: 2 P(X <= min(b, c)) for X of b + c fair
    /// coins, at most 1, where b and c are the counts of units in which the groups differ (McNemar
    /// 1947). 1 if they never differ.
    pub fn mcnemar(&self) -> f64 {
        fair_coin_p(self.first_only, self.second_only)
    }

    /// The interval of the first group's rate minus the second's (Newcombe 1998, Statistics in
    /// Medicine 17:2635, method 10): like [`newcombe`], but accounting for the correlation phi
    /// between the groups, with Newcombe's continuity correction.
    ///
    /// # Errors
    /// A level outside (0, 1); no units.
    pub fn newcombe(&self, level: f64) -> Result<Interval> {
        let first = Proportion::new(self.both + self.first_only, self.units())?;
        let second = Proportion::new(self.both + self.second_only, self.units())?;
        square_and_add(first, second, self.correlation(), level)
    }

    fn units(&self) -> u64 {
        self.both + self.first_only + self.second_only + self.neither
    }

    /// phi = (ad - bc) / sqrt of the product of the margins, with a positive numerator reduced by
    /// n/2 but not below 0; phi is 0 if a margin is 0.
    fn correlation(&self) -> f64 {
        let [a, b, c, d] =
            [self.both, self.first_only, self.second_only, self.neither].map(|n| n as f64);
        let margins = (a + b) * (c + d) * (a + c) * (b + d);
        let product = a * d - b * c;
        let corrected = if product > 0.0 {
            (product - 0.5 * (a + b + c + d)).max(0.0)
        } else {
            product
        };
        if margins > 0.0 {
            corrected / margins.sqrt()
        } else {
            0.0
        }
    }
}

/// The difference of two rates, with the half-widths of their Wilson intervals combined by the law
/// of cosines.
fn square_and_add(
    first: Proportion,
    second: Proportion,
    correlation: f64,
    level: f64,
) -> Result<Interval> {
    let difference = first.rate() - second.rate();
    let (one, two) = (first.wilson(level)?, second.wilson(level)?);
    let third_side = |a: f64, b: f64| {
        let square = a * a - 2.0 * correlation * a * b + b * b;
        square.max(0.0).sqrt()
    };
    let down = third_side(first.rate() - one.low, two.high - second.rate());
    let up = third_side(one.high - first.rate(), second.rate() - two.low);
    Ok(Interval {
        low: difference - down,
        high: difference + up,
        level,
    })
}
