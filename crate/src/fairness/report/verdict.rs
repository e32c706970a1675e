//! The verdicts: adjusted p-values over all primary tests that share a level, and what follows from
//! them. A difference that only a test for symmetric differences shows is not a verdict, and a doubt
//! prevents one.

use super::primary::{Margin, PrimaryOutcome, Verdict};
use crate::error::Result;
use crate::fairness::statistics::{Feasibility, holm};
use crate::fairness::study::ALPHA;

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
    let tested = |one: &PrimaryOutcome| one.p.is_some();
    let flips: Vec<f64> = outcomes
        .iter()
        .filter(|one| tested(one))
        .filter_map(|one| one.sign_flip_p.or(one.p))
        .collect();
    let flips = holm(&flips)?;
    for (outcome, flips) in outcomes.iter_mut().filter(|one| tested(one)).zip(flips) {
        outcome.verdict = verdict(outcome, tests, flips <= ALPHA)?;
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

/// The verdict. `by_symmetry` is whether a test that assumes symmetric differences shows one.
fn verdict(outcome: &PrimaryOutcome, tests: usize, by_symmetry: bool) -> Result<Verdict> {
    let reach = Feasibility::new(outcome.units.len(), tests, ALPHA)?;
    if !reach.supports_verdict() {
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
    let doubt = outcome.doubt.as_ref();
    if let Some(reason) = doubt.and_then(|doubt| doubt.prevents(is_shown)) {
        return Ok(Verdict::CantTell(reason.to_owned()));
    }
    let is_alike = outcome.margin.is_some_and(|margin| margin.is_within());
    Ok(match (is_shown, is_alike) {
        (true, _) => Verdict::Differs,
        (false, true) => Verdict::Alike,
        (false, false) if by_symmetry => Verdict::CantTell(asymmetry(outcome)),
        (false, false) => Verdict::NoDifferenceShown,
    })
}

/// The reason why a difference is neither shown nor not shown.
fn asymmetry(outcome: &PrimaryOutcome) -> String {
    let skewness = outcome.skewness.map_or(String::new(), |skewness| {
        format!(" (skewness {skewness:.1})")
    });
    format!(
        "a test that assumes symmetric differences shows one, but {} occupations{skewness} are too few \
         to tell whether they are symmetric; more occupations would do",
        outcome.units.len()
    )
}
