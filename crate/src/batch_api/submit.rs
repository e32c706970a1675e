//! Hands over what is left to be asked.

use super::open_batch::{OpenBatch, give_up, until};
use super::service::{Made, Service};
use super::state::{BatchState, Status};
use super::upload_chunk::{Limits, UploadChunk, UploadChunks};
use super::{Submission, service_of};
use crate::batch::cache::AnswerCache;
use crate::batch::driver::StopReason;
use crate::batch::journal::Ledger;
use crate::batch::plan::Question;
use crate::batch::progress::say;
use crate::batch::{Batch, format};
use crate::error::{Error, ErrorKind, Result};
use crate::openai::Protocol;

/// The largest file that the service takes, in bytes.
const LARGEST_FILE: usize = 200_000_000;

pub(super) async fn submit(batch: Batch) -> Result<Submission> {
    let service = service_of(&batch)?;
    let until = until(&batch);
    let mut desk = OpenBatch::open(&batch, &until).await?;
    let mut under_way = Vec::new();
    let found = until.hold(desk.look(&service)).await;
    for (sent, made) in found.map_err(StopReason::error)?? {
        // Nothing was asked, so nothing can be collected.
        if made.status.state == BatchState::Failed && made.files.is_empty() {
            say(&format!("{}: its rows are submitted again", made.status));
            give_up(&mut desk.ledger, &sent.file, &service).await?;
        } else {
            under_way.push(made);
        }
    }
    let left = desk.left();
    let OpenBatch {
        batch: _,
        plan,
        ids,
        records,
        ledger,
    } = &mut desk;
    let lines = left.iter().filter_map(|place| {
        let (question, id) = (plan.questions.get(*place)?, ids.get(*place)?);
        Some(line(&batch, question, id, records, &service))
    });
    for parcel in UploadChunks::new(lines, limits(&service)) {
        if let Some(ended) = until.stop_reason() {
            return Err(ended.error());
        }
        // Where it is given up in the middle, the ledger knows what there may be.
        let made = until.hold(hand_over(ledger, &service, parcel?)).await;
        let made = made.map_err(StopReason::error)?;
        if made.is_err() && !under_way.is_empty() {
            say("some batches are under way; submit again hands over the other rows");
        }
        under_way.push(made?);
    }
    if let Some(unsaved) = desk.records.close() {
        say(unsaved.message());
    }
    let status = Status {
        questions: desk.ids.len(),
        from_journal: desk.answered(),
        batches: under_way.into_iter().map(|made| made.status).collect(),
    };
    drop(desk);
    Ok(Submission::new(batch, status))
}

/// Finds what was submitted, and submits nothing.
pub(super) async fn submitted(batch: Batch) -> Result<Submission> {
    let service = service_of(&batch)?;
    let until = until(&batch);
    let mut desk = OpenBatch::open(&batch, &until).await?;
    let found = until.hold(desk.look(&service)).await;
    let found = found.map_err(StopReason::error)??;
    let status = Status {
        questions: desk.ids.len(),
        from_journal: desk.answered(),
        batches: found.into_iter().map(|(_, made)| made.status).collect(),
    };
    let path = desk.ledger.path().display().to_string();
    drop(desk);
    if status.batches.is_empty() && status.from_journal < status.questions {
        return Err(Error::new(
            ErrorKind::Journal,
            format!("{path} knows of no batch under way with these prompts"),
        )
        .with_hint(".submit() makes one, if prompts and parameters are as they should be"));
    }
    Ok(Submission::new(batch, status))
}

fn limits(service: &Service) -> Limits {
    Limits {
        lines: match service.client().protocol() {
            Protocol::AzureDated | Protocol::AzureV1 => 100_000,
            Protocol::OpenAi => 50_000,
        },
        bytes: LARGEST_FILE,
    }
}

/// The name and the line of a question.
fn line(
    batch: &Batch,
    question: &Question,
    id: &str,
    records: &AnswerCache,
    service: &Service,
) -> Result<(String, Vec<u8>)> {
    let request = batch.request(question.prompt, question.sample);
    records.record_request(id, &request);
    let mut line = records.request_line(id, &request);
    line.url = service.line_url().into();
    Ok((id.to_owned(), format::write(&line)?))
}

/// A batch of these rows. At each step the ledger knows what may be there.
async fn hand_over(ledger: &mut Ledger, service: &Service, parcel: UploadChunk) -> Result<Made> {
    let file = service.upload(parcel.form).await?;
    let host = service.client().host();
    ledger.making(&file, parcel.rows, host, service.deployment())?;
    match service.make(&file).await? {
        Ok(made) => {
            ledger.made(&file, &made.status.id)?;
            Ok(made)
        }
        Err(error) => {
            give_up(ledger, &file, service).await?;
            Err(error)
        }
    }
}
