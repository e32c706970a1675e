//! What both forms of an answer view share: which rows and columns are shown, their answers in pieces,
//! and the numbers above each column.

use super::annotated::Annotated;
use super::pieces::{Piece, pieces};
use super::{AnswerView, Cell, Reply, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::lexicon::Lexicon;
use crate::text::{counted, grouped, sanitize_line};

/// The maximum number of names that an error lists.
const LISTED: usize = 10;

/// The rows and columns to show.
pub(super) struct Selection<'r> {
    pub(super) rows: Vec<&'r Row>,
    /// The place of each column among all.
    pub(super) columns: Vec<usize>,
    /// How many rows were left out because their answers are equal.
    pub(super) equal: usize,
    /// How many rows are before the first one.
    pub(super) before: usize,
}

impl AnswerView {
    /// # Errors
    /// A row or a column that does not exist.
    pub(super) fn selected(&self) -> Result<Selection<'_>> {
        let columns = match &self.only_columns {
            None => (0..self.headings.len()).collect(),
            Some(names) => places("column", names, self.headings.iter())?,
        };
        let rows: Vec<&Row> = match &self.only_rows {
            None => self.rows.iter().collect(),
            Some(names) => {
                let all = self.rows.iter().map(|row| &row.name);
                let found = places("row", names, all)?;
                found
                    .into_iter()
                    .filter_map(|at| self.rows.get(at))
                    .collect()
            }
        };
        let before = (self.from_row - 1).min(rows.len());
        let mut rows = rows.get(before..).unwrap_or_default().to_vec();
        let all = rows.len();
        if self.only_differences && columns.len() > 1 {
            rows.retain(|row| !is_equal(row, &columns));
        }
        Ok(Selection {
            equal: all - rows.len(),
            rows,
            columns,
            before,
        })
    }
}

/// Where these names are among all.
fn places<'n>(
    what: &str,
    names: &[String],
    all: impl Iterator<Item = &'n String> + Clone,
) -> Result<Vec<usize>> {
    let place = |name: &String| {
        all.clone().position(|other| other == name).ok_or_else(|| {
            let quoted = |name: &str| format!("`{}`", sanitize_line(name, 60));
            let listed: Vec<_> = all.clone().take(LISTED).map(|name| quoted(name)).collect();
            let more = match all.clone().count() - listed.len() {
                0 => String::new(),
                more => format!(" and {} more", grouped(more as u64)),
            };
            let message = format!("there is no {what} {}", quoted(name));
            Error::new(ErrorKind::Argument, message)
                .with_hint(format!("the {what}s are {}{more}", listed.join(", ")))
        })
    };
    names.iter().map(place).collect()
}

fn is_equal(row: &Row, columns: &[usize]) -> bool {
    let replies = |at: &usize| {
        let cell = row.cells.get(*at)?.as_ref()?;
        Some(
            cell.replies
                .iter()
                .map(|reply| &reply.text)
                .collect::<Vec<_>>(),
        )
    };
    let mut all = columns.iter().map(replies);
    let first = all.next().flatten();
    first.is_some() && all.all(|other| other == first)
}

/// An answer in pieces, or why there is none.
pub(super) enum Answer<'r> {
    Pieces {
        answer: Annotated,
        pieces: Vec<Piece>,
        cut: Option<&'static str>,
    },
    Missing(&'r str),
}

/// A cell with its answers.
pub(super) struct ShownCell<'r> {
    pub(super) prompt: &'r str,
    pub(super) answers: Vec<Answer<'r>>,
}

/// The cells of a row. Each sample is compared with the same sample of the first column, and those
/// of the first column with the second.
pub(super) fn cells<'r>(
    row: &'r Row,
    columns: &[usize],
    view: &AnswerView,
) -> Vec<Option<ShownCell<'r>>> {
    let cells: Vec<Option<&Cell>> = columns
        .iter()
        .map(|at| row.cells.get(*at).and_then(Option::as_ref))
        .collect();
    let annotated: Vec<Vec<Option<Annotated>>> = cells
        .iter()
        .map(|cell| {
            let replies = cell.map(|cell| cell.replies.as_slice()).unwrap_or_default();
            let annotate = |reply: &Reply| {
                let text = reply.text.as_ref().ok()?;
                Some(Annotated::new(text, &view.lexicon))
            };
            replies.iter().map(annotate).collect()
        })
        .collect();
    let cut: Vec<Vec<Vec<Piece>>> = annotated
        .iter()
        .enumerate()
        .map(|(column, answers)| {
            let beside = annotated.get(usize::from(column == 0));
            let answers = answers.iter().enumerate();
            answers
                .map(|(sample, answer)| {
                    let other = beside.and_then(|others| others.get(sample)?.as_ref());
                    answer.as_ref().map_or_else(Vec::new, |answer| {
                        pieces(answer, other, view.only_differences)
                    })
                })
                .collect()
        })
        .collect();
    let columns = cells.into_iter().zip(annotated).zip(cut);
    columns
        .map(|((cell, annotated), cut)| {
            let cell = cell?;
            let answers = cell.replies.iter().zip(annotated).zip(cut);
            let answers = answers.map(|((reply, answer), pieces)| match (answer, &reply.text) {
                (Some(answer), _) => Answer::Pieces {
                    answer,
                    pieces,
                    cut: reply.cut,
                },
                (None, Err(reason)) => Answer::Missing(reason),
                (None, Ok(_)) => Answer::Missing(""),
            });
            Some(ShownCell {
                prompt: &cell.prompt,
                answers: answers.collect(),
            })
        })
        .collect()
}

/// The prompt of a row, if all of its cells have the same one.
pub(super) fn shared_prompt<'r>(cells: &[Option<ShownCell<'r>>]) -> Option<&'r str> {
    let mut prompts = cells.iter().flatten().map(|cell| cell.prompt);
    let first = prompts.next()?;
    prompts.all(|other| other == first).then_some(first)
}

/// What a column holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) answers: usize,
    pub(super) missing: usize,
    pub(super) cut: usize,
    /// For each group, how many of its words there are, and in how many answers.
    pub(super) words: Vec<[usize; 2]>,
}

impl Tally {
    pub(super) fn new(groups: usize) -> Self {
        Self {
            words: vec![[0; 2]; groups],
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, answer: &Answer<'_>) {
        match answer {
            Answer::Missing(_) => self.missing += 1,
            Answer::Pieces { answer, cut, .. } => {
                self.answers += 1;
                self.cut += usize::from(cut.is_some());
                let counts = answer.counts(self.words.len());
                for (words, count) in self.words.iter_mut().zip(counts) {
                    words[0] += count;
                    words[1] += usize::from(count > 0);
                }
            }
        }
    }

    pub(super) fn add_all(&mut self, answers: &[Answer<'_>]) {
        answers.iter().for_each(|answer| self.add(answer));
    }

    /// `200 answers, 3 missing, 12 incomplete`.
    pub(super) fn counted(&self) -> String {
        let mut parts = vec![counted(self.answers, "answer")];
        for (count, what) in [(self.missing, "missing"), (self.cut, "incomplete")] {
            if count > 0 {
                parts.push(format!("{} {what}", grouped(count as u64)));
            }
        }
        parts.join(", ")
    }

    /// `12 in 8 answers`, for one of the groups.
    pub(super) fn of_group(&self, group: usize) -> String {
        let [words, answers] = self.words.get(group).copied().unwrap_or_default();
        match self.answers {
            0 | 1 => grouped(words as u64),
            _ => format!(
                "{} in {}",
                grouped(words as u64),
                counted(answers, "answer")
            ),
        }
    }
}

/// The letter that marks the words of each group: the first letters of its name, as many as it
/// takes to differ from the groups before.
pub(super) fn letters(lexicon: &Lexicon) -> Vec<String> {
    let mut letters: Vec<String> = Vec::new();
    for (place, group) in lexicon.groups().iter().enumerate() {
        let name: Vec<char> = group.name.chars().filter(|c| c.is_alphanumeric()).collect();
        let candidates = (1..=name.len().min(3)).map(|length| {
            let letter: String = name[..length].iter().collect();
            letter.to_uppercase()
        });
        let mut free = candidates.filter(|letter| !letters.contains(letter));
        let letter = free.next().unwrap_or_else(|| (place + 1).to_string());
        letters.push(letter);
    }
    letters
}

/// What follows an answer of which a part is not shown or was never written.
pub(super) fn ending(answer: &Annotated, cut: Option<&str>) -> Vec<String> {
    let more = match answer.left_out {
        0 => None,
        more => Some(format!("… and {} more", counted(more, "character"))),
    };
    more.into_iter().chain(cut.map(str::to_owned)).collect()
}
