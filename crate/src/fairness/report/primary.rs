//! The primary tests and their outcomes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::doubt::Doubt;
use super::preregistered::UnitSamples;
use crate::fairness::statistics::{Interval, NoisyDifference, difference};
use crate::fairness::study::ALPHA;

/// A primary test and its outcome. All values are in the measure's unit.
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
    /// The p-value of the primary test: see
    /// [`PrimaryTest`](crate::fairness::statistics::PrimaryTest). With several templates it is the
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
    /// The p-value with Holm's adjustment over all primary tests that could be run.
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
    /// Why the test allows no conclusion, or not all, whatever its p-value is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// The verdict.
    pub verdict: Verdict,
}

/// One occupation in a primary test.
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
    /// samples: s1^2 / k1 + s2^2 / k2, averaged over the templates. A template with only one scored
    /// sample is taken to vary as the others do; `None` if none has two on each side.
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
    /// With several templates, what is known about the answers with each of them. Empty with one
    /// template, and for the difference of two models.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<UnitCell>,
}

/// One occupation with one template, in a primary test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnitCell {
    /// The difference; `None` if a side has no value.
    pub difference: Option<f64>,
    /// Its variance by chance, as in [`Unit::variance`].
    pub variance: Option<f64>,
    /// The number of usable answers of each side.
    pub answers: [usize; 2],
}

impl UnitCell {
    /// The difference with its noise, if both are known.
    pub(super) fn noisy(&self) -> Option<NoisyDifference> {
        Some(NoisyDifference {
            difference: self.difference?,
            variance: self.variance?,
        })
    }
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

/// The verdict of a primary test. `Display` gives it as text;
/// [`PrimaryOutcome::verdict_text`] adds the margin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The groups differ: the adjusted p-value is 0.05 or less. Whether the difference is larger than
    /// the margin is another question: see [`Margin`].
    Differs,
    /// The groups are alike within the margin: a difference was not shown, and one of the margin or
    /// more was ruled out at 5 %, with Holm's adjustment.
    Alike,
    /// The sample could have shown a difference, but did not. This does not prove that the model is
    /// even-handed.
    NoDifferenceShown,
    /// The sample can't support a verdict, for this reason: it is too small, has no values, or shows a
    /// difference only to a test that assumes symmetric differences; or there is a [`Doubt`].
    CantTell(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs => f.write_str("differs"),
            Self::Alike => f.write_str("alike within the margin"),
            Self::NoDifferenceShown => f.write_str("no difference shown"),
            Self::CantTell(reason) => write!(f, "can't tell: {reason}"),
        }
    }
}

/// The difference that is too small to matter, which was fixed before, and the tests against it.
///
/// *Alike* and *differs* are two kinds of verdict. The probability that a report contains any false
/// verdict of one kind is at most 5 %: each has its own Holm adjustment over all primary tests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Margin {
    /// The margin, in the measure's unit: above 0.
    pub size: f64,
    /// The p-value against a difference of the margin or more. If it is small, the difference is
    /// smaller. `None` if all differences are equal, so that they don't show how much they would
    /// vary.
    pub within_p: Option<f64>,
    /// The same with Holm's adjustment.
    pub adjusted_within_p: Option<f64>,
    /// The p-value against a difference of the margin or less. If it is small, the difference is
    /// larger.
    pub beyond_p: f64,
    /// The same with Holm's adjustment.
    pub adjusted_beyond_p: Option<f64>,
}

impl Margin {
    /// Whether the difference was shown to be smaller than the margin.
    pub fn is_within(&self) -> bool {
        self.adjusted_within_p.is_some_and(|p| p <= ALPHA)
    }

    /// Whether the difference was shown to be larger than the margin.
    pub fn is_beyond(&self) -> bool {
        self.adjusted_beyond_p.is_some_and(|p| p <= ALPHA)
    }
}

impl PrimaryOutcome {
    /// The verdict with what was shown about the margin: `alike within ±5`, `differs, by less than
    /// ±5`, `differs, by more than ±5`.
    pub fn verdict_text(&self) -> String {
        match (&self.verdict, self.margin) {
            (Verdict::Alike, Some(margin)) => format!("alike within ±{}", margin.size),
            (Verdict::Differs, Some(margin)) if margin.is_within() => {
                format!("differs, by less than ±{}", margin.size)
            }
            (Verdict::Differs, Some(margin)) if margin.is_beyond() => {
                format!("differs, by more than ±{}", margin.size)
            }
            (verdict, _) => verdict.to_string(),
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

impl PrimaryOutcome {
    /// The outcome's name, with the contrast if several of these outcomes have the name: `length`,
    /// `length (female - male)`.
    pub fn label(&self, among: &[Self]) -> String {
        match among.iter().filter(|one| one.name == self.name).count() {
            0 | 1 => self.name.clone(),
            _ => format!("{} ({})", self.name, self.contrast),
        }
    }

    /// Whether the interval alone would suggest another verdict.
    pub(super) fn contradicts_interval(&self) -> bool {
        let contains_0 = self.interval.map(|interval| interval.contains(0.0));
        match self.verdict {
            Verdict::Differs => contains_0 == Some(true),
            Verdict::Alike | Verdict::NoDifferenceShown => contains_0 == Some(false),
            Verdict::CantTell(_) => false,
        }
    }

    /// A test with its name, contrast, unit and direction, and nothing found.
    pub(super) fn unfound(
        [name, contrast, unit, direction]: [String; 4],
        verdict: Verdict,
    ) -> Self {
        Self {
            name,
            contrast,
            unit,
            direction,
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
            doubt: None,
            verdict,
        }
    }

    /// The same test without its outcome.
    pub(super) fn untested(&self) -> Self {
        let described = [&self.name, &self.contrast, &self.unit, &self.direction];
        Self::unfound(described.map(String::clone), self.verdict.clone())
    }

    /// The values of an occupation.
    pub(super) fn unit(&self, occupation: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.occupation == occupation)
    }
}

impl Unit {
    pub(super) fn from_samples(samples: &UnitSamples) -> Self {
        let cells: Vec<&[Vec<f64>; 2]> = samples.cells().collect();
        let count = cells.len() as f64;
        let mean = |value: &dyn Fn(&[Vec<f64>; 2]) -> f64| {
            cells.iter().map(|cell| value(cell)).sum::<f64>() / count
        };
        let pooled = [0, 1].map(|side| {
            let samples = cells.iter().filter_map(|cell| cell.get(side));
            pooled_variance(samples.map(Vec::as_slice))
        });
        // Of one side of one cell, by its own samples if it has several.
        let variance = |samples: &[f64], pooled| variance_of(samples).or(pooled);
        let sum = |value: fn(f64, usize) -> f64| -> Option<f64> {
            let sides = cells.iter().flat_map(|cell| cell.iter().zip(pooled));
            let values = sides
                .map(|(samples, pooled)| Some(value(variance(samples, pooled)?, samples.len())));
            values.sum()
        };
        let cell_difference = |cell: &[Vec<f64>; 2]| {
            let [first, second] = cell.each_ref().map(|samples| mean_of(samples));
            difference(first, second)
        };
        let templates = samples.by_template.iter();
        let templates = templates.map(|cell| cell.as_ref().map(cell_difference));
        let cell_variance = |cell: &[Vec<f64>; 2]| -> Option<f64> {
            let sides = cell.iter().zip(pooled);
            let variances = sides
                .map(|(samples, pooled)| Some(variance(samples, pooled)? / samples.len() as f64));
            variances.sum()
        };
        let counted = samples.by_template.iter().zip(&samples.answers);
        let counted = counted.map(|(cell, answers)| UnitCell {
            difference: cell.as_ref().map(cell_difference),
            variance: cell.as_ref().and_then(cell_variance),
            answers: *answers,
        });
        let total = |side: usize| {
            samples
                .answers
                .iter()
                .filter_map(move |counts| counts.get(side))
        };
        Self {
            occupation: samples.occupation.clone(),
            first: mean(&|cell| mean_of(&cell[0])),
            second: mean(&|cell| mean_of(&cell[1])),
            variance: sum(|variance, samples| variance / samples as f64)
                .map(|sum| sum / count.powi(2)),
            answer_variance: sum(|variance, _| variance).map(|sum| sum / count),
            answers: [total(0).sum(), total(1).sum()],
            templates: match samples.by_template.len() {
                1 => Vec::new(),
                _ => templates.collect(),
            },
            cells: match samples.by_template.len() {
                1 => Vec::new(),
                _ => counted.collect(),
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
            cells: Vec::new(),
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
    pooled_variance([values].into_iter())
}

/// The variance within the samples, by all that have two values or more.
fn pooled_variance<'a>(samples: impl Iterator<Item = &'a [f64]>) -> Option<f64> {
    let (mut squares, mut freedom) = (0.0, 0);
    for values in samples.filter(|values| values.len() > 1) {
        let mean = mean_of(values);
        squares += values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>();
        freedom += values.len() - 1;
    }
    (freedom > 0).then(|| squares / freedom as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::statistics::size_change;
    use crate::random::Random;

    fn unit(cells: Vec<[Vec<f64>; 2]>) -> Unit {
        Unit::from_samples(&UnitSamples {
            occupation: "nurse".to_owned(),
            answers: vec![[6, 0]; cells.len()],
            by_template: cells.into_iter().map(Some).collect(),
        })
    }

    #[test]
    fn a_template_with_one_sample_varies_as_the_others_do() {
        let fixed = || vec![0.5; 2];
        let both = unit(vec![[vec![1.0, 0.0], fixed()], [vec![1.0], fixed()]]);
        assert_eq!(both.variance, Some((0.25 + 0.5) / 4.0));
        assert_eq!(both.answer_variance, Some(0.5));
        let alone = unit(vec![[vec![1.0], fixed()], [vec![0.0], fixed()]]);
        assert_eq!((alone.variance, alone.answer_variance), (None, None));
    }

    /// Labels of a third of the answers are missing; shares that stay as they are, at one half or
    /// away from it, are seldom called reduced.
    #[test]
    fn missing_labels_are_seldom_a_reduction() {
        let (mut random, mut reduced, studies) = (Random::new(3), 0, 400);
        for seed in 0..studies {
            let mut measured = |share: f64| {
                let cells = (0..6).map(|_| {
                    let labels = (0..2).filter_map(|_| {
                        let label = f64::from(u8::from(random.unit() < share));
                        (random.unit() < 0.67).then_some(label)
                    });
                    [labels.collect::<Vec<_>>(), vec![0.5; 2]]
                });
                let cells: Vec<_> = cells.filter(|cell| !cell[0].is_empty()).collect();
                unit(cells).noisy()
            };
            let shares = (0..12).map(|place| [0.5, 0.8][place % 2]);
            let pairs = shares.filter_map(|share| Some((measured(share)?, measured(share)?)));
            let (before, after): (Vec<_>, Vec<_>) = pairs.unzip();
            let found = size_change(&before, &after, 100, seed).unwrap();
            reduced += usize::from(found.p <= 0.05 && found.reduction > 0.0);
        }
        let most = 0.05 * studies as f64 + 3.29 * (0.05 * 0.95 * studies as f64).sqrt();
        assert!((reduced as f64) < most, "{reduced}");
    }
}
