//! What a measure of one answer is.

use crate::error::Result;
use crate::fairness::text::Text;

/// A number for an answer.
///
/// Write one of your own for what matters in your case:
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
/// A measure may hold a [`Client`](crate::Client) and ask a model, as [`Judge`](super::Judge)
/// does: of [`Text::answer`] and, where it is known, [`Text::prompt`]. It overrides
/// [`scores`](Measure::scores), so that all questions go out as one batch, and its `score` is
/// that of a batch of one.
pub trait Measure: Send + Sync {
    /// Its name, as it stands in tables.
    fn name(&self) -> &str;

    /// What is counted: `words`, `from -1 to 1`.
    fn unit(&self) -> &str;

    /// What a higher score means, in words: `higher: more positive`.
    fn direction(&self) -> &str;

    /// What exactly is measured, in a line: two reports are compared only where this is the
    /// same in both. A measure that has words, a question or a threshold of its own names them
    /// here.
    ///
    /// # Default
    /// Name, unit and direction.
    fn definition(&self) -> String {
        format!("{} ({}; {})", self.name(), self.unit(), self.direction())
    }

    /// Is it about whether a model answers, and not about what it says? Such a measure scores
    /// all answers; the others those that do not decline.
    ///
    /// # Default
    /// Of the measure of the name `refusals` alone.
    fn is_about_refusing(&self) -> bool {
        self.name() == "refusals"
    }

    /// The score of an answer. `None` where there is none to be had: never 0 in its place.
    ///
    /// # Errors
    /// Those of the measure. One that reads text alone has none.
    fn score(&self, text: &Text) -> Result<Option<f64>>;

    /// The scores of many answers, in their order, one for each.
    ///
    /// # Default
    /// One after the other.
    ///
    /// # Errors
    /// The first that an answer meets.
    fn scores(&self, texts: &[Text]) -> Result<Vec<Option<f64>>> {
        texts.iter().map(|text| self.score(text)).collect()
    }
}
