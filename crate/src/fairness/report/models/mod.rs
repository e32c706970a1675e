//! One study of several models: each model's verdicts, and tests of all pairs of models.

#[cfg(feature = "notebook")]
mod html;
mod text;

use serde::{Deserialize, Serialize};

use super::estimate::Tested;
use super::format::day;
use super::primary::{PrimaryOutcome, Rounds, Unit, Verdict};
use super::shares::{VarianceShares, shares};
use super::verdict::decide;
use super::{Report, caveats, comparability};
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::saved::Format;
use crate::fairness::study::{MultiModelAnswers, StudyAnswers};
use crate::runtime;
use crate::text::sanitize_line;

/// The saved format; its version is that of a report.
const FORMAT: Format = Format {
    name: "evenhand multi-model report",
    content: "report of several models",
    version: 3,
};

/// The reports of one study for several models, or for one model at several times.
///
/// The primary tests of all models share one level of 5 % (Holm), and the tests of all pairs of
/// models another. `Display` gives a summary, and a notebook shows it as the last expression of a
/// cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MultiModelReport {
    /// The models with their reports, whose verdicts are adjusted over all models.
    pub models: Vec<ModelReport>,
    /// For each primary test, the difference of its difference between two models: for all pairs of
    /// models, the first minus the second, occupation by occupation. The contrast names the models,
    /// and the margin is that of the primary test.
    pub pairs: Vec<PrimaryOutcome>,
    /// What all this does not show, in addition to the caveats of each report.
    pub caveats: Vec<String>,
}

/// The report of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelReport {
    /// The model as named by its service, with the day or a number if several have the name.
    pub name: String,
    /// Its report.
    pub report: Report,
}

impl MultiModelAnswers {
    /// Measures the answers of each model, and tests each model and all pairs of models.
    ///
    /// # Errors
    /// Fewer than two models; the errors of [`StudyAnswers::measure`].
    pub fn measure(&self) -> Result<MultiModelReport> {
        let reports: Result<Vec<_>> = self.answers().iter().map(StudyAnswers::measure).collect();
        MultiModelReport::new(reports?)
    }

    /// Async version of [`measure`](Self::measure), as
    /// [`StudyAnswers::measure_async`] is.
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn measure_async(&self) -> impl Future<Output = Result<MultiModelReport>> + Send + use<> {
        let answers = self.clone();
        runtime::run_blocking(move || answers.measure())
    }
}

impl MultiModelReport {
    /// Puts reports of the same study together: from several deployments or services, or from
    /// several times, such as one that was saved with [`Report::to_json`] before a model was
    /// updated.
    ///
    /// # Errors
    /// Fewer than two reports. Reports that differ in their grid, seed, number of samples, measures,
    /// comparisons, margins, system message or mitigations, or in how they were measured: the message
    /// names what differs. A report that was made by an earlier version.
    pub fn new(reports: impl IntoIterator<Item = Report>) -> Result<Self> {
        Self::new_in(reports.into_iter().collect(), &Rounds::default())
    }

    pub(super) fn new_in(reports: Vec<Report>, rounds: &Rounds) -> Result<Self> {
        if reports.len() < 2 {
            let message = format!(
                "a comparison of models needs two reports or more, and {} was given",
                reports.len()
            );
            return Err(Error::new(ErrorKind::Argument, message)
                .with_hint("the report of a single model is complete on its own"));
        }
        let names = names(&reports);
        let models = names.into_iter().zip(reports);
        let mut models: Vec<ModelReport> = models
            .map(|(name, report)| ModelReport { name, report })
            .collect();
        if let Some((first, others)) = models.split_first() {
            for other in others {
                let names = [&first.name, &other.name].map(String::as_str);
                comparability::require_same_study(&first.report.asked, &other.report.asked, names)?;
            }
        }
        let pairs = tested_pairs(&models, rounds)?;
        decide_together(&mut models)?;
        Ok(Self {
            caveats: collect_caveats(&models, &pairs),
            models,
            pairs,
        })
    }

    /// The report of a model, by its name.
    pub fn model(&self, name: &str) -> Option<&Report> {
        let model = self.models.iter().find(|model| model.name == name)?;
        Some(&model.report)
    }

    /// The shares of the variance of each primary test's differences: how much occupations,
    /// templates, models and chance contribute.
    pub fn variance_shares(&self) -> Vec<VarianceShares> {
        let tests = self
            .models
            .first()
            .map_or(0, |first| first.report.primary_outcomes.len());
        (0..tests)
            .filter_map(|test| {
                let outcome =
                    |model: &'_ ModelReport| model.report.primary_outcomes.get(test).cloned();
                let outcomes: Option<Vec<_>> = self.models.iter().map(outcome).collect();
                shares(&outcomes?.iter().collect::<Vec<_>>())
            })
            .collect()
    }

    /// The complete report as JSON, with the name and version of its format.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn to_json(&self) -> Result<String> {
        FORMAT.write(self)
    }

    /// Reads a report written by [`to_json`](Self::to_json).
    ///
    /// # Errors
    /// The text is not a saved report of several models, or it was written by a later version of
    /// evenhand.
    pub fn from_json(json: &str) -> Result<Self> {
        FORMAT
            .parse_saved(json)
            .map_err(|error| match FORMAT.is_named_in(json) {
                true => error,
                false => {
                    error.with_hint("read the report of a single model with `Report::from_json`")
                }
            })
    }
}

/// The names of the models: two with the same name are told apart by the day of their answers, or
/// else by a number.
fn names(reports: &[Report]) -> Vec<String> {
    let plain = reports.iter().map(|report| {
        let models = &report.asked.provenance.models;
        match models.is_empty() {
            true => "answers from elsewhere".to_owned(),
            false => sanitize_line(&models.join(" and "), 60),
        }
    });
    let dated = |(name, report): (&String, &Report)| match report.asked.provenance.answered {
        Some((first, _)) => format!("{name}, {}", day(first)),
        None => name.clone(),
    };
    let plain: Vec<String> = plain.collect();
    let is_unique =
        |names: &[String], name: &String| names.iter().filter(|one| *one == name).count() == 1;
    let named = plain.iter().zip(reports);
    let dated: Vec<String> = named
        .map(|both| match is_unique(&plain, both.0) {
            true => both.0.clone(),
            false => dated(both),
        })
        .collect();
    let numbered = dated.iter().enumerate().map(|(place, name)| {
        let before = dated.iter().take(place).filter(|one| *one == name).count();
        match is_unique(&dated, name) {
            true => name.clone(),
            false => format!("{name} ({})", before + 1),
        }
    });
    numbered.collect()
}

/// Adjusts the p-values over the tests of all models.
fn decide_together(models: &mut [ModelReport]) -> Result<()> {
    let outdated: Vec<Vec<String>> = models
        .iter()
        .map(|model| caveats::of_outcomes(&model.report))
        .collect();
    let outcomes = models
        .iter_mut()
        .flat_map(|model| &mut model.report.primary_outcomes);
    decide(&mut outcomes.collect::<Vec<_>>())?;
    let outcomes = models
        .iter()
        .flat_map(|model| &model.report.primary_outcomes);
    let tests = outcomes.filter(|one| one.p.is_some()).count();
    for (model, outdated) in models.iter_mut().zip(outdated) {
        let report = &mut model.report;
        report.caveats.retain(|caveat| !outdated.contains(caveat));
        let updated = caveats::of_outcomes_among(report, tests);
        report.caveats.splice(0..0, updated);
    }
    Ok(())
}

/// The tests of all pairs of models, with their verdicts.
fn tested_pairs(models: &[ModelReport], rounds: &Rounds) -> Result<Vec<PrimaryOutcome>> {
    let mut pairs = Vec::new();
    let tests = models
        .first()
        .map_or(0, |first| first.report.primary_outcomes.len());
    for test in 0..tests {
        for (place, first) in models.iter().enumerate() {
            for second in models.iter().skip(place + 1) {
                pairs.extend(pair(test, [first, second], rounds)?);
            }
        }
    }
    decide(&mut pairs.iter_mut().collect::<Vec<_>>())?;
    Ok(pairs)
}

/// The difference of a primary test between two models.
fn pair(test: usize, models: [&ModelReport; 2], rounds: &Rounds) -> Result<Option<PrimaryOutcome>> {
    let outcomes = models.map(|model| model.report.primary_outcomes.get(test));
    let [Some(first), Some(second)] = outcomes else {
        return Ok(None);
    };
    let [before, after] = models.map(|model| model.name.as_str());
    let (units, left_out) = paired_units(first, second);
    let reason = [first, second]
        .iter()
        .zip([before, after])
        .find_map(|(one, name)| match &one.verdict {
            Verdict::CantTell(reason) if one.units.is_empty() => Some(format!("{name}: {reason}")),
            _ => None,
        });
    let reason = reason.unwrap_or_else(|| "no occupation has a value from both models".to_owned());
    let among = models[0].report.primary_outcomes.as_slice();
    let mut outcome = PrimaryOutcome {
        name: first.label(among),
        contrast: format!("{before} - {after}"),
        units,
        left_out,
        doubt: first.doubt.clone().or_else(|| second.doubt.clone()),
        verdict: Verdict::CantTell(reason),
        ..first.untested()
    };
    if outcome.units.is_empty() {
        return Ok(Some(outcome));
    }
    let seed = models[0].report.asked.seed.cast_unsigned();
    match Tested::from_units(&outcome.units) {
        Ok(tested) => {
            let margin = first.margin.or(second.margin).map(|margin| margin.size);
            tested.fill(&mut outcome, margin, rounds, seed)?;
        }
        Err(error) => outcome.verdict = Verdict::CantTell(error.message().to_owned()),
    }
    Ok(Some(outcome))
}

/// The occupations that have a value from both models, and the others.
fn paired_units(first: &PrimaryOutcome, second: &PrimaryOutcome) -> (Vec<Unit>, Vec<String>) {
    let of = |unit: &Unit| second.unit(&unit.occupation).map(|other| unit.minus(other));
    let units: Vec<Unit> = first.units.iter().filter_map(of).collect();
    let mut left_out: Vec<String> = Vec::new();
    let occupations = [first, second].into_iter().flat_map(|one| {
        let units = one.units.iter().map(|unit| &unit.occupation);
        units.chain(&one.left_out)
    });
    for occupation in occupations {
        let is_paired = units.iter().any(|unit| unit.occupation == *occupation);
        if !is_paired && !left_out.contains(occupation) {
            left_out.push(occupation.clone());
        }
    }
    (units, left_out)
}

fn collect_caveats(models: &[ModelReport], pairs: &[PrimaryOutcome]) -> Vec<String> {
    let mut caveats = vec![format!(
        "the primary tests of all {} models share 5 %, and the tests of all pairs of models \
         another 5 %; each model's own caveats are in its report",
        models.len()
    )];
    caveats.extend(caveats::of_pairs(pairs));
    let changed = models
        .iter()
        .filter(|model| model.report.asked.provenance.models.len() > 1);
    caveats.extend(changed.map(|model| {
        format!(
            "{}: the model changed during the study",
            sanitize_line(&model.name, 60)
        )
    }));
    caveats
}
