//! The report of a study: estimates with their uncertainty, and a verdict where the sample can
//! carry one.
//!
//! - `measured_answers` reads the answers and refuses an incomplete grid; `scores` measures them;
//!   `preregistered` is the
//!   list of primary tests, fixed by the study; `primary` has their outcomes, `estimate`
//!   computes them, `find_doubts` tells what speaks against a conclusion (`doubt`), and `verdict` draws it; `shares` tells what the differences vary
//!   with; `neutral`, `secondary` and
//!   `words` are descriptive, without a verdict; `caveats` lists what all this does not show.
//! - `compare` compares two reports of one study ([`Comparison`]), where both have answers (`paired`); `comparability` checks that both asked
//!   the same, and `measuring` that both measured the same.
//! - `to_label` gives the answers that people label.
//! - `models` puts the reports of several models together ([`MultiModelReport`]).
//! - `conclusion` puts the findings into sentences; `format` writes values and tables; `text` renders a report for a terminal; with the
//!   feature `notebook`, `html` renders it for a notebook and as a standalone page, `frames` gives its
//!   tables as data frames, and `report_answers` the answers behind its numbers.

mod caveats;
mod comparability;
mod compare;
mod conclusion;
mod doubt;
mod estimate;
mod find_doubts;
mod format;
#[cfg(feature = "notebook")]
mod frames;
#[cfg(feature = "notebook")]
mod html;
mod measured_answers;
mod measuring;
mod models;
mod neutral;
mod paired;
mod preregistered;
mod primary;
#[cfg(feature = "notebook")]
mod report_answers;
mod scores;
mod secondary;
mod shares;
#[cfg(test)]
mod tests;
mod text;
mod to_label;
mod verdict;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use compare::{Change, Changed, Comparison};
pub use doubt::Doubt;
pub use measuring::{MaskedGroup, Measuring};
pub use models::{ModelReport, MultiModelReport};
pub use neutral::{Assumed, Neutral};
pub use primary::{Margin, PrimaryOutcome, Unit, UnitCell, Verdict};
pub use secondary::{GroupMeans, Secondary};
pub use shares::VarianceShares;
pub use words::Word;

use super::study::{AnswerProvenance, KeptAnswers, StudyAnswers};
use crate::error::Result;
use crate::fairness::measures::Utility;
use crate::fairness::saved::Format;
use crate::fairness::validation::Validation;
use crate::runtime;
use measured_answers::MeasuredAnswers;
use primary::Rounds;

/// The report of a study, returned by [`StudyAnswers::measure`]. `Display` gives a summary, and a
/// notebook shows the report as the last expression of a cell.
///
/// The primary tests share one level of 5 % (Holm). Everything else is descriptive and carries no
/// verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// What was asked, of whom, and when.
    pub asked: StudyDesign,
    /// The primary tests, in the order in which the study fixed them.
    // The field's name in version 1 of the saved format.
    #[serde(alias = "headlines")]
    pub primary_outcomes: Vec<PrimaryOutcome>,
    /// Whom the answers to the neutral prompts assume; `None` if there is no neutral group.
    pub neutral: Option<Neutral>,
    /// The mean of each primary measure in each group.
    pub groups: Vec<GroupMeans>,
    /// Measures of all answers together, without a verdict.
    pub secondary: Vec<Secondary>,
    /// The words that differ most between the compared groups.
    pub words: Vec<Word>,
    /// How useful the answers are.
    pub utility: Utility,
    /// What all this does not show.
    // The field's name in version 1 of the saved format.
    #[serde(alias = "limits")]
    pub caveats: Vec<String>,
    /// The answers behind the numbers.
    #[cfg(feature = "notebook")]
    #[serde(skip)]
    report_answers: report_answers::ReportAnswers,
    /// Measures validated against human labels: see [`with_validation`](Self::with_validation).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validations: Vec<Validation>,
    /// What `sample_to_label` draws from.
    #[serde(skip)]
    answers: KeptAnswers,
}

/// The saved format. Version 1 did not write a number; version 2 had no margins.
const FORMAT: Format = Format {
    name: "evenhand report",
    content: "report",
    version: 3,
};

/// What was asked, and how it was measured. Two reports can be compared if this is the same in
/// both, except for the system message, the mitigations and the provenance of the answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StudyDesign {
    /// The occupations, in order.
    pub occupations: Vec<String>,
    /// The groups, in order.
    pub groups: Vec<String>,
    /// The prompts, without system message and mitigations.
    pub prompts: Vec<String>,
    /// The number of samples of each prompt.
    pub samples: u32,
    /// The seed of all random numbers.
    pub seed: i64,
    /// The sampling temperature.
    pub temperature: f64,
    /// The limit on the length of an answer, in tokens.
    pub max_tokens: u32,
    /// The system message.
    pub system: Option<String>,
    /// The mitigations, by name.
    pub mitigations: Vec<String>,
    /// The groups of the first comparison, which the descriptive parts of the report are about.
    pub compared: Option<[String; 2]>,
    /// The groups of all comparisons, or the levels of a main effect: the first minus the second.
    /// Empty in a report from an earlier version, which had one.
    #[serde(default)]
    pub pairs: Vec<[String; 2]>,
    /// The templates. Empty in a report from an earlier version, which had one.
    #[serde(default)]
    pub templates: Vec<String>,
    /// The primary measures, by name.
    pub measures: Vec<String>,
    /// The margins of the primary tests, by name. `None` in a report from an earlier version, which
    /// had none and can be read but not compared.
    #[serde(default)]
    pub margins: Option<BTreeMap<String, f64>>,
    /// How the answers were measured. `None` in a report from an earlier version, which can be read
    /// but not compared.
    #[serde(default)]
    pub measuring: Option<Measuring>,
    /// Who answered, and when.
    #[serde(rename = "record")]
    pub provenance: AnswerProvenance,
}

impl Report {
    /// The complete report as JSON, with the name and version of its format.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn to_json(&self) -> Result<String> {
        FORMAT.write(self)
    }

    /// Reads a report written by [`to_json`](Self::to_json), for example to compare it with a new
    /// one.
    ///
    /// # Errors
    /// The text is not a saved report, or it was written by a later version of evenhand.
    pub fn from_json(json: &str) -> Result<Self> {
        FORMAT.parse_saved(json)
    }

    /// The shares of the variance of each primary test's differences: how much occupations,
    /// templates and chance contribute. Tests in which nothing varies are left out, as are those of
    /// which a report from an earlier version does not say enough.
    pub fn variance_shares(&self) -> Vec<VarianceShares> {
        let outcomes = self.primary_outcomes.iter();
        outcomes.filter_map(|one| shares::shares(&[one])).collect()
    }

    /// The first primary test of that name, if there is one. With more than two groups, there is one
    /// for each pair, and the contrast tells them apart.
    pub fn primary_outcome(&self, name: &str) -> Option<&PrimaryOutcome> {
        self.primary_outcomes.iter().find(|one| one.name == name)
    }
}

impl StudyAnswers {
    /// Measures the answers and runs the tests. The same answers always give the same report.
    ///
    /// # Errors
    /// A cell without an answer in English; a measure that fails, or returns a score that is not
    /// finite.
    pub fn measure(&self) -> Result<Report> {
        measure_in(self, &Rounds::default())
    }

    /// Async version of [`measure`](Self::measure), which computes on a thread of its own. It asks a
    /// service only if a [`Judge`](crate::fairness::measures::Judge) is among the measures. Dropping
    /// the future does not stop it.
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn measure_async(&self) -> impl Future<Output = Result<Report>> + Send + use<> {
        let answers = self.clone();
        runtime::run_blocking(move || answers.measure())
    }
}

fn measure_in(answers: &StudyAnswers, rounds: &Rounds) -> Result<Report> {
    let measured = MeasuredAnswers::new(answers)?;
    let scores = measured.scores()?;
    let outcomes = estimate::test(
        preregistered::list(&measured, &scores),
        measured.seed(),
        rounds,
    )?;
    let neutral = neutral::assumed(&measured);
    let utility = measured.utility();
    Ok(Report {
        caveats: caveats::collect_caveats(
            &measured,
            &scores,
            &outcomes,
            neutral.as_ref(),
            &utility,
        ),
        groups: secondary::group_means(&measured, &scores),
        secondary: secondary::secondary_measures(&measured),
        words: words::differing(&measured)?,
        asked: asked(answers),
        validations: Vec::new(),
        answers: KeptAnswers::new(answers),
        primary_outcomes: outcomes,
        neutral,
        utility,
        #[cfg(feature = "notebook")]
        report_answers: report_answers::ReportAnswers::from_answers(answers),
    })
}

fn asked(answers: &StudyAnswers) -> StudyDesign {
    let study = answers.study();
    StudyDesign {
        occupations: study
            .occupations
            .iter()
            .map(|job| job.name.clone())
            .collect(),
        groups: study
            .groups
            .iter()
            .map(|group| group.name.clone())
            .collect(),
        prompts: study.prompts(),
        samples: study.samples,
        seed: study.seed,
        temperature: study.temperature,
        max_tokens: study.max_tokens,
        system: study.system.clone(),
        mitigations: study
            .mitigations
            .iter()
            .map(|one| one.name().to_owned())
            .collect(),
        compared: study.pair().map(|pair| pair.map(str::to_owned)),
        pairs: study
            .contrasts()
            .iter()
            .map(|contrast| contrast.names.map(str::to_owned))
            .collect(),
        templates: study.templates.clone(),
        measures: study
            .measures
            .iter()
            .map(|one| one.name().to_owned())
            .collect(),
        margins: Some(study.margins()),
        measuring: Some(Measuring::from_study(study)),
        provenance: answers.provenance().clone(),
    }
}
