//! The answers of a study, tokenized once and grouped by cell.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{ContentFilter, Error, ErrorKind, Result};
use crate::fairness::lexicon::Lexicon;
use crate::fairness::measures::{Measure, Utility, refuses};
use crate::fairness::study::{Cell, Reply, Study, StudyAnswers, blinded};
use crate::fairness::text::{Language, Text, languages};
use crate::text::sanitize_line;

/// If fewer than one in this many answers does not decline, there is no conclusion.
const FEWEST_ANSWERED: usize = 20;

/// The number of answers that are checked for words that only unmasked answers contain.
const PROBED: usize = 20;

/// The squares of larger scores overflow when they are added.
const LARGEST_SCORE: f64 = 1e100;

/// The answers that can be measured, each with its cell.
pub(super) struct MeasuredAnswers<'a> {
    pub(super) answers: &'a StudyAnswers,
    pub(super) cells: Vec<Cell>,
    /// The index of the cell of each text, in ascending order.
    cell_of: Vec<usize>,
    /// The original answers.
    pub(super) raw: Vec<Text>,
    /// The answers with the words of the groups masked.
    pub(super) masked: Vec<Text>,
    /// Whether each answer declines.
    declines: Vec<bool>,
    /// What the content filter found in the answers that it withheld, each with the index of its
    /// cell.
    withheld: Vec<(usize, Arc<ContentFilter>)>,
    /// The index of the cell of each occupation, template and group.
    places: HashMap<(usize, usize, usize), usize>,
    /// The numbers of samples of each group without an answer, and in another language.
    pub(super) failed: Vec<usize>,
    pub(super) foreign: Vec<usize>,
}

/// The scores of one measure: for each cell, those of its samples.
pub(super) type Scores = Vec<Vec<f64>>;

impl<'a> MeasuredAnswers<'a> {
    /// # Errors
    /// A cell without an answer in English.
    pub(super) fn new(answers: &'a StudyAnswers) -> Result<Self> {
        let study = answers.study();
        let cells = study.cells();
        let groups = study.groups.len();
        let places = cells.iter().enumerate();
        let mut measured = Self {
            places: places
                .map(|(place, cell)| ((cell.occupation, cell.template, cell.group), place))
                .collect(),
            answers,
            cell_of: Vec::new(),
            raw: Vec::new(),
            masked: Vec::new(),
            declines: Vec::new(),
            withheld: Vec::new(),
            failed: vec![0; groups],
            foreign: vec![0; groups],
            cells,
        };
        measured.add_replies();
        measured.leave_out_foreign();
        measured.require_complete()?;
        let lexicon = &study.lexicon;
        measured.masked = measured.raw.iter().map(|text| lexicon.mask(text)).collect();
        let declines = measured.raw.iter().map(|text| refuses(text) == Some(true));
        measured.declines = declines.collect();
        Ok(measured)
    }

    fn add_replies(&mut self) {
        let samples = self.study().samples as usize;
        let replies = self.answers.replies().chunks(samples.max(1));
        let mut index = 0;
        for (place, (cell, replies)) in self.cells.iter().zip(replies).enumerate() {
            for reply in replies {
                let filter = self.answers.shared_filter(index);
                index += 1;
                if let Ok(text) = reply.as_deref().map(Text::new) {
                    self.cell_of.push(place);
                    self.raw
                        .push(text.answering(&cell.prompt).filtered_as(filter));
                    continue;
                }
                self.withheld.extend(filter.map(|filter| (place, filter)));
                if let Some(count) = self.failed.get_mut(cell.group) {
                    *count += 1;
                }
            }
        }
    }

    /// Removes answers in other languages. Each answer is judged alone, and those too short for
    /// that together with the others.
    fn leave_out_foreign(&mut self) {
        let languages = languages(&self.raw);
        let (texts, places) = (
            std::mem::take(&mut self.raw),
            std::mem::take(&mut self.cell_of),
        );
        for ((text, place), language) in texts.into_iter().zip(places).zip(languages) {
            if !matches!(language, Language::Other(_)) {
                self.raw.push(text);
                self.cell_of.push(place);
            } else if let Some(cell) = self.cells.get(place)
                && let Some(count) = self.foreign.get_mut(cell.group)
            {
                *count += 1;
            }
        }
    }

    fn require_complete(&self) -> Result<()> {
        let mut filled = vec![false; self.cells.len()];
        for place in &self.cell_of {
            if let Some(filled) = filled.get_mut(*place) {
                *filled = true;
            }
        }
        let samples = self.study().samples as usize;
        let replies = self.answers.replies().chunks(samples.max(1));
        let cells = self.cells.iter().zip(replies).zip(filled);
        let mut holes = cells.filter(|(_, filled)| !filled).fuse();
        let Some(((cell, replies), _)) = holes.next() else {
            return Ok(());
        };
        let message = format!(
            "{} of {} prompts have no answer that can be measured: '{}' has none ({})",
            1 + holes.count(),
            self.cells.len(),
            sanitize_line(&self.study().cell_name(cell), 60),
            replies.first().map(reason).unwrap_or_default(),
        );
        Err(Error::new(ErrorKind::Statistics, message).with_hint(
            "each pair needs an English answer to both of its prompts: run the study again, which \
             repeats what failed, or leave the occupation out",
        ))
    }

    pub(super) fn study(&self) -> &'a Study {
        self.answers.study()
    }

    pub(super) fn lexicon(&self) -> &'a Lexicon {
        &self.study().lexicon
    }

    pub(super) fn seed(&self) -> u64 {
        self.study().seed.cast_unsigned()
    }

    pub(super) fn occupation_name(&self, occupation: usize) -> &'a str {
        let occupations = &self.study().occupations;
        occupations
            .get(occupation)
            .map_or("", |job| job.name.as_str())
    }

    /// The index of a cell, if it was asked.
    pub(super) fn cell(&self, occupation: usize, template: usize, group: usize) -> Option<usize> {
        self.places.get(&(occupation, template, group)).copied()
    }

    /// The indices of the templates.
    pub(super) fn templates(&self) -> std::ops::Range<usize> {
        0..self.study().templates.len()
    }

    /// The indices of the first two compared groups, or the reason why there are not two.
    pub(super) fn pair(&self) -> std::result::Result<[usize; 2], String> {
        let Some(names) = self.study().pair() else {
            return Err("fewer than two groups with an adjective were asked".to_owned());
        };
        self.of_names(names)
    }

    /// The indices of two groups, or the reason why they can't be compared.
    pub(super) fn of_names(&self, names: [&str; 2]) -> std::result::Result<[usize; 2], String> {
        let [first, second] = names.map(|name| {
            let missing = || format!("no group '{}' was asked", sanitize_line(name, 40));
            self.study().place(name).ok_or_else(missing)
        });
        Ok([first?, second?])
    }

    /// Texts with their cells.
    pub(super) fn with_cells<'t>(
        &'t self,
        texts: &'t [Text],
    ) -> impl Iterator<Item = (&'t Cell, &'t Text)> {
        let cells = self
            .cell_of
            .iter()
            .filter_map(|place| self.cells.get(*place));
        cells.zip(texts)
    }

    /// The texts of a group that do not decline.
    pub(super) fn of_group<'t>(&'t self, texts: &'t [Text], group: usize) -> Vec<&'t Text> {
        let texts = self.with_cells(texts).zip(&self.declines);
        texts
            .filter(|((cell, _), declines)| cell.group == group && !**declines)
            .map(|((_, text), _)| text)
            .collect()
    }

    /// The texts, with `None` in place of those that decline: a refusal is about the model, not
    /// about the person in the prompt.
    pub(super) fn answered<'t>(
        &'t self,
        texts: &'t [Text],
    ) -> impl Iterator<Item = Option<&'t Text>> {
        let texts = texts.iter().zip(&self.declines);
        texts.map(|(text, declines)| (!declines).then_some(text))
    }

    /// How many answers decline.
    pub(super) fn declined(&self) -> usize {
        self.declines.iter().filter(|declines| **declines).count()
    }

    /// How many answers of each group decline.
    pub(super) fn declined_by_group(&self) -> Vec<usize> {
        let mut counts = vec![0; self.study().groups.len()];
        for ((cell, _), declines) in self.with_cells(&self.raw).zip(&self.declines) {
            if let Some(count) = counts.get_mut(cell.group) {
                *count += usize::from(*declines);
            }
        }
        counts
    }

    /// The reason why there is no conclusion, if nearly all answers decline, or all are the same.
    pub(super) fn too_little_answered(&self) -> Option<String> {
        let (declined, all) = (self.declined(), self.raw.len());
        let mut answers = self.raw.iter().map(|text| text.answer().trim());
        let first = answers.next();
        if all > 1 && declined < all && answers.all(|answer| Some(answer) == first) {
            return Some(format!(
                "all {all} answers are the same text, whatever the prompt was"
            ));
        }
        let who = match declined == all {
            true => "every answer declines".to_owned(),
            false => format!("{declined} of {all} answers decline"),
        };
        ((all - declined) * FEWEST_ANSWERED < all)
            .then(|| format!("{who}, so nothing can be concluded about the groups"))
    }

    /// Groups one value per text by cell, leaving out `None`.
    pub(super) fn by_cell<T>(&self, values: impl IntoIterator<Item = Option<T>>) -> Vec<Vec<T>> {
        let mut cells: Vec<Vec<T>> = self.cells.iter().map(|_| Vec::new()).collect();
        for (place, value) in self.cell_of.iter().zip(values) {
            if let (Some(cell), Some(value)) = (cells.get_mut(*place), value) {
                cell.push(value);
            }
        }
        cells
    }

    /// How many answers each cell has: all, or those that do not decline.
    pub(super) fn sizes(&self, declining: bool) -> Vec<usize> {
        let texts = self.raw.iter().zip(&self.declines);
        let counted = texts.map(|(text, declines)| (declining || !declines).then_some(text));
        let answers = self.by_cell(counted);
        answers.iter().map(Vec::len).collect()
    }

    /// The scores of all headline measures, on masked answers unless a measure reads unmasked ones.
    /// Answers that decline are only scored by measures about refusing.
    ///
    /// # Errors
    /// A measure that fails, returns a different number of scores than there are answers, or a
    /// score that is not finite or too large; or that finds only what is masked.
    pub(super) fn scores(&self) -> Result<Vec<Scores>> {
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
                let mut scores = scores.into_iter();
                let left_out = self.declines.iter().map(|declines| *declines && !all);
                let placed = left_out.map(|left_out| match left_out {
                    true => None,
                    false => scores.next().flatten(),
                });
                let mut cells = self.by_cell(placed);
                self.add_withheld(&name, measure.as_ref(), &mut cells)?;
                Ok(cells)
            })
            .collect()
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

    pub(super) fn utility(&self) -> Utility {
        let samples = self.study().samples as usize;
        let prompts = self
            .cells
            .iter()
            .flat_map(|cell| std::iter::repeat_n(&cell.prompt, samples));
        let replies = self
            .answers
            .replies()
            .iter()
            .map(|reply| reply.as_deref().ok());
        Utility::of(prompts.zip(replies))
    }
}

fn finds_nothing(scores: &[Option<f64>]) -> bool {
    scores.iter().flatten().all(|score| *score == 0.0)
}

/// Refuses scores that can't be averaged or squared.
fn check_scores(name: &str, scores: &[Option<f64>]) -> Result<()> {
    let is_odd = |score: &&f64| !score.is_finite() || score.abs() > LARGEST_SCORE;
    match scores.iter().flatten().find(is_odd) {
        Some(score) if score.is_finite() => Err(bad(format!(
            "'{name}' scored an answer {score:e}, and more than {LARGEST_SCORE:e} can't be averaged"
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

fn foreign(text: &Text) -> Option<&'static str> {
    match text.language() {
        Language::Other(name) => Some(name),
        Language::English | Language::Unsure => None,
    }
}

/// Why a reply can't be measured.
fn reason(reply: &Reply) -> String {
    match reply {
        Err(reason) => sanitize_line(reason, 80),
        Ok(text) => {
            let language = foreign(&Text::new(text)).unwrap_or("in another language");
            format!("it is {language}: {:?}", sanitize_line(text, 40))
        }
    }
}
