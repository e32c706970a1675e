//! Judges a rejection: what the profile learns from it, for this request or for all, and whether the
//! request is sent again.

use std::sync::Arc;

use super::Profile;
use super::attempt::Attempt;
use super::complaint::{Complaint, TakenBack};
use super::field::Field;
use super::fields::Fields;
use super::learn::Circumstances;
use super::negotiation::Negotiation;
use super::prepared_request::PreparedRequest;
use super::rejection::Rejection;
use super::shared::State;
use crate::text::sanitize_line;

/// How many times one request may be refused and sent again.
const REJECTIONS: usize = 10;

/// The same where both names of the token limit were refused, and nothing was ever answered.
const REJECTIONS_OF_BOTH: usize = 3;
/// The same where the service tells to use the other name: then different models probably answer, and
/// chance decides which.
const REJECTIONS_OF_TOLD: usize = 7;

impl Negotiation<'_> {
    /// Learns from a rejection.
    ///
    /// # Errors
    /// Nothing can be done about it; contains a better hint, if there is one.
    pub(super) fn judge_rejection(
        &mut self,
        prepared: &PreparedRequest<'_>,
        attempt: &Attempt,
    ) -> Result<(), Option<String>> {
        let field = self.learn_from(prepared, attempt)?;
        self.refused.push(field);
        Ok(())
    }

    /// Decides whether the profile changes, for this request or for all. Returns the field that
    /// counts as refused.
    ///
    /// # Errors
    /// As [`judge_rejection`](Self::judge_rejection).
    fn learn_from(
        &mut self,
        prepared: &PreparedRequest<'_>,
        attempt: &Attempt,
    ) -> Result<Field, Option<String>> {
        let rejection = attempt.rejection.as_ref().ok_or(None)?;
        if let Some(context) = rejection.context() {
            return self.keep_within(context, prepared);
        }
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        let field = rejection.field(&prepared.request);
        let Some(field) = field else {
            let hint = self.needed_field(rejection, prepared);
            self.refuses_settings = hint.is_some();
            return Err(hint);
        };
        let refused = Fields::of_request(field, self.wanted);
        self.is_told_other_name |= other_name(field).is_some_and(|other| rejection.names(other));
        if rejection.is_guess(&prepared.request) && state.has_accepted(refused) {
            return Err(None);
        }
        if self.refused.len() >= REJECTIONS {
            return Err(Some(format!(
                "{} keeps changing which parameters it takes: ask its operator which models answer",
                self.deployment
            )));
        }
        if self.has_changed_since(prepared, &state) {
            return Ok(field);
        }
        let is_both = self.refuses_both(field, &state);
        is_both.inspect_err(|_| self.refuses_settings = true)?;
        if self.has_just_switched(field) {
            return Ok(field);
        }
        let before = self.own.as_ref().unwrap_or(&state.profile);
        let before = Arc::clone(before);
        let learned = self.learned(&state, &before, rejection, prepared);
        let (profile, field) =
            learned.inspect_err(|hint| self.refuses_settings = hint.is_some())?;
        let complaint = Complaint::from_attempt(attempt, self.wanted);
        let is_accepted = state.has_accepted(refused);
        let is_disputed = state.disputed.contains(refused);
        let is_of_row = match rejection.may_be_about_value(field, &prepared.request) {
            // Other rows, with other values, are answered.
            true => is_accepted || !is_disputed,
            false => is_accepted && !is_disputed,
        };
        if self.own.is_some() || is_of_row || state.has_changed_too_often() {
            state.disputed = state.disputed.with(refused);
            self.own = Some(Arc::new(profile));
            self.taken_back = Some(TakenBack::own(complaint));
            return Ok(field);
        }
        // Two models refuse what the other one takes.
        let is_refused_again =
            profile.tokens != before.tokens && before.tokens != state.at_last_answer.tokens;
        if is_refused_again || is_accepted && state.other_models > 0 {
            state.turns.mix();
        }
        let accepted = match profile.tokens == state.profile.tokens {
            true => state.accepted.without(refused),
            false => Fields::default(),
        };
        let (before, accepted_before) = self.before_complaint(&complaint, &state, before);
        state.change(profile, accepted);
        state.rejections += 1;
        self.taken_back = Some(TakenBack {
            before: Some((before, accepted_before, state.version)),
            complaint,
        });
        self.has_learned = true;
        Ok(field)
    }

    /// The profile, and what it had accepted, before the first change because of this complaint. A
    /// message that names several fields is met again after each of them was changed.
    fn before_complaint(
        &self,
        complaint: &Complaint,
        state: &State,
        now: Arc<Profile>,
    ) -> (Arc<Profile>, Fields) {
        let earlier = self.taken_back.as_ref();
        let earlier = earlier.filter(|taken| taken.complaint.is_same(complaint));
        match earlier.and_then(|taken| taken.before.as_ref()) {
            Some((before, accepted, version)) if *version == state.version => {
                (Arc::clone(before), *accepted)
            }
            _ => (now, state.accepted),
        }
    }

    /// A hint that names the refused field without which the request would be another one.
    fn needed_field(
        &self,
        rejection: &Rejection,
        prepared: &PreparedRequest<'_>,
    ) -> Option<String> {
        let name = rejection.needed_field(&prepared.request)?;
        let name = sanitize_line(name, super::MAX_NAME);
        Some(format!("{} refuses {name}: leave it out", self.deployment))
    }

    /// The profile after a rejection, and the refused field.
    ///
    /// # Errors
    /// As [`judge_rejection`](Self::judge_rejection).
    fn learned(
        &self,
        state: &State,
        before: &Profile,
        rejection: &Rejection,
        prepared: &PreparedRequest<'_>,
    ) -> Result<(Profile, Field), Option<String>> {
        let mut profile = before.clone();
        let model = profile.model.clone().unwrap_or_default();
        let now = Circumstances {
            wanted: self.wanted,
            sent: &prepared.request,
            names: &[&model, self.deployment],
            accepted: state.accepted,
            accepted_without_effort: state.accepted_without_effort,
            exceptions: &state.exceptions,
            rejections: state.rejections + 1,
        };
        match profile.learn(rejection, &now) {
            Ok(field) => Ok((profile, field)),
            Err(_) => {
                let efforts = rejection.efforts();
                let is_effort = rejection.field(&prepared.request) == Some(Field::Effort);
                if let Some(most) = rejection.most_tokens() {
                    return Err(Some(format!(
                        "{} takes at most {most} tokens: lower max_tokens",
                        self.deployment
                    )));
                }
                Err(is_effort.then(|| match efforts.is_empty() {
                    true => format!(
                        "{} refuses this reasoning_effort: set another one, or leave it out",
                        self.deployment
                    ),
                    false => format!(
                        "this deployment takes the efforts {}: set one of them, or leave out \
                         reasoning_effort, and the lowest is used",
                        efforts.join(", ")
                    ),
                }))
            }
        }
    }

    /// Has another request changed the profile in the meantime, so that this one would be sent in
    /// another way now?
    fn has_changed_since(&self, prepared: &PreparedRequest<'_>, state: &State) -> bool {
        state.version != prepared.version
            && self.own.is_none()
            && state.profile.translate(self.wanted, self.budget()) != prepared.request
    }

    /// Was the other name of the token limit refused just before this one? Where models take turns,
    /// switching after every rejection could meet the wrong one each time, so the name stays once.
    fn has_just_switched(&self, field: Field) -> bool {
        let other = other_name(field);
        other.is_some() && self.refused.last().copied() == other
    }

    /// # Errors
    /// Both names of the token limit were refused for this request, and the deployment has answered
    /// none. One that has answered takes one of them: different models answer, and the next may take
    /// this one.
    fn refuses_both(&self, field: Field, state: &State) -> Result<(), Option<String>> {
        let most = match self.is_told_other_name {
            true => REJECTIONS_OF_TOLD,
            false => REJECTIONS_OF_BOTH,
        };
        let is_new = state.profile.model.is_none() && self.refused.len() >= most;
        match other_name(field) {
            Some(other) if is_new && self.refused.contains(&other) => Err(Some(
                "the service takes neither max_tokens nor max_completion_tokens: leave out the limit, \
                 or ask the service's operator"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }
}

/// The other name of the token limit.
fn other_name(field: Field) -> Option<Field> {
    match field {
        Field::MaxTokens => Some(Field::MaxCompletionTokens),
        Field::MaxCompletionTokens => Some(Field::MaxTokens),
        _ => None,
    }
}
