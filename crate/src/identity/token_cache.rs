//! One token for all who ask: whoever finds that it ends renews it, and the others wait or go on
//! with the old one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::access_token::Validity;
use super::{AccessToken, Tell};
use crate::error::Error;
use crate::http::retry::Retry;
use crate::http::transport::Failed;

/// So long after a renewal that failed no other is tried: the old token holds, or the refusal
/// would be the same.
const BETWEEN_TRIES: Duration = Duration::from_secs(30);

/// Where tokens come from.
pub(crate) trait Issuer: Send + Sync {
    fn issue(&self) -> impl Future<Output = Result<AccessToken, Failed>> + Send;
}

/// The token of one resource.
pub(crate) struct TokenCache<I> {
    issuer: I,
    tell: Tell,
    state: Mutex<State>,
    /// Held by the one who signs in.
    signing_in: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// How many sign-ins have ended, well or not.
    tries: u64,
    failed: Option<Fault>,
}

/// A token that was handed out.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) token: AccessToken,
    /// By which sign-in it came, counted from 1.
    number: u64,
    /// A service has taken it.
    is_accepted: bool,
    /// It was fetched because a service refused the one before.
    replaces_rejected: bool,
}

/// The last sign-in failed.
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
    pub(crate) fn new(issuer: I, tell: Tell) -> Self {
        Self {
            issuer,
            tell,
            state: Mutex::default(),
            signing_in: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn issuer(&self) -> &I {
        &self.issuer
    }

    /// Forgets what failed: whoever makes a client again may have mended it.
    pub(crate) fn start_anew(&self) {
        let mut state = self.state();
        state.failed = None;
        if state.held.as_ref().is_some_and(|held| !held.is_accepted) {
            state.held = None;
        }
    }

    /// A token that holds.
    ///
    /// # Errors
    /// There is none, and none could be fetched.
    pub(crate) async fn current(&self) -> Result<Held, Failed> {
        let (held, tries) = {
            let state = self.state();
            (state.held.clone(), state.tries)
        };
        let Some(held) = held else {
            return self.awaited(0, tries).await;
        };
        match held.token.validity(Instant::now()) {
            Validity::Fresh => Ok(held),
            Validity::Due => Ok(self.renewed_or(held).await),
            Validity::Ended => self.awaited(held.number, tries).await,
        }
    }

    /// A service took the token.
    pub(crate) fn accepted(&self, held: &Held) {
        if held.is_accepted {
            return;
        }
        if let Some(current) = &mut self.state().held
            && current.number == held.number
        {
            current.is_accepted = true;
        }
    }

    /// Another token after a service refused this one, if another may be taken: one that was
    /// fetched since, or a new one, unless this was fetched after a refusal, too.
    pub(crate) async fn after_rejection(&self, rejected: &Held) -> Option<Held> {
        let _guard = self.signing_in.lock().await;
        let current = self.state().held.clone()?;
        if current.number != rejected.number {
            return Some(current);
        }
        if current.replaces_rejected && !current.is_accepted || self.has_just_failed() {
            return None;
        }
        self.sign_in(true).await.ok()
    }

    /// A new token in the place of one that still holds; the old one where somebody fetches
    /// another already, or none can be had.
    async fn renewed_or(&self, old: Held) -> Held {
        if self.has_just_failed() {
            return old;
        }
        let Ok(_guard) = self.signing_in.try_lock() else {
            return old;
        };
        match self.sign_in(false).await {
            Ok(renewed) => renewed,
            Err((error, _)) => {
                (self.tell)(&format!(
                    "the sign-in could not be renewed yet, and the old one still holds: {}",
                    error.message()
                ));
                old
            }
        }
    }

    /// A token where the last one, of this number, holds no more: fetched by the first who comes,
    /// for all who wait. `tries` is how many sign-ins had ended when the wait began.
    async fn awaited(&self, ended: u64, tries: u64) -> Result<Held, Failed> {
        let _guard = self.signing_in.lock().await;
        {
            let state = self.state();
            if let Some(held) = state.held.as_ref().filter(|held| held.number != ended) {
                return Ok(held.clone());
            }
            if let Some(fault) = &state.failed {
                let came_meanwhile = state.tries != tries;
                if came_meanwhile || !fault.retry.again && fault.is_recent() {
                    return Err((fault.error.clone(), fault.retry));
                }
            }
        }
        self.sign_in(false).await
    }

    /// Fetches a token. Whoever calls it holds the lock.
    async fn sign_in(&self, replaces_rejected: bool) -> Result<Held, Failed> {
        let issued = self.issuer.issue().await;
        let mut state = self.state();
        state.tries = state.tries.saturating_add(1);
        match issued {
            Ok(token) => {
                let held = Held {
                    token,
                    number: state.tries,
                    is_accepted: false,
                    replaces_rejected,
                };
                state.held = Some(held.clone());
                state.failed = None;
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

    fn has_just_failed(&self) -> bool {
        self.state().failed.as_ref().is_some_and(Fault::is_recent)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
