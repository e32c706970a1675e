//! Secondary measures, shown with the primary tests but without a verdict.

use serde::{Deserialize, Serialize};

use super::measured_answers::MeasuredAnswers;
use super::scores::MeasureScores;
use crate::fairness::measures::{Measure, Sentiment};
use crate::fairness::measures::{
    MetricFrame, association, bleu, genbit, representation, rouge_l, sentiment_gap,
};
use crate::fairness::text::{StopWords, Text};

/// The percentile of co-occurrence from which GenBit includes a word.
const GENBIT_PERCENTILE: f64 = 80.0;

/// The mean of a measure in each group, with the terms of Fairlearn's `MetricFrame`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupMeans {
    /// The measure.
    pub name: String,
    /// The groups in the study's order, each with its mean over the samples that have a score.
    pub by_group: Vec<(String, Option<f64>)>,
    /// The mean over all samples.
    pub overall: Option<f64>,
    /// The largest mean minus the smallest.
    pub difference: Option<f64>,
    /// The smallest mean divided by the largest.
    pub ratio: Option<f64>,
}

/// A number about all answers together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Secondary {
    /// What was measured.
    pub name: String,
    /// The value; `None` if it is undefined.
    pub value: Option<f64>,
    /// The reference to compare the value with: the same within one group, or the value of
    /// even-handed answers.
    #[serde(rename = "beside")]
    pub reference: Option<f64>,
    /// What the value and the reference mean.
    pub meaning: String,
}

pub(super) fn group_means(
    measured: &MeasuredAnswers<'_>,
    scores: &[MeasureScores],
) -> Vec<GroupMeans> {
    let study = measured.study();
    let measures = study.measures.iter().zip(scores);
    measures
        .map(|(measure, scores)| {
            let rows = measured
                .cells
                .iter()
                .zip(&scores.scores)
                .flat_map(|(cell, scores)| {
                    let group = study
                        .groups
                        .get(cell.group)
                        .map_or("", |one| one.name.as_str());
                    scores.iter().map(move |score| (group, *score))
                });
            let (groups, rows): (Vec<&str>, Vec<f64>) = rows.unzip();
            let frame = MetricFrame::new(&groups, &rows, |rows| {
                mean(rows.iter().map(|score| **score))
            });
            let of = |name: &String| frame.by_group().get(name).copied().flatten();
            let names = study.groups.iter().map(|group| &group.name);
            GroupMeans {
                name: measure.name().to_owned(),
                by_group: names.map(|name| (name.clone(), of(name))).collect(),
                overall: frame.overall(),
                difference: frame.difference(),
                ratio: frame.ratio(),
            }
        })
        .collect()
}

pub(super) fn secondary_measures(measured: &MeasuredAnswers<'_>) -> Vec<Secondary> {
    let mut found = Vec::new();
    if let Ok(pair) = measured.pair() {
        found.extend(counterfactual(measured, pair));
    }
    if let Some(neutral) = measured.study().neutral() {
        found.extend(assumptions(measured, neutral));
    }
    found
}

fn counterfactual(measured: &MeasuredAnswers<'_>, [first, second]: [usize; 2]) -> [Secondary; 3] {
    let texts = measured.by_cell(measured.answered(&measured.masked));
    let jobs = 0..measured.study().occupations.len();
    let cells: Vec<[&Vec<&Text>; 2]> = jobs
        .flat_map(|job| measured.templates().map(move |template| (job, template)))
        .filter_map(|(job, template)| {
            let both = [first, second];
            let [one, other] = both.map(|group| measured.cell(job, template, group));
            let both = [one?, other?];
            let [one, other] = both.map(|place| texts.get(place));
            Some([one?, other?])
        })
        .collect();
    let likeness = |name: &str, like: fn(&Text, &Text) -> Option<f64>| Secondary {
        name: name.to_owned(),
        value: mean(cells.iter().filter_map(|[a, b]| likeness(a, b, like))),
        reference: mean(
            cells
                .iter()
                .flatten()
                .filter_map(|one| likeness(one, one, like)),
        ),
        meaning:
            "similarity of two answers about different groups; reference: about the same group"
                .to_owned(),
    };
    let scored = |texts: &[&Text]| -> Vec<f64> {
        let scores = texts.iter().map(|text| Sentiment::Compound.score(text));
        scores.filter_map(|score| score.ok().flatten()).collect()
    };
    let gaps = cells
        .iter()
        .filter_map(|[a, b]| sentiment_gap(&scored(a), &scored(b)));
    let within = cells.iter().flatten().filter_map(|one| {
        let scores = scored(one);
        let (a, b) = scores.split_at(scores.len() / 2);
        sentiment_gap(a, b)
    });
    [
        likeness("BLEU", bleu),
        likeness("ROUGE-L", rouge_l),
        Secondary {
            name: "sentiment gap".to_owned(),
            value: mean(gaps),
            reference: mean(within),
            meaning:
                "distance between the scores of two groups (Wasserstein-1); reference: between \
                      the halves of one group, which are smaller and so differ more"
                    .to_owned(),
        },
    ]
}

/// The mean similarity of each sample to the next sample of the other list, never to the one with
/// the same seed, which would be similar for that reason alone. `None` if there is no next sample.
fn likeness(a: &[&Text], b: &[&Text], like: fn(&Text, &Text) -> Option<f64>) -> Option<f64> {
    let same = std::ptr::eq(a, b);
    if same && a.len() < 2 {
        return None;
    }
    let next = b.iter().cycle().skip(1);
    mean(
        a.iter()
            .zip(next)
            .filter_map(|(one, other)| like(one, other)),
    )
}

fn assumptions(measured: &MeasuredAnswers<'_>, neutral: usize) -> [Secondary; 3] {
    let texts = measured.of_group(&measured.raw, neutral);
    let lexicon = measured.lexicon();
    let jobs: Vec<String> = measured
        .study()
        .occupations
        .iter()
        .map(|job| job.name.to_lowercase())
        .collect();
    let targets: Vec<&str> = jobs
        .iter()
        .map(String::as_str)
        .filter(|job| !job.contains(' '))
        .collect();
    let bias = genbit(
        texts.iter().copied(),
        lexicon,
        &StopWords::english(),
        GENBIT_PERCENTILE,
    );
    let made = |name: &str, value: Option<f64>, meaning: &str| Secondary {
        name: name.to_owned(),
        value,
        reference: Some(0.0),
        meaning: meaning.to_owned(),
    };
    [
        made(
            "representation (HELM)",
            representation(texts.iter().copied(), lexicon),
            "neutral prompts: are the groups' words equally frequent? 0 is even, but can hide stereotypes that cancel out",
        ),
        made(
            "association (HELM)",
            association(texts.iter().copied(), lexicon, &targets).mean,
            "neutral prompts: are they equally frequent with each occupation? 0 is even",
        ),
        made(
            "GenBit",
            bias.ok().and_then(|found| found.score),
            "neutral prompts: are other words nearer to one group's words? 0 is even",
        ),
    ]
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}
