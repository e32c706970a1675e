//! Running a study.

use std::sync::{Arc, Mutex, PoisonError};

use super::answers::{Record, reply_of};
use super::{Study, StudyAnswers};
use crate::batch::{Answers, Batch, BatchRequest, Row};
use crate::error::Result;
use crate::fairness::mitigation::Prompt;
use crate::openai::{ChatRequest, Client};

impl Study {
    /// Asks all prompts as one batch and waits for the answers. In a notebook the journal keeps
    /// every answer, so running the cell again only asks what is missing.
    ///
    /// [`Prompt::SelfCritique`] takes a second batch, which asks the model to rewrite its drafts.
    ///
    /// # Errors
    /// An invalid study; the errors of a batch.
    pub fn run(&self, client: &Client) -> Result<StudyAnswers> {
        self.run_with(client, |batch| batch)
    }

    /// Like [`run`](Self::run), with settings of the batch such as a quota, a journal or a
    /// deadline.
    ///
    /// ```no_run
    /// # use evenhand::prelude::*;
    /// # let client = Client::from_env()?;
    /// let study = Study::new(occupations::first(12)?);
    /// let answers = study.run_with(&client, |batch| batch.quota(Quota::tpm(5_000)))?;
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`run`](Self::run).
    pub fn run_with(
        &self,
        client: &Client,
        adjust: impl FnOnce(Batch) -> Batch,
    ) -> Result<StudyAnswers> {
        self.check()?;
        let batch = client
            .batch(self.prompts())
            .samples(self.samples)
            .seed(self.seed)
            .temperature(self.temperature)
            .max_tokens(self.max_tokens)
            .with(|request| self.dressed(request));
        let batch = adjust(batch);
        if !self.mitigations.contains(&Prompt::SelfCritique) {
            return StudyAnswers::from_answers(self.clone(), &batch.run()?);
        }
        let drafts = batch.clone().run()?;
        self.revised(&batch, &drafts)
    }

    /// The request with system message and mitigations, without the question.
    fn dressed(&self, request: ChatRequest) -> ChatRequest {
        let request = match &self.system {
            Some(system) => request.system(system),
            None => request,
        };
        let mitigations = self.mitigations.iter();
        mitigations.fold(request, |request, prompt| prompt.apply(request))
    }

    /// Asks the model to rewrite every draft.
    fn revised(&self, batch: &Batch, drafts: &Answers) -> Result<StudyAnswers> {
        let second: Vec<BatchRequest> = Prompt::SelfCritique.revisions(drafts, |row| {
            let asked = self.dressed(ChatRequest::default());
            asked
                .message(crate::openai::Message::user(&row.prompt))
                .seed(self.seed.wrapping_add(i64::from(row.sample)))
        });
        let rows: Arc<Mutex<Vec<Row>>> = Arc::default();
        let taken = Arc::clone(&rows);
        batch.following(second).for_each(move |row| {
            let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
            taken.push(row);
            Ok(())
        })?;
        let rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
        let outcomes = rows.iter().map(|row| &row.outcome);
        let record = Record::of(outcomes.clone().filter_map(|outcome| outcome.as_ref().ok()));
        StudyAnswers::new(self.clone(), outcomes.map(reply_of).collect(), record)
    }
}
