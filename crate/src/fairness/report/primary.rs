//! The headline tests and their outcomes.

use serde::{Deserialize, Serialize};

use super::estimate::estimate;
use super::preregistered::{Preregistered, UnitSamples};
use super::verdict::{Margin, Verdict, decide};
use crate::error::Result;
use crate::fairness::statistics::{Interval, NoisyDifference, difference};

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
    /// The mean difference over the occupations, and over the templates.
    pub estimate: Option<f64>,
    /// The 95 % interval of the estimate; for shares, limited to the possible differences. `None`
    /// for fewer than 6 occupations, and if all differences are equal. With several templates it is
    /// an interval over both occupations and templates.
    pub interval: Option<Interval>,
    /// The p-value of the headline test: see
    /// [`HeadlineTest`](crate::fairness::statistics::HeadlineTest). With several templates it is the
    /// larger of that and the p-value over occupations and templates: see
    /// [`CrossedDifferences`](crate::fairness::statistics::CrossedDifferences).
    pub p: Option<f64>,
    /// The p-value of the sign-flip test alone, which assumes that the differences are symmetric
    /// about their mean. `None` in a report from an earlier version, whose `p` it is.
    #[serde(default)]
    pub sign_flip_p: Option<f64>,
    /// Fisher's skewness of the differences. `None` for fewer than 6 occupations, and if all
    /// differences are equal.
    #[serde(default)]
    pub skewness: Option<f64>,
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
    /// The difference that is too small to matter, and the tests against it. `None` if the measure
    /// has no margin, and if nothing could be tested.
    #[serde(default)]
    pub margin: Option<Margin>,
    /// The verdict.
    pub verdict: Verdict,
}

/// One occupation in a headline test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unit {
    /// The occupation.
    pub occupation: String,
    /// The mean of the first side's samples, averaged over the templates.
    pub first: f64,
    /// The same of the second side, or the fixed value that the first is compared with.
    pub second: f64,
    /// The variance of the difference by chance, in the square of the unit, estimated from the
    /// samples: s1^2 / k1 + s2^2 / k2. `None` if a side has only one scored sample.
    pub variance: Option<f64>,
    /// The number of usable answers of each side: those with a score. For neutral prompts, all
    /// answers that were read, whether or not they assume a group, and 0 for the fixed value.
    #[serde(default)]
    pub answers: [usize; 2],
    /// The variance of the difference between two single answers to the same prompts, s1^2 + s2^2,
    /// averaged over the templates. `None` as for `variance`, and in a report from an earlier
    /// version.
    #[serde(default)]
    pub answer_variance: Option<f64>,
    /// With several templates, the difference with each of them; `None` for one without a value.
    /// Empty with one template.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Option<f64>>,
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
    decide(&mut headlines.iter_mut().collect::<Vec<_>>())?;
    Ok(headlines)
}

impl PrimaryOutcome {
    /// The outcome's name, with the contrast if several of these outcomes have the name: `length`,
    /// `length (female - male)`.
    pub fn label(&self, among: &[Self]) -> String {
        match among.iter().filter(|one| one.name == self.name).count() {
            0 | 1 => self.name.clone(),
            _ => format!("{} ({})", self.name, self.contrast),
        }
    }

    /// The same test without its outcome.
    pub(super) fn untested(&self) -> Self {
        Self {
            units: Vec::new(),
            left_out: Vec::new(),
            estimate: None,
            interval: None,
            p: None,
            sign_flip_p: None,
            skewness: None,
            adjusted_p: None,
            d_z: None,
            noise_floor: None,
            noise_of_unit: None,
            margin: None,
            ..self.clone()
        }
    }

    /// The values of an occupation.
    pub(super) fn unit(&self, occupation: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.occupation == occupation)
    }
}

impl Unit {
    pub(super) fn of(samples: &UnitSamples) -> Self {
        let cells: Vec<&[Vec<f64>; 2]> = samples.cells().collect();
        let count = cells.len() as f64;
        let mean = |value: &dyn Fn(&[Vec<f64>; 2]) -> f64| {
            cells.iter().map(|cell| value(cell)).sum::<f64>() / count
        };
        let sum = |value: fn(&[Vec<f64>; 2]) -> Option<f64>| -> Option<f64> {
            cells.iter().map(|cell| value(cell)).sum()
        };
        let cell_difference = |cell: &[Vec<f64>; 2]| {
            let [first, second] = cell.each_ref().map(|samples| mean_of(samples));
            difference(first, second)
        };
        let templates = samples.by_template.iter();
        let templates = templates.map(|cell| cell.as_ref().map(cell_difference));
        Self {
            occupation: samples.occupation.clone(),
            first: mean(&|cell| mean_of(&cell[0])),
            second: mean(&|cell| mean_of(&cell[1])),
            variance: sum(|[first, second]| {
                Some(NoisyDifference::between(first, second)?.variance)
            })
            .map(|sum| sum / count.powi(2)),
            answer_variance: sum(|[first, second]| {
                Some(variance_of(first)? + variance_of(second)?)
            })
            .map(|sum| sum / count),
            answers: samples.answers,
            templates: match samples.by_template.len() {
                1 => Vec::new(),
                _ => templates.collect(),
            },
        }
    }

    /// The difference of this difference and another one of the same occupation.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let sum = |one: Option<f64>, other: Option<f64>| Some(one? + other?);
        let templates = self.templates.iter().zip(&other.templates);
        Self {
            occupation: self.occupation.clone(),
            first: self.difference(),
            second: other.difference(),
            variance: sum(self.variance, other.variance),
            answer_variance: sum(self.answer_variance, other.answer_variance),
            answers: [self.answers.iter().sum(), other.answers.iter().sum()],
            templates: templates
                .map(|(one, other)| Some(difference((*one)?, (*other)?)))
                .collect(),
        }
    }

    /// The difference with each template.
    pub(super) fn by_template(&self) -> Vec<Option<f64>> {
        match self.templates.is_empty() {
            true => vec![Some(difference(self.first, self.second))],
            false => self.templates.clone(),
        }
    }

    /// Whether there is a difference with each template.
    pub(super) fn is_complete(&self) -> bool {
        self.templates.iter().all(Option::is_some)
    }
}

fn mean_of(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The variance of the values, with n - 1 in the denominator.
fn variance_of(values: &[f64]) -> Option<f64> {
    let freedom = values.len().checked_sub(1).filter(|freedom| *freedom > 0)?;
    let mean = mean_of(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some(squares / freedom as f64)
}
