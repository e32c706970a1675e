//! Runs a batch of prompts, from its plan to its answers.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::answers::{Answer, Answers};
use super::cache::{self, AnswerCache};
use super::driver::drive;
use super::engine::{Engine, Question};
use super::engine_config::engine_config;
use super::mixed_rows::{MixedRows, SharedSettings};
use super::outcome::Outcome;
use super::plan::{self, Plan, Sampling};
use super::progress::ProgressReporter;
use super::request_stats::{AnswerSource, RequestStats};
use super::stop_condition::{StopCondition, StopReason};
use super::{Batch, budget, options};
use crate::display::note_line;
use crate::error::{Error, ErrorKind, Result};
use crate::openai::ChatCompletion;
use crate::text::grouped;

pub(crate) async fn run(batch: Batch) -> Result<Answers> {
    let started = Instant::now();
    check(&batch)?;
    let plan = Plan::new(&batch.asked.texts, &batch.sampling());
    if plan.rows.is_empty() {
        return Ok(Answers::new(Vec::new(), started.elapsed(), None));
    }
    let mut until = StopCondition::new(&batch.options, started);
    let cache = cache::open(&batch.client, &batch.options, batch.parameters(), &until).await?;
    let twice = match &cache {
        Some(cache) => cache.count_submitted_questions(ids(&batch, &plan, cache))?,
        None => None,
    };
    twice.iter().for_each(|line| note_line(line));
    let config = engine_config(&batch, cache.clone())?;
    until.watch(Arc::clone(&config.spending));
    let rate_limiter = Arc::clone(&config.rate_limiter);
    let listener = batch.options.listener.clone();
    let mut reporter =
        ProgressReporter::new(Some(plan.questions.len()), config.concurrency, listener);

    let batch = Arc::new(batch);
    let (sender, questions) = mpsc::channel(config.concurrency);
    let mut engine = Engine::start(config, questions);
    let feeding = tokio::spawn(feed(
        Arc::clone(&batch),
        plan.questions.clone(),
        cache.clone(),
        sender,
    ));
    let mut settled: Vec<Option<Outcome>> = plan.questions.iter().map(|_| None).collect();
    let ended = drive(&mut engine, &until, &rate_limiter, &mut reporter, |one| {
        if let Some(place) = settled.get_mut(one.index) {
            *place = Some(one);
        }
        Ok(())
    })
    .await?;
    feeding.abort();
    reporter.finish();
    let unsaved = cache.as_deref().and_then(AnswerCache::close);
    let fatal_error = engine.fatal_error();
    if let Some(reason) = &fatal_error
        && !settled.iter().flatten().any(|one| one.outcome.is_ok())
    {
        return Err(reason.clone());
    }
    let unasked = fatal_error.unwrap_or_else(|| StopReason::unasked(ended));
    for one in engine.take_interrupted(&unasked) {
        if let Some(place) = settled.get_mut(one.index) {
            place.get_or_insert(one);
        }
    }
    let rows = rows(&batch, &plan, settled, &unasked);
    let mut notes = cache.as_deref().map(AnswerCache::notes).unwrap_or_default();
    notes.extend(twice);
    notes.extend(rate_limiter.take_notes());
    let mut mixed_rows = MixedRows::default();
    let answered = rows.iter().filter_map(|row| row.outcome.as_ref().ok());
    answered.for_each(|completion| mixed_rows.add(completion));
    let mut sent = rows
        .iter()
        .filter(|row| row.source == AnswerSource::Service);
    let was_sent = sent.any(|row| row.stats.attempts > 0);
    notes.extend(SharedSettings::from_batch(&batch).notes(&mixed_rows, was_sent));
    Ok(Answers::new(rows, started.elapsed(), unsaved).noting(notes))
}

/// The ID of each question in the journal.
pub(crate) fn ids(batch: &Batch, plan: &Plan, cache: &AnswerCache) -> impl Iterator<Item = String> {
    plan.questions.iter().map(|question| {
        let request = batch.request(question.prompt, question.sample);
        cache.id(&request, question.occurrence)
    })
}

/// Refuses what would fail in every row, before anything is sent.
pub(crate) fn check(batch: &Batch) -> Result<()> {
    options::check(&batch.options)?;
    if batch.asked.samples == 0 {
        return Err(options::zero("a batch with 0 samples asks nothing")
            .with_hint("use `.samples(1)`, or leave it out"));
    }
    check_size(batch.asked.texts.len(), batch.asked.samples)?;
    let has_limit = batch
        .common
        .max_tokens
        .or(batch.common.max_completion_tokens)
        .is_some();
    if batch.options.budget.is_some() && !has_limit {
        return Err(budget::unlimited());
    }
    batch
        .common
        .clone()
        .message(crate::openai::Message::user(""))
        .check()
}

/// The most rows of a batch, all of which are kept in memory.
const MAX_ROWS: u64 = 10_000_000;

fn check_size(prompts: usize, samples: u32) -> Result<()> {
    let rows = (prompts as u64).saturating_mul(u64::from(samples));
    if rows <= MAX_ROWS {
        return Ok(());
    }
    let [prompts, samples, rows, most] =
        [prompts as u64, samples.into(), rows, MAX_ROWS].map(grouped);
    let message = format!(
        "{prompts} prompts times {samples} samples make {rows} rows, and a batch holds at most \
         {most}"
    );
    Err(Error::new(ErrorKind::Argument, message).with_hint(
        "ask for fewer samples, or pass the requests to `client.batch_requests(..)`, whose \
         `for_each` keeps only those in flight",
    ))
}

impl Batch {
    pub(crate) fn sampling(&self) -> Sampling {
        Sampling {
            samples: self.asked.samples,
            seeded: self.common.seed.is_some(),
            deterministic: self.common.temperature == Some(0.0),
        }
    }
}

/// Sends the questions to the engine as it takes them.
async fn feed(
    batch: Arc<Batch>,
    questions: Vec<plan::Question>,
    cache: Option<Arc<AnswerCache>>,
    sender: mpsc::Sender<Question>,
) {
    for (index, question) in questions.into_iter().enumerate() {
        let request = batch.request(question.prompt, question.sample);
        let id = cache
            .as_ref()
            .map(|cache| cache.id(&request, question.occurrence));
        let question = Question {
            index,
            request: Ok(request),
            id,
        };
        if sender.send(question).await.is_err() {
            return;
        }
    }
}

/// One row per sample of a prompt, each with the outcome of its question.
pub(crate) fn rows(
    batch: &Batch,
    plan: &Plan,
    settled: Vec<Option<Outcome>>,
    unasked: &Error,
) -> Vec<Answer> {
    let outcomes: Vec<Outcome> = settled
        .into_iter()
        .enumerate()
        .map(|(index, one)| one.unwrap_or_else(|| Outcome::unasked(index, unasked)))
        .collect();
    let shared: Vec<Option<(Result<ChatCompletion>, AnswerSource)>> = plan
        .rows
        .iter()
        .map(|row| {
            let first = plan.questions.get(row.question)?.answers(row);
            let outcome = outcomes.get(row.question).filter(|_| !first)?;
            let source = match outcome.source {
                AnswerSource::NotAsked => AnswerSource::NotAsked,
                _ => AnswerSource::SameQuestion,
            };
            Some((outcome.outcome.clone(), source))
        })
        .collect();
    let mut outcomes = outcomes.into_iter();
    let answer = |(id, (row, shared)): (usize, (&plan::Row, Option<_>))| {
        let one = match shared {
            Some((outcome, source)) => Some((outcome, RequestStats::default(), source)),
            // Questions are numbered in the order of their first rows.
            None => outcomes
                .next()
                .map(|one| (one.outcome, one.stats, one.source)),
        };
        let (outcome, stats, source) = one?;
        Some(Answer {
            custom_id: String::new(),
            id,
            prompt: batch.asked.texts.get(row.prompt)?.clone(),
            sample: row.sample,
            outcome,
            stats,
            source,
        })
    };
    plan.rows
        .iter()
        .zip(shared)
        .enumerate()
        .filter_map(answer)
        .collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn more_rows_than_memory_holds_are_refused_at_once() {
        assert!(check_size(10_000, 1_000).is_ok());
        assert!(check_size(usize::MAX, u32::MAX).is_err());
        assert_snapshot!(check_size(2, 4_000_000_000).unwrap_err(), @r"
        2 prompts times 4,000,000,000 samples make 8,000,000,000 rows, and a batch holds at most 10,000,000
          hint: ask for fewer samples, or pass the requests to `client.batch_requests(..)`, whose `for_each` keeps only those in flight
        ");
    }
}
