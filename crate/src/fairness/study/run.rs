//! Running a study.

use super::answers::{AnswerProvenance, reply_of};
use super::{ReplyDetails, Study, StudyAnswers};
use crate::batch::{Answers, Batch, BatchRequest, Estimate, Price, Row};
use crate::error::Result;
use crate::fairness::mitigation::MitigationPrompt;
use crate::openai::{ChatRequest, Client};
use crate::runtime;

impl Study {
    /// Asks all prompts as one batch and waits for the answers. In a notebook the journal keeps
    /// every answer, so running the cell again only asks what is missing.
    ///
    /// [`MitigationPrompt::SelfCritique`] takes a second batch, which asks the model to rewrite its drafts.
    ///
    /// # Errors
    /// An invalid study; the errors of a batch.
    pub fn run(&self, client: &Client) -> Result<StudyAnswers> {
        self.run_with(client, |batch| batch)
    }

    /// Async version of [`run`](Self::run).
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_async(
        &self,
        client: &Client,
    ) -> impl Future<Output = Result<StudyAnswers>> + Send + use<> {
        self.clone()
            .ask_batch(self.check().map(|()| self.batch(client)))
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
        runtime::wait(self.run_with_async(client, adjust))
    }

    /// Async version of [`run_with`](Self::run_with).
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_with_async(
        &self,
        client: &Client,
        adjust: impl FnOnce(Batch) -> Batch,
    ) -> impl Future<Output = Result<StudyAnswers>> + Send + 'static {
        self.clone()
            .ask_batch(self.check().map(|()| adjust(self.batch(client))))
    }

    /// Sends the batch, unless the study is invalid.
    async fn ask_batch(self, batch: Result<Batch>) -> Result<StudyAnswers> {
        let batch = batch?;
        let answers = batch.run_async().await?;
        if !self.mitigations.contains(&MitigationPrompt::SelfCritique) {
            return StudyAnswers::from_answers(self, &answers);
        }
        let rest = batch.after_spending(&answers.totals())?;
        self.revised(&rest, &answers).await
    }

    /// What the study would cost at this price. Nothing is sent, and answers from the journal cost
    /// nothing.
    ///
    /// With [`MitigationPrompt::SelfCritique`], the second batch is counted as long as the first, with the
    /// drafts as part of its prompts, and without what the journal has of it.
    ///
    /// ```
    /// # use evenhand::prelude::*;
    /// # let client = Client::builder()
    /// #     .endpoint("https://contoso.openai.azure.com").api_key("key").deployment("gpt").build()?;
    /// let study = Study::new(occupations::first(12)?).samples(10);
    /// println!("{}", study.estimate(&client, Price::per_million().input(0.15).output(0.60))?);
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// An invalid study; the errors of [`Batch::estimate`].
    pub fn estimate(&self, client: &Client, price: Price) -> Result<Estimate> {
        runtime::wait(self.estimate_async(client, price))
    }

    /// Async version of [`estimate`](Self::estimate).
    ///
    /// # Errors
    /// As [`estimate`](Self::estimate).
    pub fn estimate_async(
        &self,
        client: &Client,
        price: Price,
    ) -> impl Future<Output = Result<Estimate>> + Send + use<> {
        let batch = self.check().map(|()| self.batch(client));
        let is_revised = self.mitigations.contains(&MitigationPrompt::SelfCritique);
        async move {
            let estimate = batch?.estimate_async(price).await?;
            if !is_revised {
                return Ok(estimate);
            }
            // About four characters per token, as prompts are counted.
            let instruction = MitigationPrompt::SelfCritique.instruction().len() as u64 / 4;
            estimate.with_second_round(instruction, price)
        }
    }

    fn batch(&self, client: &Client) -> Batch {
        client
            .batch(self.prompts())
            .samples(self.samples)
            .seed(self.seed)
            .temperature(self.temperature)
            .max_tokens(self.max_tokens)
            .with(|request| self.dressed(request))
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
    async fn revised(&self, batch: &Batch, drafts: &Answers) -> Result<StudyAnswers> {
        let second: Vec<BatchRequest> = MitigationPrompt::SelfCritique.revisions(drafts, |row| {
            let asked = self.dressed(ChatRequest::default());
            asked
                .message(crate::openai::Message::user(&row.prompt))
                .seed(self.seed.wrapping_add(i64::from(row.sample)))
        });
        let mut rows: Vec<Row> = Vec::new();
        let revising = batch.following(second).for_each_async(|row| {
            rows.push(row);
            Ok(())
        });
        revising.await?;
        let outcomes = rows.iter().map(|row| &row.outcome);
        let provenance = AnswerProvenance::from_completions(
            outcomes.clone().filter_map(|outcome| outcome.as_ref().ok()),
        );
        let details = ReplyDetails::from_outcomes(outcomes.clone());
        let answers =
            StudyAnswers::new(self.clone(), outcomes.map(reply_of).collect(), provenance)?;
        Ok(answers.with_details(details))
    }
}
