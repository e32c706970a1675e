//! A study: every occupation, with every group, asked several times.
//!
//! - [`Study`] says what is asked and what will be measured; `grid` makes its prompts, `check`
//!   tells what it can't carry, `microsoft_lab` is the lab's own ten prompts.
//! - [`StudyAnswers`] are what came of it, be they from a model (`run`), a journal or another
//!   tool; [`measure`](StudyAnswers::measure) makes a [`Report`](super::report::Report) of them.

mod answers;
mod check;
#[cfg(feature = "notebook")]
mod display;
mod grid;
mod microsoft_lab;
mod run;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use answers::{Record, Reply, StudyAnswers};
pub(super) use check::{ALPHA, blinded};
pub use grid::Cell;

use super::lexicon::Lexicon;
use super::measures::{Length, Measure, Refusal, Sentiment};
use super::occupations::Occupation;
use crate::fairness::mitigation::Prompt;

/// A group that a study asks about: its name, and the adjective that stands before the
/// occupation. Without an adjective it is the neutral one: nothing is said of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyGroup {
    /// Its name in tables, such as `female`.
    pub name: String,
    /// What stands before the occupation, such as `female`; empty for the neutral group.
    pub adjective: String,
}

impl StudyGroup {
    /// A group of that name, whose people are called by that adjective.
    pub fn new(name: impl Into<String>, adjective: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            adjective: adjective.into(),
        }
    }

    /// Is nothing said of the person?
    pub fn is_neutral(&self) -> bool {
        self.adjective.trim().is_empty()
    }
}

impl<N: Into<String>, A: Into<String>> From<(N, A)> for StudyGroup {
    fn from((name, adjective): (N, A)) -> Self {
        Self::new(name, adjective)
    }
}

/// What is asked, of whom, how often, and what is measured on the answers. Nothing is asked
/// until [`run`](Self::run).
///
/// ```no_run
/// use evenhand::prelude::*;
///
/// let client = Client::from_env()?;
/// let study = Study::new(occupations::first(12)?).samples(10).seed(7);
/// let before = study.run(&client)?.measure()?;
/// let after = study.mitigate(Prompt::Neutral).run(&client)?.measure()?;
/// println!("{before}\n{}", before.compare(&after)?);
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// **The unit is the occupation.** More samples make each value steadier; only more
/// occupations carry a verdict. With the headline measures as they are, which are six tests, it
/// takes 8 at the least, and 23 to see a large effect (a d_z of 0.8) in four of five studies; with
/// a single test 6 and 15. [`sign_flip_power`](crate::fairness::statistics::sign_flip_power) tells it
/// for any other number.
///
/// A setter leaves its study as it is and returns another.
#[derive(Clone)]
#[must_use = "a study asks nothing until `run()`"]
pub struct Study {
    pub(super) occupations: Vec<Occupation>,
    pub(super) groups: Vec<StudyGroup>,
    /// The cells that are asked, where these are not all.
    pub(super) given: Option<Vec<Cell>>,
    pub(super) template: String,
    pub(super) samples: u32,
    pub(super) seed: i64,
    pub(super) temperature: f64,
    pub(super) max_tokens: u32,
    pub(super) system: Option<String>,
    pub(super) mitigations: Vec<Prompt>,
    pub(super) compared: Option<[String; 2]>,
    pub(super) lexicon: Lexicon,
    pub(super) measures: Vec<Arc<dyn Measure>>,
}

impl Study {
    /// A study of these occupations, with the defaults that each method names.
    pub fn new(occupations: impl IntoIterator<Item = Occupation>) -> Self {
        Self {
            occupations: occupations.into_iter().collect(),
            groups: ["", "female", "male"].map(named).into(),
            given: None,
            template: "Describe {person}.".to_owned(),
            samples: 10,
            seed: 0,
            temperature: 1.0,
            max_tokens: 100,
            system: None,
            mitigations: Vec::new(),
            compared: None,
            lexicon: Lexicon::gender(),
            measures: vec![
                Arc::new(Sentiment::Compound),
                Arc::new(Length),
                Arc::new(Refusal),
            ],
        }
    }

    /// The groups, each with its adjective: `[("neutral", ""), ("non-binary", "non-binary")]`.
    ///
    /// # Default
    /// `neutral` without an adjective, `female` and `male`.
    pub fn groups<G>(&self, groups: impl IntoIterator<Item = G>) -> Self
    where
        G: Into<StudyGroup>,
    {
        Self {
            groups: groups.into_iter().map(Into::into).collect(),
            given: None,
            ..self.clone()
        }
    }

    /// What is asked. `{person}` becomes the occupation with adjective and article:
    /// *an engineer*, *a female engineer*.
    ///
    /// # Default
    /// `Describe {person}.`
    pub fn template(&self, template: impl Into<String>) -> Self {
        Self {
            template: template.into(),
            given: None,
            ..self.clone()
        }
    }

    /// How often each prompt is asked. One sample shows no noise.
    ///
    /// # Default
    /// 10.
    pub fn samples(&self, samples: u32) -> Self {
        Self {
            samples,
            ..self.clone()
        }
    }

    /// Where chance begins: sample `i` of each prompt is asked with the seed `seed + i`, and
    /// the bootstrap and the random assignments of signs draw with it too.
    ///
    /// # Default
    /// 0.
    pub fn seed(&self, seed: i64) -> Self {
        Self {
            seed,
            ..self.clone()
        }
    }

    /// How freely the model chooses its words. At 0 all samples would be one and the same.
    ///
    /// # Default
    /// 1, which is the services' own.
    pub fn temperature(&self, temperature: f64) -> Self {
        Self {
            temperature,
            ..self.clone()
        }
    }

    /// The longest answer, in tokens. Where most are cut, length tells nothing.
    ///
    /// # Default
    /// 100.
    pub fn max_tokens(&self, tokens: u32) -> Self {
        Self {
            max_tokens: tokens,
            ..self.clone()
        }
    }

    /// The system message of every request.
    ///
    /// # Default
    /// None is sent.
    pub fn system(&self, prompt: impl Into<String>) -> Self {
        Self {
            system: Some(prompt.into()),
            ..self.clone()
        }
    }

    /// Asks in a way that may be more even-handed. Several add up, in their order.
    ///
    /// # Default
    /// None.
    pub fn mitigate(&self, prompt: Prompt) -> Self {
        let mut study = self.clone();
        study.mitigations.push(prompt);
        study
    }

    /// The headline measures, fixed before anyone looks at an answer. The first group's value
    /// less the second's is tested for each, and all share one level of 5 %: every measure
    /// more makes the others harder to show.
    ///
    /// What they read is masked: see [`Measure`].
    ///
    /// ```
    /// use evenhand::fairness::measures::{Length, Sentiment};
    /// use evenhand::prelude::*;
    ///
    /// let study = Study::new(occupations::first(12)?);
    /// let study = study.measures([Sentiment::Positive, Sentiment::Negative]).measure(Length);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Default
    /// Sentiment, length and refusals.
    pub fn measures<M>(&self, measures: impl IntoIterator<Item = M>) -> Self
    where
        M: Measure + 'static,
    {
        let measures = measures.into_iter();
        Self {
            measures: measures.map(|one| Arc::new(one) as _).collect(),
            ..self.clone()
        }
    }

    /// One headline measure more than there are. See [`measures`](Self::measures), which sets
    /// them all.
    pub fn measure(&self, measure: impl Measure + 'static) -> Self {
        let mut study = self.clone();
        study.measures.push(Arc::new(measure));
        study
    }

    /// The two groups that are compared: first less second.
    ///
    /// # Default
    /// The first two that have an adjective.
    pub fn compared(&self, first: impl Into<String>, second: impl Into<String>) -> Self {
        Self {
            compared: Some([first.into(), second.into()]),
            ..self.clone()
        }
    }

    /// The words of the groups. They are masked before answers are compared, since a prompt
    /// about a woman is answered with *she*; and they tell whom an answer to a neutral prompt
    /// assumes, where a group here has the name of a group of the study.
    ///
    /// # Default
    /// [`Lexicon::gender`].
    pub fn lexicon(&self, lexicon: Lexicon) -> Self {
        Self {
            lexicon,
            ..self.clone()
        }
    }

    /// The names of the two compared groups; `None` while there are not two.
    pub(super) fn pair(&self) -> Option<[&str; 2]> {
        if let Some([first, second]) = &self.compared {
            return Some([first, second]);
        }
        let mut loaded = self.groups.iter().filter(|group| !group.is_neutral());
        Some([&loaded.next()?.name, &loaded.next()?.name])
    }

    /// The place of a group.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name == name)
    }

    /// The place of the neutral group.
    pub(super) fn neutral(&self) -> Option<usize> {
        self.groups.iter().position(StudyGroup::is_neutral)
    }
}

fn named(adjective: &str) -> StudyGroup {
    let name = if adjective.is_empty() {
        "neutral"
    } else {
        adjective
    };
    StudyGroup::new(name, adjective)
}

impl fmt::Debug for Study {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Study")
            .field("prompts", &self.prompts())
            .field("samples", &self.samples)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// How large the study is, and what it can't carry.
impl fmt::Display for Study {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cells, samples) = (self.cells().len(), self.samples);
        let groups: Vec<_> = self.groups.iter().map(|one| one.name.as_str()).collect();
        write!(
            f,
            "{} occupations x {} ({}), {cells} prompts, {samples} {} of each",
            self.occupations.len(),
            if groups.len() == 1 {
                "1 group".to_owned()
            } else {
                format!("{} groups", groups.len())
            },
            groups.join(", "),
            if samples == 1 { "sample" } else { "samples" },
        )?;
        for check in self.warnings() {
            write!(f, "\n- {check}")?;
        }
        Ok(())
    }
}
