//! What a study found: estimates with their uncertainty, and a verdict where the sample can
//! carry one.
//!
//! - `measured_answers` reads the answers and refuses a grid with a hole; `preregistered` is the list of headline
//!   tests, fixed by the study; `primary` tests them; `neutral`, `secondary` and `words`
//!   describe, without a verdict; `caveats` says in plain words what all that does not show.
//! - `compare` sets two reports of one study side by side ([`Comparison`]), where `same` finds that
//!   they were asked alike, and `measuring` that they were measured alike.
//! - `text` is a report for a terminal; with the feature `notebook`, `html` is the one for a
//!   notebook and a page of its own, and `frames` are its tables as data frames.

mod caveats;
mod compare;
#[cfg(feature = "notebook")]
pub(super) mod frames;
#[cfg(feature = "notebook")]
mod html;
mod measured_answers;
mod measuring;
mod neutral;
mod preregistered;
mod primary;
mod same;
mod secondary;
#[cfg(test)]
mod tests;
mod text;
mod words;

use serde::{Deserialize, Serialize};

pub use compare::{Change, Changed, Comparison};
pub use measuring::{MaskedGroup, Measuring};
pub use neutral::{Assumed, Neutral};
pub use primary::{PrimaryOutcome, Unit, Verdict};
pub use secondary::{GroupMeans, Secondary};
pub use words::Word;

use super::study::{Record, StudyAnswers};
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::measures::Utility;
use measured_answers::MeasuredAnswers;
use primary::Rounds;

/// What a study found. [`StudyAnswers::measure`] makes it; `Display` is its summary, and a
/// notebook shows it as the last expression of a cell.
///
/// The headline tests share one level of 5 % (Holm). What stands below them describes, and
/// carries no verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// What was asked, of whom, and when.
    pub asked: Asked,
    /// The headline tests, in the order in which the study fixed them.
    // The name in version 1 of the saved format.
    #[serde(alias = "headlines")]
    pub primary_outcomes: Vec<PrimaryOutcome>,
    /// Whom the answers to the neutral prompts assume; `None` if there was no neutral group.
    pub neutral: Option<Neutral>,
    /// The mean of each headline measure in each group.
    pub groups: Vec<GroupMeans>,
    /// Measures of all answers together, without a verdict.
    pub secondary: Vec<Secondary>,
    /// The words that differ most between the compared groups.
    pub words: Vec<Word>,
    /// How useful the answers are.
    pub utility: Utility,
    /// What all this does not show, in plain words.
    // The name in version 1 of the saved format.
    #[serde(alias = "limits")]
    pub caveats: Vec<String>,
}

/// What a saved report begins with.
const FORMAT: &str = "evenhand report";

/// The version of the saved format. Version 1 had no number.
const FORMAT_VERSION: u32 = 2;

/// A report as it is saved.
#[derive(Serialize)]
struct Saved<'a> {
    format: &'static str,
    version: u32,
    #[serde(flatten)]
    report: &'a Report,
}

/// What of a saved report says whether it can be read.
#[derive(Deserialize)]
struct SavedHead {
    #[serde(default)]
    version: u32,
}

/// What was asked, and how it was measured. Two reports can be compared if this is the same in
/// both, but for the ways of asking and who answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Asked {
    /// The occupations, in order.
    pub occupations: Vec<String>,
    /// The groups, in order.
    pub groups: Vec<String>,
    /// The prompts, without system message and mitigations.
    pub prompts: Vec<String>,
    /// How often each was asked.
    pub samples: u32,
    /// Where chance began.
    pub seed: i64,
    /// How freely the model chose its words.
    pub temperature: f64,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    /// The system message.
    pub system: Option<String>,
    /// The mitigations, by name.
    pub mitigations: Vec<String>,
    /// The two groups that are compared, first less second.
    pub compared: Option<[String; 2]>,
    /// The headline measures, by name.
    pub measures: Vec<String>,
    /// How the answers were measured. `None` in a report that an earlier version made, which
    /// can be read, but not compared.
    #[serde(default)]
    pub measuring: Option<Measuring>,
    /// Who answered, and when.
    pub record: Record,
}

impl Report {
    /// The report as JSON, with everything in it, and with the name and version of its format.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn to_json(&self) -> Result<String> {
        let saved = Saved {
            format: FORMAT,
            version: FORMAT_VERSION,
            report: self,
        };
        serde_json::to_string_pretty(&saved)
            .map_err(|error| unreadable("the report can't be written as JSON", error))
    }

    /// Reads what [`to_json`](Self::to_json) wrote: yesterday's report, to be compared with
    /// today's.
    ///
    /// # Errors
    /// It is no such report, or a later version of evenhand wrote it.
    pub fn from_json(json: &str) -> Result<Self> {
        let no_report = |error| unreadable("this is no report", error);
        let head: SavedHead = serde_json::from_str(json).map_err(no_report)?;
        if head.version > FORMAT_VERSION {
            let message = format!(
                "this report has version {} of its format, and this evenhand reads up to {FORMAT_VERSION}",
                head.version
            );
            return Err(Error::new(ErrorKind::Argument, message)
                .with_hint("read it with the version of evenhand that wrote it, or a later one"));
        }
        serde_json::from_str(json).map_err(no_report)
    }

    /// The headline test of that name, if there is one.
    pub fn primary_outcome(&self, name: &str) -> Option<&PrimaryOutcome> {
        self.primary_outcomes.iter().find(|one| one.name == name)
    }
}

fn unreadable(message: &str, error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Argument, message).with_source(error)
}

/// Measures the answers of a study and tests what was measured.
pub(super) fn measure(answers: &StudyAnswers) -> Result<Report> {
    measure_in(answers, &Rounds::default())
}

fn measure_in(answers: &StudyAnswers, rounds: &Rounds) -> Result<Report> {
    let read = MeasuredAnswers::new(answers)?;
    let scores = read.scores()?;
    let headlines = primary::test(preregistered::list(&read, &scores), read.seed(), rounds)?;
    let neutral = neutral::assumed(&read);
    let utility = read.utility();
    Ok(Report {
        caveats: caveats::of(&read, &scores, &headlines, neutral.as_ref(), &utility),
        groups: secondary::group_means(&read, &scores),
        secondary: secondary::of(&read),
        words: words::differing(&read)?,
        asked: asked(answers),
        primary_outcomes: headlines,
        neutral,
        utility,
    })
}

fn asked(answers: &StudyAnswers) -> Asked {
    let study = answers.study();
    Asked {
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
        measures: study
            .measures
            .iter()
            .map(|one| one.name().to_owned())
            .collect(),
        measuring: Some(Measuring::of(study)),
        record: answers.record().clone(),
    }
}
