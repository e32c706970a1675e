//! One token for all requests. The first request that finds it due renews it; the others keep
//! using the old token, or wait if there is none.
//!
//! Where tokens have worked, a sign-in that is refused may be an outage, such as a restart of the
//! identity service. It is then tried again for two minutes while all requests wait, and only after that
//! it fails them, with its own error; an attempt without an answer is ended with these two minutes. A
//! token that the service has rejected is not sent again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::access_token::Validity;
use super::{AccessToken, Notify};
use crate::error::{Error, ErrorKind};
use crate::http::retry::{Retry, pause_unless_stopped};
use crate::http::transport::Failed;

/// How long after a failed sign-in no other is tried while the old token is valid, or after a
/// rejection.
const BETWEEN_TRIES: Duration = Duration::from_secs(30);

/// How long requests wait for a sign-in that has worked before, all attempts together, and the waits in
/// between, the last of which is repeated.
const TIMEOUT: Duration = Duration::from_secs(120);
const WAITS: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
    Duration::from_secs(20),
];

/// The least time that is left for the last attempt: the wait before it is shortened for it.
const LAST_TRY: Duration = Duration::from_secs(5);

/// A source of tokens.
pub(crate) trait Issuer: Send + Sync {
    fn issue(&self) -> impl Future<Output = Result<AccessToken, Failed>> + Send;

    /// Whether it issues tokens without anybody's help, so that it may be asked again and again.
    fn is_unattended(&self) -> bool {
        true
    }
}

/// The token of one resource.
pub(crate) struct TokenCache<I> {
    issuer: I,
    notify: Notify,
    state: Mutex<State>,
    /// Locked by the request that signs in.
    signing_in: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    held: Option<HeldToken>,
    /// How many sign-ins have completed, successfully or not.
    tries: u64,
    failed: Option<Fault>,
    /// A token has been accepted.
    has_worked: bool,
    /// Since when requests wait for a sign-in that has failed, if there was no token since.
    waiting_since: Option<Instant>,
}

/// A token in use.
#[derive(Clone)]
pub(crate) struct HeldToken {
    pub(crate) token: AccessToken,
    /// The number of the sign-in that provided it, from 1.
    number: u64,
    /// A service has accepted it.
    is_accepted: bool,
    /// It was fetched because a service rejected the previous one.
    replaces_rejected: bool,
    /// A service has rejected it, and it is not sent again.
    is_rejected: bool,
}

/// The failure of the last sign-in.
struct Fault {
    error: Error,
    retry: Retry,
    at: Instant,
}

impl Fault {
    fn is_recent(&self) -> bool {
        self.at.elapsed() < BETWEEN_TRIES
    }
}

impl<I: Issuer> TokenCache<I> {
    pub(crate) fn new(issuer: I, notify: Notify) -> Self {
        Self {
            issuer,
            notify,
            state: Mutex::default(),
            signing_in: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn issuer(&self) -> &I {
        &self.issuer
    }

    /// Forgets failures and rejected tokens: whoever creates a client again may have fixed the
    /// cause.
    pub(crate) fn start_anew(&self) {
        let mut state = self.state();
        state.failed = None;
        state.waiting_since = None;
        if state.held.as_ref().is_some_and(|held| !held.is_accepted) {
            state.held = None;
        }
    }

    /// A valid token.
    ///
    /// # Errors
    /// No token is valid, and none could be fetched.
    pub(crate) async fn current(&self) -> Result<HeldToken, Failed> {
        let (held, tries) = {
            let state = self.state();
            (state.held.clone(), state.tries)
        };
        let Some(held) = held else {
            return self.awaited(0, tries).await;
        };
        match held.token.validity(Instant::now()) {
            _ if held.is_rejected => self.awaited(held.number, tries).await,
            Validity::Fresh => Ok(held),
            Validity::Due => Ok(self.renewed_or(held).await),
            Validity::Ended => self.awaited(held.number, tries).await,
        }
    }

    /// Records that a service accepted the token.
    pub(crate) fn accepted(&self, held: &HeldToken) {
        if held.is_accepted {
            return;
        }
        let mut state = self.state();
        state.has_worked = true;
        if let Some(current) = &mut state.held
            && current.number == held.number
        {
            current.is_accepted = true;
        }
    }

    /// Another token after a service rejected this one: one that was fetched since, or a new one.
    /// `None` if this token itself replaced a rejected one and was never accepted.
    ///
    /// # Errors
    /// No new token could be fetched.
    pub(crate) async fn after_rejection(
        &self,
        rejected: &HeldToken,
    ) -> Result<Option<HeldToken>, Failed> {
        let tries = {
            let mut state = self.state();
            let tries = state.tries;
            match &mut state.held {
                Some(held) if held.number != rejected.number => return Ok(Some(held.clone())),
                Some(held) if held.replaces_rejected && !held.is_accepted => return Ok(None),
                Some(held) => held.is_rejected = true,
                None => {}
            }
            tries
        };
        self.awaited(rejected.number, tries).await.map(Some)
    }

    /// A new token instead of one that is still valid; the old one if another request is already
    /// fetching a new one, or if that fails.
    async fn renewed_or(&self, old: HeldToken) -> HeldToken {
        if self.has_just_failed() {
            return old;
        }
        let Ok(_guard) = self.signing_in.try_lock() else {
            return old;
        };
        match self.sign_in(None).await {
            Ok(renewed) => renewed,
            Err((error, _)) => {
                (self.notify)(&format!(
                    "the sign-in could not be renewed yet; the current token is still valid: {}",
                    error.message()
                ));
                old
            }
        }
    }

    /// A token after the one with this number expired or was rejected. The first request fetches it for
    /// all that wait. `tries` is the number of completed sign-ins when the wait began.
    async fn awaited(&self, ended: u64, tries: u64) -> Result<HeldToken, Failed> {
        let since = Instant::now();
        let _guard = self.signing_in.lock().await;
        {
            let state = self.state();
            if let Some(held) = state.held.as_ref().filter(|held| held.number != ended) {
                return Ok(held.clone());
            }
            if let Some(fault) = state.failed.as_ref().filter(|_| !self.is_patient(&state)) {
                let came_meanwhile = state.tries != tries;
                let is_final = !fault.retry.again || state.has_worked;
                if came_meanwhile || is_final && fault.is_recent() {
                    return Err((fault.error.clone(), fault.retry));
                }
            }
        }
        self.sign_in_patiently(since).await
    }

    /// Whether a failed sign-in is worth another try, for which there is time.
    fn is_patient(&self, state: &State) -> bool {
        let since = state.waiting_since;
        let is_time = |since: Instant| since.elapsed() + LAST_TRY < TIMEOUT;
        self.is_limited(state) && since.is_none_or(is_time)
    }

    /// Whether a sign-in must end in time. The first one may take long, and so may a person.
    fn is_limited(&self, state: &State) -> bool {
        state.has_worked && self.issuer.is_unattended()
    }

    /// When a sign-in must have ended for which a request has waited since then. After two minutes without
    /// a token, one more attempt is allowed.
    fn end_of_wait(&self, since: Instant) -> Option<Instant> {
        let state = self.state();
        let end = state.waiting_since.unwrap_or(since) + TIMEOUT;
        let now = Instant::now();
        let end = match end > now {
            true => end,
            false => now + BETWEEN_TRIES,
        };
        self.is_limited(&state).then_some(end)
    }

    /// Fetches a token, and tries again while that is worth it, for a request that has waited since then.
    /// The caller holds the lock.
    async fn sign_in_patiently(&self, since: Instant) -> Result<HeldToken, Failed> {
        let mut waits = WAITS
            .into_iter()
            .chain(std::iter::repeat(WAITS[WAITS.len() - 1]));
        let end = self.end_of_wait(since);
        let mut is_told = false;
        loop {
            let (error, retry) = match self.sign_in(end).await {
                Ok(held) => return Ok(held),
                Err(failed) => failed,
            };
            self.state().waiting_since.get_or_insert(since);
            if error.is_cancelled() || !self.is_patient(&self.state()) {
                return Err((error, retry));
            }
            if !is_told {
                is_told = true;
                (self.notify)(&format!(
                    "the sign-in could not be renewed yet, and is tried again for up to {} s: {}",
                    TIMEOUT.as_secs(),
                    error.message()
                ));
            }
            let wait = waits.next().unwrap_or(TIMEOUT);
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let wait = left.map_or(wait, |left| wait.min(left.saturating_sub(LAST_TRY)));
            pause_unless_stopped(wait, 0, &error, None)
                .await
                .map_err(|stopped| (stopped, Retry::NO))?;
        }
    }

    /// Fetches a token, until this time. The caller holds the lock.
    async fn sign_in(&self, end: Option<Instant>) -> Result<HeldToken, Failed> {
        // Boxed, since the work of all credentials is large and would be a part of every request.
        let issuing = Box::pin(self.issuer.issue());
        let issued = match end {
            Some(end) => tokio::time::timeout_at(end, issuing)
                .await
                .unwrap_or_else(|_| Err(self.unanswered())),
            None => issuing.await,
        };
        let mut state = self.state();
        state.tries = state.tries.saturating_add(1);
        match issued {
            Ok(token) => {
                let was_rejected = state.held.as_ref().is_some_and(|held| held.is_rejected);
                let held = HeldToken {
                    token,
                    number: state.tries,
                    is_accepted: false,
                    replaces_rejected: was_rejected,
                    is_rejected: false,
                };
                state.held = Some(held.clone());
                state.failed = None;
                state.waiting_since = None;
                Ok(held)
            }
            Err((error, retry)) => {
                state.failed = Some(Fault {
                    error: error.clone(),
                    retry,
                    at: Instant::now(),
                });
                Err((error, retry))
            }
        }
    }

    /// The error of a sign-in that was ended: that of the attempt before it, which tells more.
    fn unanswered(&self) -> Failed {
        let state = self.state();
        let before = state.failed.as_ref();
        let before = before.map(|fault| (fault.error.clone(), fault.retry));
        before.unwrap_or_else(|| {
            let error = Error::new(
                ErrorKind::Timeout,
                "the sign-in could not be renewed in time: there was no answer",
            )
            .with_hint("check the network, and run it again: what was answered is not asked again");
            (error, Retry::YES)
        })
    }

    fn has_just_failed(&self) -> bool {
        self.state().failed.as_ref().is_some_and(Fault::is_recent)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
