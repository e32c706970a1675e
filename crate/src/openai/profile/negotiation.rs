//! Sends one request until it has its answer: each attempt is translated by the current profile,
//! and its outcome updates the profile.

use std::sync::Arc;
use std::time::Instant;

use super::fields::Fields;
use super::learn::Circumstances;
use super::refusal::Field;
use super::shared::{Learner, MISS, SharedProfile, State, TRANSIENT_MISS};
use super::{Budget, Profile, model_name, names_effort, thinking};
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry::Retry;
use crate::openai::attempt::Attempt;
use crate::openai::{ChatCompletion, ChatRequest, Client, Usage, tell_once};

/// How many times one request may be refused and sent again.
const REFUSALS: u32 = 6;
/// How many times one request is sent again after an empty answer.
const EMPTY_ANSWERS: u32 = 2;

/// The negotiation of one request.
pub(crate) struct Negotiation<'a> {
    pub(super) shared: Arc<SharedProfile>,
    pub(super) wanted: &'a ChatRequest,
    /// The user's reasoning allowance, in tokens.
    granted: Option<u32>,
    /// The allowance after an empty answer.
    raised: Option<u32>,
    /// The batch is unlimited and the service is on this machine.
    is_local_and_unlimited: bool,
    /// Present while this request goes ahead of the others.
    learner: Option<Learner>,
    refused: Vec<Field>,
    empty_answers: u32,
    pub(super) has_learned: bool,
    /// A good answer that was discarded so that all rows have the same effort.
    held: Option<ChatCompletion>,
    /// The last change by this request, to be undone if it does not help.
    pub(super) taken_back: Option<TakenBack>,
}

/// One attempt.
pub(crate) struct PreparedRequest {
    /// The request as it is sent, with its deployment.
    pub(crate) request: ChatRequest,
    /// How it was translated; `None` if it is sent as written.
    pub(crate) tag: Option<Arc<str>>,
    /// The reasoning allowance in it, in tokens.
    allowance: u32,
    pub(super) version: u32,
}

/// What to do about an outcome.
pub(crate) enum Judgement {
    /// It is the outcome of the request.
    Final,
    /// Send the request again at once; this usage was paid for without an answer.
    Again(Usage),
}

impl Client {
    /// Starts the negotiation of a request. `granted` is the user's reasoning allowance.
    ///
    /// # Errors
    /// The request is invalid, or there is no deployment.
    pub(crate) fn negotiate<'a>(
        &self,
        wanted: &'a ChatRequest,
        granted: Option<u32>,
        is_local_and_unlimited: bool,
    ) -> Result<Negotiation<'a>> {
        wanted.check()?;
        let deployment = self.0.endpoint.choose(wanted.model.as_deref())?;
        Ok(Negotiation {
            shared: SharedProfile::of(self.host(), deployment),
            wanted,
            granted,
            raised: None,
            is_local_and_unlimited: is_local_and_unlimited && self.is_loopback(),
            learner: None,
            refused: Vec::new(),
            empty_answers: 0,
            has_learned: false,
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
        let profile = SharedProfile::of(self.host(), deployment).profile();
        let budget = granted.map_or(Budget::Default, Budget::Tokens);
        Ok(profile.translate(wanted, deployment, budget))
    }
}

impl PreparedRequest {
    /// Adds a hint to the error of a request that is larger than the quota if its reasoning
    /// allowance contributes to that.
    pub(crate) fn hinted(&self, wanted: &ChatRequest, error: Error) -> Error {
        let sent = self
            .request
            .max_completion_tokens
            .or(self.request.max_tokens);
        let added = sent.zip(wanted.max_tokens);
        let added = added.map_or(0, |(sent, wanted)| sent.saturating_sub(wanted));
        if added == 0 || error.kind() != ErrorKind::Argument {
            return error;
        }
        error.with_hint(format!(
            "{added} of these tokens are the thinking allowance: lower it with \
             .thinking_allowance(n), lower max_tokens, or raise the deployment's quota"
        ))
    }
}

/// The profile before something was taken from it because of a complaint.
pub(super) struct TakenBack {
    pub(super) before: Arc<Profile>,
    pub(super) accepted: Fields,
    /// The version of the profile after that.
    pub(super) version: u32,
    pub(super) complaint: String,
}

impl Negotiation<'_> {
    /// The next attempt. Waits while another request goes ahead.
    pub(crate) async fn prepare(&mut self) -> PreparedRequest {
        if self.learner.is_none() {
            let refusable = Fields::refusable(self.wanted);
            self.learner = self
                .shared
                .wait_to_learn(refusable, self.is_local_and_unlimited)
                .await;
        }
        let (profile, version) = {
            let state = self.shared.state();
            (Arc::clone(&state.profile), state.version)
        };
        let deployment = self.shared.deployment();
        PreparedRequest {
            request: profile.translate(self.wanted, deployment, self.budget()),
            tag: profile.tag(self.wanted),
            allowance: profile.allowance(self.wanted, self.budget()),
            version,
        }
    }

    /// Is the attempt still up to date? If so, it counts as sent now.
    pub(crate) fn is_current(&self, prepared: &PreparedRequest) -> bool {
        let mut state = self.shared.state();
        let is_current = state.version == prepared.version;
        if is_current && self.learner.is_some() {
            state.sent = Some(Instant::now());
        }
        is_current
    }

    /// Judges the outcome of an attempt. An empty answer becomes an error.
    pub(crate) fn judge(&mut self, prepared: &PreparedRequest, attempt: &mut Attempt) -> Judgement {
        let judgement = match &attempt.outcome {
            Ok(completion) => match self.judge_answer(prepared, completion) {
                Ok(judgement) => judgement,
                Err(error) => {
                    attempt.outcome = Err(error);
                    Judgement::Final
                }
            },
            Err(error) => match self.judge_refusal(prepared, attempt) {
                Ok(()) => self.again_or_held(attempt),
                Err(_) if self.take_back(prepared, attempt, error) => self.again_or_held(attempt),
                Err(hint) => {
                    let weight = match attempt.retry.again {
                        _ if error.is_rate_limit() => 0,
                        true => TRANSIENT_MISS,
                        false => MISS,
                    };
                    self.miss(weight);
                    if let Some(hint) = hint {
                        attempt.outcome = Err(error.clone().with_hint(hint));
                    }
                    Judgement::Final
                }
            },
        };
        if matches!(judgement, Judgement::Final) {
            self.learner = None;
        }
        judgement
    }

    /// Has this request changed the profile?
    pub(crate) fn has_learned(&self) -> bool {
        self.has_learned
    }

    /// Is there an answer in case that the request in flight brings none?
    pub(crate) fn holds_an_answer(&self) -> bool {
        self.held.is_some()
    }

    /// Takes the answer that was discarded, and paid for, before the request failed.
    pub(crate) fn take_held_answer(&mut self) -> Option<ChatCompletion> {
        self.held.take()
    }

    pub(crate) fn shared(&self) -> &SharedProfile {
        &self.shared
    }

    /// An answer that was obtained without an effort counts as soon as none is sent any more.
    fn again_or_held(&self, attempt: &mut Attempt) -> Judgement {
        if !self.holds_an_answer() || self.shared.profile().effort.is_some() {
            return Judgement::Again(Usage::default());
        }
        attempt.retry = Retry::NO;
        Judgement::Final
    }

    fn budget(&self) -> Budget {
        let tokens = self.granted.or(self.raised);
        tokens.map_or(Budget::Default, Budget::Tokens)
    }

    /// Notes that the request that went ahead failed for another reason.
    fn miss(&self, weight: u32) {
        if self.learner.is_some() {
            let mut state = self.shared.state();
            state.misses += weight;
            state.sent = None;
        }
    }

    /// # Errors
    /// The answer is empty.
    fn judge_answer(
        &mut self,
        prepared: &PreparedRequest,
        completion: &ChatCompletion,
    ) -> Result<Judgement> {
        let usage = completion.usage.unwrap_or_default();
        if !self.take_in(prepared, completion) {
            let has_text = completion
                .text()
                .is_some_and(|text| !text.trim().is_empty());
            self.held = has_text.then(|| completion.clone());
            return Ok(Judgement::Again(usage));
        }
        if !completion.is_consumed_by_reasoning() {
            return Ok(Judgement::Final);
        }
        let had = prepared.allowance;
        let may_grow = self.granted.is_none()
            && self.wanted.max_tokens.is_some()
            && self.empty_answers < EMPTY_ANSWERS
            && thinking::more(had) > had;
        if !may_grow {
            self.miss(MISS);
            return Err(thinking::consumed(
                completion,
                self.wanted,
                &prepared.request,
            ));
        }
        self.empty_answers += 1;
        let mut state = self.shared.state();
        let raised = thinking::more(had).max(state.profile.allowance);
        self.raised = Some(raised);
        // The other rows start with it. Not every service reports that it reasons.
        let profile = Arc::make_mut(&mut state.profile);
        profile.allowance = raised;
        profile.thinks = true;
        self.has_learned = true;
        Ok(Judgement::Again(usage))
    }

    /// Learns from an answer. Returns false if it reveals a reasoning model whose effort can be
    /// lowered: the request is then sent again, so that all rows have the same effort.
    fn take_in(&mut self, prepared: &PreparedRequest, completion: &ChatCompletion) -> bool {
        let mut state = self.shared.state();
        if state.version != prepared.version {
            return true;
        }
        let refusable = Fields::refusable(self.wanted);
        let model = model_name(&completion.model);
        let model = model.as_str();
        let was = state.profile.model.as_deref();
        let is_another = was.is_some_and(|was| was != model) && !model.is_empty();
        if is_another && state.may_be_another_model() {
            let was = was.unwrap_or_default().to_owned();
            state.other_models += 1;
            SharedProfile::note_other_model(&mut state, self.shared.deployment(), &was, model);
            state.forget(model, refusable);
            self.has_learned = true;
            return true;
        }
        if (state.profile.model.is_none() || is_another) && !model.is_empty() {
            Arc::make_mut(&mut state.profile).model = Some(model.to_owned());
        }
        let thought = completion.usage.map_or(0, |usage| usage.reasoning_tokens);
        let names = [model, self.shared.deployment()];
        if thought > 0 && state.steer(self.wanted, &names) {
            self.has_learned = true;
            return false;
        }
        if thought > 0 {
            let comfortable = thinking::comfortable(thought);
            if state.profile.allowance < comfortable && self.granted.is_none() {
                Arc::make_mut(&mut state.profile).allowance = comfortable;
            }
        }
        // After an empty answer the sufficient allowance is still unknown.
        let is_news = !state.accepted.contains(refusable) && !completion.is_consumed_by_reasoning();
        if is_news {
            state.accepted = state.accepted.with(refusable);
            state.misses = 0;
            state.sent = None;
        }
        state.refusals = 0;
        state.at_last_answer = Arc::clone(&state.profile);
        if is_news && state.version > 0 {
            self.has_learned = true;
            let told = format!("{} {}", self.shared.deployment(), state.profile);
            drop(state);
            tell_once(&[told]);
        }
        true
    }

    /// Learns from a refusal.
    ///
    /// # Errors
    /// Nothing can be done about it; contains a better hint, if there is one.
    fn judge_refusal(
        &mut self,
        prepared: &PreparedRequest,
        attempt: &Attempt,
    ) -> Result<(), Option<String>> {
        let refusal = attempt.refusal.as_ref().ok_or(None)?;
        let mut state = self.shared.state();
        if self.refused.len() >= REFUSALS as usize {
            return Err(None);
        }
        let field = refusal.field(&prepared.request).ok_or(None)?;
        if state.version != prepared.version {
            let deployment = self.shared.deployment();
            let now = state
                .profile
                .translate(self.wanted, deployment, self.budget());
            if now != prepared.request {
                self.refused.push(field);
                return Ok(());
            }
        }
        self.refuses_both(field)?;
        let mut profile = Profile::clone(&state.profile);
        let model = profile.model.clone().unwrap_or_default();
        let now = Circumstances {
            wanted: self.wanted,
            sent: &prepared.request,
            names: &[&model, self.shared.deployment()],
            accepted: state.accepted,
            refusals: state.refusals + 1,
        };
        let learned = profile.learn(refusal, &now);
        if learned.is_err() {
            let efforts = refusal.efforts();
            let is_effort = field == Field::Effort && !efforts.is_empty();
            return Err(is_effort.then(|| {
                format!(
                    "this deployment takes the efforts {}: set one of them, or leave out \
                     reasoning_effort, and the lowest is used",
                    efforts.join(", ")
                )
            }));
        }
        let accepted = match profile.tokens == state.profile.tokens {
            true => state.accepted.without(of(field)),
            false => Fields::default(),
        };
        let (before, accepted_before) = (Arc::clone(&state.profile), state.accepted);
        if !state.change(profile, accepted) {
            return Err(Some(format!(
                "{} keeps changing which parameters it takes: ask its operator which models answer",
                self.shared.deployment()
            )));
        }
        state.refusals += 1;
        let complaint = attempt.outcome.as_ref().err().map(ToString::to_string);
        self.taken_back = complaint.map(|complaint| TakenBack {
            before,
            accepted: accepted_before,
            version: state.version,
            complaint,
        });
        self.refused.push(field);
        self.has_learned = true;
        Ok(())
    }

    /// # Errors
    /// Both fields were refused for this request.
    fn refuses_both(&self, field: Field) -> Result<(), Option<String>> {
        let other = match field {
            Field::MaxTokens => Field::MaxCompletionTokens,
            Field::MaxCompletionTokens => Field::MaxTokens,
            _ => return Ok(()),
        };
        match self.refused.contains(&other) {
            false => Ok(()),
            true => Err(Some(
                "the service takes neither max_tokens nor max_completion_tokens: leave out the limit, \
                 or ask the service's operator"
                    .to_owned(),
            )),
        }
    }
}

impl Drop for Negotiation<'_> {
    /// A request that is cancelled while it goes ahead proves nothing: the next one goes ahead.
    fn drop(&mut self) {
        if self.learner.is_some() {
            self.shared.state().sent = None;
        }
    }
}

impl State {
    /// Discards the profile after an answer of another model to a request with these fields, except
    /// for what was learned since the last answer: those refusals came from the new model.
    fn forget(&mut self, model: &str, refusable: Fields) {
        let profile = self.profile.since(&self.at_last_answer, model);
        // A request sent as written was accepted by the new model too.
        let accepted = match self.profile.is_plain() {
            true => refusable,
            false => Fields::default(),
        };
        self.change(profile, accepted);
        self.refusals = 0;
        self.at_last_answer = Arc::clone(&self.profile);
    }

    /// Lowers the effort of a deployment that reasons. Returns whether that changes the request.
    fn steer(&mut self, wanted: &ChatRequest, names: &[&str]) -> bool {
        let is_settled = self.profile.effort.is_some()
            || self.profile.refused.contains(Fields::EFFORT)
            || names_effort(wanted);
        if is_settled && self.profile.thinks {
            return false;
        }
        let mut profile = Profile::clone(&self.profile);
        profile.thinks = true;
        // After two refusals, choose the effort that every reasoning model accepts.
        let guess = match self.refusals {
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

fn of(field: Field) -> Fields {
    match field {
        Field::MaxTokens | Field::MaxCompletionTokens => Fields::TOKENS,
        Field::Temperature => Fields::TEMPERATURE,
        Field::TopP => Fields::TOP_P,
        Field::Seed => Fields::SEED,
        Field::Effort => Fields::EFFORT,
    }
}
