//! The answers of a study, tokenized once and grouped by cell.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::error::{ContentFilter, Error, ErrorKind, Result};
use crate::fairness::lexicon::Lexicon;
use crate::fairness::measures::{Utility, refuses};
use crate::fairness::study::{Cell, Reply, Study, StudyAnswers};
use crate::fairness::text::{Language, Text, languages};
use crate::text::sanitize_line;

/// If fewer than one in this many answers does not decline, there is no conclusion.
const MIN_ANSWERED: usize = 20;

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
    /// The answers that the service withheld, each with the index of its cell, and with what the
    /// content filter found in it.
    pub(super) withheld: Vec<(usize, Arc<ContentFilter>)>,
    /// For each origin of answers, how many answers of each group come from it.
    pub(super) origins: BTreeMap<Arc<str>, Vec<usize>>,
    /// The index of the cell of each occupation, template and group.
    places: HashMap<(usize, usize, usize), usize>,
    /// The numbers of samples of each group without an answer, with an empty one, and in another
    /// language.
    pub(super) failed: Vec<usize>,
    pub(super) empty: Vec<usize>,
    pub(super) foreign: Vec<usize>,
}

impl<'a> MeasuredAnswers<'a> {
    /// # Errors
    /// A cell without an answer in English, unless its answers are withheld or empty.
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
            origins: BTreeMap::new(),
            failed: vec![0; groups],
            empty: vec![0; groups],
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
        for (place, (cell, replies)) in self.cells.iter().zip(replies).enumerate() {
            for (sample, reply) in replies.iter().enumerate() {
                let details = self.answers.details(place * samples + sample);
                if let Some(origin) = details.origin {
                    let groups = vec![0; self.failed.len()];
                    add_one(self.origins.entry(origin).or_insert(groups), cell.group);
                }
                match reply {
                    _ if details.is_withheld => {
                        self.withheld
                            .push((place, details.filter.unwrap_or_default()));
                    }
                    Ok(text) if text.trim().is_empty() => add_one(&mut self.empty, cell.group),
                    Ok(text) => {
                        let text = Text::new(text).answering(&cell.prompt);
                        self.cell_of.push(place);
                        self.raw.push(text.filtered_as(details.filter));
                    }
                    Err(_) => add_one(&mut self.failed, cell.group),
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
            } else if let Some(cell) = self.cells.get(place) {
                add_one(&mut self.foreign, cell.group);
            }
        }
    }

    fn require_complete(&self) -> Result<()> {
        let mut filled = vec![false; self.cells.len()];
        let withheld = self.withheld.iter().map(|(place, _)| place);
        for place in self.cell_of.iter().chain(withheld) {
            if let Some(filled) = filled.get_mut(*place) {
                *filled = true;
            }
        }
        let samples = self.study().samples as usize;
        let replies = self.answers.replies().chunks(samples.max(1));
        let cells = self.cells.iter().zip(replies).zip(filled);
        // An answer of nothing is an answer, although it has no score.
        let is_empty = |reply: &Reply| reply.as_ref().is_ok_and(|text| text.trim().is_empty());
        let cells = cells.filter(|((_, replies), _)| !replies.iter().any(is_empty));
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

    /// Whether each answer declines.
    pub(super) fn declines(&self) -> &[bool] {
        &self.declines
    }

    /// How many answers decline.
    pub(super) fn declined(&self) -> usize {
        self.declines.iter().filter(|declines| **declines).count()
    }

    /// How many answers of each group decline.
    pub(super) fn declined_by_group(&self) -> Vec<usize> {
        let declining = self.with_cells(&self.raw).zip(&self.declines);
        let declining = declining.filter(|(_, declines)| **declines);
        self.count_groups(declining.map(|((cell, _), _)| cell))
    }

    /// How many answers of each group the service withheld.
    pub(super) fn withheld_by_group(&self) -> Vec<usize> {
        let places = self.withheld.iter();
        self.count_groups(places.filter_map(|(place, _)| self.cells.get(*place)))
    }

    /// How many samples of each group were asked.
    pub(super) fn asked_by_group(&self) -> Vec<usize> {
        let samples = self.study().samples as usize;
        let cells = self.count_groups(self.cells.iter());
        cells.into_iter().map(|cells| cells * samples).collect()
    }

    fn count_groups<'c>(&self, cells: impl Iterator<Item = &'c Cell>) -> Vec<usize> {
        let mut counts = vec![0; self.study().groups.len()];
        cells.for_each(|cell| add_one(&mut counts, cell.group));
        counts
    }

    /// Whether nearly all prompts with several answers got copies of a single one.
    pub(super) fn are_copies(&self) -> bool {
        let cells = self.by_cell(self.raw.iter().map(Some));
        let several: Vec<_> = cells.iter().filter(|texts| texts.len() > 1).collect();
        let is_copied = |texts: &&&Vec<&Text>| {
            let mut answers = texts.iter().map(|text| text.answer().trim());
            let first = answers.next();
            answers.all(|answer| Some(answer) == first)
        };
        let copied = several.iter().filter(is_copied).count();
        copied > 0 && 10 * copied >= 9 * several.len()
    }

    /// The reason why there is no conclusion, if nearly all answers decline, or all are the same.
    pub(super) fn too_little_answered(&self) -> Option<String> {
        let mut answers = self.raw.iter().map(|text| text.answer().trim());
        let (first, withheld) = (answers.next(), self.withheld.len());
        let (declined, all) = (self.declined() + withheld, self.raw.len() + withheld);
        if self.raw.len() > 1 && declined < all && answers.all(|answer| Some(answer) == first) {
            return Some(format!(
                "all {} answers are the same text, whatever the prompt was",
                self.raw.len()
            ));
        }
        let what = if withheld > 0 {
            "decline or are withheld"
        } else {
            "decline"
        };
        let who = match declined == all {
            true if withheld == 0 => "every answer declines".to_owned(),
            _ => format!("{declined} of {all} answers {what}"),
        };
        ((all - declined) * MIN_ANSWERED < all)
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
        Utility::new(prompts.zip(replies))
    }
}

/// Counts one more of this group.
fn add_one(counts: &mut [usize], group: usize) {
    if let Some(count) = counts.get_mut(group) {
        *count += 1;
    }
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
