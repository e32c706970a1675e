//! The verdicts: adjusted p-values over all headline tests that share a level, and what follows from
//! them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::primary::PrimaryOutcome;
use crate::error::Result;
use crate::fairness::statistics::{Feasibility, holm};
use crate::fairness::study::ALPHA;

/// The verdict of a headline test. `Display` gives it as text;
/// [`PrimaryOutcome::verdict_text`] adds the margin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// The sample can't carry a verdict, for this reason.
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
/// verdict of one kind is at most 5 %: each has its own Holm adjustment over all headline tests.
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

/// Adjusts the p-values over all these tests, which share one level, and gives each its verdict. A
/// test without a p-value keeps its reason, and is not counted.
pub(super) fn decide(outcomes: &mut [&mut PrimaryOutcome]) -> Result<()> {
    let tests = outcomes.iter().filter(|one| one.p.is_some()).count();
    adjust(outcomes, |one| one.p, |one, p| one.adjusted_p = Some(p))?;
    adjust(
        outcomes,
        |one| one.margin?.within_p,
        |one, p| one.set_margin(|margin| margin.adjusted_within_p = Some(p)),
    )?;
    adjust(
        outcomes,
        |one| Some(one.margin?.beyond_p),
        |one, p| one.set_margin(|margin| margin.adjusted_beyond_p = Some(p)),
    )?;
    for outcome in outcomes.iter_mut().filter(|one| one.p.is_some()) {
        outcome.verdict = verdict(outcome, tests)?;
    }
    Ok(())
}

/// Sets Holm's adjusted p-values of the outcomes that have the p-value.
fn adjust(
    outcomes: &mut [&mut PrimaryOutcome],
    p: impl Fn(&PrimaryOutcome) -> Option<f64>,
    set: impl Fn(&mut PrimaryOutcome, f64),
) -> Result<()> {
    let known: Vec<f64> = outcomes.iter().filter_map(|one| p(one)).collect();
    let mut adjusted = holm(&known)?.into_iter();
    for outcome in outcomes.iter_mut() {
        if p(outcome).is_some()
            && let Some(adjusted) = adjusted.next()
        {
            set(outcome, adjusted);
        }
    }
    Ok(())
}

impl PrimaryOutcome {
    fn set_margin(&mut self, set: impl FnOnce(&mut Margin)) {
        if let Some(margin) = &mut self.margin {
            set(margin);
        }
    }
}

fn verdict(outcome: &PrimaryOutcome, tests: usize) -> Result<Verdict> {
    let reach = Feasibility::new(outcome.units.len(), tests, ALPHA)?;
    if !reach.carries_a_verdict() {
        let mut reason = format!("{reach}; {} would do", reach.needed());
        if !outcome.left_out.is_empty() {
            let all = outcome.units.len() + outcome.left_out.len();
            reason.push_str(&format!(
                "; {} of {all} occupations have no answer to measure in one of the groups",
                outcome.left_out.len()
            ));
        }
        return Ok(Verdict::CantTell(reason));
    }
    let is_shown = outcome.adjusted_p.is_some_and(|p| p <= ALPHA);
    let is_alike = outcome.margin.is_some_and(|margin| margin.is_within());
    Ok(match (is_shown, is_alike) {
        (true, _) => Verdict::Differs,
        (false, true) => Verdict::Alike,
        (false, false) => Verdict::NoDifferenceShown,
    })
}
