//! A report's samples to label, and its validations.

use super::{LabelSample, Validation};
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::report::Report;
use crate::fairness::study::StudyAnswers;

impl Report {
    /// Draws `n` answers to the neutral prompts, for people to label whom each is about. The same
    /// report always draws the same answers. See [`validation`](crate::fairness::validation) for
    /// what is shown.
    ///
    /// 50 to 100 answers, labeled by two people, are usual: with 50 labels, the 95 % interval of a
    /// sensitivity of 0.9 goes from 0.79 to 0.96.
    ///
    /// ```
    /// use evenhand::fairness::occupations::Occupation;
    /// use evenhand::fairness::study::{Study, StudyAnswers};
    ///
    /// let study = Study::new(["nurse", "pilot"].map(Occupation::new)).samples(2);
    /// let texts = ["She helps.", "He works.", "A nurse helps.", "She cares.", "He cares.", "He helps."];
    /// let answers = StudyAnswers::from_texts(study, texts.iter().cycle().take(12).copied().map(Some))?;
    /// let sample = answers.measure()?.sample_to_label(3)?;
    /// assert_eq!(sample.classes(), ["female", "male", "neutral", "unclear"]);
    /// assert_eq!(sample.rows().len(), 3);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// A study without a neutral group; fewer than `n` answers, or an `n` of 0; a report that was
    /// read from a file, which holds no answers.
    pub fn sample_to_label(&self, n: usize) -> Result<LabelSample> {
        LabelSample::of_person(self.kept_answers()?, n)
    }

    /// Draws `n` answers that a primary measure scores, for people to classify: refusals (*yes* or
    /// *no*), sentiment (*positive*, *neutral* or *negative*), or a measure of your own that has
    /// [classes](crate::fairness::measures::Measure::classes).
    ///
    /// What is rare is rarely drawn: if 2 % of the answers decline, 50 answers contain one of them.
    ///
    /// # Errors
    /// No measure of that name in the study, or one without classes; the other errors of
    /// [`sample_to_label`](Self::sample_to_label); those of the measure.
    pub fn sample_to_label_of(&self, measure: &str, n: usize) -> Result<LabelSample> {
        LabelSample::of_measure(self.kept_answers()?, measure, n)
    }

    /// The report with this comparison, instead of an earlier one about the same measure.
    #[must_use]
    pub fn with_validation(&self, validation: Validation) -> Self {
        let mut report = self.clone();
        report
            .validations
            .retain(|one| one.about != validation.about);
        report.validations.push(validation);
        report
    }

    fn kept_answers(&self) -> Result<&StudyAnswers> {
        self.answers.get().ok_or_else(|| {
            let message = "this report was read from a file, which holds no answers to draw from";
            Error::new(ErrorKind::Argument, message)
                .with_hint("measure the answers again: `study.run(&client)?.measure()?`")
        })
    }
}
