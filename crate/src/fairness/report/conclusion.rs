//! The findings of a report in a few sentences.

use super::format::{estimated, none};
use super::{PrimaryOutcome, Report, Verdict};
use crate::text::sanitize_line;

/// The kinds of verdicts, in the order in which they are reported.
const KINDS: [fn(&Verdict) -> bool; 4] = [
    |verdict| matches!(verdict, Verdict::Differs),
    |verdict| matches!(verdict, Verdict::Alike),
    |verdict| matches!(verdict, Verdict::NoDifferenceShown),
    |verdict| matches!(verdict, Verdict::CantTell(_)),
];

impl Report {
    /// The findings in a few sentences, each with its estimates and intervals first and then what
    /// follows from them: `length -6.7 [-9.9, -4.9]: differs. sentiment -0.02 [-0.31, 0.43]: no
    /// difference shown.`
    pub fn conclusion(&self) -> String {
        let mut conclusion = conclusion(&self.primary_outcomes);
        if let Some(one) = self.about_one_sentence() {
            conclusion.push_str(&format!(" {one}"));
        }
        conclusion
    }

    /// What a study with one template is about.
    pub(super) fn about_one_sentence(&self) -> Option<String> {
        let [template] = self.asked.templates.as_slice() else {
            return None;
        };
        let template = sanitize_line(template, 100);
        Some(format!("This is about one sentence alone: {template:?}"))
    }
}

/// The findings of these tests, the differing ones first.
pub(super) fn conclusion(outcomes: &[PrimaryOutcome]) -> String {
    let labeled: Vec<(String, &PrimaryOutcome)> = outcomes
        .iter()
        .map(|one| (one.label(outcomes), one))
        .collect();
    let sentences = KINDS.iter().filter_map(|is_of_kind| {
        let of_kind = labeled.iter().filter(|(_, one)| is_of_kind(&one.verdict));
        sentence(&of_kind.collect::<Vec<_>>())
    });
    sentences.collect::<Vec<_>>().join(" ")
}

/// A sentence about tests with the same kind of verdict.
fn sentence(outcomes: &[&(String, &PrimaryOutcome)]) -> Option<String> {
    let list = |found: fn(&PrimaryOutcome) -> String| -> String {
        let items = outcomes
            .iter()
            .map(|(label, one)| format!("{label}{}", found(one)));
        items.collect::<Vec<_>>().join(", ")
    };
    let verb = match outcomes.len() {
        1 => "differs",
        _ => "differ",
    };
    let (_, first) = outcomes.first()?;
    Some(match &first.verdict {
        Verdict::Differs => format!("{}: {verb}.", list(estimate)),
        Verdict::Alike => format!("{}: alike.", list(estimate_and_margin)),
        Verdict::NoDifferenceShown => format!("{}: no difference shown.", list(estimate)),
        Verdict::CantTell(_) => format!("Can't tell: {}.", list(estimate_if_tested)),
    })
}

/// ` -6.7 [-9.9, -4.9]`, with the margin if a difference is smaller or larger.
fn estimate(outcome: &PrimaryOutcome) -> String {
    let (estimate, interval) = match outcome.estimate {
        Some(estimate) => estimated(estimate, outcome.interval),
        None => (none(), String::new()),
    };
    let margin = match (&outcome.verdict, outcome.margin) {
        (Verdict::Differs, Some(margin)) if margin.is_within() => {
            format!(", by less than ±{}", margin.size)
        }
        _ => String::new(),
    };
    format!(" {estimate}{interval}{margin}")
}

/// The same if there is an interval, and otherwise nothing.
fn estimate_if_tested(outcome: &PrimaryOutcome) -> String {
    match outcome.interval {
        Some(_) => estimate(outcome),
        None => String::new(),
    }
}

/// ` -0.7 [-1.9, 0.5] within ±5`.
fn estimate_and_margin(outcome: &PrimaryOutcome) -> String {
    let margin = outcome
        .margin
        .map(|margin| format!(" within ±{}", margin.size));
    format!("{}{}", estimate(outcome), margin.unwrap_or_default())
}
