//! Waits for batches, and makes answers of them.

use std::collections::HashMap;
use std::time::Instant;

use super::merge::{Merge, effort};
use super::open_batch::{OpenBatch, until};
use super::service::{Made, Service};
use super::service_of;
use super::state::Status;
use crate::batch::answers::{Answers, Source};
use crate::batch::driver::{StopCondition, StopReason};
use crate::batch::engine::Outcome;
use crate::batch::journal::Sent;
use crate::batch::progress::{Listener, Progress, say};
use crate::batch::{Batch, run};
use crate::error::{Error, ErrorKind, Result};
use crate::openai::ChatCompletion;
use crate::runtime::run_caller_code;

/// How often in a row the service may fail to say how far a batch is.
const PATIENCE: u32 = 10;

pub(super) async fn collect(batch: &Batch) -> Result<Answers> {
    let started = Instant::now();
    let service = service_of(batch)?;
    let until = until(batch);
    let mut desk = OpenBatch::open(batch, &until).await?;
    let found = until.hold(desk.look(&service)).await;
    let found = found.map_err(goes_on)??;
    let teller = Teller {
        listener: batch.options.listener.clone(),
        questions: desk.ids.len(),
        from_journal: desk.answered(),
        started,
        last: String::new(),
    };
    // Nobody else need wait for the journal while the service works.
    drop(desk);
    let (found, ended) = wait(found, &service, &until, teller).await?;

    let mut desk = OpenBatch::open(batch, &until).await?;
    let merged = until.hold(merge(&mut desk, &service, found)).await;
    let (outcomes, ended) = match merged {
        Ok(outcomes) => (outcomes?, ended),
        // What was taken is in the journal, and the next one collects the rest.
        Err(given_up) => (HashMap::new(), Some(given_up)),
    };
    Ok(answers(&desk, outcomes, ended, started))
}

/// Looks at the batches until all are over, or somebody wants it to end.
async fn wait(
    mut found: Vec<(Sent, Made)>,
    service: &Service,
    until: &StopCondition,
    mut teller: Teller,
) -> Result<(Vec<(Sent, Made)>, Option<StopReason>)> {
    let mut failures = 0;
    loop {
        if found.iter().all(|(_, made)| made.status.state.is_over()) {
            return Ok((found, None));
        }
        teller.tell(&found);
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
            Err(error) if may_pass(&error) && failures < PATIENCE => failures += 1,
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

/// Is it worth while to wait for a better time?
fn may_pass(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Server | ErrorKind::RateLimit
    )
}

/// Takes what is over into the journal; returns what came of each row of these batches.
async fn merge(
    desk: &mut OpenBatch<'_>,
    service: &Service,
    found: Vec<(Sent, Made)>,
) -> Result<HashMap<String, Result<ChatCompletion>>> {
    let mut outcomes = HashMap::new();
    // Another process may have collected some meanwhile.
    let open = desk.open_batches();
    let over = found.into_iter().filter(|(sent, made)| {
        made.status.state.is_over() && open.iter().any(|one| one.file == sent.file)
    });
    for (sent, made) in over {
        let merged = Merge::new(service, &desk.records, &sent).run(&made).await?;
        outcomes.extend(merged.outcomes);
        // As long as the disk does not have all, the batch counts as not collected.
        if desk.records.is_saved() {
            desk.ledger.settled(&sent.file)?;
            if merged.is_clean {
                clear(service, &sent, &made).await;
            }
        }
    }
    Ok(outcomes)
}

/// Deletes the batch's files on the service: they hold prompts and answers.
async fn clear(service: &Service, sent: &Sent, made: &Made) {
    for file in made.files.iter().chain([&sent.file]) {
        if let Err(error) = service.delete(file).await {
            let why = error.message();
            say(&format!("the file {file} stays on the service: {why}"));
        }
    }
}

fn answers(
    desk: &OpenBatch<'_>,
    mut outcomes: HashMap<String, Result<ChatCompletion>>,
    ended: Option<StopReason>,
    started: Instant,
) -> Answers {
    let open = desk.open_batches();
    let waits = |id: &String| open.iter().any(|sent| sent.rows.contains(id));
    let ended = goes_on(ended.unwrap_or(StopReason::Stopped));
    let settle = |(index, id): (usize, &String)| {
        if let Some(outcome) = outcomes.remove(id) {
            return Some(Outcome {
                index,
                outcome,
                effort: effort(),
                source: Source::Service,
            });
        }
        if let Some((completion, effort)) = desk.records.answer(id) {
            return Some(Outcome {
                index,
                outcome: Ok(completion),
                effort,
                source: Source::Journal,
            });
        }
        waits(id).then(|| Outcome::unasked(index, &ended))
    };
    let settled = desk.ids.iter().enumerate().map(settle).collect();
    let unsaved = desk.records.close();
    let rows = run::rows(desk.batch, &desk.plan, settled, &not_asked());
    Answers::new(rows, started.elapsed(), unsaved)
}

fn goes_on(ended: StopReason) -> Error {
    ended
        .error()
        .with_hint("the batch goes on: collect it later")
}

fn not_asked() -> Error {
    Error::new(ErrorKind::Cancelled, "it is in no batch that is under way")
        .with_hint("submit again, or run it: only what has no answer is asked")
}

/// Tells how far it is, whenever that has changed.
struct Teller {
    listener: Option<Listener>,
    questions: usize,
    from_journal: usize,
    started: Instant,
    last: String,
}

impl Teller {
    fn tell(&mut self, found: &[(Sent, Made)]) {
        let status = Status {
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
            say(&line);
            self.last = line;
        }
    }
}
