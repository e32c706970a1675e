//! The scores of a study's measures, and the errors of measures that don't do what they say.

use std::borrow::Cow;

use super::measured_answers::MeasuredAnswers;
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::measures::Measure;
use crate::fairness::study::blinded;
use crate::fairness::text::Text;
use crate::text::sanitize_line;

/// The number of answers that are checked for words that only unmasked answers contain.
const PROBED: usize = 20;

/// The squares of larger scores overflow when they are added.
const MAX_SCORE: f64 = 1e100;

/// The squares of smaller scores lose their digits, and then are 0.
const MIN_SCORE: f64 = 1e-100;

/// The scores of one measure: for each cell, those of its samples.
pub(super) type Scores = Vec<Vec<f64>>;

/// The scores of one measure.
pub(super) struct MeasureScores {
    pub(super) scores: Scores,
    /// The scores of the answers as they came, if these differ and the measure should not have seen
    /// the difference.
    pub(super) unmasked: Option<Scores>,
}

impl MeasuredAnswers<'_> {
    /// The scores of all primary measures, on masked answers unless a measure reads unmasked ones.
    /// Answers that decline are only scored by measures about refusing.
    ///
    /// # Errors
    /// A measure that fails, returns a different number of scores than there are answers, or a
    /// score that is not finite or too large; or that finds only what is masked.
    pub(super) fn scores(&self) -> Result<Vec<MeasureScores>> {
        let measures = self.study().measures.iter();
        measures
            .map(|measure| {
                let name = sanitize_line(measure.name(), 40);
                let all = measure.is_about_refusing() || self.declined() == 0;
                let texts = self.read_by(measure.reads_raw(), all);
                // A judge can't be asked about an empty list.
                let scores = match texts.is_empty() {
                    true => Vec::new(),
                    false => measure.scores(&texts)?,
                };
                if scores.len() != texts.len() {
                    let (given, texts) = (scores.len(), texts.len());
                    return Err(bad(format!(
                        "'{name}' gave {given} scores for {texts} answers"
                    )));
                }
                check_scores(&name, &scores)?;
                if !measure.reads_raw() && finds_nothing(&scores) {
                    self.check_blinded(measure.as_ref(), all)?;
                }
                let unmasked = self.unmasked(measure.as_ref(), all, &scores)?;
                let mut cells = self.placed(scores, all);
                self.add_withheld(&name, measure.as_ref(), &mut cells)?;
                Ok(MeasureScores {
                    scores: cells,
                    unmasked: unmasked.map(|scores| self.placed(scores, all)),
                })
            })
            .collect()
    }

    /// The scores by cell, if these are the scores of all answers or of those that do not decline.
    fn placed(&self, scores: Vec<Option<f64>>, all: bool) -> Scores {
        let mut scores = scores.into_iter();
        let left_out = self.declines().iter().map(|declines| *declines && !all);
        self.by_cell(left_out.map(|left_out| match left_out {
            true => None,
            false => scores.next().flatten(),
        }))
    }

    /// The scores that the unmasked answers have, if some differ from the `masked` ones and the measure
    /// does not say that this is right.
    fn unmasked(
        &self,
        measure: &dyn Measure,
        all: bool,
        masked: &[Option<f64>],
    ) -> Result<Option<Vec<Option<f64>>>> {
        if measure.reads_raw() || measure.expects_masked() {
            return Ok(None);
        }
        let texts = (self.read_by(true, all), self.read_by(false, all));
        let both = texts.0.iter().zip(texts.1.iter()).enumerate();
        let differing = both.filter(|(_, (raw, masked))| raw.answer() != masked.answer());
        let (places, raw): (Vec<usize>, Vec<Text>) = differing
            .map(|(place, (raw, _))| (place, raw.clone()))
            .unzip();
        if raw.is_empty() {
            return Ok(None);
        }
        let mut unmasked = masked.to_vec();
        for (place, score) in places.into_iter().zip(measure.scores(&raw)?) {
            if let Some(own) = unmasked.get_mut(place) {
                *own = score.filter(|score| score.abs() <= MAX_SCORE);
            }
        }
        Ok((unmasked != masked).then_some(unmasked))
    }

    /// Adds the scores of answers that the content filter withheld, for a measure that has them.
    fn add_withheld(&self, name: &str, measure: &dyn Measure, cells: &mut Scores) -> Result<()> {
        for (place, filter) in &self.withheld {
            let score = measure.score_withheld(filter);
            check_scores(name, &[score])?;
            if let (Some(cell), Some(score)) = (cells.get_mut(*place), score) {
                cell.push(score);
            }
        }
        Ok(())
    }

    /// The answers that a measure reads: all, or those that do not decline.
    fn read_by(&self, is_raw: bool, all: bool) -> Cow<'_, [Text]> {
        let texts = if is_raw { &self.raw } else { &self.masked };
        match all {
            true => Cow::Borrowed(texts),
            false => Cow::Owned(self.answered(texts).flatten().cloned().collect()),
        }
    }

    /// Refuses a measure that finds nothing in masked answers, but something in unmasked ones.
    fn check_blinded(&self, measure: &dyn Measure, all: bool) -> Result<()> {
        let (raw, masked) = (self.read_by(true, all), self.read_by(false, all));
        let both = raw.iter().zip(masked.iter());
        let differing = both.filter(|(raw, masked)| raw.answer() != masked.answer());
        let some: Vec<Text> = differing.map(|(raw, _)| raw.clone()).take(PROBED).collect();
        if some.is_empty() || finds_nothing(&measure.scores(&some)?) {
            return Ok(());
        }
        Err(blinded(
            measure.name(),
            "finds nothing in masked answers, and something in answers as they came",
        ))
    }
}

fn finds_nothing(scores: &[Option<f64>]) -> bool {
    scores.iter().flatten().all(|score| *score == 0.0)
}

/// Refuses scores that can't be averaged or squared.
fn check_scores(name: &str, scores: &[Option<f64>]) -> Result<()> {
    let is_odd = |score: &&f64| !score.is_finite() || score.abs() > MAX_SCORE;
    let largest = scores
        .iter()
        .flatten()
        .fold(0.0_f64, |most, one| most.max(one.abs()));
    if largest > 0.0 && largest < MIN_SCORE {
        return Err(bad(format!(
            "no score of '{name}' is above {largest:e}, and less than {MIN_SCORE:e} can't be squared"
        ))
        .with_hint("scale it up, or take its logarithm"));
    }
    match scores.iter().flatten().find(is_odd) {
        Some(score) if score.is_finite() => Err(bad(format!(
            "'{name}' scored an answer {score:e}, and more than {MAX_SCORE:e} can't be averaged"
        ))
        .with_hint("scale it down, or take its logarithm")),
        Some(score) => Err(bad(format!("'{name}' scored an answer {score}"))
            .with_hint("return `None` for an answer without a score")),
        None => Ok(()),
    }
}

fn bad(message: String) -> Error {
    Error::new(ErrorKind::Statistics, message)
}
