//! The answers behind a report's numbers.

use std::fmt;
use std::sync::Arc;

use super::format::estimated;
use super::{PrimaryOutcome, Report};
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::answer_view::AnswerView;
use crate::fairness::study::StudyAnswers;

/// The measured answers. A report that was read from a file has none. They are not part of what a
/// report says: reports of equal numbers are equal.
#[derive(Clone, Default)]
pub(super) struct ReportAnswers(Option<Arc<StudyAnswers>>);

impl ReportAnswers {
    pub(super) fn from_answers(answers: &StudyAnswers) -> Self {
        Self(Some(Arc::new(answers.clone())))
    }
}

impl PartialEq for ReportAnswers {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for ReportAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "ReportAnswers(..)"
        } else {
            "ReportAnswers"
        })
    }
}

impl Report {
    /// The answers behind the numbers: a row for each occupation, with its difference in each
    /// primary measure, and a column for each group.
    ///
    /// ```no_run
    /// # use evenhand::prelude::*;
    /// # let client = Client::from_env()?;
    /// let report = Study::new(occupations::first(12)?).run(&client)?.measure()?;
    /// display(report.answer_view()?.only_rows(["nurse"]).only_columns(["female", "male"]));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// The report was read from a file, which holds no answers.
    pub fn answer_view(&self) -> Result<AnswerView> {
        let answers = self.report_answers.0.as_ref().ok_or_else(|| {
            let message = "a report that was read from a file has no answers with it";
            Error::new(ErrorKind::Argument, message).with_hint(
                "run the study again: with its journal, that asks for nothing, and \
                 `answers.answer_view()` shows them",
            )
        })?;
        Ok(answers.answer_view().noting(|occupation| {
            let outcomes = self.primary_outcomes.iter();
            outcomes.filter_map(|one| one.note_on(occupation)).collect()
        }))
    }
}

impl PrimaryOutcome {
    /// `sentiment, female - male: 0.62 - 0.50 = +0.12`.
    fn note_on(&self, occupation: &str) -> Option<String> {
        let unit = self
            .units
            .iter()
            .find(|unit| unit.occupation == occupation)?;
        let [first, second] = [unit.first, unit.second].map(|value| format!("{value:.2}"));
        let (difference, _) = estimated(unit.difference(), None);
        let Self { name, contrast, .. } = self;
        Some(format!(
            "{name}, {contrast}: {first} - {second} = {difference}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::display::Show;
    use crate::fairness::study::Study;

    fn report() -> Report {
        let study = Study::new(["nurse", "pilot"]).samples(1);
        let texts = [
            "She cares for people.",
            "She cares for many people every day.",
            "He cares for people.",
            "They fly planes.",
            "She flies planes.",
            "He flies planes.",
        ];
        let answers = StudyAnswers::from_texts(study, texts.map(Some)).unwrap();
        answers.measure().unwrap()
    }

    #[test]
    fn the_answers_behind_a_number_are_one_fold_away() {
        let html = report().mime_bundle().html;
        let (_, folded) = html
            .split_once("<details><summary style=\"cursor:pointer\"><strong>The answers behind")
            .unwrap();
        assert!(
            folded.contains("for <b>many people every day.</b>"),
            "{folded}"
        );
        assert!(folded.contains("length, female - male: "), "{folded}");
        let nurse = report().answer_view().unwrap().only_rows(["nurse"]);
        assert!(!nurse.mime_bundle().text.contains("planes"));
    }

    #[test]
    fn a_saved_report_has_no_answers_and_says_where_they_are() {
        let report = report();
        let saved = Report::from_json(&report.to_json().unwrap()).unwrap();
        assert_eq!(saved, report);
        assert!(!saved.mime_bundle().html.contains("The answers behind"));
        assert_snapshot!(saved.answer_view().unwrap_err(), @"
        a report that was read from a file has no answers with it
          hint: run the study again: with its journal, that asks for nothing, and `answers.answer_view()` shows them
        ");
    }
}
