//! What two reports of one study have in common: the occupations, and with several templates the prompts,
//! that were answered equally often before and after.

use super::primary::{PrimaryOutcome, Unit, UnitCell};
use crate::fairness::statistics::NoisyDifference;
use crate::text::sanitize_line;

/// The differences of the occupations that can be compared, before and after.
#[derive(Default)]
pub(super) struct Paired {
    pub(super) sides: [Vec<NoisyDifference>; 2],
    /// Why the others can't be compared.
    pub(super) left_out: Vec<String>,
    /// Why some templates of the compared occupations can't be.
    pub(super) cells_left_out: Vec<String>,
}

impl Paired {
    pub(super) fn from_outcomes(before: &PrimaryOutcome, after: &PrimaryOutcome) -> Self {
        let mut paired = Self::default();
        for unit in &before.units {
            let same = |other: &&Unit| other.occupation == unit.occupation;
            match after.units.iter().find(same) {
                Some(other) if unit.cells.is_empty() && other.cells.is_empty() => {
                    paired.add_whole(unit, other);
                }
                Some(other) => paired.add_by_template(unit, other),
                None => paired.left_out.push(missing_unit(unit, "after")),
            }
        }
        let had = |unit: &&Unit| {
            let mut before = before.units.iter();
            before.any(|other| other.occupation == unit.occupation)
        };
        let new = after.units.iter().filter(|unit| !had(unit));
        paired
            .left_out
            .extend(new.map(|unit| missing_unit(unit, "before")));
        paired
    }

    /// Adds an occupation that was asked with one template.
    fn add_whole(&mut self, unit: &Unit, other: &Unit) {
        match (unit.noisy(), other.noisy()) {
            _ if unit.answers != other.answers => {
                let counts = unequal([unit.answers, other.answers]);
                self.left_out.push(format!("{}: {counts}", name(unit)));
            }
            (Some(before), Some(after)) => self.add([before, after]),
            _ => self.left_out.push(one_sample(unit)),
        }
    }

    /// Adds an occupation, with the templates that were answered equally often before and after:
    /// templates have gaps of their own, so the mean over others would be another one.
    fn add_by_template(&mut self, unit: &Unit, other: &Unit) {
        let mut sides: [Vec<NoisyDifference>; 2] = Default::default();
        let mut left_out = Vec::new();
        let cells = unit.cells.iter().zip(&other.cells).zip(1..);
        for ((before, after), template) in cells {
            match comparable(before, after) {
                Ok(Some(cell)) => {
                    for (side, cell) in sides.iter_mut().zip(cell) {
                        side.push(cell);
                    }
                }
                Ok(None) => {}
                Err(reason) => {
                    left_out.push(format!("{} with template {template}: {reason}", name(unit)));
                }
            }
        }
        match sides.each_ref().map(|cells| mean(cells)) {
            [Some(before), Some(after)] => {
                self.add([before, after]);
                self.cells_left_out.extend(left_out);
            }
            _ => {
                let reason = left_out.into_iter().next();
                self.left_out
                    .push(reason.unwrap_or_else(|| one_sample(unit)));
            }
        }
    }

    fn add(&mut self, [one, other]: [NoisyDifference; 2]) {
        let [before, after] = &mut self.sides;
        before.push(one);
        after.push(other);
    }
}

/// A template's differences before and after. `None` if there is nothing to compare on either side.
///
/// # Errors
/// The reason why they are not of the same answers.
fn comparable(before: &UnitCell, after: &UnitCell) -> Result<Option<[NoisyDifference; 2]>, String> {
    if before.answers != after.answers {
        return Err(unequal([before.answers, after.answers]));
    }
    match (before.difference, after.difference) {
        (None, Some(_)) => Err("no answer to measure before".to_owned()),
        (Some(_), None) => Err("no answer to measure after".to_owned()),
        _ => Ok(before.noisy().zip(after.noisy()).map(Into::into)),
    }
}

/// The mean over several templates, with its noise.
fn mean(cells: &[NoisyDifference]) -> Option<NoisyDifference> {
    let count = cells.len() as f64;
    let sum = |value: fn(&NoisyDifference) -> f64| cells.iter().map(value).sum::<f64>();
    (!cells.is_empty()).then(|| NoisyDifference {
        difference: sum(|cell| cell.difference) / count,
        variance: sum(|cell| cell.variance) / count.powi(2),
    })
}

fn name(unit: &Unit) -> String {
    sanitize_line(&unit.occupation, 40)
}

fn missing_unit(unit: &Unit, when: &str) -> String {
    format!("{}: no answer to measure {when}", name(unit))
}

fn one_sample(unit: &Unit) -> String {
    format!(
        "{}: no prompt has two answers to measure, so a change of the difference can't be told from a \
         change of its noise; ask each prompt at least twice",
        name(unit)
    )
}

/// Different numbers of answers before and after: more answers have less noise, and the additional
/// answers may be about something else.
fn unequal(answers: [[usize; 2]; 2]) -> String {
    let [before, after] = answers.map(|counts| match counts {
        [first, 0] => first.to_string(),
        [first, second] => format!("{first} and {second}"),
    });
    format!("{before} answers could be used before, {after} after")
}
