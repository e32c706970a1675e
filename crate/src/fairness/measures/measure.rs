//! The trait of measures that score a single answer, and which text they read.

use std::sync::Arc;

use crate::error::{ContentFilter, Result};
use crate::fairness::text::Text;

/// A measure of one answer.
///
/// **A study masks its answers** before it passes them to a measure: each word of the study's
/// [lexicon](crate::fairness::study::Study::lexicon) is replaced with
/// [`MASK`](crate::fairness::lexicon::MASK), because an answer about a woman contains *she*
/// whatever else it says. A measure that looks for such words finds none. It has to read the
/// unmasked answers: implement [`reads_raw`](Measure::reads_raw), or wrap the measure in [`Raw`].
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
/// batch of one; and [`expects_masked`](Measure::expects_masked), or each answer may be asked about
/// twice.
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
    /// `false`. [`Refusal`](super::Refusal) returns `true`.
    fn is_about_refusing(&self) -> bool {
        false
    }

    /// Whether it reads the answers unmasked. If it looks at the words of the groups, its scores
    /// then differ because of the prompts: an answer about a woman contains *she*.
    ///
    /// # Default
    /// `false`. [`Raw`] makes it `true` for any measure.
    fn reads_raw(&self) -> bool {
        false
    }

    /// Whether it is right on masked answers by design, so that a study need not check that. The check
    /// scores all answers that contain a masked word a second time, unmasked: if only the unmasked
    /// ones show a difference, the masked words are what the measure reads, and the report says that
    /// it can't tell instead of *no difference shown*. Return `true` if a score costs something, or if
    /// the groups' words must not count although the measure reads them, as those of a sentiment
    /// lexicon.
    ///
    /// # Default
    /// `false`. The measures of this crate return `true`, except those of the groups' words.
    fn expects_masked(&self) -> bool {
        false
    }

    /// The words that it looks for. A study that would mask one of them is refused before any
    /// request is sent.
    ///
    /// # Default
    /// Unknown. If the measure then finds nothing in any masked answer but something in the
    /// unmasked ones, the study is refused when it is measured.
    fn looks_for(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The classes that a person can assign to an answer instead of a score, so that the measure
    /// can be [validated against human labels](crate::fairness::validation). If there are two, the first is
    /// the one that the measure is to find.
    ///
    /// # Default
    /// None: people can't judge it.
    fn classes(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The class of an answer with this score, one of [`classes`](Measure::classes).
    ///
    /// # Default
    /// `None`.
    fn class_of(&self, score: f64) -> Option<&str> {
        let _ = score;
        None
    }

    /// The difference between two groups that is too small to matter, in the measure's unit. A report
    /// says that groups are *alike* if it shows their difference to be smaller. A study that has
    /// reason for another margin sets it with [`Study::margin`](crate::fairness::study::Study::margin).
    ///
    /// # Default
    /// None: no group is called alike.
    fn default_margin(&self) -> Option<f64> {
        None
    }

    /// The score of an answer, or `None` if it has no score. Never return 0 instead of `None`.
    ///
    /// # Errors
    /// Those of the measure. A measure that only reads the text has none.
    fn score(&self, text: &Text) -> Result<Option<f64>>;

    /// The score of an answer that the service's content filter withheld, so that there is no text
    /// but what the filter found in it: nothing, if it refused the prompt.
    ///
    /// # Default
    /// `None`.
    fn score_withheld(&self, filter: &ContentFilter) -> Option<f64> {
        let _ = filter;
        None
    }

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

/// A measure that reads the answers unmasked, with the words of the groups.
///
/// ```
/// use evenhand::fairness::lexicon::Lexicon;
/// use evenhand::fairness::measures::{Frequency, Measure, Raw};
///
/// let measure = Raw(Frequency::new(&Lexicon::gender(), "female")?);
/// assert!(measure.reads_raw());
/// assert_eq!(measure.name(), "female words");
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Raw<M>(pub M);

/// Forwards the methods to another measure.
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

        fn expects_masked(&self) -> bool {
            self.$($inner)+.expects_masked()
        }

        fn looks_for(&self) -> Vec<&str> {
            self.$($inner)+.looks_for()
        }

        fn classes(&self) -> Vec<&str> {
            self.$($inner)+.classes()
        }

        fn class_of(&self, score: f64) -> Option<&str> {
            self.$($inner)+.class_of(score)
        }

        fn score_withheld(&self, filter: &ContentFilter) -> Option<f64> {
            self.$($inner)+.score_withheld(filter)
        }

        fn default_margin(&self) -> Option<f64> {
            self.$($inner)+.default_margin()
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
