//! The headline tests, with their estimates and verdicts.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::preregistered::{Preregistered, UnitSamples};
use crate::error::Result;
use crate::fairness::statistics::{
    Alternative, Differences, Feasibility, Interval, NoiseFloor, NoisyDifference, Pairs, Samples,
    headline_interval, holm, noise_floor, sign_flip,
};
use crate::fairness::study::ALPHA;

/// A headline test and its outcome. All values are in the measure's unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PrimaryOutcome {
    /// The measure's name, such as `sentiment`.
    pub name: String,
    /// The difference that is tested, such as `female - male`.
    pub contrast: String,
    /// The measure's unit.
    pub unit: String,
    /// What a higher value means.
    pub direction: String,
    /// The occupations, each with the means of its samples.
    pub units: Vec<Unit>,
    /// The occupations without a value, because no answer has a score.
    pub left_out: Vec<String>,
    /// The mean difference over the occupations.
    pub estimate: Option<f64>,
    /// The 95 % interval of the estimate; for shares, limited to the possible differences. `None`
    /// for fewer than 6 occupations, and if all differences are equal.
    pub interval: Option<Interval>,
    /// The p-value of the sign-flip test.
    pub p: Option<f64>,
    /// The p-value with Holm's adjustment over all headline tests that could be run.
    pub adjusted_p: Option<f64>,
    /// The effect in standard deviations of the difference.
    pub d_z: Option<f64>,
    /// The size below which 95 % of mean differences would stay by chance alone. It is estimated
    /// from the occupations with at least two scored samples on each side, and `None` if these are
    /// less than half of all. If it comes from fewer occupations than were tested, it is too high.
    pub noise_floor: Option<f64>,
    /// The expected size of one occupation's difference by chance alone.
    pub noise_of_unit: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
}

/// One occupation in a headline test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unit {
    /// The occupation.
    pub occupation: String,
    /// The mean of the first side's samples.
    pub first: f64,
    /// The mean of the second side's samples, or the fixed value that the first is compared with.
    pub second: f64,
    /// The variance of the difference by chance, in the square of the unit, estimated from the
    /// samples: s1^2 / k1 + s2^2 / k2. `None` if a side has only one scored sample.
    pub variance: Option<f64>,
    /// The number of usable answers of each side: those with a score. For neutral prompts, all
    /// answers that were read, whether or not they assume a group, and 0 for the fixed value.
    #[serde(default)]
    pub answers: [usize; 2],
}

impl Unit {
    /// The first side minus the second.
    pub fn difference(&self) -> f64 {
        self.first - self.second
    }

    /// The difference with its noise, if that is known.
    pub(super) fn noisy(&self) -> Option<NoisyDifference> {
        Some(NoisyDifference {
            difference: self.difference(),
            variance: self.variance?,
        })
    }
}

/// The verdict of a headline test. `Display` gives it as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The groups differ: the adjusted p-value is 0.05 or less.
    Differs,
    /// The sample could have shown a difference, but did not. This does not prove that the model is
    /// even-handed.
    NoDifferenceShown,
    /// The sample can't carry a verdict, for this reason.
    CantTell(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs => f.write_str("differs"),
            Self::NoDifferenceShown => f.write_str("no difference shown"),
            Self::CantTell(reason) => write!(f, "can't tell: {reason}"),
        }
    }
}

/// The numbers of resampling rounds.
pub(super) struct Rounds {
    pub(super) interval: usize,
    pub(super) noise: usize,
}

impl Default for Rounds {
    fn default() -> Self {
        Self {
            interval: 10_000,
            noise: 2_000,
        }
    }
}

/// Runs the planned tests. A test without any occupation is not counted in the adjustment of the
/// others.
pub(super) fn test(
    planned: Vec<Preregistered>,
    seed: u64,
    rounds: &Rounds,
) -> Result<Vec<PrimaryOutcome>> {
    let mut headlines = Vec::with_capacity(planned.len());
    for one in planned {
        headlines.push(estimate(one, seed, rounds)?);
    }
    let tested: Vec<f64> = headlines.iter().filter_map(|one| one.p).collect();
    let tests = tested.len();
    let mut adjusted = holm(&tested)?.into_iter();
    for headline in headlines.iter_mut().filter(|one| one.p.is_some()) {
        headline.adjusted_p = adjusted.next();
        headline.verdict = verdict(headline, tests)?;
    }
    Ok(headlines)
}

fn verdict(headline: &PrimaryOutcome, tests: usize) -> Result<Verdict> {
    let reach = Feasibility::new(headline.units.len(), tests, ALPHA)?;
    if !reach.carries_a_verdict() {
        let mut reason = format!("{reach}; {} would do", reach.needed());
        if !headline.left_out.is_empty() {
            let all = headline.units.len() + headline.left_out.len();
            reason.push_str(&format!(
                "; {} of {all} occupations have no answer to measure in one of the groups",
                headline.left_out.len()
            ));
        }
        return Ok(Verdict::CantTell(reason));
    }
    let adjusted = headline.adjusted_p;
    Ok(if adjusted.is_some_and(|p| p <= ALPHA) {
        Verdict::Differs
    } else {
        Verdict::NoDifferenceShown
    })
}

fn estimate(planned: Preregistered, seed: u64, rounds: &Rounds) -> Result<PrimaryOutcome> {
    let (samples, reason) = match planned.units {
        Ok(units) => (units, "no answer has a value".to_owned()),
        Err(reason) => (Vec::new(), reason),
    };
    let mut headline = PrimaryOutcome {
        name: planned.name,
        contrast: planned.contrast,
        unit: planned.unit,
        direction: planned.direction,
        units: samples.iter().map(Unit::of).collect(),
        left_out: planned.left_out,
        estimate: None,
        interval: None,
        p: None,
        adjusted_p: None,
        d_z: None,
        noise_floor: None,
        noise_of_unit: None,
        verdict: Verdict::CantTell(reason),
    };
    if samples.is_empty() {
        return Ok(headline);
    }
    let differences = paired(&samples.iter().collect::<Vec<_>>())?.differences()?;
    let noise = floor(&samples, rounds, seed)?;
    headline.estimate = Some(differences.mean());
    headline.interval = interval(&differences, rounds, seed)?
        .map(|interval| within(interval, planned.range, &headline.units));
    headline.p = Some(sign_flip(&differences, Alternative::TwoSided, seed).p);
    headline.d_z = differences.d_z();
    headline.noise_floor = noise.map(|noise| noise.of_mean_95);
    headline.noise_of_unit = noise.map(|noise| noise.of_unit);
    Ok(headline)
}

fn paired(samples: &[&UnitSamples]) -> Result<Pairs> {
    let first = Samples::new(samples.iter().map(|unit| &unit.first))?;
    let second = Samples::new(samples.iter().map(|unit| &unit.second))?;
    Pairs::new(first, second)
}

/// Clips an interval to the possible values: a share is at most 1, minus the value that it is
/// compared with.
fn within(interval: Interval, range: Option<[f64; 2]>, units: &[Unit]) -> Interval {
    let Some([least, most]) = range else {
        return interval;
    };
    let against = units.iter().map(|unit| unit.second).sum::<f64>() / units.len() as f64;
    Interval {
        low: interval.low.max(least - against),
        high: interval.high.min(most - against),
        ..interval
    }
}

/// The interval, if there are enough differences and they are not all equal.
fn interval(differences: &Differences, rounds: &Rounds, seed: u64) -> Result<Option<Interval>> {
    let possible = differences.units() >= 6 && differences.standard_error().is_some();
    possible
        .then(|| headline_interval(differences, rounds.interval, seed))
        .transpose()
}

/// The noise floor from the occupations with several samples, if these are at least half of all.
fn floor(samples: &[UnitSamples], rounds: &Rounds, seed: u64) -> Result<Option<NoiseFloor>> {
    let shows = |unit: &&UnitSamples| unit.first.len() > 1 && unit.second.len() > 1;
    let showing: Vec<&UnitSamples> = samples.iter().filter(shows).collect();
    (2 * showing.len() >= samples.len())
        .then(|| noise_floor(&paired(&showing)?, rounds.noise, seed))
        .transpose()
}

impl Unit {
    fn of(samples: &UnitSamples) -> Self {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        Self {
            occupation: samples.occupation.clone(),
            first: mean(&samples.first),
            second: mean(&samples.second),
            variance: NoisyDifference::between(&samples.first, &samples.second)
                .map(|noisy| noisy.variance),
            answers: samples.answers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Interval, Unit, within};

    #[test]
    fn an_interval_of_shares_ends_where_shares_do() {
        let unit = |second| Unit {
            occupation: "nurse".to_owned(),
            first: 1.0,
            second,
            variance: None,
            answers: [1; 2],
        };
        let wide = Interval {
            low: -3.0,
            high: 1.84,
            level: 0.95,
        };
        let units = [unit(0.5), unit(0.3)];
        let clipped = within(wide, Some([0.0, 1.0]), &units);
        insta::assert_snapshot!(clipped, @"[-0.400, 0.600]");
        assert_eq!(within(wide, None, &units), wide);
    }
}
