//! Runs a batch of complete requests that fits into memory.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Batch;
use super::answers::{Answer, Answers};
use super::batch_request::BatchRequest;
use super::row::Row;
use super::stream::{Requests, Unread};
use crate::error::Result;
use crate::runtime;

impl Batch<Requests> {
    /// Sends all requests, and returns their answers in the order of the requests. The prompt of an answer is
    /// the text of its request's last message, and [`custom_id`](Answer::custom_id) the request's name. The
    /// requests and answers are held in memory: [`for_each`](Self::for_each) passes on millions one by one.
    ///
    /// ```
    /// # let client = evenhand::Client::builder()
    /// #     .endpoint("http://127.0.0.1:9").api_key("key").deployment("any").max_retries(0).build()?;
    /// use evenhand::ChatRequest;
    ///
    /// let request = ChatRequest::from("Describe a nurse.").system("Be brief.");
    /// let answers = client.batch_requests([("nurse", request)]).run()?;
    /// assert_eq!(answers.rows()[0].prompt, "Describe a nurse.");
    /// assert_eq!(answers.rows()[0].custom_id, "nurse");
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`for_each`](Self::for_each).
    pub fn run(&self) -> Result<Answers> {
        runtime::wait(self.run_async())
    }

    /// Async version of [`run`](Self::run).
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_async(&self) -> impl Future<Output = Result<Answers>> + Send + 'static {
        let batch = self.clone();
        async move {
            let prompts: Arc<Mutex<Vec<String>>> = Arc::default();
            let mut rows: Vec<Row> = Vec::new();
            let requests = recorded(batch.asked.take_rows()?, Arc::clone(&prompts));
            let batch = Batch {
                asked: Requests::new(Box::new(requests)),
                ..batch
            };
            let totals = batch
                .for_each_async(|row| {
                    rows.push(row);
                    Ok(())
                })
                .await?;
            let prompts = std::mem::take(&mut *lock(&prompts));
            let answers = rows.into_iter().zip(prompts).map(answer).collect();
            Ok(Answers::new(answers, totals.wall_time, None).noting(totals.notes))
        }
    }
}

/// The requests, whose prompts are kept as they are read.
fn recorded(
    requests: Unread,
    prompts: Arc<Mutex<Vec<String>>>,
) -> impl Iterator<Item = BatchRequest> + Send {
    requests.inspect(move |request| {
        let last = request
            .request
            .as_ref()
            .ok()
            .and_then(|it| it.messages.last());
        let prompt = last.map(|message| message.content.clone());
        lock(&prompts).push(prompt.unwrap_or_default());
    })
}

fn answer((row, prompt): (Row, String)) -> Answer {
    Answer {
        id: row.id,
        custom_id: row.custom_id,
        prompt,
        sample: 0,
        outcome: row.outcome,
        stats: row.stats,
        source: row.source,
    }
}

fn lock(prompts: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    prompts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::loopback::{Loopback, Reply, last_message};
    use crate::{ChatRequest, Client};

    #[test]
    fn requests_give_answers_and_frames_in_their_order() {
        let server = Loopback::serve(|request| {
            let body = request.json();
            match last_message(&body).as_str() {
                "fails" => Reply::json(400, json!({"error": {"message": "no"}})),
                prompt => Reply::text(&format!("to {prompt}")),
            }
        });
        let client = Client::builder().endpoint(server.url()).api_key("key");
        let client = client.deployment("any").max_retries(0).build().unwrap();
        let requests = ["a", "fails", "b"].map(|prompt| {
            (
                format!("name {prompt}"),
                ChatRequest::from(prompt).system("Be brief."),
            )
        });
        let batch = client.batch_requests(requests);
        let answers = batch.run().unwrap();
        let told: Vec<_> = answers
            .rows()
            .iter()
            .map(|row| {
                (
                    row.id,
                    row.custom_id.as_str(),
                    row.prompt.as_str(),
                    row.text(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (0, "name a", "a", Some("to a")),
                (1, "name fails", "fails", None),
                (2, "name b", "b", Some("to b")),
            ]
        );
        assert_eq!(answers.totals().failed, 1);
        #[cfg(feature = "notebook")]
        {
            let frame = answers.full_frame().unwrap();
            let names = frame.column("custom_id").unwrap().str().unwrap();
            assert_eq!(names.get(2), Some("name b"));
        }
        assert!(
            batch
                .run()
                .unwrap_err()
                .message()
                .contains("were read by an earlier")
        );
    }
}
