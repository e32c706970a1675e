//! The one profile of a deployment in this process.
//!
//! While it is unknown whether a deployment accepts the fields of a request, one request goes
//! ahead and the others wait for its outcome, so a batch is refused once and not once per row.
//! A service refuses a field before it runs the model, so a request that is still in flight after
//! a few seconds has been accepted, and the others need not wait for its answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;

use super::condition::Exceptions;
use super::fields::Fields;
use super::thinking::limit_of;
use super::turns::ModelTurns;
use super::{Profile, file, model_name};
use crate::display::note_once;
use crate::openai::{ChatRequest, Client};

/// How long a rejection may take.
const MAX_REJECTION: Duration = Duration::from_secs(3);
/// The same for an unlimited batch on this machine.
const MAX_LOCAL_REJECTION: Duration = Duration::from_millis(60);

/// How long the effort of a deployment that may reason is waited for.
const MAX_DOUBT: Duration = Duration::from_secs(15);

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

/// How many profiles are kept. With more, those that nobody uses are forgotten.
const MAX_PROFILES: usize = 512;

/// What all clients of this process know about a deployment.
#[derive(Debug)]
pub(crate) struct SharedProfile {
    pub(super) deployment: String,
    state: Mutex<State>,
    learning: Mutex<Arc<tokio::sync::Mutex<()>>>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) profile: Arc<Profile>,
    /// The profile at the last answer.
    pub(super) at_last_answer: Arc<Profile>,
    /// Counts the changes of the profile.
    pub(super) version: u32,
    /// The changes since it was learned from the beginning.
    changes: u32,
    /// The fields that were accepted since the profile last changed.
    pub(super) accepted: Fields,
    /// Of these, the fields that were refused for one row afterwards.
    pub(super) disputed: Fields,
    /// What was accepted although it had been refused with other settings.
    pub(super) exceptions: Exceptions,
    /// Rejections in a row.
    pub(super) rejections: u32,
    pub(super) other_models: u32,
    pub(super) turns: ModelTurns,
    /// The service has answered a request before an effort was added, even if with an empty answer.
    pub(super) answered_without_effort: bool,
    /// Requests that failed with the effort that was added after such an answer.
    pub(super) failures_with_effort: u32,
    /// The fields of such a request, which thereby were accepted without an effort.
    pub(super) accepted_without_effort: Fields,
    /// The largest limit of tokens with which a request was answered.
    pub(super) answered_limit: u32,
    /// The smallest that was refused in unknown words.
    pub(super) refused_limit: Option<u32>,
    /// How many tokens the context had room for, after a prompt of usual length.
    pub(super) room: Option<u32>,
    /// An answer has closed a tag of thinking that only the prompt can have opened.
    pub(super) closes_unopened_thinking: bool,
    /// Requests that went ahead and failed for another reason, weighted.
    pub(super) misses: u32,
    /// When the request that goes ahead was sent.
    pub(super) sent: Option<Instant>,
    notes: Vec<String>,
}

/// The profile at a moment.
pub(super) struct Snapshot {
    pub(super) profile: Arc<Profile>,
    /// The number of changes before.
    pub(super) version: u32,
}

/// Held by the request that goes ahead.
pub(super) type Learner = OwnedMutexGuard<()>;

impl SharedProfile {
    /// The profile of this deployment.
    pub(crate) fn of_deployment(host: &str, deployment: &str) -> Arc<Self> {
        static PROFILES: Mutex<BTreeMap<(String, String), Arc<SharedProfile>>> =
            Mutex::new(BTreeMap::new());
        let mut profiles = PROFILES.lock().unwrap_or_else(PoisonError::into_inner);
        if profiles.len() >= MAX_PROFILES {
            profiles.retain(|_, profile| Arc::strong_count(profile) > 1);
        }
        let key = (host.to_owned(), deployment.to_owned());
        let profile = profiles
            .entry(key)
            .or_insert_with(|| Arc::new(Self::new(deployment)));
        Arc::clone(profile)
    }

    pub(super) fn new(deployment: &str) -> Self {
        Self {
            deployment: deployment.to_owned(),
            state: Mutex::default(),
            learning: Mutex::default(),
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

    /// Takes the notes about changes of the model.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().notes)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.state().profile)
    }

    /// Waits until the request may go. Returns the profile to send it with, and the guard of a
    /// request that goes ahead of the others.
    pub(super) async fn wait_to_learn(
        &self,
        wanted: &ChatRequest,
        refusable: Fields,
        is_local_and_unlimited: bool,
    ) -> (Snapshot, Option<Learner>) {
        let longest = match is_local_and_unlimited {
            true => MAX_LOCAL_REJECTION,
            false => MAX_REJECTION,
        };
        loop {
            if let Some(snapshot) = self.if_free(wanted, refusable, longest) {
                return (snapshot, None);
            }
            let learner = self.learning().lock_owned();
            if let Ok(learner) = tokio::time::timeout(longest / 4, learner).await {
                return match self.if_free(wanted, refusable, longest) {
                    Some(snapshot) => (snapshot, None),
                    None => (self.snapshot(), Some(learner)),
                };
            }
        }
    }

    fn learning(&self) -> Arc<tokio::sync::Mutex<()>> {
        let learning = self.learning.lock();
        Arc::clone(&learning.unwrap_or_else(PoisonError::into_inner))
    }

    /// Does this request still go ahead?
    pub(super) fn is_ahead(&self, learner: Option<&Learner>) -> bool {
        learner.is_some_and(|it| Arc::ptr_eq(OwnedMutexGuard::mutex(it), &self.learning()))
    }

    /// Lets another request go ahead, after one of those behind has changed what is known: the one in
    /// front may never be answered.
    pub(super) fn let_another_go_ahead(&self) {
        let learning = self.learning.lock();
        *learning.unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    /// The profile and its version.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.state().snapshot()
    }

    /// The same, if a request with these unconfirmed fields may go.
    fn if_free(
        &self,
        wanted: &ChatRequest,
        refusable: Fields,
        longest: Duration,
    ) -> Option<Snapshot> {
        let state = self.state();
        let is_free = state.is_free(wanted, refusable, longest);
        is_free.then(|| state.snapshot())
    }

    /// The profile as a file; `None` while requests are sent as written.
    pub(crate) fn to_file(&self, host: &str) -> Option<Vec<u8>> {
        let state = self.state();
        // A profile that has been discarded replaces the file of the old one.
        let is_kept = !state.profile.is_plain() || state.version > 0;
        is_kept.then(|| file::write(&state.confirmed(), host, &self.deployment))
    }

    /// Is the text the file of a profile, of any deployment and version?
    pub(crate) fn is_file_of_profile(text: &[u8]) -> bool {
        file::is_profile(text)
    }

    /// Adopts the profile of an earlier process, unless this one has learned something. The model may
    /// have changed since, so the first request still goes ahead.
    ///
    /// # Errors
    /// The text is not a profile of this deployment.
    pub(crate) fn learn_from_file(&self, text: &[u8], host: &str) -> Result<(), String> {
        let profile = file::parse_profile(text, host, &self.deployment)?;
        let mut state = self.state();
        if state.version == 0 && state.accepted.is_empty() {
            state.profile = Arc::new(profile);
            state.at_last_answer = Arc::clone(&state.profile);
            state.version = 1;
        }
        Ok(())
    }
}

impl Client {
    /// The profile of this deployment. That of the client's own is looked up once.
    pub(crate) fn shared_profile(&self, deployment: &str) -> Arc<SharedProfile> {
        let of = || SharedProfile::of_deployment(self.host(), deployment);
        match self.deployment() == Some(deployment) {
            true => Arc::clone(self.0.profile.get_or_init(of)),
            false => of(),
        }
    }
}

impl State {
    fn snapshot(&self) -> Snapshot {
        Snapshot {
            profile: Arc::clone(&self.profile),
            version: self.version,
        }
    }

    /// The profile without an effort that no answer has confirmed: it would be sent by the next
    /// process, which would not know why it fails. What several models have shaped is not kept.
    fn confirmed(&self) -> Cow<'_, Profile> {
        if self.turns.are_mixed() {
            return Cow::Owned(Profile::default());
        }
        if self.profile.effort == self.at_last_answer.effort {
            return Cow::Borrowed(&self.profile);
        }
        Cow::Owned(Profile {
            effort: None,
            ..Profile::clone(&self.profile)
        })
    }

    /// May a request with these unconfirmed fields go?
    fn is_free(&self, wanted: &ChatRequest, refusable: Fields, longest: Duration) -> bool {
        let has_passed = |wait: Duration| self.sent.is_some_and(|sent| sent.elapsed() >= wait);
        (self.accepted.contains(refusable) && !self.tries_first(wanted))
            || self.misses >= MISSES
            || (has_passed(longest) && !self.profile.is_in_doubt())
            || has_passed(MAX_DOUBT)
    }

    /// Would the request be the first one with which a field is tried again that another was refused for?
    fn tries_first(&self, wanted: &ChatRequest) -> bool {
        let mut tried = self.profile.tried(wanted);
        tried.any(|field| !self.exceptions.knows(field))
    }

    /// Was the field accepted since the profile last changed? A request that it was left out of proves
    /// nothing.
    pub(super) fn has_accepted(&self, field: Fields) -> bool {
        let is_left_out = self.profile.is_conditional(field) && !self.exceptions.knows(field);
        self.accepted.contains(field) && !is_left_out
    }

    /// Learns that an answered request was sent with fields that were refused with other settings. Returns
    /// whether this is news.
    pub(super) fn take_exceptions(&mut self, wanted: &ChatRequest, sent: &ChatRequest) -> bool {
        let news = self.exceptions.record(&self.profile, wanted, sent);
        if !news.is_empty() {
            let profile = Arc::make_mut(&mut self.profile);
            profile.excepted = profile.excepted.with(news);
        }
        !news.is_empty()
    }

    /// Adds a note for the user, and shows it in a notebook at once.
    pub(super) fn add_note(&mut self, note: String) {
        note_once(std::slice::from_ref(&note));
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Has the profile changed so often that nothing more can be learned for all?
    pub(super) fn has_changed_too_often(&self) -> bool {
        self.changes >= CHANGES
    }

    /// Replaces the profile. Returns false if it has changed too often.
    pub(super) fn change(&mut self, profile: Profile, accepted: Fields) -> bool {
        if self.has_changed_too_often() {
            return false;
        }
        self.profile = Arc::new(profile);
        self.accepted = accepted;
        self.disputed = Fields::default();
        self.version += 1;
        self.changes += 1;
        self.misses = 0;
        self.failures_with_effort = 0;
        self.sent = None;
        true
    }

    /// Discards the profile after an answer of another model than before to a request with these
    /// fields, except for what was learned since the last answer: those rejections came from the new
    /// model. Returns false if the model has changed too often: then it is a router.
    pub(super) fn forget(&mut self, deployment: &str, model: &str, refusable: Fields) -> bool {
        if self.other_models >= OTHER_MODELS {
            return false;
        }
        if self.other_models > 0 {
            self.turns.mix();
        }
        self.other_models += 1;
        let was = self.profile.model.as_deref().unwrap_or_default();
        self.add_note(format!(
            "the model behind {deployment} has changed from {was} to {model}: its profile is learned again"
        ));
        let profile = self.profile.since(&self.at_last_answer, model);
        // A request sent as written was accepted by the new model too.
        let accepted = match self.profile.is_plain() {
            true => refusable,
            false => Fields::default(),
        };
        self.start_over(profile, accepted);
        true
    }

    /// Discards a profile that several models have shaped, when this one answers alone.
    pub(super) fn learn_again(&mut self, deployment: &str, model: &str) {
        self.add_note(format!(
            "{model} alone answers behind {deployment} now: its profile is learned again"
        ));
        self.changes = 0;
        // The next change of the model is one of a new deployment.
        self.other_models = 0;
        let profile = Profile {
            model: Some(model.to_owned()),
            ..Profile::default()
        };
        self.start_over(profile, Fields::default());
    }

    /// Replaces a profile that describes another model.
    fn start_over(&mut self, profile: Profile, accepted: Fields) {
        self.change(profile, accepted);
        self.rejections = 0;
        self.exceptions = Exceptions::default();
        self.accepted_without_effort = Fields::default();
        self.room = None;
        self.answered_limit = 0;
        self.refused_limit = None;
        self.closes_unopened_thinking = false;
        self.at_last_answer = Arc::clone(&self.profile);
    }

    /// Counts an answer of this model, as the service names it, to a request.
    pub(super) fn count_answer(&mut self, model: &str, sent: &ChatRequest) {
        let limit = limit_of(sent).unwrap_or_default();
        self.answered_limit = self.answered_limit.max(limit);
        if let Some(was) = self.profile.model.as_deref()
            && !model.is_empty()
        {
            self.turns.count(was == model || was == model_name(model));
        }
    }

    /// Lowers the effort of a deployment that thinks. Returns whether that changes the request.
    pub(super) fn steer(&mut self, wanted: &ChatRequest, names: &[&str]) -> bool {
        if self.profile.is_settled(wanted) {
            return false;
        }
        let mut profile = Profile::clone(&self.profile);
        profile.thinks = true;
        let is_settled = profile.is_settled(wanted);
        // After two rejections, choose the effort that every reasoning model accepts.
        let guess = match self.rejections {
            0 | 1 => "minimal",
            _ => "low",
        };
        if profile.choose_effort(wanted, names, Some(guess)) {
            return self.change(profile, Fields::default());
        }
        if !is_settled {
            // Its family has no efforts.
            profile.refused = profile.refused.with(Fields::EFFORT);
        }
        self.profile = Arc::new(profile);
        false
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
    fn an_effort_that_nothing_has_accepted_is_not_stored() {
        let shared = SharedProfile::new("class");
        let stored = |shared: &SharedProfile| {
            let file = shared.to_file("host").unwrap();
            String::from_utf8(file).unwrap().contains("minimal")
        };
        let guessed = Profile {
            thinks: true,
            effort: Some("minimal".to_owned()),
            ..Profile::default()
        };
        shared.state().profile = Arc::new(guessed.clone());
        assert!(!stored(&shared));
        shared.state().at_last_answer = Arc::new(guessed);
        assert!(stored(&shared));
    }

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
            state.is_free(&ChatRequest::from("x"), Fields::EFFORT, MAX_REJECTION)
        };
        assert_eq!([5, 16].map(free), [false, true]);
    }
}
