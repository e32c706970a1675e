//! Asks questions, so many at once, and sends back what came of each as soon as it has.
//!
//! A worker takes a question, looks into the journal, waits for the quota, asks, asks again
//! where that may help, writes the outcome into the journal, and sends it on. The engine
//! knows neither prompts nor rows: who asks gives it questions, and puts the outcomes in order.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::answers::{RequestStats, Source};
use super::cache::AnswerCache;
use super::guard::{guarded, guarded_async};
use super::rate_limit::{Cost, RateLimiter};
use crate::error::{Error, ErrorKind, Result};
use crate::openai::{ChatCompletion, ChatRequest, Client};

/// How often one row may be refused for the quota's sake. Each time the whole batch waits as
/// long as the service said, so this is patience enough for a quota that others share.
const REFUSALS: u32 = 10;

/// How long the service may refuse everything before the batch gives up on what is left.
const PATIENCE: Duration = Duration::from_secs(600);

/// Something to ask.
pub(crate) struct Question {
    /// What the outcome is sent back under.
    pub(crate) index: usize,
    /// What is sent, or why there is nothing to send.
    pub(crate) request: Result<ChatRequest>,
    /// Its name in the journal, where there is one.
    pub(crate) id: Option<String>,
}

/// What came of a question.
pub(crate) struct Outcome {
    pub(crate) index: usize,
    pub(crate) outcome: Result<ChatCompletion>,
    pub(crate) effort: RequestStats,
    pub(crate) source: Source,
}

impl Outcome {
    /// What comes of a question that was not sent.
    pub(crate) fn unasked(index: usize, reason: &Error) -> Self {
        Self {
            index,
            outcome: Err(reason.clone()),
            effort: RequestStats::default(),
            source: Source::Service,
        }
    }
}

/// On what terms questions are asked.
pub(crate) struct EngineConfig {
    pub(crate) client: Client,
    /// Who answers requests that name no deployment of their own.
    pub(crate) deployment: Option<String>,
    pub(crate) pacer: Arc<RateLimiter>,
    /// Nothing keeps to a quota.
    pub(crate) unlimited: bool,
    pub(crate) concurrency: usize,
    /// How often a request that failed in passing is sent again; refusals for the quota's
    /// sake are counted apart.
    pub(crate) retries: u32,
    /// What keeps the outcomes, if anything does.
    pub(crate) cache: Option<Arc<AnswerCache>>,
    /// Ask anew what the journal has.
    pub(crate) fresh: bool,
}

/// Workers at work. Dropping it ends them.
pub(crate) struct Engine {
    shared: Arc<Shared>,
    settled: mpsc::Receiver<Outcome>,
    workers: JoinSet<()>,
}

struct Shared {
    terms: EngineConfig,
    questions: tokio::sync::Mutex<mpsc::Receiver<Question>>,
    closed: watch::Sender<bool>,
    luck: Mutex<Health>,
}

/// What the outcomes so far say about those to come.
struct Health {
    answered: bool,
    last_answer: Instant,
    /// Why no further question would be answered.
    hopeless: Option<Error>,
}

impl Engine {
    /// Sets workers on the questions. It ends by itself when the sender of the questions is
    /// dropped and all are settled.
    pub(crate) fn start(terms: EngineConfig, questions: mpsc::Receiver<Question>) -> Self {
        let workers_wanted = terms.concurrency;
        let (sender, settled) = mpsc::channel(workers_wanted.max(64));
        let shared = Arc::new(Shared {
            terms,
            questions: tokio::sync::Mutex::new(questions),
            closed: watch::Sender::new(false),
            luck: Mutex::new(Health {
                answered: false,
                last_answer: Instant::now(),
                hopeless: None,
            }),
        });
        let mut workers = JoinSet::new();
        for _ in 0..workers_wanted {
            workers.spawn(work(Arc::clone(&shared), sender.clone()));
        }
        Self {
            shared,
            settled,
            workers,
        }
    }

    /// The next outcome, in the order in which they come. `None` when all are there.
    pub(crate) async fn next(&mut self) -> Option<Outcome> {
        self.settled.recv().await
    }

    /// Sends nothing new. What is under way may still come.
    pub(crate) fn close(&self) {
        self.shared.close();
    }

    /// Gives up what is under way, too. Outcomes that are there can still be taken.
    pub(crate) fn abort(&mut self) {
        self.close();
        self.workers.abort_all();
    }

    /// Why the questions that are left were not asked, if none could have been answered.
    pub(crate) fn fatal_error(&self) -> Option<Error> {
        self.shared.health().hopeless.clone()
    }
}

async fn work(shared: Arc<Shared>, settled: mpsc::Sender<Outcome>) {
    let mut closed = shared.closed.subscribe();
    while let Some(question) = shared.next(&mut closed).await {
        let index = question.index;
        let settling = guarded_async(shared.settle(question)).await;
        let outcome =
            settling.unwrap_or_else(|panicked| Some(Outcome::unasked(index, &panicked.error())));
        let Some(outcome) = outcome else {
            return;
        };
        if settled.send(outcome).await.is_err() {
            return;
        }
    }
}

impl Shared {
    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.luck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    fn close(&self) {
        self.closed.send_replace(true);
    }

    /// The next question, or none once the engine is closed: whoever asks may take long to
    /// think of it.
    async fn next(&self, closed: &mut watch::Receiver<bool>) -> Option<Question> {
        let mut closed = pin!(closed.wait_for(|closed| *closed));
        let mut next = pin!(async { self.questions.lock().await.recv().await });
        poll_fn(|context| match closed.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => next.as_mut().poll(context),
        })
        .await
    }

    /// What comes of a question. `None` when the engine was closed before it was sent.
    async fn settle(&self, question: Question) -> Option<Outcome> {
        let Question { index, request, id } = question;
        let request = match request {
            Ok(request) => request,
            Err(error) => return Some(Outcome::unasked(index, &error)),
        };
        let kept = self.terms.cache.as_deref().zip(id.as_ref());
        if let Some((records, id)) = kept.filter(|_| !self.terms.fresh)
            && let Some((completion, effort)) = records.answer(id)
        {
            return Some(Outcome {
                index,
                outcome: Ok(completion),
                effort,
                source: Source::Journal,
            });
        }
        let (outcome, effort) = self.ask(&request, kept).await?;
        // What is paid for is kept, whatever breaks.
        let _ = guarded(|| self.learn(&request, &outcome));
        if let Some((records, id)) = kept {
            let deployment = records.deployment(&request);
            let _ = guarded(|| records.record_outcome(id, deployment, &outcome, &effort));
        }
        Some(Outcome {
            index,
            outcome,
            effort,
            source: Source::Service,
        })
    }

    async fn ask(
        &self,
        request: &ChatRequest,
        kept: Option<(&AnswerCache, &String)>,
    ) -> Option<(Result<ChatCompletion>, RequestStats)> {
        let cost = Cost::from(request);
        let pacer = match self.rate_limiter(request) {
            Ok(pacer) => pacer,
            Err(error) => return Some((Err(error), RequestStats::default())),
        };
        let mut effort = RequestStats::default();
        let started = Instant::now();
        let mut retries = 0;
        loop {
            let permit = match pacer.admit(cost).await {
                Ok(permit) => permit,
                Err(error) => return Some((Err(error), effort)),
            };
            if self.is_closed() {
                return None;
            }
            if let Some((records, id)) = kept.filter(|_| effort.attempts == 0) {
                records.record_request(id, request);
            }
            let sent = Instant::now();
            let attempt = self.terms.client.attempt(request).await;
            effort.attempts = effort.attempts.saturating_add(1);
            effort.latency = sent.elapsed();
            effort.waited = started.elapsed().saturating_sub(effort.latency);
            let again = attempt.retry.again;
            let error = match attempt.outcome {
                Ok(completion) => {
                    let _ = guarded(|| permit.answered(&attempt.limits, completion.usage.as_ref()));
                    let completion = completion.after_attempts(effort.attempts, attempt.limits);
                    return Some((Ok(completion), effort));
                }
                Err(error) => error,
            };
            if error.is_rate_limit() {
                let wait = permit.refused(&attempt.limits);
                effort.refused += 1;
                if !again || effort.refused > REFUSALS || self.out_of_patience(&error) {
                    return Some((Err(error), effort));
                }
                pacer.rest(wait).await;
            } else {
                permit.failed(&attempt.limits);
                if !again || retries >= self.terms.retries {
                    return Some((Err(error), effort));
                }
                tokio::time::sleep(attempt.retry.wait(retries, fastrand::f64())).await;
                retries += 1;
            }
        }
    }

    /// Who paces the request: each deployment has a quota of its own. The one that the batch was
    /// given is its own deployment's; another's is learnt from the answers.
    fn rate_limiter(&self, request: &ChatRequest) -> Result<Arc<RateLimiter>> {
        match request.model.as_deref() {
            Some(deployment) if self.names_its_own(request) && !self.terms.unlimited => {
                RateLimiter::of(self.terms.client.host(), deployment, None, true)
            }
            _ => Ok(Arc::clone(&self.terms.pacer)),
        }
    }

    fn names_its_own(&self, request: &ChatRequest) -> bool {
        request.model.is_some() && request.model != self.terms.deployment
    }

    /// The service has refused everything for too long: what is left is not asked any more.
    fn out_of_patience(&self, error: &Error) -> bool {
        let mut luck = self.health();
        let over = luck.last_answer.elapsed() > PATIENCE;
        if over {
            luck.hopeless.get_or_insert_with(|| error.clone());
            self.close();
        }
        over
    }

    fn learn(&self, request: &ChatRequest, outcome: &Result<ChatCompletion>) {
        let mut luck = self.health();
        match outcome {
            Ok(_) => {
                luck.answered = true;
                luck.last_answer = Instant::now();
            }
            Err(error) if !luck.answered && self.spares_no_row(request, error) => {
                luck.hopeless.get_or_insert_with(|| error.clone());
                self.close();
            }
            Err(_) => {}
        }
    }

    /// Is it an error that every row of the batch would meet? A deployment that only this
    /// request names says nothing of the others.
    fn spares_no_row(&self, request: &ChatRequest, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::Authentication => true,
            ErrorKind::Settings | ErrorKind::PermissionDenied | ErrorKind::NotFound => {
                !self.names_its_own(request)
            }
            _ => false,
        }
    }
}
