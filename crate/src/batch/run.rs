//! A batch of prompts from its plan to its answers.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::answers::{Answer, Answers, RequestStats, Source};
use super::cache::{self, AnswerCache};
use super::driver::{StopCondition, drive};
use super::engine::{Engine, Outcome, Question};
use super::plan::{self, Habits, Plan};
use super::progress::{Teller, say};
use super::{Batch, options};
use crate::error::{Error, ErrorKind, Result};
use crate::openai::ChatCompletion;
use crate::text::grouped;

pub(crate) async fn run(batch: Batch) -> Result<Answers> {
    let started = Instant::now();
    check(&batch)?;
    let plan = Plan::new(&batch.asked.texts, &batch.habits());
    if plan.rows.is_empty() {
        return Ok(Answers::new(Vec::new(), started.elapsed(), None));
    }
    let until = StopCondition::new(&batch.options, started);
    let records = cache::open(&batch.client, &batch.options, batch.parameters(), &until).await?;
    let twice = match &records {
        Some(records) => records.count_submitted_questions(ids(&batch, &plan, records))?,
        None => None,
    };
    twice.iter().for_each(|note| say(note));
    let terms = options::engine_config(&batch, records.clone())?;
    let pacer = Arc::clone(&terms.pacer);
    let listener = batch.options.listener.clone();
    let mut teller = Teller::new(Some(plan.questions.len()), terms.concurrency, listener);

    let batch = Arc::new(batch);
    let (sender, questions) = mpsc::channel(terms.concurrency);
    let mut engine = Engine::start(terms, questions);
    let feeding = tokio::spawn(feed(
        Arc::clone(&batch),
        plan.questions.clone(),
        records.clone(),
        sender,
    ));
    let mut settled: Vec<Option<Outcome>> = plan.questions.iter().map(|_| None).collect();
    let ended = drive(&mut engine, &until, &pacer, &mut teller, |one| {
        if let Some(place) = settled.get_mut(one.index) {
            *place = Some(one);
        }
        Ok(())
    })
    .await?;
    feeding.abort();
    teller.finish();
    let unsaved = records.as_deref().and_then(AnswerCache::close);
    let hopeless = engine.fatal_error();
    if let Some(reason) = &hopeless
        && !settled.iter().flatten().any(|one| one.outcome.is_ok())
    {
        return Err(reason.clone());
    }
    let unasked = hopeless.unwrap_or_else(|| options::unasked(ended));
    let rows = rows(&batch, &plan, settled, &unasked);
    let mut notes = records
        .as_deref()
        .map(AnswerCache::notes)
        .unwrap_or_default();
    notes.extend(twice);
    notes.extend(pacer.take_notes());
    Ok(Answers::new(rows, started.elapsed(), unsaved).noting(notes))
}

/// The name of each question in the journal.
pub(crate) fn ids(
    batch: &Batch,
    plan: &Plan,
    records: &AnswerCache,
) -> impl Iterator<Item = String> {
    plan.questions.iter().map(|question| {
        let request = batch.request(question.prompt, question.sample);
        records.id(&request, question.occurrence)
    })
}

/// Finds out before anything is sent what would fail in every row.
pub(crate) fn check(batch: &Batch) -> Result<()> {
    options::check(&batch.options)?;
    if batch.asked.samples == 0 {
        return Err(options::zero("a batch with 0 samples asks nothing")
            .with_hint("use `.samples(1)`, or leave it out"));
    }
    check_size(batch.asked.texts.len(), batch.asked.samples)?;
    batch
        .common
        .clone()
        .message(crate::openai::Message::user(""))
        .check()
}

/// So many rows are kept in memory at most.
const MOST_ROWS: u64 = 10_000_000;

fn check_size(prompts: usize, samples: u32) -> Result<()> {
    let rows = (prompts as u64).saturating_mul(u64::from(samples));
    if rows <= MOST_ROWS {
        return Ok(());
    }
    let [prompts, samples, rows, most] =
        [prompts as u64, samples.into(), rows, MOST_ROWS].map(grouped);
    let message = format!(
        "prompts times samples, {prompts} times {samples}, make {rows} rows, and a batch keeps \
         {most} at most"
    );
    Err(Error::new(ErrorKind::Argument, message).with_hint(
        "ask for fewer samples, or hand requests to `client.batch_requests(..)`, whose \
         `for_each` keeps only those under way",
    ))
}

impl Batch {
    pub(crate) fn habits(&self) -> Habits {
        Habits {
            samples: self.asked.samples,
            seeded: self.common.seed.is_some(),
            likeliest: self.common.temperature == Some(0.0),
        }
    }
}

/// Sends the questions to the engine, one after the other, as it takes them.
async fn feed(
    batch: Arc<Batch>,
    questions: Vec<plan::Question>,
    records: Option<Arc<AnswerCache>>,
    sender: mpsc::Sender<Question>,
) {
    for (index, question) in questions.into_iter().enumerate() {
        let request = batch.request(question.prompt, question.sample);
        let id = records
            .as_ref()
            .map(|records| records.id(&request, question.occurrence));
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

/// One row a sample of a prompt, each with the outcome of its question.
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
    let shared: Vec<Option<(Result<ChatCompletion>, Source)>> = plan
        .rows
        .iter()
        .map(|row| {
            let first = plan.questions.get(row.question)?.answers(row);
            let outcome = outcomes.get(row.question).filter(|_| !first)?;
            let source = match outcome.source {
                Source::NotAsked => Source::NotAsked,
                _ => Source::SameQuestion,
            };
            Some((outcome.outcome.clone(), source))
        })
        .collect();
    let mut outcomes = outcomes.into_iter();
    let answer = |(id, (row, shared)): (usize, (&plan::Row, Option<_>))| {
        let one = match shared {
            Some((outcome, source)) => Some((outcome, RequestStats::default(), source)),
            // Questions are numbered in the order of the rows that ask them first.
            None => outcomes
                .next()
                .map(|one| (one.outcome, one.effort, one.source)),
        };
        let (outcome, effort, source) = one?;
        Some(Answer {
            id,
            prompt: batch.asked.texts.get(row.prompt)?.clone(),
            sample: row.sample,
            outcome,
            effort,
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
        prompts times samples, 2 times 4,000,000,000, make 8,000,000,000 rows, and a batch keeps 10,000,000 at most
          hint: ask for fewer samples, or hand requests to `client.batch_requests(..)`, whose `for_each` keeps only those under way
        ");
    }
}
