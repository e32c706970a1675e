//! Answers side by side, for a reader: the words of each group are marked, and so is what
//! differs.
//!
//! - [`AnswerView`] is what is read: rows of cells, each with a prompt and its answers. `answer_set` makes
//!   them from the answers of a batch, of a study, or of texts from elsewhere, and pairs them;
//!   `of_study` makes a row of each occupation of a study.
//! - `annotated` finds the words of the groups in one answer, `word_diff` compares two, and `pieces`
//!   cuts an answer at both.
//! - `html` and `plain` are the forms in which it is shown, and `show` what they share.

mod annotated;
mod answer_set;
mod html;
mod of_study;
mod pieces;
mod plain;
mod show;
#[cfg(test)]
mod tests;
mod word_diff;

use std::sync::Arc;

pub use answer_set::AnswerSet;
pub(crate) use answer_set::{Cell, Reply};

use super::lexicon::Lexicon;
use crate::display::{MimeBundle, Show, error_card};

/// Answers side by side, as [`compare_answers`], [`view_answers`] and
/// [`StudyAnswers::answer_view`](super::study::StudyAnswers::answer_view) make them. It is shown with
/// [`display`](crate::display::display) or as the last expression of a cell.
///
/// The words of each group have an underline and a letter of their own, and their numbers are
/// above each column. Where the answer next to it says something else, the words are in bold; the words of
/// the groups count as the same word. At most 1,000 words of an answer are compared. Further samples of a
/// prompt, and the rest of a long answer, are folded. An answer is shown up to 10,000 characters.
///
/// It is static: it looks the same in an untrusted notebook and on paper. An output holds up to 1.8
/// MB; the last line names the first row that is left out, for [`from_row`](Self::from_row). Of a row
/// that alone is larger, the first samples are shown.
///
/// A setter leaves its view unchanged and returns another one of the same answers.
#[derive(Clone, Debug)]
#[must_use = "an answer view is visible only when it is displayed"]
pub struct AnswerView {
    title: Option<String>,
    headings: Vec<String>,
    rows: Arc<[Row]>,
    lexicon: Lexicon,
    only_differences: bool,
    from_row: usize,
    only_rows: Option<Vec<String>>,
    only_columns: Option<Vec<String>>,
    most_bytes: usize,
}

/// What is put side by side.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The row's number, from 1, or its name.
    pub(crate) name: String,
    /// What is known about the row besides its answers.
    pub(crate) notes: Vec<String>,
    /// One for each column; `None` where there is none.
    pub(crate) cells: Vec<Option<Cell>>,
}

/// Puts two sets of answers side by side: two lists of prompts, two runs, two models.
///
/// Prompts that both sides asked are paired with each other. If there are none, the first prompt of
/// one side is next to the first of the other. What has no counterpart is alone in its row.
///
/// ```no_run
/// use evenhand::prelude::*;
///
/// let client = Client::from_env()?;
/// let neutral = client.batch(["Describe a nurse."]).max_tokens(100).run()?;
/// let loaded = client.batch(["Describe a male nurse."]).max_tokens(100).run()?;
/// display(compare_answers(("neutral", &neutral), ("loaded", &loaded)));
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// # Default
/// The headings are the names of the models if these differ, otherwise `first` and `second`. The
/// words are those of the study, or of [`Lexicon::gender`].
pub fn compare_answers(first: impl Into<AnswerSet>, second: impl Into<AnswerSet>) -> AnswerView {
    let (first, second) = (first.into(), second.into());
    let lexicon = first.lexicon.clone().or_else(|| second.lexicon.clone());
    let headings = answer_set::headings(&first, &second);
    AnswerView::new(headings.into(), answer_set::paired(first, second), lexicon)
}

/// Lists prompts with their answers below each other. The samples of a prompt are folded together,
/// unless there is only one prompt.
///
/// ```
/// use evenhand::fairness::answer_view::{AnswerSet, view_answers};
/// use evenhand::prelude::*;
///
/// let texts = ["She cares for people.", "He cares for people."];
/// let nurse = AnswerSet::from_texts(texts.map(|text| ("Describe a nurse.", Some(text))));
/// display(view_answers(nurse).titled("Two samples"));
/// # Ok::<(), evenhand::Error>(())
/// ```
pub fn view_answers(side: impl Into<AnswerSet>) -> AnswerView {
    let side = side.into();
    let heading = side.heading.clone().or_else(|| side.model.clone());
    let rows = side.cells.into_iter().enumerate();
    let rows = rows.map(|(place, cell)| Row {
        name: (place + 1).to_string(),
        notes: Vec::new(),
        cells: vec![Some(cell)],
    });
    let headings = vec![heading.unwrap_or_else(|| "answers".to_owned())];
    AnswerView::new(headings, rows.collect(), side.lexicon)
}

impl AnswerView {
    pub(crate) fn new(headings: Vec<String>, rows: Vec<Row>, lexicon: Option<Lexicon>) -> Self {
        Self {
            title: None,
            headings,
            rows: rows.into(),
            lexicon: lexicon.unwrap_or_else(Lexicon::gender),
            only_differences: false,
            from_row: 1,
            only_rows: None,
            only_columns: None,
            most_bytes: html::MAX_BYTES,
        }
    }

    /// Sets a title above the answers.
    ///
    /// # Default
    /// No title.
    pub fn titled(&self, title: impl Into<String>) -> Self {
        Self {
            title: Some(title.into()),
            ..self.clone()
        }
    }

    /// Marks the words of these groups.
    ///
    /// # Default
    /// The words of the study, or [`Lexicon::gender`].
    pub fn lexicon(&self, lexicon: Lexicon) -> Self {
        Self {
            lexicon,
            ..self.clone()
        }
    }

    /// Shows only what differs: rows whose answers are all equal are left out and counted, and of
    /// long stretches that two answers share, only the words next to a difference remain.
    ///
    /// # Default
    /// Everything is shown.
    pub fn only_differences(&self) -> Self {
        Self {
            only_differences: true,
            ..self.clone()
        }
    }

    /// Shows only the rows with these names, in this order: occupations of a study, or row numbers.
    /// If one does not exist, a message instead of the answers says so, and a cell that ends with the view fails.
    pub fn only_rows<S: Into<String>>(&self, names: impl IntoIterator<Item = S>) -> Self {
        Self {
            only_rows: Some(names.into_iter().map(Into::into).collect()),
            ..self.clone()
        }
    }

    /// Shows only the columns with these headings, in this order, such as two of the groups of a
    /// study. If one does not exist, a message instead of the answers says so, and a cell that ends with the view fails.
    pub fn only_columns<S: Into<String>>(&self, headings: impl IntoIterator<Item = S>) -> Self {
        Self {
            only_columns: Some(headings.into_iter().map(Into::into).collect()),
            ..self.clone()
        }
    }

    /// Begins with this row, counted from 1: for the rows that an output had no room for.
    ///
    /// # Default
    /// The first row.
    pub fn from_row(&self, row: usize) -> Self {
        Self {
            from_row: row.max(1),
            ..self.clone()
        }
    }

    /// Adds to the rows what else is known about them, by their names.
    pub(crate) fn noting(&self, notes: impl Fn(&str) -> Vec<String>) -> Self {
        let mut rows = self.rows.to_vec();
        rows.iter_mut().for_each(|row| row.notes = notes(&row.name));
        Self {
            rows: rows.into(),
            ..self.clone()
        }
    }

    /// Limits the HTML to about this many bytes, instead of 1.8 MB.
    pub(crate) fn within(&self, bytes: usize) -> Self {
        Self {
            most_bytes: bytes.min(html::MAX_BYTES),
            ..self.clone()
        }
    }
}

impl Show for AnswerView {
    fn mime_bundle(&self) -> MimeBundle {
        let shown = self.try_mime_bundle();
        shown.unwrap_or_else(|message| error_card(&message))
    }

    fn try_mime_bundle(&self) -> std::result::Result<MimeBundle, String> {
        let selection = self.selected().map_err(|error| error.to_string())?;
        Ok(MimeBundle {
            html: html::html(self, &selection),
            text: plain::plain(self, &selection),
        })
    }
}
