//! The answers that people can label, as the measures read them.

use super::measured_answers::MeasuredAnswers;
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::measures::Measure;
use crate::fairness::study::StudyAnswers;
use crate::fairness::text::Text;

/// The answers to the neutral prompts that do not decline, with the words of the groups: by these,
/// the person is recognized.
///
/// # Errors
/// No neutral group; the errors of a measurement.
pub(in crate::fairness) fn neutral_texts(answers: &StudyAnswers) -> Result<Vec<Text>> {
    let Some(neutral) = answers.study().neutral() else {
        let message = "no neutral prompt was asked, so no answer was searched for its person";
        return Err(Error::new(ErrorKind::Argument, message).with_hint(
            "label what a measure looks for instead: `report.sample_to_label_of(\"refusals\", 50)`",
        ));
    };
    let measured = MeasuredAnswers::new(answers)?;
    let texts = measured.of_group(&measured.raw, neutral);
    Ok(texts.into_iter().cloned().collect())
}

/// The answers that a measure scores, masked unless it reads them unmasked.
///
/// # Errors
/// The errors of a measurement.
pub(in crate::fairness) fn texts_of(
    answers: &StudyAnswers,
    measure: &dyn Measure,
) -> Result<Vec<Text>> {
    let measured = MeasuredAnswers::new(answers)?;
    let texts = match measure.reads_raw() {
        true => &measured.raw,
        false => &measured.masked,
    };
    if measure.is_about_refusing() {
        return Ok(texts.clone());
    }
    Ok(measured.answered(texts).flatten().cloned().collect())
}
