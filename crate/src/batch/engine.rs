//! Sends requests with a bounded concurrency and returns each outcome as soon as it is there.
//!
//! A worker takes a question, looks it up in the journal, waits for the quota, sends the
//! request, retries where that may help, writes the outcome to the journal and returns it. The
//! engine knows neither prompts nor rows: its caller supplies the questions and puts the
//! outcomes in order.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::budget::{Decision, Spending};
use super::cache::AnswerCache;
use super::guard::{guarded, guarded_async};
use super::health::Health;
use super::outcome::{Interrupted, Outcome};
use super::rate_limit::{Cost, Permit, RateLimiter};
use super::request_stats::{AnswerSource, RequestStats};
use crate::error::{Error, Result};
use crate::openai::error_mapping::is_out_of_credit;
use crate::openai::profile::Attempt;
use crate::openai::profile::{HeldAnswer, Negotiation, NextStep};
use crate::openai::{ChatCompletion, ChatRequest, Client, Usage};
use crate::runtime;

/// How many times one row may be refused because of the quota. Each time, the whole batch waits
/// as long as the service asked, so this is enough even when other clients share the quota.
const REJECTIONS: u32 = 10;

/// After so many rejections, a row waits twice as long each time, up to this time.
const PROMPT_REJECTIONS: u32 = 3;
const MAX_REST: Duration = Duration::from_secs(60);

/// A wait for the quota that is shorter is not reported.
const MIN_WAIT: Duration = Duration::from_millis(5);

/// A request to send.
pub(crate) struct Question {
    /// Identifies the outcome.
    pub(crate) index: usize,
    /// The request, or why there is none to send.
    pub(crate) request: Result<ChatRequest>,
    /// Its ID in the journal, if there is a journal.
    pub(crate) id: Option<String>,
}

/// How the engine sends requests.
pub(crate) struct EngineConfig {
    pub(crate) client: Client,
    /// The deployment for requests that name none.
    pub(crate) deployment: Option<String>,
    pub(crate) rate_limiter: Arc<RateLimiter>,
    /// No quota applies.
    pub(crate) unlimited: bool,
    pub(crate) concurrency: usize,
    /// How many times a request that failed for a transient reason is sent again. Rejections
    /// because of the quota are counted separately.
    pub(crate) retries: u32,
    /// The reasoning tokens allowed in addition to `max_tokens`, if the user set them.
    pub(crate) thinking_allowance: Option<u32>,
    /// Keeps to the budget, if there is one.
    pub(crate) spending: Arc<Spending>,
    /// Stores the outcomes, if there is a journal.
    pub(crate) cache: Option<Arc<AnswerCache>>,
    /// Send requests again even if the journal has their answers.
    pub(crate) fresh: bool,
}

/// The running workers. Dropping it aborts them.
pub(crate) struct Engine {
    shared: Arc<Shared>,
    outcomes: mpsc::Receiver<Outcome>,
    workers: JoinSet<()>,
}

struct Shared {
    config: EngineConfig,
    questions: tokio::sync::Mutex<mpsc::Receiver<Question>>,
    closed: watch::Sender<bool>,
    health: Mutex<Health>,
    interrupted: Interrupted,
}

impl Engine {
    /// Starts the workers. The engine ends on its own when the sender of the questions has been
    /// dropped and every question has an outcome.
    pub(crate) fn start(config: EngineConfig, questions: mpsc::Receiver<Question>) -> Self {
        let workers_wanted = config.concurrency;
        let (sender, outcomes) = mpsc::channel(workers_wanted.max(64));
        let shared = Arc::new(Shared {
            config,
            questions: tokio::sync::Mutex::new(questions),
            closed: watch::Sender::new(false),
            health: Mutex::new(Health::new()),
            interrupted: Interrupted::default(),
        });
        let mut workers = JoinSet::new();
        for _ in 0..workers_wanted {
            let worker = work(Arc::clone(&shared), sender.clone());
            runtime::spawn_into(&mut workers, worker);
        }
        Self {
            shared,
            outcomes,
            workers,
        }
    }

    /// The next outcome, in the order of completion. `None` after the last one.
    pub(crate) async fn next(&mut self) -> Option<Outcome> {
        self.outcomes.recv().await
    }

    /// Sends no further requests. Outcomes of requests in flight may still arrive.
    pub(crate) fn close(&self) {
        self.shared.close();
    }

    /// Also aborts the requests in flight. Outcomes that have arrived can still be taken.
    pub(crate) fn abort(&mut self) {
        self.close();
        self.workers.abort_all();
    }

    /// The questions for which requests were sent and that have no outcome, each with this reason.
    /// To be called after the last outcome.
    pub(crate) fn take_interrupted(&self, reason: &Error) -> Vec<Outcome> {
        self.shared.interrupted.drain_unanswered(reason)
    }

    /// Why the remaining questions were not sent, if none of them could have been answered.
    pub(crate) fn fatal_error(&self) -> Option<Error> {
        self.shared.health().fatal_error().cloned()
    }
}

async fn work(shared: Arc<Shared>, outcomes: mpsc::Sender<Outcome>) {
    let mut closed = shared.closed.subscribe();
    while let Some(question) = shared.next(&mut closed).await {
        let index = question.index;
        let settled = guarded_async(pin!(shared.settle(question))).await;
        let outcome =
            settled.unwrap_or_else(|panicked| Some(Outcome::unasked(index, &panicked.error())));
        let Some(outcome) = outcome else {
            return;
        };
        if outcomes.send(outcome).await.is_err() {
            return;
        }
    }
}

impl Shared {
    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    fn close(&self) {
        self.closed.send_replace(true);
    }

    /// The next question, or `None` once the engine is closed. The two are awaited together
    /// because the caller may take long to supply a question.
    async fn next(&self, closed: &mut watch::Receiver<bool>) -> Option<Question> {
        let mut closed = pin!(closed.wait_for(|closed| *closed));
        let mut next = pin!(async { self.questions.lock().await.recv().await });
        poll_fn(|context| match closed.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => next.as_mut().poll(context),
        })
        .await
    }

    /// The outcome of a question. `None` if the engine was closed before it was sent.
    async fn settle(&self, question: Question) -> Option<Outcome> {
        let Question { index, request, id } = question;
        let request = match request {
            Ok(request) => request,
            Err(error) => return Some(Outcome::unasked(index, &error)),
        };
        let kept = self.config.cache.as_deref().zip(id.as_ref());
        let earlier = kept.filter(|_| !self.config.fresh);
        let earlier = earlier.and_then(|(cache, id)| cache.answer_so_far(id));
        let from_journal = |(completion, stats)| Outcome {
            index,
            outcome: Ok(completion),
            stats,
            source: AnswerSource::Journal,
        };
        let half = match earlier {
            Some((completion, stats)) if !stats.is_provisional => {
                return Some(from_journal((completion, stats)));
            }
            half => half,
        };
        let outcome = self.ask_row(index, &request, kept, half.is_some()).await;
        match half {
            Some(half) if outcome.as_ref().is_none_or(|it| it.outcome.is_err()) => {
                Some(from_journal(half))
            }
            _ => outcome,
        }
    }

    /// Sends a question, and keeps its outcome: an error only if there is no answer yet. `None` if the engine
    /// was closed before it was sent.
    async fn ask_row(
        &self,
        index: usize,
        request: &ChatRequest,
        kept: Option<(&AnswerCache, &String)>,
        has_half: bool,
    ) -> Option<Outcome> {
        let mut asking = self.interrupted.begin(index);
        let stats = &mut asking.stats;
        let outcome = match self.begin(request) {
            Err(error) => Err(error),
            Ok((rate_limiter, mut negotiation)) => {
                let mut outcome = self
                    .exchange(request, kept, &rate_limiter, &mut negotiation, stats)
                    .await;
                if outcome.is_none() && negotiation.holds_an_answer() {
                    let again =
                        self.exchange(request, kept, &rate_limiter, &mut negotiation, stats);
                    outcome = self.until_closed(Box::pin(again)).await;
                }
                held_or(outcome, &mut negotiation, stats)?
            }
        };
        let stats = asking.settle();
        // A paid answer must be kept even if this step panics.
        let _ = guarded(|| self.learn(request, &outcome));
        if let Some((cache, id)) = kept.filter(|_| outcome.is_ok() || !has_half) {
            let deployment = cache.deployment(request);
            let _ = guarded(|| cache.record_outcome(id, deployment, &outcome, &stats));
        }
        let source = match stats.attempts {
            0 => AnswerSource::NotAsked,
            _ => AnswerSource::Service,
        };
        Some(Outcome {
            index,
            outcome,
            stats,
            source,
        })
    }

    /// Sends the request until it has its outcome. `None` if the engine was closed before, and when
    /// there is an answer for the first time that another request may improve.
    async fn exchange(
        &self,
        request: &ChatRequest,
        kept: Option<(&AnswerCache, &String)>,
        rate_limiter: &Arc<RateLimiter>,
        negotiation: &mut Negotiation<'_>,
        stats: &mut RequestStats,
    ) -> Option<Result<ChatCompletion>> {
        let started = Instant::now();
        let spending = &self.config.spending;
        let held_an_answer = negotiation.holds_an_answer();
        // In an exchange of the same row before this one.
        let spent = stats.waited + stats.latency;
        let mut retries = 0;
        loop {
            self.config.client.prepare_to_send().await;
            let prepared = negotiation.prepare().await;
            let money = match spending.reserve(rate_limiter, &prepared.request).await {
                Ok(Decision::Go(money)) => money,
                Ok(Decision::Over) => {
                    self.close();
                    return None;
                }
                Err(error) => return Some(Err(error)),
            };
            let asked = Instant::now();
            let cost = Cost::from(prepared.request.as_ref());
            let permit = match rate_limiter.admit(cost).await {
                Ok(permit) => permit,
                Err(error) => {
                    let excess = rate_limiter.excess(cost);
                    if excess.is_some_and(|excess| negotiation.fit(&prepared, excess)) {
                        continue;
                    }
                    return Some(Err(prepared.hinted(request, error)));
                }
            };
            tell_of_wait(asked.elapsed());
            if self.is_closed() {
                return None;
            }
            // The profile may have changed while this request waited.
            if !negotiation.is_current(&prepared) {
                continue;
            }
            if let Some(error) = self.health().refusal_of(request) {
                return Some(Err(error));
            }
            if let Some((cache, id)) = kept.filter(|_| stats.attempts == 0) {
                cache.record_request(id, request);
            }
            let sent = Instant::now();
            let sent_at = SystemTime::now();
            let mut attempt = self.config.client.attempt(&prepared).await;
            if attempt.is_sent {
                stats.asked_at.get_or_insert(sent_at);
                stats.attempts = stats.attempts.saturating_add(1);
                stats.latency = sent.elapsed();
            }
            stats.waited = (spent + started.elapsed()).saturating_sub(stats.latency);
            let answered = attempt.outcome.as_ref().ok().map(|answer| answer.usage);
            money.settle(answered.flatten(), attempt.outcome.as_ref().err());
            let next_step = negotiation.judge(&prepared, &mut attempt);
            if let Err(error) = attempt.outcome.as_ref()
                && negotiation.refuses_settings()
            {
                self.health().record_refused_settings(request, error);
            }
            self.keep_profile(negotiation);
            let wait = report(permit, &attempt, answered);
            if let NextStep::Again(usage) = next_step {
                stats.discard(usage);
                if negotiation.holds_an_answer() && !held_an_answer {
                    return None;
                }
                continue;
            }
            let error = match attempt.outcome {
                Ok(completion) => {
                    let completion = completion.after_attempts(stats.attempts, attempt.limits);
                    return Some(Ok(completion));
                }
                Err(error) => error,
            };
            stats.discard(answered.flatten().unwrap_or_default());
            let again = attempt.retry.again;
            if error.is_rate_limit() {
                stats.rate_limited += 1;
                tracing::debug!(
                    rate_limited = stats.rate_limited,
                    retry_after_ms = error.retry_after().map(|wait| wait.as_millis() as u64),
                    "a request was refused because of the quota"
                );
                if !again || stats.rate_limited > REJECTIONS || self.is_time_to_give_up(&error) {
                    return Some(Err(error));
                }
                rate_limiter.rest(prolonged(wait, stats.rate_limited)).await;
            } else {
                if !again || retries >= self.config.retries {
                    return Some(Err(error));
                }
                attempt.retry.pause(retries, &error).await;
                retries += 1;
            }
        }
    }

    /// Does the work unless the engine is closed first: `None`.
    async fn until_closed<T>(
        &self,
        mut work: Pin<Box<impl Future<Output = Option<T>>>>,
    ) -> Option<T> {
        let mut closed = self.closed.subscribe();
        let mut closed = pin!(closed.wait_for(|closed| *closed));
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Pending => closed.as_mut().poll(context).map(|_| None),
            done => done,
        })
        .await
    }

    /// The rate limiter of a request, and the negotiation of its parameters.
    fn begin<'a>(
        &'a self,
        request: &'a ChatRequest,
    ) -> Result<(Arc<RateLimiter>, Negotiation<'a>)> {
        let EngineConfig {
            client,
            thinking_allowance,
            unlimited,
            ..
        } = &self.config;
        let negotiation = client.negotiate(request, *thinking_allowance, *unlimited)?;
        Ok((self.rate_limiter(request)?, negotiation))
    }

    /// Stores what a request has found out about the batch's deployment.
    fn keep_profile(&self, negotiation: &Negotiation<'_>) {
        let Some(cache) = self.config.cache.as_ref() else {
            return;
        };
        let shared = negotiation.shared();
        let is_ours = self.config.deployment.as_deref() == Some(shared.deployment());
        if negotiation.has_learned() && is_ours {
            let _ = guarded(|| cache.keep_profile(shared));
        }
    }

    /// The rate limiter for the request's deployment: each deployment has its own quota. The
    /// batch's quota applies to the batch's deployment; that of any other deployment is learned
    /// from the response headers.
    fn rate_limiter(&self, request: &ChatRequest) -> Result<Arc<RateLimiter>> {
        match request.model.as_deref() {
            Some(deployment) if self.names_its_own(request) && !self.config.unlimited => {
                RateLimiter::for_deployment(self.config.client.host(), deployment, None, true)
            }
            _ => Ok(Arc::clone(&self.config.rate_limiter)),
        }
    }

    fn names_its_own(&self, request: &ChatRequest) -> bool {
        request.model.is_some() && request.model != self.config.deployment
    }

    /// Closes the engine if the service has refused everything for too long, and returns
    /// whether it has.
    fn is_time_to_give_up(&self, error: &Error) -> bool {
        let is_over = self.health().is_time_to_give_up(error);
        if is_over {
            self.close();
        }
        is_over
    }

    fn learn(&self, request: &ChatRequest, outcome: &Result<ChatCompletion>) {
        let mut health = self.health();
        if outcome.is_ok() {
            health.record_accepted_settings(request);
        }
        if health.learn(outcome, self.names_its_own(request)) {
            self.close();
        }
    }
}

/// How long a row waits that was refused so many times. Where others are answered in the meantime, a
/// service that asks for a short wait each time would use up the attempts of a few rows.
fn prolonged(wait: Duration, refused: u32) -> Duration {
    let doublings = refused.saturating_sub(PROMPT_REJECTIONS).min(6);
    wait.saturating_mul(1 << doublings).min(wait.max(MAX_REST))
}

/// The outcome of an exchange, or in place of an error the answer that was there before it.
fn held_or(
    outcome: Option<Result<ChatCompletion>>,
    negotiation: &mut Negotiation<'_>,
    stats: &mut RequestStats,
) -> Option<Result<ChatCompletion>> {
    if let Some(Ok(_)) = outcome {
        return outcome;
    }
    let error = outcome.as_ref().and_then(|outcome| outcome.as_ref().err());
    match negotiation.take_held_answer(error) {
        Some(HeldAnswer { answer, is_cut }) => {
            stats.is_provisional = is_cut;
            stats.reclaim(answer.usage.unwrap_or_default());
            let limits = answer.rate_limits().clone();
            Some(Ok(answer.after_attempts(stats.attempts, limits)))
        }
        None => outcome,
    }
}

/// Reports the outcome of a request to the rate limiter. Returns how long a refused one should rest.
fn report(permit: Permit, attempt: &Attempt, answered: Option<Option<Usage>>) -> Duration {
    let limits = &attempt.limits;
    let is_over_quota = |error: &Error| error.is_rate_limit() && !is_out_of_credit(error);
    let is_over_quota = attempt.outcome.as_ref().is_err_and(is_over_quota);
    let wait = guarded(|| match answered {
        Some(usage) => {
            permit.answered(limits, usage.as_ref());
            Duration::ZERO
        }
        None if is_over_quota => permit.refused(limits),
        None => {
            permit.failed(limits);
            Duration::ZERO
        }
    });
    wait.unwrap_or_default()
}

fn tell_of_wait(time: Duration) {
    if time >= MIN_WAIT {
        tracing::debug!(
            wait_ms = time.as_millis() as u64,
            "a request waited for the quota"
        );
    }
}
