//! The answers of a study: a row for each occupation, a column for each group.

use super::{AnswerView, Cell, Reply, Row};
use crate::fairness::study::StudyAnswers;

impl StudyAnswers {
    /// The answers side by side: a row for each occupation, a column for each group of the
    /// study, the samples of a prompt folded together.
    ///
    /// ```
    /// use evenhand::fairness::study::StudyAnswers;
    /// use evenhand::prelude::*;
    ///
    /// let study = Study::new(["nurse", "pilot"]).samples(1);
    /// let texts = ["She cares.", "She cares.", "He cares.", "He flies.", "She flies.", "He flies."];
    /// let answers = StudyAnswers::from_texts(study, texts.map(Some))?;
    /// display(answers.answer_view());
    /// display(answers.answer_view().only_columns(["female", "male"]).only_rows(["pilot"]).only_differences());
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    pub fn answer_view(&self) -> AnswerView {
        let study = self.study();
        let groups = study.groups.len();
        let empty = |name: &str| Row {
            name: name.to_owned(),
            notes: Vec::new(),
            cells: vec![None; groups],
        };
        let jobs = study.occupations.iter();
        let mut rows: Vec<Row> = jobs.map(|job| empty(&job.name)).collect();
        let replies = self.replies().chunks(study.samples.max(1) as usize);
        for (cell, replies) in study.cells().into_iter().zip(replies) {
            let row = rows.get_mut(cell.occupation);
            if let Some(place) = row.and_then(|row| row.cells.get_mut(cell.group)) {
                *place = Some(Cell {
                    prompt: cell.prompt,
                    replies: replies.iter().cloned().map(Reply::from_result).collect(),
                });
            }
        }
        let headings = study.groups.iter().map(|group| group.name.clone());
        AnswerView::new(headings.collect(), rows, Some(study.lexicon.clone()))
    }
}
