//! The answers of a study.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ReplyDetails, Study};
use crate::batch::{Answer, Answers};
use crate::error::{ContentFilter, Error, ErrorKind, Result};
use crate::openai::{ChatCompletion, FinishReason};

const AS_WRITTEN: &str = "as written";

const SECONDS_PER_DAY: u64 = 86_400;

/// Which models answered, and when, as recorded in the answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AnswerProvenance {
    /// The models, as named by their services; more than one if the model changed during the study.
    pub models: Vec<String>,
    /// The times of the first and the last answer, in seconds since 1970.
    pub answered: Option<(u64, u64)>,
    /// The number of days (UTC) on which answers were given. 0 if it is unknown, as in a report from an
    /// earlier version.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub days: usize,
    /// The number of answers cut at the token limit.
    pub cut: usize,
    /// How the requests were sent, if not as written, such as `effort minimal, without
    /// temperature`; more than one if that changed during the study.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
}

// Serde passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_unknown(days: &usize) -> bool {
    *days == 0
}

/// An answer, or the reason why there is none.
pub type Reply = std::result::Result<String, String>;

/// The answers of a study: the samples of each cell, in order.
#[derive(Clone, Debug)]
pub struct StudyAnswers {
    study: Study,
    /// Shared, because a report keeps them too.
    replies: Arc<[Reply]>,
    /// What else is known about each reply; empty if nothing is.
    details: Vec<ReplyDetails>,
    provenance: AnswerProvenance,
}

impl StudyAnswers {
    /// Creates the answers of a study from texts of another source: for each prompt of
    /// [`Study::prompts`], its samples in sequence, with `None` for a missing answer.
    ///
    /// ```
    /// use evenhand::fairness::occupations::Occupation;
    /// use evenhand::fairness::study::{Study, StudyAnswers};
    ///
    /// let study = Study::new([Occupation::new("nurse")]).samples(2);
    /// let texts = ["She cares.", "Nurses care.", "She cares.", "She helps.", "He cares.", "He helps."];
    /// let report = StudyAnswers::from_texts(study, texts.map(Some))?.measure()?;
    /// assert!(report.primary_outcomes[0].verdict.to_string().starts_with("can't tell: 1 pair can't support"));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// An invalid study; a number of texts other than prompts times samples.
    pub fn from_texts<T: Into<String>>(
        study: Study,
        texts: impl IntoIterator<Item = Option<T>>,
    ) -> Result<Self> {
        let none = || "no answer was given".to_owned();
        let texts = texts.into_iter();
        let replies = texts.map(|text| text.map(Into::into).ok_or_else(none));
        Self::new(study, replies.collect(), AnswerProvenance::default())
    }

    /// Creates the answers of a study from a batch that asked the prompts of [`Study::prompts`],
    /// with the same number of samples as the study.
    ///
    /// # Errors
    /// An invalid study; rows that don't match its prompts.
    pub fn from_answers(study: Study, answers: &Answers) -> Result<Self> {
        let samples = study.samples.max(1) as usize;
        let prompts = study.prompts();
        let rows = answers.rows();
        let asked = rows.iter().map(|row| &row.prompt);
        let planned = prompts
            .iter()
            .flat_map(|prompt| std::iter::repeat_n(prompt, samples));
        if let Some((asked, planned)) = asked.zip(planned).find(|(asked, planned)| asked != planned)
        {
            let message = format!("a row asks {asked:?} where the study asks {planned:?}");
            return Err(Error::new(ErrorKind::Argument, message)
                .with_hint("ask `study.prompts()`, in their order, with the study's samples"));
        }
        let outcomes = rows.iter().map(|row| row.outcome.as_ref());
        let provenance = AnswerProvenance::from_completions(
            outcomes.clone().filter_map(std::result::Result::ok),
        );
        let details = ReplyDetails::from_outcomes(rows.iter().map(|row| &row.outcome));
        let answers = Self::new(study, rows.iter().map(reply).collect(), provenance)?;
        Ok(answers.with_details(details))
    }

    pub(super) fn new(
        study: Study,
        replies: Vec<Reply>,
        provenance: AnswerProvenance,
    ) -> Result<Self> {
        study.check()?;
        let expected = study.cells().len() * study.samples as usize;
        if replies.len() != expected {
            let message = format!(
                "the study needs {expected} answers ({} prompts x {} samples), but {} were given",
                study.cells().len(),
                study.samples,
                replies.len()
            );
            return Err(Error::new(ErrorKind::Argument, message)
                .with_hint("give `None` where there is no answer"));
        }
        Ok(Self {
            study,
            replies: replies.into(),
            details: Vec::new(),
            provenance,
        })
    }

    /// Adds what else is known about each reply.
    pub(super) fn with_details(self, details: Vec<ReplyDetails>) -> Self {
        Self { details, ..self }
    }

    /// What the content filter found in an answer, by its index among the replies. An answer that it
    /// withheld is a reply without a text, but with findings.
    pub fn content_filter(&self, reply: usize) -> Option<&ContentFilter> {
        self.details.get(reply)?.filter.as_deref()
    }

    /// What is known about a reply besides its text, by its index.
    pub(in crate::fairness) fn details(&self, reply: usize) -> ReplyDetails {
        self.details.get(reply).cloned().unwrap_or_default()
    }

    /// The study that was asked.
    pub fn study(&self) -> &Study {
        &self.study
    }

    /// The answers: the samples of each cell of [`Study::cells`]. They come from a model: escape
    /// them before display.
    pub fn replies(&self) -> &[Reply] {
        &self.replies
    }

    /// Which models answered, and when.
    pub fn provenance(&self) -> &AnswerProvenance {
        &self.provenance
    }
}

impl AnswerProvenance {
    pub(super) fn from_completions<'a>(
        completions: impl Iterator<Item = &'a ChatCompletion>,
    ) -> Self {
        let mut provenance = Self::default();
        let mut days = BTreeSet::new();
        for one in completions {
            if !provenance.models.contains(&one.model) {
                provenance.models.push(one.model.clone());
            }
            let profile = one.profile().unwrap_or(AS_WRITTEN);
            if !provenance.profiles.iter().any(|known| known == profile) {
                provenance.profiles.push(profile.to_owned());
            }
            let (first, last) = provenance.answered.unwrap_or((one.created, one.created));
            provenance.answered = Some((first.min(one.created), last.max(one.created)));
            days.insert(one.created / SECONDS_PER_DAY);
            provenance.cut += usize::from(one.finish_reason() == Some(&FinishReason::Length));
        }
        provenance.days = days.len();
        if provenance.profiles == [AS_WRITTEN] {
            provenance.profiles.clear();
        }
        provenance
    }
}

fn reply(row: &Answer) -> Reply {
    reply_of(&row.outcome)
}

pub(super) fn reply_of(outcome: &Result<ChatCompletion>) -> Reply {
    match outcome {
        Ok(completion) => completion
            .text()
            .map(str::to_owned)
            .ok_or_else(|| "the model said nothing".to_owned()),
        Err(error) => Err(error.message().to_owned()),
    }
}
