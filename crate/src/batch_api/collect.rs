//! Waits for batches, and turns their results into answers.

use std::collections::HashMap;
use std::time::Instant;

use super::merge::{Merge, stats};
use super::open_batch::{OpenBatch, until};
use super::service::{Made, Service};
use super::service_of;
use super::state::SubmissionStatus;
use crate::batch::answers::Answers;
use crate::batch::journal::Sent;
use crate::batch::outcome::Outcome;
use crate::batch::progress::{Listener, Progress};
use crate::batch::request_stats::AnswerSource;
use crate::batch::stop_condition::{StopCondition, StopReason};
use crate::batch::{Batch, run};
use crate::display::note_line;
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry;
use crate::openai::ChatCompletion;
use crate::runtime::run_caller_code;

/// How many times in a row the service may fail to report the status of a batch.
const MAX_FAILURES: u32 = 10;

pub(super) async fn collect(batch: &Batch) -> Result<Answers> {
    let started = Instant::now();
    let service = service_of(batch)?;
    let until = until(batch);
    let mut open_batch = OpenBatch::open(batch, &until).await?;
    let found = until.hold(open_batch.look(&service)).await;
    let found = found.map_err(continues_later)??;
    let reporter = Reporter {
        listener: batch.options.listener.clone(),
        questions: open_batch.ids.len(),
        from_journal: open_batch.answered(),
        started,
        last: String::new(),
    };
    // Other runs need not wait for the journal while the service works.
    drop(open_batch);
    let (found, ended) = wait(found, &service, &until, reporter).await?;

    let mut open_batch = OpenBatch::open(batch, &until).await?;
    let merged = until.hold(merge(&mut open_batch, &service, found)).await;
    let (outcomes, ended) = match merged {
        Ok(outcomes) => (outcomes?, ended),
        // The merged lines are in the journal, and the next `collect` fetches the rest.
        Err(given_up) => (HashMap::new(), Some(given_up)),
    };
    Ok(answers(&open_batch, outcomes, ended, started))
}

/// Polls the batches until all have ended or `until` is met.
async fn wait(
    mut found: Vec<(Sent, Made)>,
    service: &Service,
    until: &StopCondition,
    mut reporter: Reporter,
) -> Result<(Vec<(Sent, Made)>, Option<StopReason>)> {
    let mut failures = 0;
    loop {
        if found.iter().all(|(_, made)| made.status.state.is_over()) {
            return Ok((found, None));
        }
        reporter.report(&found);
        let pause = service.pause(found.iter().map(|(_, made)| made));
        if let Some(ended) = until.pause(pause).await {
            return Ok((found, Some(ended)));
        }
        let looked = match until.hold(look_again(&mut found, service)).await {
            Ok(looked) => looked,
            Err(ended) => return Ok((found, Some(ended))),
        };
        match looked {
            Ok(()) => failures = 0,
            Err(error) if may_pass(&error) && failures < MAX_FAILURES => {
                let pause = service.pause(found.iter().map(|(_, made)| made));
                retry::report(&error, failures, pause);
                failures += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn look_again(found: &mut [(Sent, Made)], service: &Service) -> Result<()> {
    for (_, made) in found {
        if !made.status.state.is_over() {
            *made = service.look(&made.status.id).await?;
        }
    }
    Ok(())
}

/// Whether the error may be transient.
fn may_pass(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Server | ErrorKind::RateLimit
    )
}

/// Writes the results of the batches that have ended to the journal, and returns the outcome of
/// each of their rows.
async fn merge(
    open_batch: &mut OpenBatch<'_>,
    service: &Service,
    found: Vec<(Sent, Made)>,
) -> Result<HashMap<String, Result<ChatCompletion>>> {
    let mut outcomes = HashMap::new();
    // Another process may have collected some of them meanwhile.
    let open = open_batch.open_batches();
    let over = found.into_iter().filter(|(sent, made)| {
        made.status.state.is_over() && open.iter().any(|one| one.file == sent.file)
    });
    for (sent, made) in over {
        let merged = Merge::new(service, &open_batch.cache, &sent)
            .run(&made)
            .await?;
        outcomes.extend(merged.outcomes);
        // The batch counts as collected only once everything is on disk.
        if open_batch.cache.is_saved() {
            open_batch.batch_record.settled(&sent.file)?;
            if merged.is_clean {
                clear(service, &sent, &made).await;
            }
        }
    }
    Ok(outcomes)
}

/// Deletes the batch's files from the service, because they hold prompts and answers.
async fn clear(service: &Service, sent: &Sent, made: &Made) {
    for file in made.files.iter().chain([&sent.file]) {
        if let Err(error) = service.delete(file).await {
            let why = error.message();
            note_line(&format!("the file {file} stays on the service: {why}"));
        }
    }
}

fn answers(
    open_batch: &OpenBatch<'_>,
    mut outcomes: HashMap<String, Result<ChatCompletion>>,
    ended: Option<StopReason>,
    started: Instant,
) -> Answers {
    let open = open_batch.open_batches();
    let waits = |id: &String| open.iter().any(|sent| sent.rows.contains(id));
    let ended = continues_later(ended.unwrap_or(StopReason::Stopped));
    let settle = |(index, id): (usize, &String)| {
        if let Some(outcome) = outcomes.remove(id) {
            return Some(Outcome {
                index,
                outcome,
                stats: stats(),
                source: AnswerSource::Service,
            });
        }
        if let Some((completion, stats)) = open_batch.cache.answer(id) {
            return Some(Outcome {
                index,
                outcome: Ok(completion),
                stats,
                source: AnswerSource::Journal,
            });
        }
        waits(id).then(|| Outcome::unasked(index, &ended))
    };
    let settled = open_batch.ids.iter().enumerate().map(settle).collect();
    let unsaved = open_batch.cache.close();
    let rows = run::rows(open_batch.batch, &open_batch.plan, settled, &not_asked());
    Answers::new(rows, started.elapsed(), unsaved)
}

fn continues_later(ended: StopReason) -> Error {
    ended
        .error()
        .with_hint("the batch continues on the service: collect it later")
}

fn not_asked() -> Error {
    Error::new(
        ErrorKind::Cancelled,
        "the row is not part of any open batch",
    )
    .with_hint("submit or run it again: only rows without an answer are sent")
}

/// Reports the progress whenever it has changed.
struct Reporter {
    listener: Option<Listener>,
    questions: usize,
    from_journal: usize,
    started: Instant,
    last: String,
}

impl Reporter {
    fn report(&mut self, found: &[(Sent, Made)]) {
        let status = SubmissionStatus {
            questions: self.questions,
            from_journal: self.from_journal,
            batches: found.iter().map(|(_, made)| made.status.clone()).collect(),
        };
        if let Some(Listener(tell)) = &self.listener {
            let progress = Progress::of_submission(&status, self.started.elapsed());
            return run_caller_code(|| tell(&progress));
        }
        let line = status.to_string();
        if line != self.last {
            note_line(&line);
            self.last = line;
        }
    }
}
