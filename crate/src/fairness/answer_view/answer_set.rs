//! One side of a view: prompts with their answers, and how two sides are paired.

use std::collections::{HashMap, HashSet, VecDeque};

use super::Row;
use crate::batch::{Answer, Answers};
use crate::fairness::lexicon::Lexicon;
use crate::fairness::study::StudyAnswers;
use crate::openai::{ChatCompletion, FinishReason};

/// Prompts with their answers, such as those of one run or one model.
///
/// It is made from [`Answers`], from [`StudyAnswers`], from texts, or from a pair of a heading and
/// one of these: `("before", &before)`.
#[derive(Clone, Debug)]
pub struct AnswerSet {
    pub(super) heading: Option<String>,
    /// The model that answered, if it was only one.
    pub(super) model: Option<String>,
    pub(super) cells: Vec<Cell>,
    pub(super) lexicon: Option<Lexicon>,
}

/// A prompt with its answers.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) prompt: String,
    pub(crate) replies: Vec<Reply>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The answer, or why there is none.
    pub(crate) text: Result<String, String>,
    /// Why the answer ends where it does, if it is incomplete.
    pub(crate) cut: Option<&'static str>,
}

impl Reply {
    pub(crate) fn from_result(text: Result<String, String>) -> Self {
        Self { text, cut: None }
    }
}

impl AnswerSet {
    /// Makes a side of texts, each with its prompt; `None` where there is no answer. Texts of the
    /// same prompt that follow each other are its samples.
    pub fn from_texts<P, T>(texts: impl IntoIterator<Item = (P, Option<T>)>) -> Self
    where
        P: Into<String>,
        T: Into<String>,
    {
        let mut cells: Vec<Cell> = Vec::new();
        for (prompt, text) in texts {
            let prompt = prompt.into();
            let text = text
                .map(Into::into)
                .ok_or_else(|| "no answer was given".to_owned());
            let is_new = cells.last().is_none_or(|last| last.prompt != prompt);
            push(&mut cells, is_new, &prompt, Reply::from_result(text));
        }
        Self::from_cells(cells)
    }

    fn from_cells(cells: Vec<Cell>) -> Self {
        Self {
            heading: None,
            model: None,
            cells,
            lexicon: None,
        }
    }
}

fn push(cells: &mut Vec<Cell>, is_new: bool, prompt: &str, reply: Reply) {
    match cells.last_mut().filter(|_| !is_new) {
        Some(last) => last.replies.push(reply),
        None => cells.push(Cell {
            prompt: prompt.to_owned(),
            replies: vec![reply],
        }),
    }
}

impl From<&Answers> for AnswerSet {
    fn from(answers: &Answers) -> Self {
        let mut cells = Vec::new();
        for row in answers {
            push(&mut cells, row.sample == 0, &row.prompt, reply(row));
        }
        let completions = answers
            .rows()
            .iter()
            .filter_map(|row| row.outcome.as_ref().ok());
        let mut models = completions.map(|completion| completion.model.as_str());
        let model = models.next().filter(|model| !model.is_empty());
        let is_only = models.all(|other| Some(other) == model);
        Self {
            model: model.filter(|_| is_only).map(str::to_owned),
            ..Self::from_cells(cells)
        }
    }
}

fn reply(row: &Answer) -> Reply {
    let completion = row.outcome.as_ref();
    let text = completion
        .map_err(|error| error.message().to_owned())
        .and_then(|completion| {
            let text = completion.text().map(str::to_owned);
            let reason = || completion.why_empty();
            text.ok_or_else(|| reason().unwrap_or_else(|| "the model said nothing".to_owned()))
        });
    let reason = completion.ok().and_then(ChatCompletion::finish_reason);
    Reply {
        text,
        cut: match reason {
            Some(FinishReason::Length) => Some("cut at the token limit"),
            Some(FinishReason::ContentFilter) => Some("cut off by the content filter"),
            Some(FinishReason::Other(_)) => Some("ended for an unknown reason"),
            _ => None,
        },
    }
}

impl From<&StudyAnswers> for AnswerSet {
    fn from(answers: &StudyAnswers) -> Self {
        let study = answers.study();
        let cells = study.cells();
        let replies = answers.replies().chunks(study.samples.max(1) as usize);
        let cells = cells.into_iter().zip(replies).map(|(cell, replies)| Cell {
            prompt: cell.prompt,
            replies: replies.iter().cloned().map(Reply::from_result).collect(),
        });
        let models = &answers.provenance().models;
        Self {
            model: models.first().filter(|_| models.len() == 1).cloned(),
            lexicon: Some(study.lexicon.clone()),
            ..Self::from_cells(cells.collect())
        }
    }
}

impl<N: Into<String>, S: Into<Self>> From<(N, S)> for AnswerSet {
    fn from((heading, side): (N, S)) -> Self {
        Self {
            heading: Some(heading.into()),
            ..side.into()
        }
    }
}

/// The headings of two sides.
pub(super) fn headings(first: &AnswerSet, second: &AnswerSet) -> [String; 2] {
    let models_differ = first.model != second.model;
    let of = |side: &AnswerSet, usual: &str| {
        let model = side.model.as_ref().filter(|_| models_differ);
        let heading = side.heading.as_ref().or(model);
        heading.map_or_else(|| usual.to_owned(), Clone::clone)
    };
    [of(first, "first"), of(second, "second")]
}

/// The rows of two sides: equal prompts side by side, or, if there are none, equal places.
pub(super) fn paired(first: AnswerSet, second: AnswerSet) -> Vec<Row> {
    let mut waiting: HashMap<String, VecDeque<Cell>> = HashMap::new();
    let asked: HashSet<&str> = first.cells.iter().map(|cell| &*cell.prompt).collect();
    let mut others = second.cells.iter();
    let shares = others.any(|cell| asked.contains(&*cell.prompt));
    let pairs: Vec<[Option<Cell>; 2]> = if shares {
        let order: Vec<_> = second
            .cells
            .iter()
            .map(|cell| cell.prompt.clone())
            .collect();
        for cell in second.cells {
            let same = waiting.entry(cell.prompt.clone()).or_default();
            same.push_back(cell);
        }
        let mut take = |prompt: &String| waiting.get_mut(prompt).and_then(VecDeque::pop_front);
        let both = first.cells.into_iter().map(|cell| {
            let other = take(&cell.prompt);
            [Some(cell), other]
        });
        let mut pairs: Vec<_> = both.collect();
        let rest = order.iter().filter_map(take);
        pairs.extend(rest.map(|cell| [None, Some(cell)]));
        pairs
    } else {
        let longer = first.cells.len().max(second.cells.len());
        let (mut first, mut second) = (first.cells.into_iter(), second.cells.into_iter());
        (0..longer).map(|_| [first.next(), second.next()]).collect()
    };
    let rows = pairs.into_iter().enumerate();
    rows.map(|(place, cells)| Row {
        name: (place + 1).to_string(),
        notes: Vec::new(),
        cells: cells.into(),
    })
    .collect()
}
