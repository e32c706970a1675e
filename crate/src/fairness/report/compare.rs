//! Comparison of two reports of the same study, before and after a change.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::caveats::disagreements;
use super::comparability::require_before_and_after;
use super::format::{Kind, Rows, estimated, none, number, p_value, sentence, with_names};
use super::paired::Paired;
use super::primary::{PrimaryOutcome, Rounds};
use super::{Report, StudyDesign};
use crate::error::Result;
use crate::fairness::measures::Utility;
use crate::fairness::saved::Format;
use crate::fairness::statistics::{Feasibility, Interval, NoisyDifference, holm, size_change};
use crate::fairness::study::ALPHA;
use crate::text::sanitize_line;

/// The saved format.
const FORMAT: Format = Format {
    name: "evenhand comparison",
    content: "comparison",
    version: 1,
};

/// What changed between two reports of the same study, returned by [`Report::compare`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The model, the time and the parameters of the report before the change.
    pub before: String,
    /// The same of the report after the change.
    pub after: String,
    /// The primary measures.
    pub changes: Vec<Changed>,
    /// How useful the answers were before and after.
    pub utility: [Utility; 2],
    /// What became less useful, as readable sentences; empty if nothing relevant did.
    pub losses: Vec<String>,
    /// What the comparison does not show.
    #[serde(rename = "limits")]
    pub caveats: Vec<String>,
}

/// How a primary measure changed: how much closer the groups came to each other, without what
/// chance adds to every difference. All values are in the measure's unit.
///
/// Noise in the answers alone produces differences, and a change that makes answers less variable
/// reduces them, whatever happens to the bias. The test is therefore about the change of the
/// squared differences minus their noise: see
/// [`size_change`](crate::fairness::statistics::size_change).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Changed {
    /// The measure's name.
    pub name: String,
    /// The size of the differences before: the root of their mean square, minus what chance adds. 0
    /// if chance alone explains them.
    pub before: Option<f64>,
    /// The same after.
    pub after: Option<f64>,
    /// How many occupations could be compared.
    pub occupations: usize,
    /// The other occupations that have a value before or after, each with the reason why it can't
    /// be compared.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// With several templates, the prompts about compared occupations that are not compared, each with
    /// the reason: other numbers of their answers could be used before than after. The difference of
    /// such an occupation is the mean over its other templates, before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells_left_out: Vec<String>,
    /// The size before minus the size after: above 0 if the groups came closer to each other.
    pub reduction: Option<f64>,
    /// The 95 % interval of the reduction, which excludes 0 if the unadjusted p-value is 0.05 or
    /// less. `None` for fewer than 6 occupations, and if all changed by the same amount.
    pub interval: Option<Interval>,
    /// The p-value of the change, with Holm's adjustment.
    pub adjusted_p: Option<f64>,
    /// The size that the differences have by chance alone, before and after: the root of their
    /// mean variance.
    pub noise: [Option<f64>; 2],
    /// The conclusion.
    pub change: Change,
}

/// The conclusion about a change. `Display` gives it as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// The differences became smaller.
    Reduced,
    /// The differences were not shown to become smaller.
    NoReductionShown,
    /// The differences became larger.
    Grew,
    /// The sample does not allow a conclusion, for this reason.
    CantTell(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reduced => f.write_str("reduced"),
            Self::NoReductionShown => f.write_str("no reduction shown"),
            Self::Grew => f.write_str("no reduction shown: it grew"),
            Self::CantTell(reason) => write!(f, "can't tell: {reason}"),
        }
    }
}

impl Report {
    /// Compares this report with a later report of the same study.
    ///
    /// Only what was answered equally often before and after is compared: each occupation, with
    /// several templates each occupation with each template. A measure that can't tell a difference
    /// because of a [`Doubt`](super::Doubt) can't tell a change either.
    ///
    /// # Errors
    /// The reports differ in their grid (occupations, templates, groups), seed, number of samples,
    /// measures, comparisons or margins, or in how they were measured (lexicon, version): the message
    /// names what differs. A report that was made by an earlier version, which did not record all of
    /// this. The system message and the mitigations may differ, since that is what is compared; or
    /// the model, such as a fine-tuned one, but not both.
    pub fn compare(&self, after: &Self) -> Result<Comparison> {
        self.compare_in(after, &Rounds::default())
    }

    pub(super) fn compare_in(&self, after: &Self, rounds: &Rounds) -> Result<Comparison> {
        require_before_and_after(&self.asked, &after.asked)?;
        let seed = self.asked.seed.cast_unsigned();
        let mut changes = Vec::new();
        for (one, other) in self.primary_outcomes.iter().zip(&after.primary_outcomes) {
            let name = one.label(&self.primary_outcomes);
            changes.push(change(name, [one, other], seed, rounds)?);
        }
        decide(&mut changes)?;
        let changes: Vec<Changed> = changes.into_iter().map(|(changed, _)| changed).collect();
        let utility = [self.utility, after.utility];
        Ok(Comparison {
            before: self.asked.conditions(),
            after: after.asked.conditions(),
            losses: self.utility.losses(&after.utility),
            caveats: collect_caveats(&self.asked, &after.asked, &changes),
            utility,
            changes,
        })
    }
}

/// A change, and the unadjusted p-value of its test.
type Tested = (Changed, Option<f64>);

fn change(
    name: String,
    [before, after]: [&PrimaryOutcome; 2],
    seed: u64,
    rounds: &Rounds,
) -> Result<Tested> {
    let mut paired = Paired::from_outcomes(before, after);
    let [one, other] = &paired.sides;
    let noise = [noise(one), noise(other)];
    let mut changed = Changed {
        name,
        before: None,
        after: None,
        occupations: one.len(),
        left_out: std::mem::take(&mut paired.left_out),
        cells_left_out: std::mem::take(&mut paired.cells_left_out),
        reduction: None,
        interval: None,
        adjusted_p: None,
        noise,
        change: Change::NoReductionShown,
    };
    if let Some(doubt) = before.doubt.as_ref().or(after.doubt.as_ref()) {
        changed.change = Change::CantTell(doubt.reason().to_owned());
        return Ok((changed, None));
    }
    if one.is_empty() {
        let reason = changed.left_out.first().cloned();
        let reason =
            reason.unwrap_or_else(|| "no occupation has a value both before and after".to_owned());
        changed.change = Change::CantTell(reason);
        return Ok((changed, None));
    }
    let found = size_change(one, other, rounds.interval, seed)?;
    changed.before = Some(found.before);
    changed.after = Some(found.after);
    changed.reduction = Some(found.reduction);
    changed.interval = found.interval;
    Ok((changed, Some(found.p)))
}

/// The root of the mean variance.
fn noise(side: &[NoisyDifference]) -> Option<f64> {
    let sum: f64 = side.iter().map(|one| one.variance).sum();
    (!side.is_empty()).then(|| (sum / side.len() as f64).sqrt())
}

fn decide(changes: &mut [Tested]) -> Result<()> {
    let tested: Vec<f64> = changes.iter().filter_map(|(_, p)| *p).collect();
    let mut adjusted = holm(&tested)?.into_iter();
    for (changed, _) in changes.iter_mut().filter(|(_, p)| p.is_some()) {
        changed.adjusted_p = adjusted.next();
        let reach = Feasibility::new(changed.occupations, tested.len(), ALPHA)?;
        let shown = changed.adjusted_p.is_some_and(|p| p <= ALPHA);
        changed.change = match changed.reduction {
            _ if !reach.supports_verdict() => {
                let left_out = changed.left_out.first();
                let left_out = left_out
                    .map(|reason| format!("; {} are left out ({reason})", changed.left_out.len()));
                Change::CantTell(format!(
                    "{reach}; {} would do{}",
                    reach.needed(),
                    left_out.unwrap_or_default()
                ))
            }
            Some(reduction) if shown && reduction > 0.0 => Change::Reduced,
            Some(_) if shown => Change::Grew,
            _ => Change::NoReductionShown,
        };
    }
    Ok(())
}

fn collect_caveats(before: &StudyDesign, after: &StudyDesign, changes: &[Changed]) -> Vec<String> {
    let mut caveats = vec![
        "this holds only for these measures, prompts and occupations; it does not say that \
         bias was removed"
            .to_owned(),
        "a size is the root of the mean squared difference, less what chance adds to it: 0 is no \
         more than chance, and answers that only became steadier are not a reduction"
            .to_owned(),
    ];
    let rows = changes.iter().filter_map(|one| {
        let shown = match one.change {
            Change::Reduced | Change::Grew => true,
            Change::NoReductionShown => false,
            Change::CantTell(_) => return None,
        };
        Some((one.name.clone(), one.interval?, shown))
    });
    caveats.extend(disagreements(rows.collect()));
    caveats.extend(changes.iter().filter_map(left_out));
    let templates = before.templates.len();
    caveats.extend(
        changes
            .iter()
            .filter_map(|one| cells_left_out(one, templates)),
    );
    if before.templates.len() > 1 {
        caveats.push(format!(
            "each difference is the mean over {} templates, the same before and after: how a change \
             varies with the template is not part of the test",
            before.templates.len()
        ));
    }
    if before.provenance.models != after.provenance.models {
        caveats.push(format!(
            "the model is not the same: {} before, {} after",
            sanitize_line(&before.provenance.models.join(", "), 100),
            sanitize_line(&after.provenance.models.join(", "), 100)
        ));
    }
    if before.mitigations == after.mitigations && before.system == after.system {
        caveats.push("neither the system message nor the mitigations were changed".to_owned());
    }
    caveats
}

/// Occupations that are not compared, and why not.
fn left_out(changed: &Changed) -> Option<String> {
    let reason = changed.left_out.first()?;
    let (left_out, all) = (
        changed.left_out.len(),
        changed.left_out.len() + changed.occupations,
    );
    Some(format!(
        "{}: {left_out} of {all} occupations are not compared ({reason})",
        changed.name
    ))
}

/// Prompts that are not compared, and why not.
fn cells_left_out(changed: &Changed, templates: usize) -> Option<String> {
    let reason = changed.cells_left_out.first()?;
    Some(format!(
        "{}: {} of {} prompts about these occupations are not compared ({reason}): what is compared is \
         the same before and after, and says nothing about answers that moved, such as refusals",
        changed.name,
        changed.cells_left_out.len(),
        changed.occupations * templates
    ))
}

impl Comparison {
    /// The conclusion and its side effects, in a few sentences.
    pub fn conclusion(&self) -> String {
        let kind = |changed: &Changed| match changed.change {
            Change::Reduced => Kind::Shown("Reduced on these measures"),
            Change::NoReductionShown | Change::Grew => Kind::NotShown("No reduction shown"),
            Change::CantTell(_) => Kind::CantTell,
        };
        let summarize = |changed: &Changed| {
            let reduction = changed.reduction.unwrap_or(0.0);
            let (size, interval) = estimated(reduction, changed.interval);
            match changed.change {
                Change::Reduced => {
                    let size = size.trim_start_matches('+');
                    format!("{} by {size}{interval}", changed.name)
                }
                Change::Grew => format!("{} (it grew: {size}{interval})", changed.name),
                Change::NoReductionShown | Change::CantTell(_) => changed.name.clone(),
            }
        };
        let mut conclusion = sentence(&self.changes, kind, summarize);
        if !self.losses.is_empty() {
            conclusion.push_str(&format!(" Side effects: {}.", self.losses.join("; ")));
        }
        conclusion
    }

    /// The complete comparison as JSON, with the name and version of its format.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn to_json(&self) -> Result<String> {
        FORMAT.write(self)
    }

    /// Reads a comparison written by [`to_json`](Self::to_json).
    ///
    /// # Errors
    /// The text is not a saved comparison, or it was written by a later version of evenhand.
    pub fn from_json(json: &str) -> Result<Self> {
        FORMAT.parse_saved(json)
    }

    pub(super) fn rows(&self) -> Rows {
        let names = [
            "measure",
            "size before",
            "size after",
            "reduction",
            "95 % interval",
            "adjusted p",
            "noise before, after",
            "pairs",
            "conclusion",
        ];
        let rows = self.changes.iter().map(|one| {
            let scale = one.before.unwrap_or(0.0).max(one.after.unwrap_or(0.0));
            let shown = |value: Option<f64>| value.map_or_else(none, |value| number(value, scale));
            let (reduction, interval) = match one.reduction {
                Some(reduction) => estimated(reduction, one.interval),
                None => (none(), String::new()),
            };
            vec![
                one.name.clone(),
                shown(one.before),
                shown(one.after),
                reduction,
                if interval.is_empty() {
                    none()
                } else {
                    interval.trim().to_owned()
                },
                one.adjusted_p.map_or_else(none, p_value),
                one.noise.map(shown).join(", "),
                one.occupations.to_string(),
                one.change.to_string(),
            ]
        });
        with_names(&names, rows)
    }
}
