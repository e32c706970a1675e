//! Asks the prompts of a batch, so many at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::task::JoinSet;

use super::progress::Progress;
use super::{Answer, Answers, Batch};
use crate::error::{Error, ErrorKind, Result};

/// What the workers share: the rows still to be asked, and whether asking is of use.
struct Queue {
    waiting: VecDeque<(usize, String)>,
    answered: bool,
    hopeless: bool,
}

pub(super) async fn ask_all(mut batch: Batch) -> Result<Answers> {
    let started = Instant::now();
    let prompts = std::mem::take(&mut batch.prompts);
    let total = prompts.len();
    let queue = Arc::new(Mutex::new(Queue {
        waiting: prompts.into_iter().enumerate().collect(),
        answered: false,
        hopeless: false,
    }));
    let batch = Arc::new(batch);
    let mut workers = JoinSet::new();
    let (sender, mut finished) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..batch.concurrency.min(total) {
        workers.spawn(work(Arc::clone(&batch), Arc::clone(&queue), sender.clone()));
    }
    drop(sender);

    let mut progress = Progress::new(total, batch.concurrency);
    let mut rows = Vec::with_capacity(total);
    while let Some(row) = finished.recv().await {
        progress.advance(&row);
        rows.push(row);
    }
    progress.finish();

    if let Some(reason) = take_hopeless(&mut rows) {
        return Err(reason);
    }
    rows.sort_unstable_by_key(|row| row.id);
    Ok(Answers::new(rows, started.elapsed()))
}

/// Asks one waiting prompt after the other until none is left.
async fn work(
    batch: Arc<Batch>,
    queue: Arc<Mutex<Queue>>,
    finished: tokio::sync::mpsc::UnboundedSender<Answer>,
) {
    while let Some((id, prompt)) = next(&queue) {
        let started = Instant::now();
        let outcome = batch.client.complete_async(batch.request(&prompt)).await;
        note_outcome(&queue, &outcome);
        let row = Answer {
            id,
            prompt,
            outcome,
            latency: started.elapsed(),
        };
        if finished.send(row).is_err() {
            return;
        }
    }
}

fn lock(queue: &Mutex<Queue>) -> std::sync::MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn next(queue: &Mutex<Queue>) -> Option<(usize, String)> {
    let mut queue = lock(queue);
    if queue.hopeless {
        None
    } else {
        queue.waiting.pop_front()
    }
}

fn note_outcome<T>(queue: &Mutex<Queue>, outcome: &Result<T>) {
    let mut queue = lock(queue);
    match outcome {
        Ok(_) => queue.answered = true,
        Err(error) if !queue.answered && spares_no_row(error) => queue.hopeless = true,
        Err(_) => {}
    }
}

/// An error that every row of the batch would meet.
fn spares_no_row(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Settings
            | ErrorKind::Argument
            | ErrorKind::Authentication
            | ErrorKind::PermissionDenied
            | ErrorKind::NotFound
    )
}

/// The error of a batch in which no row was answered and none could have been.
fn take_hopeless(rows: &mut Vec<Answer>) -> Option<Error> {
    if rows.iter().any(|row| row.outcome.is_ok()) {
        return None;
    }
    let first = rows
        .iter()
        .position(|row| row.error().is_some_and(spares_no_row))?;
    rows.swap_remove(first).outcome.err()
}
