//! Submits the remaining questions.

use super::open_batch::{OpenBatch, give_up, until};
use super::service::{Made, Service};
use super::state::{BatchState, SubmissionStatus};
use super::upload_chunk::{Limits, UploadChunk, UploadChunks};
use super::{Submission, service_of};
use crate::batch::cache::AnswerCache;
use crate::batch::journal::BatchRecord;
use crate::batch::plan::Question;
use crate::batch::stop_condition::StopReason;
use crate::batch::{Batch, format};
use crate::display::note_line;
use crate::error::{Error, ErrorKind, Result};
use crate::openai::Protocol;

/// The largest file that the service accepts, in bytes.
const MAX_FILE: usize = 200_000_000;

pub(super) async fn submit(batch: Batch) -> Result<Submission> {
    let service = service_of(&batch)?;
    let until = until(&batch);
    let mut open_batch = OpenBatch::open(&batch, &until).await?;
    let mut under_way = Vec::new();
    let found = until.hold(open_batch.look(&service)).await;
    for (sent, made) in found.map_err(StopReason::error)?? {
        // No request was processed, so there is nothing to collect.
        if made.status.state == BatchState::Failed && made.files.is_empty() {
            note_line(&format!("{}: its rows are submitted again", made.status));
            give_up(&mut open_batch.batch_record, &sent.file, &service).await?;
        } else {
            under_way.push(made);
        }
    }
    let left = open_batch.left();
    let OpenBatch {
        batch: _,
        plan,
        ids,
        cache,
        batch_record,
    } = &mut open_batch;
    let lines = left.iter().filter_map(|place| {
        let (question, id) = (plan.questions.get(*place)?, ids.get(*place)?);
        Some(line(&batch, question, id, cache, &service))
    });
    for chunk in UploadChunks::new(lines, limits(&service)) {
        if let Some(ended) = until.stop_reason() {
            return Err(ended.error());
        }
        // If this is stopped halfway, the record tells which batch may exist.
        let made = until.hold(hand_over(batch_record, &service, chunk?)).await;
        let made = made.map_err(StopReason::error)?;
        if made.is_err() && !under_way.is_empty() {
            note_line("some batches were submitted; submit again for the other rows");
        }
        under_way.push(made?);
    }
    if let Some(unsaved) = open_batch.cache.close() {
        note_line(unsaved.message());
    }
    let status = SubmissionStatus {
        questions: open_batch.ids.len(),
        from_journal: open_batch.answered(),
        batches: under_way.into_iter().map(|made| made.status).collect(),
    };
    drop(open_batch);
    Ok(Submission::new(batch, status))
}

/// Finds the open batches, and submits nothing.
pub(super) async fn submitted(batch: Batch) -> Result<Submission> {
    let service = service_of(&batch)?;
    let until = until(&batch);
    let mut open_batch = OpenBatch::open(&batch, &until).await?;
    let found = until.hold(open_batch.look(&service)).await;
    let found = found.map_err(StopReason::error)??;
    let status = SubmissionStatus {
        questions: open_batch.ids.len(),
        from_journal: open_batch.answered(),
        batches: found.into_iter().map(|(_, made)| made.status).collect(),
    };
    let path = open_batch.batch_record.path().display().to_string();
    drop(open_batch);
    if status.batches.is_empty() && status.from_journal < status.questions {
        return Err(Error::new(
            ErrorKind::Journal,
            format!("{path} lists no open batch with these prompts"),
        )
        .with_hint("check the prompts and parameters; .submit() creates a batch of them"));
    }
    Ok(Submission::new(batch, status))
}

fn limits(service: &Service) -> Limits {
    Limits {
        lines: match service.client().protocol() {
            Protocol::AzureDated | Protocol::AzureV1 => 100_000,
            Protocol::OpenAi => 50_000,
        },
        bytes: MAX_FILE,
    }
}

/// The ID and the line of a question.
fn line(
    batch: &Batch,
    question: &Question,
    id: &str,
    cache: &AnswerCache,
    service: &Service,
) -> Result<(String, Vec<u8>)> {
    let request = batch.request(question.prompt, question.sample);
    cache.record_request(id, &request);
    // The known profile is applied here: nobody waits for a rejection to learn from.
    let translated = batch
        .client
        .translate(&request, batch.options.thinking_allowance)?;
    let mut line = cache.request_line(id, &translated);
    line.url = service.line_url().into();
    Ok((id.to_owned(), format::write(&line)?))
}

/// Creates a batch of these rows. The record notes each step before it is taken.
async fn hand_over(
    batch_record: &mut BatchRecord,
    service: &Service,
    chunk: UploadChunk,
) -> Result<Made> {
    let file = service.upload(chunk.form).await?;
    let host = service.client().host();
    batch_record.making(&file, chunk.rows, host, service.deployment())?;
    match service.make(&file).await? {
        Ok(made) => {
            batch_record.made(&file, &made.status.id)?;
            Ok(made)
        }
        Err(error) => {
            give_up(batch_record, &file, service).await?;
            Err(error)
        }
    }
}
