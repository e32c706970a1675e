//! Whom answers assume when the prompt names no group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::measured_answers::MeasuredAnswers;

/// The answers to the neutral prompts, occupation by occupation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Neutral {
    /// The lexicon's groups that an answer may assume, in their order.
    pub labels: Vec<String>,
    /// The occupations.
    pub occupations: Vec<Assumed>,
}

/// Whom the answers about one occupation assume: the group of the person that each answer is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Assumed {
    /// The occupation.
    pub occupation: String,
    /// The number of answers.
    pub answers: usize,
    /// The number of answers that assume each label, in the order of the labels.
    pub counts: Vec<usize>,
    /// The number of answers that assume no label: the person's group is missing or unclear.
    pub undetected: usize,
    /// The share of women in the occupation, where it is known.
    pub women: Option<f64>,
}

/// `None` without a neutral group.
pub(super) fn assumed(measured: &MeasuredAnswers<'_>) -> Option<Neutral> {
    let neutral = measured.study().neutral()?;
    let labels: Vec<String> = measured
        .lexicon()
        .groups()
        .iter()
        .map(|one| one.name.clone())
        .collect();
    let cells = measured.by_cell(
        measured
            .raw
            .iter()
            .map(|text| Some(measured.lexicon().label(text))),
    );
    let jobs = measured.study().occupations.iter().enumerate();
    let occupations = jobs.filter_map(|(place, job)| {
        let templates = measured.templates();
        let places = templates.filter_map(|template| measured.cell(place, template, neutral));
        let found: Vec<Option<&str>> = places
            .filter_map(|place| cells.get(place))
            .flatten()
            .copied()
            .collect();
        if found.is_empty() {
            return None;
        }
        let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
        for label in found.iter().flatten() {
            *counted.entry(label).or_default() += 1;
        }
        let count = |label: &String| counted.get(label.as_str()).copied().unwrap_or_default();
        Some(Assumed {
            occupation: job.name.clone(),
            answers: found.len(),
            counts: labels.iter().map(count).collect(),
            undetected: found.iter().filter(|label| label.is_none()).count(),
            women: job.women,
        })
    });
    Some(Neutral {
        occupations: occupations.collect(),
        labels,
    })
}

impl Neutral {
    /// The text of a table row: `4 of 5 female, 0 male, 0 neutral, 1 undetected`.
    pub(super) fn counts_text(&self, assumed: &Assumed) -> String {
        let mut counts = self.labels.iter().zip(&assumed.counts);
        let mut parts = Vec::new();
        if let Some((label, count)) = counts.next() {
            parts.push(format!("{count} of {} {label}", assumed.answers));
        }
        parts.extend(counts.map(|(label, count)| format!("{count} {label}")));
        parts.push(format!("{} undetected", assumed.undetected));
        parts.join(", ")
    }
}
