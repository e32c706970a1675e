//! What a batch would cost, before it is run.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::budget::money;
use super::cache::{self, AnswerCache};
use super::engine_config::engine_config;
use super::occurrences::Occurrences;
use super::options::JournalChoice;
use super::plan::Plan;
use super::rate_limit::{Cost, RateLimiter};
use super::run::{check, ids};
use super::stop_condition::{StopCondition, StopReason};
use super::stream::Requests;
use super::totals::Price;
use super::{Batch, Prompts, options};
use crate::error::Result;
use crate::openai::{ChatRequest, Client};
use crate::runtime;
use crate::text::{counted, grouped};

/// What a batch would send and cost. Nothing is sent for it. Its `Display` is one line.
///
/// Prompts are counted as for the quota: four bytes per token, or more tokens if the deployment's
/// answers have shown so. Answers are counted with the longest length that the requests allow,
/// including the thinking allowance of a deployment that is known to think. Retries are not
/// included.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Estimate {
    /// The number of rows.
    pub rows: usize,
    /// Rows that the journal answers.
    pub from_journal: usize,
    /// Rows that share the answer of an identical row, at temperature 0.
    pub shared: usize,
    /// Rows whose request is invalid, so that it is not sent.
    pub invalid: usize,
    /// Requests to send.
    pub requests: u64,
    /// Tokens of the prompts.
    pub prompt_tokens: u64,
    /// Tokens of the longest possible answers, of the requests that limit them.
    pub completion_tokens: u64,
    /// Requests that don't limit their answers: these are not in `completion_tokens` and `cost`.
    pub unlimited: u64,
    /// Tokens that the quota is charged.
    pub charged_tokens: u64,
    /// The time that the requests have to wait for the quota; `None` if the quota is not known. The
    /// time of the answers themselves is not included.
    #[serde(rename = "quota_seconds", serialize_with = "seconds")]
    pub quota_time: Option<Duration>,
    /// The highest cost, in the currency of the price.
    pub cost: f64,
}

fn seconds<S: serde::Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", counted(self.requests, "request"))?;
        let of_rows = [
            (self.from_journal, "in the journal"),
            (self.shared, "shared"),
            (self.invalid, "invalid"),
        ];
        let of_rows = of_rows.into_iter().filter(|(count, _)| *count > 0);
        let of_rows: Vec<_> = of_rows
            .map(|(count, what)| format!("{} {what}", grouped(count as u64)))
            .collect();
        if !of_rows.is_empty() {
            let rows = counted(self.rows as u64, "row");
            write!(f, " ({rows}, {})", of_rows.join(", "))?;
        }
        let (prompts, answers) = (self.prompt_tokens, self.completion_tokens);
        write!(
            f,
            ", {} of prompts and at most {} of answers",
            counted(prompts, "token"),
            grouped(answers)
        )?;
        match self.quota_time.map(|time| time.as_secs().div_ceil(60)) {
            None => f.write_str(", the quota is not known yet")?,
            Some(0) => f.write_str(", no wait for the quota")?,
            Some(minutes) => write!(
                f,
                ", about {} of waiting for the quota",
                counted(minutes, "minute")
            )?,
        }
        write!(f, ", at most {}", money(self.cost))?;
        if self.unlimited > 0 {
            let unlimited = counted(self.unlimited, "request");
            write!(
                f,
                " without the answers of {unlimited} that set no `max_tokens`"
            )?;
        }
        Ok(())
    }
}

impl Batch<Prompts> {
    /// What the batch would cost at this price. Nothing is sent, and rows that the journal answers
    /// cost nothing.
    ///
    /// ```
    /// # use evenhand::prelude::*;
    /// # let client = Client::builder()
    /// #     .endpoint("https://contoso.openai.azure.com").api_key("key").deployment("gpt").build()?;
    /// let batch = client.batch(["Describe a nurse."]).samples(10).max_tokens(100);
    /// let estimate = batch.estimate(Price::per_million().input(0.15).output(0.60))?;
    /// assert_eq!((estimate.requests, estimate.completion_tokens), (10, 1_000));
    /// # Ok::<(), evenhand::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`run`](Self::run) that are found before anything is sent; a price that is
    /// missing, negative or not a number.
    pub fn estimate(&self, price: Price) -> Result<Estimate> {
        runtime::wait(self.estimate_async(price))
    }

    /// Async version of [`estimate`](Self::estimate).
    ///
    /// # Errors
    /// As [`estimate`](Self::estimate).
    pub fn estimate_async(
        &self,
        price: Price,
    ) -> impl Future<Output = Result<Estimate>> + Send + use<> {
        runtime::run(estimate_prompts(self.clone(), price))
    }
}

// Separate from those of prompts on purpose: they differ in what they document.
impl Batch<Requests> {
    /// What the batch would cost at this price. All requests are read for it, so the batch can't be
    /// run afterwards: create it again.
    ///
    /// # Errors
    /// As for a batch of prompts; requests that were read before.
    pub fn estimate(&self, price: Price) -> Result<Estimate> {
        runtime::wait(self.estimate_async(price))
    }

    /// Async version of [`estimate`](Self::estimate).
    ///
    /// # Errors
    /// As [`estimate`](Self::estimate).
    pub fn estimate_async(
        &self,
        price: Price,
    ) -> impl Future<Output = Result<Estimate>> + Send + use<> {
        runtime::run(estimate_requests(self.clone(), price))
    }
}

async fn estimate_prompts(batch: Batch<Prompts>, price: Price) -> Result<Estimate> {
    check(&batch)?;
    let per_token = price.per_token()?;
    let cache = existing_journal(&batch).await?;
    let plan = Plan::new(&batch.asked.texts, &batch.sampling());
    let kept: Vec<bool> = match &cache {
        Some(cache) => ids(&batch, &plan, cache)
            .map(|id| cache.answer(&id).is_some())
            .collect(),
        None => vec![false; plan.questions.len()],
    };
    let mut sum = Sum::new(&batch)?;
    for (question, _) in plan.questions.iter().zip(&kept).filter(|(_, kept)| !**kept) {
        sum.add(&batch.request(question.prompt, question.sample));
    }
    let from_journal = plan
        .rows
        .iter()
        .filter(|row| kept.get(row.question) == Some(&true));
    sum.estimate.from_journal = from_journal.count();
    sum.estimate.rows = plan.rows.len();
    let sent = sum.estimate.requests as usize + sum.estimate.invalid;
    sum.estimate.shared = plan.rows.len() - sum.estimate.from_journal - sent;
    Ok(sum.finish(per_token))
}

async fn estimate_requests(batch: Batch<Requests>, price: Price) -> Result<Estimate> {
    options::check(&batch.options)?;
    let per_token = price.per_token()?;
    let cache = existing_journal(&batch).await?;
    let mut sum = Sum::new(&batch)?;
    let requests = batch.asked.take_rows()?;
    let common = batch.common;
    // Reading may block.
    let reading = tokio::task::spawn_blocking(move || {
        let mut unnamed = Occurrences::default();
        for one in requests {
            sum.estimate.rows += 1;
            let Ok(request) = one.request.map(|request| request.or(&common)) else {
                sum.estimate.invalid += 1;
                continue;
            };
            let kept = cache.as_ref().and_then(|cache| {
                let id = unnamed.id(cache, &request, &one.custom_id);
                cache.answer(&id)
            });
            match kept {
                Some(_) => sum.estimate.from_journal += 1,
                None => sum.add(&request),
            }
        }
        sum.finish(per_token)
    });
    reading.await.map_err(|_| StopReason::Stopped.error())
}

/// The batch's journal, if there is one whose answers count.
async fn existing_journal<A>(batch: &Batch<A>) -> Result<Option<Arc<AnswerCache>>> {
    let options = &batch.options;
    let is_missing = matches!(&options.journal, JournalChoice::File(path) if !path.exists());
    if is_missing || options.fresh {
        return Ok(None);
    }
    let until = StopCondition::new(options, Instant::now());
    cache::open(&batch.client, options, batch.parameters(), &until).await
}

/// Adds up requests that would be sent.
struct Sum {
    client: Client,
    rate_limiter: Arc<RateLimiter>,
    thinking_allowance: Option<u32>,
    estimate: Estimate,
}

impl Sum {
    fn new<A>(batch: &Batch<A>) -> Result<Self> {
        let config = engine_config(batch, None)?;
        Ok(Self {
            client: config.client,
            rate_limiter: config.rate_limiter,
            thinking_allowance: config.thinking_allowance,
            estimate: Estimate::default(),
        })
    }

    fn add(&mut self, request: &ChatRequest) {
        let sent = request
            .check()
            .and_then(|()| self.client.translate(request, self.thinking_allowance));
        let Ok(sent) = sent else {
            self.estimate.invalid += 1;
            return;
        };
        let expected = self.rate_limiter.expected(Cost::from(&sent));
        let estimate = &mut self.estimate;
        estimate.requests += 1;
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut estimate.prompt_tokens, expected.prompt);
        add(&mut estimate.charged_tokens, expected.charged);
        match expected.longest_answers {
            Some(tokens) => add(&mut estimate.completion_tokens, tokens),
            None => estimate.unlimited += 1,
        }
    }

    fn finish(self, per_token: [f64; 2]) -> Estimate {
        let mut estimate = self.estimate;
        let per_minute = self.rate_limiter.per_minute();
        estimate.quota_time = waiting(&estimate, per_minute);
        estimate.price(per_token);
        estimate
    }
}

impl Estimate {
    fn price(&mut self, [input, output]: [f64; 2]) {
        self.cost = self.prompt_tokens as f64 * input + self.completion_tokens as f64 * output;
    }

    /// Adds a second round, in which each answer is sent back once, with an instruction of this many
    /// tokens, and answered in the same length.
    ///
    /// # Errors
    /// An invalid price.
    pub(crate) fn with_second_round(mut self, instruction: u64, price: Price) -> Result<Self> {
        let more = self.requests.saturating_mul(instruction);
        let again = self.prompt_tokens + self.completion_tokens + more;
        self.requests *= 2;
        self.rows *= 2;
        self.unlimited *= 2;
        self.prompt_tokens += again;
        self.charged_tokens += again + self.completion_tokens;
        self.completion_tokens *= 2;
        self.quota_time = self.quota_time.map(|time| time * 2);
        self.price(price.per_token()?);
        Ok(self)
    }
}

/// How long the last request waits. The first minute's allowance is spent at once, and each further
/// minute allows as much again.
fn waiting(estimate: &Estimate, per_minute: [Option<u64>; 2]) -> Option<Duration> {
    let [tokens, requests] = per_minute;
    let minutes = |needed: u64, limit: Option<u64>| Some(needed.div_ceil(limit?.max(1)));
    let needed = [
        minutes(estimate.charged_tokens, tokens),
        minutes(estimate.requests, requests),
    ];
    let minutes = needed.into_iter().flatten().max()?;
    Some(Duration::from_secs(
        minutes.saturating_sub(1).saturating_mul(60),
    ))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;
    use crate::batch::{BatchRequest, Quota};
    use crate::loopback::{Loopback, Reply, last_message};

    const HOUR: [u64; 2] = [1_000, 6];

    fn price() -> Price {
        Price::per_million().input(1.0).output(2.0)
    }

    fn client(url: &str, deployment: &str) -> Client {
        let builder = Client::builder().endpoint(url).api_key("key");
        builder
            .deployment(deployment)
            .max_retries(0)
            .build()
            .unwrap()
    }

    fn service() -> Loopback {
        Loopback::serve(|request| {
            let text = format!("Yes: {}", last_message(&request.json()));
            Reply::json(
                200,
                json!({"model": "m", "choices": [{"finish_reason": "stop",
                    "message": {"role": "assistant", "content": text}}],
                    "usage": {"prompt_tokens": 5, "completion_tokens": 10, "total_tokens": 15}}),
            )
        })
    }

    #[test]
    fn the_wait_is_that_of_the_scarcer_limit() {
        let estimate = |charged_tokens, requests| Estimate {
            charged_tokens,
            requests,
            ..Estimate::default()
        };
        let seconds = |estimate: &Estimate| waiting(estimate, HOUR.map(Some)).unwrap().as_secs();
        assert_eq!(seconds(&estimate(1_000, 6)), 0);
        assert_eq!(seconds(&estimate(1_001, 6)), 60);
        assert_eq!(seconds(&estimate(10, 13)), 120);
        assert_eq!(waiting(&estimate(10, 13), [None, None]), None);
    }

    #[test]
    fn what_the_journal_has_costs_nothing() {
        let service = service();
        let folder = tempfile::tempdir().unwrap();
        let client = client(&service.url(), "estimated");
        let batch = client
            .batch(["12345678", "a", "b"])
            .samples(2)
            .max_tokens(100)
            .quota(Quota::tpm(1_000))
            .journal(folder.path().join("j.jsonl"));
        let before = batch.estimate(price()).unwrap();
        assert!(
            !folder.path().join("j.jsonl").exists(),
            "an estimate writes nothing"
        );
        assert_snapshot!(before, @"6 requests, 32 tokens of prompts and at most 600 of answers, no wait for the quota, at most 0.0012");
        client
            .batch(["12345678"])
            .max_tokens(100)
            .quota(Quota::unlimited())
            .journal(folder.path().join("j.jsonl"))
            .run()
            .unwrap();
        assert_snapshot!(batch.estimate(price()).unwrap(), @"5 requests (6 rows, 1 in the journal), 26 tokens of prompts and at most 500 of answers, no wait for the quota, at most 0.0010");
        assert_eq!(batch.fresh().estimate(price()).unwrap().requests, 6);
        assert_eq!(service.count(), 1);
    }

    #[test]
    fn equal_questions_are_counted_once_and_requests_are_read() {
        let client = client("http://127.0.0.1:9", "never-asked");
        let same = client.batch(["a", "a"]).temperature(0.0);
        assert_snapshot!(same.estimate(price()).unwrap(), @"1 request (2 rows, 1 shared), 5 tokens of prompts and at most 0 of answers, the quota is not known yet, at most 0.0000050 without the answers of 1 request that set no `max_tokens`");
        let requests = [json!({"prompt": "a"}), json!({"no": "request"})];
        let requests =
            requests.map(|line| BatchRequest::from_json(line.to_string().as_bytes(), "1"));
        let batch = client.batch_requests(requests).max_tokens(10);
        let estimate = batch.estimate(price()).unwrap();
        assert_eq!(
            (estimate.rows, estimate.requests, estimate.invalid),
            (2, 1, 1)
        );
        assert!(batch.estimate(price()).is_err(), "they were read");
    }

    #[test]
    fn a_budget_ends_a_batch_and_keeps_its_answers() {
        let service = service();
        let client = client(&service.url(), "budgeted");
        let batch = client
            .batch((0..20).map(|n| format!("p{n}")))
            .max_tokens(100)
            .concurrency(3)
            .quota(Quota::unlimited())
            .without_journal();
        // An answer costs 5 + 2 * 10, and up to 5 + 2 * 100 are set aside for it.
        let answers = batch.budget(300e-6, price()).run().unwrap();
        let totals = answers.totals();
        assert!((4..=11).contains(&totals.answered), "{totals}");
        assert!(totals.cost(price()).unwrap() <= 300e-6);
        assert_eq!(totals.cancelled, 20 - totals.answered);
        let error = answers.failed().next().unwrap().error().unwrap();
        assert!(
            error
                .message()
                .starts_with("not asked: of the budget of 0.00030, "),
            "{error}"
        );
        assert_eq!(
            batch.budget(1.0, price()).run().unwrap().totals().answered,
            20
        );

        let small = batch.budget(10e-6, price()).run().unwrap();
        assert!(
            small.rows()[0]
                .error()
                .unwrap()
                .message()
                .contains("more than the whole budget")
        );
        let unlimited = client.batch(["a"]).budget(1.0, price()).run().unwrap_err();
        assert!(
            unlimited.message().contains("no maximum cost"),
            "{unlimited}"
        );
        let free = client.batch(["a"]).max_tokens(5).budget(0.0, price()).run();
        assert_snapshot!(free.unwrap_err(), @"
        a budget of 0 pays for nothing
          hint: give the amount in the currency of the price, such as `.budget(5.0, price)`
        ");
    }
}
