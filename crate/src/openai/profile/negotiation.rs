//! Sends one request until it has its answer: each attempt is translated by the current profile,
//! and its outcome updates the profile.
//!
//! A field that other rows were sent with, and that is refused all the same, may be refused because of
//! the row itself. Only that row is then sent without it, with a profile of its own; the second row
//! that meets the same rejection changes the profile of all.

use std::sync::Arc;
use std::time::Instant;

use super::attempt::Attempt;
use super::complaint::TakenBack;
use super::field::Field;
use super::fields::Fields;
use super::prepared_request::PreparedRequest;
use super::rejection::Rejection;
use super::shared::{Learner, MISS, SharedProfile, Snapshot, TRANSIENT_MISS};
use super::{Budget, Profile, model_name, thinking};
use crate::display::note_once;
use crate::error::{Error, Result};
use crate::http::retry::Retry;
use crate::openai::{ChatCompletion, ChatRequest, Client, Usage};

/// What thinking makes of an answer that it leaves no token.
const EMPTY: &str = "empty";

/// The negotiation of one request.
pub(crate) struct Negotiation<'a> {
    pub(super) shared: Arc<SharedProfile>,
    pub(super) deployment: &'a str,
    pub(super) wanted: &'a ChatRequest,
    /// The fields that the deployment may refuse.
    refusable: Fields,
    /// The profile of this request alone, after a rejection that concerns only it.
    pub(super) own: Option<Arc<Profile>>,
    /// The user's thinking allowance, in tokens.
    pub(super) granted: Option<u32>,
    /// The allowance after an empty answer.
    pub(super) raised: Option<u32>,
    /// The batch is unlimited and the service is on this machine.
    is_local_and_unlimited: bool,
    /// Present while this request goes ahead of the others.
    learner: Option<Learner>,
    pub(super) refused: Vec<Field>,
    /// A rejection of one name of the token limit has named the other one.
    pub(super) is_told_other_name: bool,
    pub(super) empty_answers: u32,
    /// How many times its allowance was lowered after a rejection in unknown words.
    pub(super) lowered: u32,
    /// The smallest limit of tokens that such a rejection refused.
    pub(super) refused_limit: Option<u32>,
    pub(super) has_learned: bool,
    /// The request has failed because of a setting without which it would be another one.
    pub(super) refuses_settings: bool,
    /// The service has answered this request before an effort was added, even if with an empty answer.
    pub(super) answered_without_effort: bool,
    /// Failures that may be due to the effort, or may pass.
    pub(super) failures_with_effort: u32,
    /// A good answer that was discarded so that all rows have the same effort.
    held: Option<ChatCompletion>,
    /// The last change by this request, to be undone if it does not help.
    pub(super) taken_back: Option<TakenBack>,
}

/// An answer that counts because another request brought none.
pub(crate) struct HeldAnswer {
    pub(crate) answer: ChatCompletion,
    /// Thinking has cut it short, so a later run may ask for a whole one.
    pub(crate) is_cut: bool,
}

/// What to do about an outcome.
pub(crate) enum NextStep {
    /// It is the outcome of the request.
    Final,
    /// Send the request again at once; this usage was paid for without an answer.
    Again(Usage),
}

impl Client {
    /// Starts the negotiation of a request. `granted` is the user's thinking allowance.
    ///
    /// # Errors
    /// The request is invalid, or there is no deployment.
    pub(crate) fn negotiate<'a>(
        &'a self,
        wanted: &'a ChatRequest,
        granted: Option<u32>,
        is_local_and_unlimited: bool,
    ) -> Result<Negotiation<'a>> {
        wanted.check()?;
        let deployment = self.0.endpoint.choose(wanted.model.as_deref())?;
        Ok(Negotiation {
            shared: self.shared_profile(deployment),
            deployment,
            wanted,
            refusable: Fields::refusable(wanted),
            own: None,
            granted,
            raised: None,
            is_local_and_unlimited: is_local_and_unlimited && self.is_loopback(),
            learner: None,
            refused: Vec::new(),
            is_told_other_name: false,
            empty_answers: 0,
            lowered: 0,
            refused_limit: None,
            has_learned: false,
            refuses_settings: false,
            answered_without_effort: false,
            failures_with_effort: 0,
            held: None,
            taken_back: None,
        })
    }

    /// Translates a request by what is known, without sending it.
    ///
    /// # Errors
    /// There is no deployment.
    pub(crate) fn translate(
        &self,
        wanted: &ChatRequest,
        granted: Option<u32>,
    ) -> Result<ChatRequest> {
        let deployment = self.0.endpoint.choose(wanted.model.as_deref())?;
        let profile = self.shared_profile(deployment).profile();
        let budget = granted.map_or(Budget::Default, Budget::Tokens);
        Ok(profile.translate(wanted, budget).into_owned())
    }
}

impl<'a> Negotiation<'a> {
    /// The next attempt. Waits while another request goes ahead.
    pub(crate) async fn prepare(&mut self) -> PreparedRequest<'a> {
        let Snapshot { profile, version } = match self.is_ahead() {
            true => self.shared.snapshot(),
            false => {
                self.learner = None;
                let waiting = self.shared.wait_to_learn(
                    self.wanted,
                    self.refusable,
                    self.is_local_and_unlimited,
                );
                let (snapshot, learner) = waiting.await;
                self.learner = learner;
                snapshot
            }
        };
        let profile = self.own.as_ref().unwrap_or(&profile);
        PreparedRequest {
            request: profile.translate(self.wanted, self.budget()),
            deployment: self.deployment,
            tag: profile.tag(self.wanted),
            allowance: profile.allowance(self.wanted, self.budget()),
            most_tokens: profile.most_tokens,
            version,
        }
    }
}

impl Negotiation<'_> {
    /// Is the attempt still up to date? If so, it counts as sent now.
    pub(crate) fn is_current(&self, prepared: &PreparedRequest<'_>) -> bool {
        let mut state = self.shared.state();
        let is_current = state.version == prepared.version;
        if is_current && self.is_ahead() {
            state.sent = Some(Instant::now());
        }
        is_current
    }

    /// Judges the outcome of an attempt. An empty answer becomes an error.
    pub(crate) fn judge(
        &mut self,
        prepared: &PreparedRequest<'_>,
        attempt: &mut Attempt,
    ) -> NextStep {
        if let Some(rejection) = attempt.rejection.as_mut() {
            rejection.forget_prompts(self.wanted);
        }
        let was_behind = !self.is_ahead() && self.shared.state().sent.is_some();
        let next_step = match &attempt.outcome {
            Ok(completion) => match self.judge_answer(prepared, completion) {
                Ok(next_step) => next_step,
                Err(error) => {
                    attempt.outcome = Err(error);
                    NextStep::Final
                }
            },
            Err(error)
                if attempt
                    .rejection
                    .as_ref()
                    .is_some_and(Rejection::is_exhausted) =>
            {
                match self.raise_allowance(prepared, EMPTY) {
                    true => NextStep::Again(Usage::default()),
                    false => {
                        self.miss(MISS);
                        attempt.outcome = Err(thinking::unfinished(error, self.wanted, prepared));
                        NextStep::Final
                    }
                }
            }
            Err(error) => match self.judge_rejection(prepared, attempt) {
                Ok(()) => self.again_or_held(attempt),
                Err(_) if self.lower_allowance(prepared, error) => {
                    NextStep::Again(Usage::default())
                }
                Err(_) if self.take_back(prepared, attempt, error) => self.again_or_held(attempt),
                Err(hint) => {
                    let weight = match attempt.retry.again || self.refuses_settings {
                        _ if error.is_rate_limit() => 0,
                        true => TRANSIENT_MISS,
                        false => MISS,
                    };
                    self.miss(weight);
                    if let Some(hint) = hint {
                        attempt.outcome = Err(error.clone().with_hint(hint));
                    }
                    NextStep::Final
                }
            },
        };
        if was_behind && self.shared.state().sent.is_none() {
            self.shared.let_another_go_ahead();
        }
        match next_step {
            NextStep::Final => self.learner = None,
            NextStep::Again(_) => self.refuses_settings = false,
        }
        next_step
    }

    /// Has this request changed the profile?
    pub(crate) fn has_learned(&self) -> bool {
        self.has_learned
    }

    /// Has the request failed because of a setting, so that each one like it would fail?
    pub(crate) fn refuses_settings(&self) -> bool {
        self.refuses_settings
    }

    /// Is there an answer in case that the request in flight brings none?
    pub(crate) fn holds_an_answer(&self) -> bool {
        self.held.is_some()
    }

    /// Takes the answer that was discarded, and paid for, before the request failed with this error or
    /// was stopped.
    pub(crate) fn take_held_answer(&mut self, error: Option<&Error>) -> Option<HeldAnswer> {
        let answer = self.held.take()?;
        let is_cut = answer.is_cut_by_thinking(self.wanted.max_tokens.unwrap_or_default());
        if let Some(error) = error.filter(|_| is_cut) {
            self.shared.state().add_note(format!(
                "answers that thinking has cut short are kept as they are, because asking for them \
                 again failed ({})",
                error.kind().name()
            ));
        }
        Some(HeldAnswer { answer, is_cut })
    }

    pub(crate) fn shared(&self) -> &SharedProfile {
        &self.shared
    }

    /// An answer that was obtained without an effort counts as soon as none is sent any more.
    fn again_or_held(&self, attempt: &mut Attempt) -> NextStep {
        let shared = self.shared.profile();
        let sends_effort = self.own.as_ref().unwrap_or(&shared).effort.is_some();
        if !self.holds_an_answer() || sends_effort {
            return NextStep::Again(Usage::default());
        }
        attempt.retry = Retry::NO;
        NextStep::Final
    }

    /// Does this request go ahead of the others?
    fn is_ahead(&self) -> bool {
        self.shared.is_ahead(self.learner.as_ref())
    }

    pub(super) fn budget(&self) -> Budget {
        let tokens = self.granted.or(self.raised);
        tokens.map_or(Budget::Default, Budget::Tokens)
    }

    /// Notes that the request that went ahead failed for another reason.
    fn miss(&self, weight: u32) {
        if self.is_ahead() {
            let mut state = self.shared.state();
            state.misses += weight;
            state.sent = None;
        }
    }

    /// # Errors
    /// The answer is empty.
    fn judge_answer(
        &mut self,
        prepared: &PreparedRequest<'_>,
        completion: &ChatCompletion,
    ) -> Result<NextStep> {
        let usage = completion.usage.unwrap_or_default();
        let is_consumed = self.is_consumed_by_thinking(prepared, completion);
        if !self.take_in(prepared, completion, is_consumed) {
            let has_text = completion
                .text()
                .is_some_and(|text| !text.trim().is_empty());
            self.held = has_text.then(|| completion.clone());
            self.answered_without_effort = true;
            let mut state = self.shared.state();
            state.answered_without_effort = true;
            state.accepted_without_effort = Fields::optional(&prepared.request);
            return Ok(NextStep::Again(usage));
        }
        if !is_consumed {
            return Ok(self.whole_or_again(prepared, completion));
        }
        if self.raise_allowance(prepared, EMPTY) {
            return Ok(NextStep::Again(usage));
        }
        self.miss(MISS);
        Err(thinking::consumed(completion, self.wanted, prepared))
    }

    /// An answer that thinking has cut short is asked for again, and counts if that brings no other one.
    fn whole_or_again(
        &mut self,
        prepared: &PreparedRequest<'_>,
        completion: &ChatCompletion,
    ) -> NextStep {
        let wanted = self.wanted.max_tokens.unwrap_or_default();
        if !completion.is_cut_by_thinking(wanted) || !self.raise_allowance(prepared, "cut short") {
            return NextStep::Final;
        }
        self.held = Some(completion.clone());
        NextStep::Again(completion.usage.unwrap_or_default())
    }

    /// Is the answer nothing but thinking, as far as is known of this deployment?
    fn is_consumed_by_thinking(
        &self,
        prepared: &PreparedRequest<'_>,
        completion: &ChatCompletion,
    ) -> bool {
        if completion.closes_unopened_thinking() {
            self.shared.state().closes_unopened_thinking = true;
        }
        completion.is_consumed_by_thinking(thinking::limit_of(&prepared.request))
            || (completion.is_cut_before_thinking_closes()
                && self.shared.state().closes_unopened_thinking)
    }

    /// Learns from an answer. Returns false if it reveals a reasoning model whose effort can be
    /// lowered: the request is then sent again, so that all rows have the same effort.
    fn take_in(
        &mut self,
        prepared: &PreparedRequest<'_>,
        completion: &ChatCompletion,
        is_consumed: bool,
    ) -> bool {
        let thought = completion.usage.map_or(0, |usage| usage.reasoning_tokens);
        self.shared
            .state()
            .count_answer(&completion.model, &prepared.request);
        self.share_lowered(prepared);
        if self.own.is_some() {
            return thought == 0 || !self.steer_own(&model_name(&completion.model));
        }
        let mut state = self.shared.state();
        let has_exception = state.take_exceptions(self.wanted, &prepared.request);
        self.has_learned |= has_exception;
        if state.version != prepared.version {
            return true;
        }
        let refusable = self.refusable;
        let was = state.profile.model.as_deref();
        if was != Some(completion.model.as_str()) && !completion.model.is_empty() {
            let model = model_name(&completion.model);
            let is_another = was.is_some_and(|was| was != model);
            if is_another && state.forget(self.deployment, &model, refusable) {
                self.has_learned = true;
                return thought == 0 || !state.steer(self.wanted, &[&model, self.deployment]);
            }
            if state.profile.model.as_ref() != Some(&model) {
                if is_another {
                    state.turns.mix();
                }
                Arc::make_mut(&mut state.profile).model = Some(model);
            }
        }
        if state.turns.have_ended() && !state.profile.is_plain() {
            let model = state.profile.model.clone().unwrap_or_default();
            state.learn_again(self.deployment, &model);
            self.has_learned = true;
            return true;
        }
        if thought > 0 && !state.profile.is_settled(self.wanted) {
            let model = state.profile.model.clone().unwrap_or_default();
            if state.steer(self.wanted, &[&model, self.deployment]) {
                self.has_learned = true;
                return false;
            }
        }
        if thought > 0 {
            let room = self.room_for_thinking(&state).unwrap_or(u32::MAX);
            let comfortable = thinking::comfortable(thought).min(room);
            if state.profile.needed(self.wanted) < comfortable && self.granted.is_none() {
                Arc::make_mut(&mut state.profile).need(self.wanted, comfortable);
            }
        }
        // After an empty answer the sufficient allowance is still unknown.
        let is_news = !state.accepted.contains(refusable) && !is_consumed;
        if is_news {
            state.accepted = state.accepted.with(refusable);
            state.misses = 0;
            state.sent = None;
        }
        state.rejections = 0;
        if !Arc::ptr_eq(&state.at_last_answer, &state.profile) {
            state.at_last_answer = Arc::clone(&state.profile);
        }
        if (is_news || has_exception) && state.version > 0 {
            self.has_learned = true;
            let note = format!("{} {}", self.shared.deployment(), state.profile);
            drop(state);
            note_once(&[note]);
        }
        true
    }

    /// Lowers the effort of this request alone, whose answer has shown that the deployment thinks.
    /// Returns whether that changes the request.
    fn steer_own(&mut self, model: &str) -> bool {
        let mut profile = self.own.as_deref().cloned().unwrap_or_default();
        let is_chosen =
            profile.choose_effort(self.wanted, &[model, self.deployment], Some("minimal"));
        if is_chosen {
            self.own = Some(Arc::new(profile));
        }
        is_chosen
    }
}

impl Drop for Negotiation<'_> {
    /// A request that is cancelled while it goes ahead proves nothing: the next one goes ahead.
    fn drop(&mut self) {
        if self.is_ahead() {
            self.shared.state().sent = None;
        }
    }
}
