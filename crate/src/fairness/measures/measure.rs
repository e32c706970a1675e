//! The trait of measures that score a single answer.

use crate::error::Result;
use crate::fairness::text::Text;

/// A measure of one answer.
///
/// Implement it for whatever matters in your case:
///
/// ```
/// use evenhand::Result;
/// use evenhand::fairness::measures::Measure;
/// use evenhand::fairness::text::Text;
///
/// struct Questions;
///
/// impl Measure for Questions {
///     fn name(&self) -> &str { "questions" }
///     fn unit(&self) -> &str { "question marks" }
///     fn direction(&self) -> &str { "higher: asks more" }
///     fn score(&self, text: &Text) -> Result<Option<f64>> {
///         let marks = text.answer().matches('?').count();
///         Ok((text.word_count() > 0).then_some(marks as f64))
///     }
/// }
///
/// let measures: Vec<Box<dyn Measure>> = vec![Box::new(Questions)];
/// assert_eq!(measures[0].score(&Text::new("Why? Why not?"))?, Some(2.0));
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// A measure may hold a [`Client`](crate::Client) and ask a model about [`Text::answer`] and, if
/// known, [`Text::prompt`], as [`Judge`](super::Judge) does. Such a measure overrides
/// [`scores`](Measure::scores) to send all questions as one batch, and implements `score` as a
/// batch of one.
pub trait Measure: Send + Sync {
    /// The name shown in tables.
    fn name(&self) -> &str;

    /// The unit or range: `words`, `from -1 to 1`.
    fn unit(&self) -> &str;

    /// What a higher score means, in words: `higher: more positive`.
    fn direction(&self) -> &str;

    /// What exactly is measured, in one line: two reports can be compared only if this is the same
    /// in both. Include everything that affects the score, such as word lists, a question or a
    /// threshold.
    ///
    /// # Default
    /// Name, unit and direction.
    fn definition(&self) -> String {
        format!("{} ({}; {})", self.name(), self.unit(), self.direction())
    }

    /// Whether the measure is about refusing to answer, rather than about the content. Such a
    /// measure scores all answers; the others score only answers that do not decline.
    ///
    /// # Default
    /// `true` for the measure named `refusals`, `false` for all others.
    fn is_about_refusing(&self) -> bool {
        self.name() == "refusals"
    }

    /// The score of an answer, or `None` if it has no score. Never return 0 in place of `None`.
    ///
    /// # Errors
    /// Those of the measure. A measure that only reads the text has none.
    fn score(&self, text: &Text) -> Result<Option<f64>>;

    /// The scores of many answers, one for each, in the same order.
    ///
    /// # Default
    /// Calls [`score`](Measure::score) for each answer.
    ///
    /// # Errors
    /// The first error of an answer.
    fn scores(&self, texts: &[Text]) -> Result<Vec<Option<f64>>> {
        texts.iter().map(|text| self.score(text)).collect()
    }
}
