//! Rate limiting: decides when each request of a batch may be sent, so that the quota is fully
//! used and the service never has to refuse.
//!
//! - [`RateLimiter`] belongs to a deployment and is shared by all batches of the process. It is a
//!   thin shell with a clock around `state`, which makes the decisions.
//! - `window` records what was used, `cost` estimates what a request will use (`expected` for one
//!   that is not sent yet), `limits` reads the
//!   quota from response headers, and `contention` detects other clients from them.
//! - `shared_state` is the file through which the processes of a machine share a quota.
//!
//! What is sent, and how often it is retried, is decided elsewhere.

mod contention;
mod cost;
mod decision;
mod expected;
mod guess;
mod limiter_status;
mod limits;
mod shared_state;
#[cfg(test)]
mod simulation;
mod state;
#[cfg(test)]
mod tests;
mod window;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::quota::Quota;
use crate::display::note_line;
use crate::error::{Error, ErrorKind, Result};
use crate::openai::{RateLimits, Usage};
use crate::text::grouped;

pub(crate) use cost::Cost;
pub(crate) use expected::Expected;
pub(crate) use limiter_status::LimiterStatus;

use decision::{Cause, Decision, Reservation, Wait};
use limits::Limits;
use shared_state::SharedState;
use state::State;

/// How many rate limiters are kept. With more, those that have not been used for long are forgotten.
const MAX_LIMITERS: usize = 512;
/// The limiter's clock does not start at zero, because others may have used the quota before.
const BEGINNING: Duration = Duration::from_secs(120);
/// How long to wait before trying again to lock the shared state that another process has locked.
const SHARED_STATE_RETRY: Duration = Duration::from_millis(5);
/// No well-behaved process holds the lock this long: after that, the holder is reported.
const SHARED_STATE_HELD: Duration = Duration::from_secs(3);
/// After this time the shared state is given up, and this process keeps to the quota alone.
const SHARED_STATE_LOST: Duration = Duration::from_secs(60);

/// Limits the rate of requests to one deployment.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    started: Instant,
    /// Nothing is counted, so no lock is needed.
    unlimited: AtomicBool,
    inner: Mutex<Inner>,
    /// Requests queue here; only the first one asks the state.
    queue: tokio::sync::Mutex<()>,
    /// Notified when an answer arrived or the quota changed: the first in the queue asks again.
    changed: Notify,
}

#[derive(Debug)]
struct Inner {
    state: State,
    shared_state: Option<Arc<SharedState>>,
    /// Since when another process has held the shared state, and its name once it has been reported.
    shared_state_held: Option<(Instant, Option<Arc<str>>)>,
    waiting: Option<(Wait, Instant)>,
    waited: Duration,
    notes: Vec<String>,
}

impl RateLimiter {
    /// The rate limiter of this deployment, of which there is one per process. A quota replaces
    /// an earlier one; without a quota, the limits given and learned before remain. If `ramp` is
    /// true, the first request to a deployment with unknown limits is sent alone.
    ///
    /// # Errors
    /// The quota is zero, or the shared state can't be used.
    pub(crate) fn for_deployment(
        host: &str,
        deployment: &str,
        quota: Option<&Quota>,
        ramp: bool,
    ) -> Result<Arc<Self>> {
        static LIMITERS: Mutex<BTreeMap<(String, String), Arc<RateLimiter>>> =
            Mutex::new(BTreeMap::new());
        let shared_state = match quota {
            Some(quota) => {
                quota.check()?;
                let path = quota.shared_path();
                path.map(|path| SharedState::open(path, host, deployment))
                    .transpose()?
            }
            None => None,
        };
        let key = (host.to_owned(), deployment.to_owned());
        let mut limiters = LIMITERS.lock().unwrap_or_else(PoisonError::into_inner);
        if limiters.len() >= MAX_LIMITERS {
            let is_used = |limiter: &Arc<Self>| Arc::strong_count(limiter) > 1;
            limiters.retain(|_, limiter| is_used(limiter) || !limiter.is_stale());
        }
        let limiter = limiters.entry(key);
        let limiter = Arc::clone(limiter.or_insert_with(|| Arc::new(Self::new())));
        drop(limiters);
        if let Some(quota) = quota {
            limiter.give(quota, shared_state);
        }
        if !ramp {
            limiter.inner().state.skip_ramp();
        }
        Ok(limiter)
    }

    fn new() -> Self {
        Self {
            started: Instant::now(),
            unlimited: AtomicBool::new(false),
            inner: Mutex::new(Inner {
                state: State::new(Limits::default(), true),
                shared_state: None,
                shared_state_held: None,
                waiting: None,
                waited: Duration::ZERO,
                notes: Vec::new(),
            }),
            queue: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
        }
    }

    fn give(&self, quota: &Quota, shared_state: Option<SharedState>) {
        let mut inner = self.inner();
        inner.shared_state = shared_state.map(Arc::new);
        let limits = Limits::given(quota.tokens_per_minute(), quota.requests_per_minute());
        inner.state.give(limits);
        self.unlimited
            .store(quota.is_unlimited(), Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Waits as long as the service asked of this request. The status shows this wait only if
    /// no other request is in flight or waiting.
    pub(crate) async fn rest(&self, wait: Duration) {
        let is_idle = {
            let mut inner = self.inner();
            let is_idle = inner.waiting.is_none() && inner.state.is_idle();
            if is_idle {
                let now = self.now();
                let asked = inner.state.asked_wait(now).unwrap_or(wait);
                inner.waits(Wait {
                    cause: Cause::Service { asked: Some(asked) },
                    until: now.checked_add(wait),
                });
            }
            is_idle
        };
        let _end_of_wait = is_idle.then(|| EndOfWait(self));
        tokio::time::sleep(wait).await;
    }

    /// Waits until the request may be sent, first come, first served. If the future is dropped
    /// while it waits, nothing is charged.
    ///
    /// # Errors
    /// The request is larger than the whole quota, which is returned at once; or the shared state
    /// can't be used.
    pub(crate) async fn admit(self: &Arc<Self>, cost: Cost) -> Result<Permit> {
        if self.is_unlimited() {
            return Ok(self.permit(None));
        }
        let _place = self.queue.lock().await;
        let _end_of_wait = EndOfWait(self);
        loop {
            if self.is_unlimited() {
                return Ok(self.permit(None));
            }
            let until = match self.decide(cost)? {
                Some(Decision::Go(charge)) => return Ok(self.permit(Some(charge))),
                Some(Decision::Never { estimate, limit }) => {
                    return Err(too_large(estimate, limit));
                }
                Some(Decision::Wait(wait)) => {
                    self.inner().waits(wait);
                    wait.until.and_then(|until| {
                        Instant::now().checked_add(until.saturating_sub(self.now()))
                    })
                }
                None => Some(Instant::now() + SHARED_STATE_RETRY),
            };
            match until {
                // Ask again at that time, or earlier if something changed.
                Some(until) => drop(tokio::time::timeout_at(until, self.changed.notified()).await),
                None => self.changed.notified().await,
            }
        }
    }

    /// By how many tokens a request exceeds the whole quota, if it does: it can never be admitted.
    pub(crate) fn excess(&self, cost: Cost) -> Option<u64> {
        self.inner().state.excess(cost)
    }

    /// The decision of the state; `None` while another process holds the shared state.
    fn decide(&self, cost: Cost) -> Result<Option<Decision>> {
        let mut inner = self.inner();
        let now = self.now();
        match inner.shared_state.clone() {
            Some(shared_state) => {
                let verdict = shared_state.decide(&mut inner.state, now, cost)?;
                match verdict {
                    Some(_) => inner.shared_state_held = None,
                    None => inner.waits_for_shared_state(&shared_state),
                }
                Ok(verdict)
            }
            None => Ok(Some(inner.state.decide(now, cost))),
        }
    }

    /// What requests are waiting for, and how long they have waited in total.
    pub(crate) fn status(&self) -> LimiterStatus {
        let inner = self.inner();
        let waiting = inner.waiting;
        LimiterStatus {
            holder: inner
                .shared_state_held
                .as_ref()
                .and_then(|(_, who)| who.clone()),
            cause: waiting.map(|(wait, _)| wait.cause),
            left: waiting
                .and_then(|(wait, _)| wait.until)
                .map(|until| until.saturating_sub(self.now())),
            waited: inner.waited + waiting.map_or(Duration::ZERO, waited),
        }
    }

    /// Takes the notes for the user about the quota.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        let mut inner = self.inner();
        let of_quota = inner.state.take_notes();
        let mut notes = std::mem::take(&mut inner.notes);
        notes.extend(of_quota);
        notes
    }

    /// Whether everything that was sent through it is long past.
    fn is_stale(&self) -> bool {
        self.inner().state.is_stale(self.now())
    }

    fn now(&self) -> Duration {
        self.started.elapsed() + BEGINNING
    }

    fn is_unlimited(&self) -> bool {
        self.unlimited.load(Ordering::Relaxed)
    }

    fn permit(self: &Arc<Self>, charge: Option<Reservation>) -> Permit {
        Permit {
            limiter: Arc::clone(self),
            charge,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Another process holds the shared state's lock and may never release it: after a while, it
    /// is reported, and later this process keeps to the quota alone.
    fn waits_for_shared_state(&mut self, shared_state: &SharedState) {
        let (since, holder) = self.shared_state_held.get_or_insert((Instant::now(), None));
        let path = shared_state.path().display();
        if since.elapsed() >= SHARED_STATE_LOST {
            let who = shared_state.holder();
            let line = format!(
                "{who} has held the quota's shared file {path} for a minute: this process keeps \
                 to the quota alone from here on, and the others are not counted"
            );
            note_line(&line);
            self.notes.push(line);
            self.shared_state_held = None;
            self.shared_state = None;
        } else if holder.is_none() && since.elapsed() >= SHARED_STATE_HELD {
            let who = format!(
                "for {}, which holds the quota's shared file {path}",
                shared_state.holder()
            );
            note_line(&format!("waits {who}"));
            *holder = Some(who.into());
        }
    }

    fn waits(&mut self, wait: Wait) {
        let since = self.waiting.map(|(_, since)| since);
        match self.waiting {
            Some((before, _)) if before.cause.is_quota() != wait.cause.is_quota() => {
                self.ends_wait();
                self.waiting = Some((wait, Instant::now()));
            }
            _ => self.waiting = Some((wait, since.unwrap_or_else(Instant::now))),
        }
    }

    fn ends_wait(&mut self) {
        self.waited += self.waiting.take().map_or(Duration::ZERO, waited);
    }
}

/// How long a request has waited for the quota. Waiting for an answer does not count.
fn waited((wait, since): (Wait, Instant)) -> Duration {
    if wait.cause.is_quota() {
        since.elapsed()
    } else {
        Duration::ZERO
    }
}

/// Ends the wait of the first in the queue, even if its batch was stopped.
struct EndOfWait<'a>(&'a RateLimiter);

impl Drop for EndOfWait<'_> {
    fn drop(&mut self) {
        self.0.inner().ends_wait();
    }
}

fn too_large(estimate: u64, limit: u64) -> Error {
    let (estimate, limit) = (grouped(estimate), grouped(limit));
    Error::new(
        ErrorKind::Argument,
        format!(
            "the request would be charged about {estimate} tokens, more than the quota of {limit} \
             a minute, and could never pass"
        ),
    )
    .with_hint("shorten the prompt, lower max_tokens, or raise the deployment's quota")
}

/// Permission to send a request. The holder reports the outcome of the request. If it is dropped
/// without a report, the request stays charged, because it may have been sent.
#[derive(Debug)]
#[must_use = "the outcome of the request must be reported"]
pub(crate) struct Permit {
    limiter: Arc<RateLimiter>,
    charge: Option<Reservation>,
}

impl Permit {
    /// 2xx.
    pub(crate) fn answered(self, rate_limits: &RateLimits, usage: Option<&Usage>) {
        self.tell(|state, now, charge| state.answered(now, charge, rate_limits, usage));
    }

    /// 429. Returns how long this request is to wait, whatever others may do meanwhile.
    pub(crate) fn refused(self, rate_limits: &RateLimits) -> Duration {
        self.tell(|state, now, charge| state.refused(now, charge, rate_limits))
            .unwrap_or_default()
    }

    /// Any other outcome, including no response at all.
    pub(crate) fn failed(self, rate_limits: &RateLimits) {
        self.tell(|state, now, charge| state.failed(now, charge, rate_limits));
    }

    /// `None` if nothing is charged because no quota applies.
    fn tell<T>(mut self, what: impl FnOnce(&mut State, Duration, Reservation) -> T) -> Option<T> {
        let charge = self.charge.take()?;
        let result = what(&mut self.limiter.inner().state, self.limiter.now(), charge);
        self.limiter.changed.notify_one();
        Some(result)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.charge.take().is_some() {
            self.limiter.inner().state.dropped();
            self.limiter.changed.notify_one();
        }
    }
}
