//! What a measure of one answer is, and which text it reads.

use std::sync::Arc;

use crate::error::Result;
use crate::fairness::text::Text;

/// A number for an answer.
///
/// **A study masks its answers** before it hands them to a measure: where a word of the study's
/// [lexicon](crate::fairness::study::Study::lexicon) stood, there stands
/// [`MASK`](crate::fairness::lexicon::MASK), since an answer about a woman says *she*, whatever
/// else it says. A measure that looks for such words finds none. It has to read the answers as
/// they came: say so with [`reads_raw`](Measure::reads_raw), or wrap it in [`Raw`].
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
    /// It is not. [`Refusal`](super::Refusal) is.
    fn is_about_refusing(&self) -> bool {
        false
    }

    /// Does it read the answers as they came, and not with the words of the groups masked? What
    /// it finds then differs by what was asked, if it looks at these words: about a woman, an
    /// answer says *she*.
    ///
    /// # Default
    /// No. [`Raw`] makes it so for any measure.
    fn reads_raw(&self) -> bool {
        false
    }

    /// The words that it looks for. A study that would mask one of them for it is refused before
    /// anything is asked.
    ///
    /// # Default
    /// None, as far as is known. A study of which a measure finds nothing in any masked answer, and
    /// something in answers as they came, is refused when it is measured.
    fn looks_for(&self) -> Vec<&str> {
        Vec::new()
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

/// A measure that reads the answers as they came, with the words of the groups.
///
/// ```
/// use evenhand::fairness::lexicon::Lexicon;
/// use evenhand::fairness::measures::{Frequency, Measure, Raw};
///
/// let measure = Raw(Frequency::of(&Lexicon::gender(), "female")?);
/// assert!(measure.reads_raw());
/// assert_eq!(measure.name(), "female words");
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Raw<M>(pub M);

/// All methods that say what a measure is, as another has them.
macro_rules! as_inner {
    ($($inner:tt)+) => {
        fn name(&self) -> &str {
            self.$($inner)+.name()
        }

        fn unit(&self) -> &str {
            self.$($inner)+.unit()
        }

        fn direction(&self) -> &str {
            self.$($inner)+.direction()
        }

        fn definition(&self) -> String {
            self.$($inner)+.definition()
        }

        fn is_about_refusing(&self) -> bool {
            self.$($inner)+.is_about_refusing()
        }

        fn looks_for(&self) -> Vec<&str> {
            self.$($inner)+.looks_for()
        }

        fn score(&self, text: &Text) -> Result<Option<f64>> {
            self.$($inner)+.score(text)
        }

        fn scores(&self, texts: &[Text]) -> Result<Vec<Option<f64>>> {
            self.$($inner)+.scores(texts)
        }
    };
}

impl<M: Measure> Measure for Raw<M> {
    as_inner!(0);

    fn reads_raw(&self) -> bool {
        true
    }
}

impl<M: Measure + ?Sized> Measure for Arc<M> {
    as_inner!(as_ref());

    fn reads_raw(&self) -> bool {
        self.as_ref().reads_raw()
    }
}

impl<M: Measure + ?Sized> Measure for Box<M> {
    as_inner!(as_ref());

    fn reads_raw(&self) -> bool {
        self.as_ref().reads_raw()
    }
}
