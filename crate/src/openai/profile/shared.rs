//! The one profile of a deployment in this process.
//!
//! While it is unknown whether a deployment accepts the fields of a request, one request goes
//! ahead and the others wait for its outcome, so a batch is refused once and not once per row.
//! A service refuses a field before it runs the model, so a request that is still in flight after
//! a few seconds has been accepted, and the others need not wait for its answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;

use super::fields::Fields;
use super::{Profile, file};
use crate::openai::{ChatRequest, tell_once};

/// How long a refusal may take.
const LONGEST_REFUSAL: Duration = Duration::from_secs(3);
/// The same for an unlimited batch on this machine.
const LONGEST_LOCAL_REFUSAL: Duration = Duration::from_millis(60);

/// How long the effort of a deployment that may reason is waited for.
const LONGEST_DOUBT: Duration = Duration::from_secs(15);

/// After this many requests that failed for another reason, all requests may go.
const MISSES: u32 = 3 * MISS;

/// What a failure counts for, and a transient one, such as of a service that is starting.
pub(super) const MISS: u32 = 10;
pub(super) const TRANSIENT_MISS: u32 = 1;

/// How many times a change of the model discards the profile. A router changes the model with
/// every request.
const OTHER_MODELS: u32 = 2;

/// How many times a profile may change.
const CHANGES: u32 = 24;

/// What all clients of this process know about a deployment.
#[derive(Debug)]
pub(crate) struct SharedProfile {
    deployment: String,
    state: Mutex<State>,
    learning: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) profile: Arc<Profile>,
    /// The profile at the last answer.
    pub(super) at_last_answer: Arc<Profile>,
    /// Counts the changes of the profile.
    pub(super) version: u32,
    /// The fields that were accepted since the profile last changed.
    pub(super) accepted: Fields,
    /// Refusals in a row.
    pub(super) refusals: u32,
    pub(super) other_models: u32,
    /// Requests that went ahead and failed for another reason, weighted.
    pub(super) misses: u32,
    /// When the request that goes ahead was sent.
    pub(super) sent: Option<Instant>,
    notes: Vec<String>,
}

/// Held by the request that goes ahead.
pub(super) type Learner = OwnedMutexGuard<()>;

impl SharedProfile {
    /// The profile of this deployment.
    pub(crate) fn of(host: &str, deployment: &str) -> Arc<Self> {
        static PROFILES: Mutex<BTreeMap<String, BTreeMap<String, Arc<SharedProfile>>>> =
            Mutex::new(BTreeMap::new());
        let mut profiles = PROFILES.lock().unwrap_or_else(PoisonError::into_inner);
        let known = profiles.get(host).and_then(|of| of.get(deployment));
        if let Some(profile) = known {
            return Arc::clone(profile);
        }
        let profile = Arc::new(Self::new(deployment));
        let of_host = profiles.entry(host.to_owned()).or_default();
        of_host.insert(deployment.to_owned(), Arc::clone(&profile));
        profile
    }

    pub(super) fn new(deployment: &str) -> Self {
        Self {
            deployment: deployment.to_owned(),
            state: Mutex::default(),
            learning: Arc::default(),
        }
    }

    pub(crate) fn deployment(&self) -> &str {
        &self.deployment
    }

    /// A description of the profile; `None` while requests are sent as written.
    pub(crate) fn describe(&self) -> Option<String> {
        let profile = self.profile();
        (!profile.is_plain()).then(|| profile.to_string())
    }

    /// A note about the settings that are not sent.
    pub(crate) fn left_out_note(&self, wanted: &ChatRequest) -> Option<String> {
        let profile = self.profile();
        let left_out = profile.left_out(wanted);
        let listed = |fields: Fields| {
            let value = |name: &str| match name {
                "temperature" => wanted.temperature.map(|value| value.to_string()),
                "top_p" => wanted.top_p.map(|value| value.to_string()),
                _ => wanted.seed.map(|value| value.to_string()),
            };
            let names = fields.names();
            let fields: Vec<String> = names
                .map(|name| format!("{name} {}", value(name).unwrap_or_default()))
                .collect();
            (!fields.is_empty()).then(|| fields.join(", "))
        };
        let deployment = &self.deployment;
        let refused = listed(left_out.and(profile.refused))
            .map(|fields| format!("{deployment} refuses {fields}, which was left out"));
        let untried = listed(left_out.without(profile.refused)).map(|fields| {
            format!(
                "{fields} was left out untried, because {deployment} had refused two other fields"
            )
        });
        let notes: Vec<String> = refused.into_iter().chain(untried).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    /// Takes the notes about changes of the model.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().notes)
    }

    /// Notes that the model has changed.
    pub(super) fn note_other_model(state: &mut State, deployment: &str, was: &str, is: &str) {
        let note = format!(
            "the model behind {deployment} has changed from {was} to {is}: its profile is learned again"
        );
        tell_once(std::slice::from_ref(&note));
        state.notes.push(note);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.state().profile)
    }

    /// Waits until the request may go: `Some` if it goes ahead of the others.
    pub(super) async fn wait_to_learn(
        &self,
        refusable: Fields,
        is_local_and_unlimited: bool,
    ) -> Option<Learner> {
        let longest = match is_local_and_unlimited {
            true => LONGEST_LOCAL_REFUSAL,
            false => LONGEST_REFUSAL,
        };
        loop {
            if self.is_free(refusable, longest) {
                return None;
            }
            let learner = Arc::clone(&self.learning).lock_owned();
            if let Ok(learner) = tokio::time::timeout(longest / 4, learner).await {
                return (!self.is_free(refusable, longest)).then_some(learner);
            }
        }
    }

    /// May a request with these unconfirmed fields go?
    fn is_free(&self, refusable: Fields, longest: Duration) -> bool {
        let state = self.state();
        let has_passed = |wait: Duration| state.sent.is_some_and(|sent| sent.elapsed() >= wait);
        state.accepted.contains(refusable)
            || state.misses >= MISSES
            || (has_passed(longest) && !state.profile.is_in_doubt())
            || has_passed(LONGEST_DOUBT)
    }

    /// The profile as a file; `None` while requests are sent as written.
    pub(crate) fn to_file(&self, host: &str) -> Option<Vec<u8>> {
        let state = self.state();
        // A profile that has been discarded replaces the file of the old one.
        let is_kept = !state.profile.is_plain() || state.version > 0;
        is_kept.then(|| file::write(&state.profile, host, &self.deployment))
    }

    /// Adopts the profile of an earlier process, unless this one has learned something. The model may
    /// have changed since, so the first request still goes ahead.
    ///
    /// # Errors
    /// The text is no profile of this deployment.
    pub(crate) fn learn_from_file(&self, text: &[u8], host: &str) -> Result<(), String> {
        let profile = file::read(text, host, &self.deployment)?;
        let mut state = self.state();
        if state.version == 0 && state.accepted.is_empty() {
            state.profile = Arc::new(profile);
            state.at_last_answer = Arc::clone(&state.profile);
            state.version = 1;
        }
        Ok(())
    }
}

impl State {
    /// Replaces the profile. Returns false if it has changed too often.
    pub(super) fn change(&mut self, profile: Profile, accepted: Fields) -> bool {
        if self.version >= CHANGES {
            return false;
        }
        self.profile = Arc::new(profile);
        self.accepted = accepted;
        self.version += 1;
        self.misses = 0;
        self.sent = None;
        true
    }

    /// Does a change of the model still discard the profile?
    pub(super) fn may_be_another_model(&self) -> bool {
        self.other_models < OTHER_MODELS
    }
}

impl Profile {
    /// Has it refused a field as reasoning models do, with its effort still unknown?
    fn is_in_doubt(&self) -> bool {
        !self.is_plain()
            && self.effort.is_none()
            && !self.thinks
            && !self.refused.contains(Fields::EFFORT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_does_not_stop_all_others() {
        let shared = SharedProfile::new("class");
        let in_doubt = Profile {
            tokens: super::super::TokensField::MaxCompletionTokens,
            ..Profile::default()
        };
        let free = |seconds: u64| {
            let mut state = shared.state();
            state.profile = Arc::new(in_doubt.clone());
            state.sent = Instant::now().checked_sub(Duration::from_secs(seconds));
            drop(state);
            shared.is_free(Fields::EFFORT, LONGEST_REFUSAL)
        };
        assert_eq!([5, 16].map(free), [false, true]);
    }
}
