//! Two reports of one study, before and after something was changed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::headline::{Headline, Rounds, interval};
use super::limits::disagreements;
use super::text::{Kind, Rows, estimated, none, number, p_value, sentence, with_names};
use super::{Asked, Report};
use crate::bias::statistics::{Alternative, Differences, Interval, Reach, holm, sign_flip};
use crate::bias::study::ALPHA;
use crate::client::text::one_line;
use crate::error::{Error, ErrorKind, Result};
use crate::mitigate::Utility;

/// What changed between two reports of the same study: [`Report::compare`] makes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// Who was asked before, when and how.
    pub before: String,
    /// Who was asked after.
    pub after: String,
    /// The headline measures.
    pub changes: Vec<Changed>,
    /// How useful the answers were before and after.
    pub utility: [Utility; 2],
    /// What was lost in use, in plain words; empty where nothing that matters was.
    pub losses: Vec<String>,
    /// What this does not show.
    pub limits: Vec<String>,
}

/// How a headline measure changed: r = |d before| - |d after| for each occupation, so that
/// above 0 the groups came nearer to each other. All values are in the measure's unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Changed {
    /// The measure's name.
    pub name: String,
    /// The mean size of the differences before.
    pub before: Option<f64>,
    /// The same after.
    pub after: Option<f64>,
    /// How many occupations both reports tell of.
    pub occupations: usize,
    /// The mean reduction.
    pub reduction: Option<f64>,
    /// Its interval at 95 %.
    pub interval: Option<Interval>,
    /// The p-value of the sign-flip test, adjusted after Holm.
    pub adjusted_p: Option<f64>,
    /// The size that a difference has by chance alone, before and after.
    pub noise: [Option<f64>; 2],
    /// What may be said.
    pub change: Change,
}

/// What may be said of a change. `Display` says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The differences became smaller.
    Reduced,
    /// They were not shown to become smaller.
    NoReductionShown,
    /// They became larger.
    Grew,
    /// The sample can't tell, for this reason.
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
    /// Sets another report of the same study beside this one, which was before it.
    ///
    /// # Errors
    /// Another grid, seed, number of samples or measures: the message names what differs.
    /// The model, the system message and the mitigations may differ, since that is what is
    /// compared.
    pub fn compare(&self, after: &Self) -> Result<Comparison> {
        self.compare_in(after, &Rounds::default())
    }

    pub(super) fn compare_in(&self, after: &Self, rounds: &Rounds) -> Result<Comparison> {
        same(&self.asked, &after.asked)?;
        let seed = self.asked.seed.cast_unsigned();
        let mut changes = Vec::new();
        for (one, other) in self.headlines.iter().zip(&after.headlines) {
            changes.push(change(one, other, seed, rounds)?);
        }
        decide(&mut changes)?;
        let changes: Vec<Changed> = changes.into_iter().map(|(changed, _)| changed).collect();
        let utility = [self.utility, after.utility];
        Ok(Comparison {
            before: self.asked.manner(),
            after: after.asked.manner(),
            losses: self.utility.losses(&after.utility),
            limits: limits(&self.asked, &after.asked, &changes),
            utility,
            changes,
        })
    }
}

/// A change, and the p-value of its test before it is adjusted.
type Tested = (Changed, Option<f64>);

fn change(before: &Headline, after: &Headline, seed: u64, rounds: &Rounds) -> Result<Tested> {
    let size_after = |occupation: &str| {
        let unit = after
            .units
            .iter()
            .find(|unit| unit.occupation == occupation)?;
        Some(unit.difference().abs())
    };
    let sizes: (Vec<f64>, Vec<f64>) = before
        .units
        .iter()
        .filter_map(|unit| Some((unit.difference().abs(), size_after(&unit.occupation)?)))
        .unzip();
    let mut changed = Changed {
        name: before.name.clone(),
        before: None,
        after: None,
        occupations: sizes.0.len(),
        reduction: None,
        interval: None,
        adjusted_p: None,
        noise: [before.noise_of_unit, after.noise_of_unit],
        change: Change::CantTell("no occupation has a value both before and after".to_owned()),
    };
    if sizes.0.is_empty() {
        return Ok((changed, None));
    }
    let reductions = Differences::between(&sizes.0, &sizes.1)?;
    changed.before = Some(Differences::new(sizes.0)?.mean());
    changed.after = Some(Differences::new(sizes.1)?.mean());
    changed.reduction = Some(reductions.mean());
    changed.interval = interval(&reductions, rounds, seed)?;
    let p = sign_flip(&reductions, Alternative::TwoSided, seed).p;
    Ok((changed, Some(p)))
}

fn decide(changes: &mut [Tested]) -> Result<()> {
    let tested: Vec<f64> = changes.iter().filter_map(|(_, p)| *p).collect();
    let mut adjusted = holm(&tested)?.into_iter();
    for (changed, _) in changes.iter_mut().filter(|(_, p)| p.is_some()) {
        changed.adjusted_p = adjusted.next();
        let reach = Reach::new(changed.occupations, tested.len(), ALPHA)?;
        let shown = changed.adjusted_p.is_some_and(|p| p <= ALPHA);
        changed.change = match changed.reduction {
            _ if !reach.carries_a_verdict() => {
                Change::CantTell(format!("{reach}; {} would do", reach.needed()))
            }
            Some(reduction) if shown && reduction > 0.0 => Change::Reduced,
            Some(_) if shown => Change::Grew,
            _ => Change::NoReductionShown,
        };
    }
    Ok(())
}

/// Refuses to compare what was not asked alike.
fn same(before: &Asked, after: &Asked) -> Result<()> {
    let differs = |what: &str, one: String, other: String| {
        let (one, other) = (one_line(&one, 200), one_line(&other, 200));
        let message =
            format!("the reports can't be compared: {what} before is {one}, after it is {other}");
        Error::new(ErrorKind::Argument, message).with_hint(
            "keep the study and change only how it asks: `study.mitigate(Prompt::Neutral)`",
        )
    };
    let list = |names: &[String]| names.join(", ");
    let pair = |asked: &Asked| asked.compared.clone().unwrap_or_default().join(" and ");
    let numbers = |asked: &Asked| {
        [
            ("the number of samples", asked.samples.to_string()),
            ("the seed", asked.seed.to_string()),
            ("the temperature", asked.temperature.to_string()),
            ("the token limit", asked.max_tokens.to_string()),
        ]
    };
    let words = |asked: &Asked| {
        [
            ("the list of occupations", list(&asked.occupations)),
            ("the list of groups", list(&asked.groups)),
            ("the pair that is compared", pair(asked)),
            ("the list of measures", list(&asked.measures)),
        ]
    };
    let before_parts = words(before).into_iter().chain(numbers(before));
    let after_parts = words(after).into_iter().chain(numbers(after));
    for ((what, one), (_, other)) in before_parts.zip(after_parts) {
        if one != other {
            return Err(differs(what, one, other));
        }
    }
    let prompts = before.prompts.iter().zip(&after.prompts);
    match prompts.into_iter().find(|(one, other)| one != other) {
        Some((one, other)) => Err(differs(
            "a prompt",
            format!("{one:?}"),
            format!("{other:?}"),
        )),
        None if before.prompts.len() != after.prompts.len() => {
            let [one, other] = [before, after].map(|asked| asked.prompts.len().to_string());
            Err(differs("the number of prompts", one, other))
        }
        None => Ok(()),
    }
}

fn limits(before: &Asked, after: &Asked, changes: &[Changed]) -> Vec<String> {
    let mut limits = vec![
        "what is said holds for these measures, prompts and occupations; it does not say that \
         bias was removed"
            .to_owned(),
        "chance alone makes a difference too, so no difference can shrink below its noise"
            .to_owned(),
    ];
    let rows = changes.iter().filter_map(|one| {
        let shown = match one.change {
            Change::Reduced | Change::Grew => true,
            Change::NoReductionShown => false,
            Change::CantTell(_) => return None,
        };
        Some((one.name.as_str(), one.interval?, shown))
    });
    limits.extend(disagreements(rows.collect()));
    if before.record.models != after.record.models {
        limits.push(format!(
            "the model is not the same: {} before, {} after",
            one_line(&before.record.models.join(", "), 100),
            one_line(&after.record.models.join(", "), 100)
        ));
    }
    if before.mitigations == after.mitigations && before.system == after.system {
        limits.push("nothing was changed in how it was asked".to_owned());
    }
    limits
}

impl Comparison {
    /// What may be said, and what it cost, in a few sentences.
    pub fn conclusion(&self) -> String {
        let kind = |changed: &Changed| match changed.change {
            Change::Reduced => Kind::Shown("Reduced on these measures"),
            Change::NoReductionShown | Change::Grew => Kind::NotShown("No reduction shown"),
            Change::CantTell(_) => Kind::CantTell,
        };
        let told = |changed: &Changed| {
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
        let mut said = sentence(&self.changes, kind, told);
        if !self.losses.is_empty() {
            said.push_str(&format!(" The price: {}.", self.losses.join("; ")));
        }
        said
    }

    /// The comparison as JSON, with everything in it.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|error| super::unreadable("the comparison can't be written as JSON", error))
    }

    pub(super) fn rows(&self) -> Rows {
        let names = [
            "measure",
            "|d| before",
            "|d| after",
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
