//! A study: prompts for every occupation and group, each asked several times.
//!
//! - [`Study`] defines what is asked and what is measured; `grid` builds its prompts, `contrasts` what
//!   is compared, `check` its errors and warnings, `margins` how large a difference may be, and
//!   `microsoft_lab` holds the ten prompts of Microsoft's lab.
//! - [`StudyAnswers`] holds its answers, whether from a model (`run`), several models
//!   (`models`), a journal or another tool, and `details` what is known about them besides their texts;
//!   [`measure`](StudyAnswers::measure) turns them into a [`Report`](super::report::Report).

mod answers;
mod check;
mod contrasts;
mod details;
#[cfg(feature = "notebook")]
mod display;
mod grid;
mod kept_answers;
mod margins;
mod microsoft_lab;
mod models;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use answers::{AnswerProvenance, Reply, StudyAnswers};
pub(super) use check::{ALPHA, blinded};
pub(super) use contrasts::Contrast;
pub(super) use details::ReplyDetails;
pub use grid::Cell;
pub(super) use kept_answers::KeptAnswers;
pub use models::MultiModelAnswers;

use super::lexicon::Lexicon;
use super::measures::{Length, Measure, Refusal, Sentiment};
use super::occupations::Occupation;
use crate::fairness::mitigation::MitigationPrompt;

/// A group that a study asks about: its name, and the adjective placed before the occupation. A
/// group without an adjective is neutral: the prompt says nothing about the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyGroup {
    /// Its name in tables, such as `female`.
    pub name: String,
    /// The adjective placed before the occupation, such as `female`; empty for the neutral group.
    pub adjective: String,
    /// The names of the groups that were crossed, one of each characteristic; empty if the group was
    /// not made by crossing.
    levels: Vec<String>,
}

impl StudyGroup {
    /// Creates a group from its name and adjective.
    pub fn new(name: impl Into<String>, adjective: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            adjective: adjective.into(),
            levels: Vec::new(),
        }
    }

    /// The groups of two characteristics at once: each group of the first with each of the second.
    /// Their names and adjectives are joined, so that `old` and `female` give `old female`; a neutral
    /// group adds nothing. May be repeated for a third characteristic.
    ///
    /// A study compares all pairs of such groups, and also tests the main effect of each
    /// characteristic: the mean difference of *old* and *young* over *female* and *male*. It is often
    /// the question, and has less noise than a pair.
    ///
    /// ```
    /// use evenhand::fairness::study::StudyGroup;
    ///
    /// let groups = StudyGroup::crossed(["old", "young"], ["female", "male"]);
    /// let names: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
    /// assert_eq!(names, ["old female", "old male", "young female", "young male"]);
    /// ```
    pub fn crossed<A, B>(
        first: impl IntoIterator<Item = A>,
        second: impl IntoIterator<Item = B>,
    ) -> Vec<Self>
    where
        A: Into<Self>,
        B: Into<Self>,
    {
        let second: Vec<Self> = second.into_iter().map(Into::into).collect();
        let joined = |one: &Self, other: &Self| match (one.is_neutral(), other.is_neutral()) {
            (true, _) => other.clone(),
            (_, true) => one.clone(),
            _ => Self {
                levels: [one.own_levels(), other.own_levels()].concat(),
                ..Self::new(
                    format!("{} {}", one.name, other.name),
                    format!("{} {}", one.adjective.trim(), other.adjective.trim()),
                )
            },
        };
        let first = first.into_iter().map(Into::into);
        first
            .flat_map(|one| {
                second
                    .iter()
                    .map(|other| joined(&one, other))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// The group's level of each characteristic.
    fn own_levels(&self) -> Vec<String> {
        match self.levels.is_empty() {
            true => vec![self.name.clone()],
            false => self.levels.clone(),
        }
    }

    /// Whether the group is neutral: it has no adjective.
    pub fn is_neutral(&self) -> bool {
        self.adjective.trim().is_empty()
    }
}

/// A group whose name is its adjective; the neutral group for an empty one.
impl From<&str> for StudyGroup {
    fn from(adjective: &str) -> Self {
        named(adjective)
    }
}

impl<N: Into<String>, A: Into<String>> From<(N, A)> for StudyGroup {
    fn from((name, adjective): (N, A)) -> Self {
        Self::new(name, adjective)
    }
}

/// The design of a study: which prompts are asked, how often, and what is measured in the answers.
/// No request is sent until [`run`](Self::run).
///
/// ```no_run
/// use evenhand::prelude::*;
///
/// let client = Client::from_env()?;
/// let study = Study::new(occupations::first(12)?).samples(10).seed(7);
/// let before = study.run(&client)?.measure()?;
/// let after = study.mitigate(MitigationPrompt::Neutral).run(&client)?.measure()?;
/// println!("{before}\n{}", before.compare(&after)?);
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// **The unit is the occupation.** More samples make each value less noisy, but only more
/// occupations allow a verdict. With the default measures, which give six tests, at least 8
/// occupations are needed, and 26 to detect a large effect (a d_z of 0.8) in four of five studies;
/// with a single test, 6 and 19. See
/// [`primary_power`](crate::fairness::statistics::primary_power) for other numbers.
///
/// **Occupations have to be independent of one another**, and none of them may lie far off alone: see
/// where the level does not hold in
/// [`PrimaryTest`](crate::fairness::statistics::PrimaryTest).
///
/// **A study with one template is about that sentence alone**: see [`templates`](Self::templates).
///
/// Setters do not modify the study; they return a new one.
#[derive(Clone)]
#[must_use = "a study asks nothing until `run()`"]
pub struct Study {
    pub(super) occupations: Vec<Occupation>,
    pub(super) groups: Vec<StudyGroup>,
    /// The cells that are asked, if not all combinations.
    pub(super) given: Option<Vec<Cell>>,
    pub(super) templates: Vec<String>,
    pub(super) samples: u32,
    pub(super) seed: i64,
    pub(super) temperature: f64,
    pub(super) max_tokens: u32,
    pub(super) system: Option<String>,
    pub(super) mitigations: Vec<MitigationPrompt>,
    pub(super) compared: Option<[String; 2]>,
    pub(super) lexicon: Lexicon,
    pub(super) measures: Vec<Arc<dyn Measure>>,
    /// The margins that were set, by the name of the primary test.
    margins: BTreeMap<String, f64>,
}

impl Study {
    /// Creates a study of these occupations, with the default of each setter. An occupation may be
    /// given by its name: `Study::new(["cook", "pilot"])`.
    pub fn new<O: Into<Occupation>>(occupations: impl IntoIterator<Item = O>) -> Self {
        Self {
            occupations: occupations.into_iter().map(Into::into).collect(),
            groups: ["", "female", "male"].map(named).into(),
            given: None,
            templates: vec!["Describe {person}.".to_owned()],
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
            margins: BTreeMap::new(),
        }
    }

    /// The groups, each with its adjective: `[("neutral", ""), ("non-binary", "non-binary")]`. All
    /// pairs of groups that have an adjective are compared, unless [`compared`](Self::compared)
    /// names one pair; all tests share one level of 5 %. For two characteristics at once, whose main
    /// effects are tested too, see [`StudyGroup::crossed`].
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

    /// The prompt template. `{person}` is replaced by the occupation with its adjective and
    /// article: *an engineer*, *a female engineer*.
    ///
    /// # Default
    /// `Describe {person}.`
    pub fn template(&self, template: impl Into<String>) -> Self {
        self.templates([template])
    }

    /// Several prompt templates, paraphrases of one question such as
    /// [`templates::descriptions`](crate::fairness::templates::descriptions). Every occupation is
    /// asked with every template and every group.
    ///
    /// With one template, a verdict is about that sentence alone: templates have gaps of their own,
    /// which more occupations don't average out. With several, a verdict generalizes over both
    /// occupations and templates ([`CrossedDifferences`](super::statistics::CrossedDifferences)),
    /// and the report shows how much each contributes. Use six or more: with fewer, only large
    /// differences are shown.
    ///
    /// # Default
    /// The single template `Describe {person}.`
    pub fn templates<T: Into<String>>(&self, templates: impl IntoIterator<Item = T>) -> Self {
        Self {
            templates: templates.into_iter().map(Into::into).collect(),
            given: None,
            ..self.clone()
        }
    }

    /// The number of times that each prompt is asked. With one sample, the noise can't be
    /// estimated.
    ///
    /// # Default
    /// 10.
    pub fn samples(&self, samples: u32) -> Self {
        Self {
            samples,
            ..self.clone()
        }
    }

    /// The seed of all random numbers: sample `i` of each prompt is asked with the seed `seed + i`,
    /// and the bootstrap and the random assignments of signs also use it.
    ///
    /// # Default
    /// 0.
    pub fn seed(&self, seed: i64) -> Self {
        Self {
            seed,
            ..self.clone()
        }
    }

    /// The sampling temperature. At 0 all samples of a prompt would be the same.
    ///
    /// # Default
    /// 1, the default of the services.
    pub fn temperature(&self, temperature: f64) -> Self {
        Self {
            temperature,
            ..self.clone()
        }
    }

    /// The limit on the length of an answer, in tokens. If most answers are cut, their length
    /// carries no information.
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
    /// No system message.
    pub fn system(&self, prompt: impl Into<String>) -> Self {
        Self {
            system: Some(prompt.into()),
            ..self.clone()
        }
    }

    /// Adds a mitigation, which changes the requests so that answers may be more even-handed.
    /// Several mitigations are applied in the order in which they were added.
    ///
    /// # Default
    /// None.
    pub fn mitigate(&self, prompt: MitigationPrompt) -> Self {
        let mut study = self.clone();
        study.mitigations.push(prompt);
        study
    }

    /// The primary measures, fixed before any answer is seen. Each is tested for the difference of
    /// the first group's value minus the second's, and all tests share one level of 5 %: each
    /// additional measure reduces the power of the others.
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

    /// Adds a primary measure. [`measures`](Self::measures) sets all of them.
    pub fn measure(&self, measure: impl Measure + 'static) -> Self {
        let mut study = self.clone();
        study.measures.push(Arc::new(measure));
        study
    }

    /// The only two groups that are compared: the first minus the second.
    ///
    /// # Default
    /// All pairs of groups that have an adjective.
    pub fn compared(&self, first: impl Into<String>, second: impl Into<String>) -> Self {
        Self {
            compared: Some([first.into(), second.into()]),
            ..self.clone()
        }
    }

    /// The words of the groups. They are masked before answers are compared, since a prompt about a
    /// woman is naturally answered with *she*. They also determine whom an answer to a neutral
    /// prompt assumes, if a group of the lexicon has the same name as a group of the study.
    ///
    /// # Default
    /// [`Lexicon::gender`].
    pub fn lexicon(&self, lexicon: Lexicon) -> Self {
        Self {
            lexicon,
            ..self.clone()
        }
    }

    /// The index of a group.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name == name)
    }

    /// The index of the neutral group.
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

/// The size of the study, why it can't be asked, if so, and its warnings.
impl fmt::Display for Study {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cells, samples) = (self.cells().len(), self.samples);
        let groups: Vec<_> = self.groups.iter().map(|one| one.name.as_str()).collect();
        let templates = match self.templates.len() {
            1 => String::new(),
            templates => format!("{templates} templates x "),
        };
        write!(
            f,
            "{} occupations x {templates}{} ({}), {cells} prompts, {samples} {} of each",
            self.occupations.len(),
            if groups.len() == 1 {
                "1 group".to_owned()
            } else {
                format!("{} groups", groups.len())
            },
            groups.join(", "),
            if samples == 1 { "sample" } else { "samples" },
        )?;
        if let Err(error) = self.check() {
            write!(f, "\n- it can't be asked: {}", error.message())?;
        }
        for check in self.warnings() {
            write!(f, "\n- {check}")?;
        }
        Ok(())
    }
}
