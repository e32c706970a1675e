//! Undoes a change of the profile that did not help, and takes back the effort that a request was
//! sent with although its user set none.
//!
//! A deployment may refuse an effort without naming it, or fail because of it. No request may fail
//! for what was added to it, so before such a refusal becomes an error, the effort is taken back.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fields::Fields;
use super::negotiation::{Negotiation, PreparedRequest};
use super::refusal::Field;
use super::{Profile, names_effort};
use crate::error::{Error, ErrorKind};
use crate::openai::ChatRequest;
use crate::openai::attempt::Attempt;

/// A change of the profile because of a complaint.
pub(super) struct TakenBack {
    /// The profile before, what it had accepted, and the version after. `None` if only the request's
    /// own profile has changed.
    pub(super) before: Option<(Arc<Profile>, Fields, u32)>,
    pub(super) complaint: Complaint,
}

impl TakenBack {
    /// A change of the request's own profile.
    pub(super) fn own(complaint: Complaint) -> Self {
        Self {
            before: None,
            complaint,
        }
    }
}

/// What an error is about, without the numbers and IDs that differ each time.
pub(super) struct Complaint {
    status: Option<u16>,
    field: Option<Field>,
    words: BTreeSet<String>,
}

impl Complaint {
    pub(super) fn of(attempt: &Attempt, wanted: &ChatRequest) -> Self {
        let error = attempt.outcome.as_ref().err();
        let text = error.map(Error::message).unwrap_or_default();
        let words = text.split(|c: char| !c.is_alphanumeric());
        let is_word = |word: &&str| !word.is_empty() && !word.contains(|c: char| c.is_numeric());
        let refusal = attempt.refusal.as_ref();
        Self {
            status: error.and_then(Error::status),
            field: refusal.and_then(|refusal| refusal.field(wanted)),
            words: words.filter(is_word).map(str::to_lowercase).collect(),
        }
    }

    /// Do both say the same? At least three quarters of their words are the same.
    fn is_same(&self, other: &Self) -> bool {
        let common = self.words.intersection(&other.words).count();
        let all = self.words.union(&other.words).count();
        self.status == other.status && self.field == other.field && 4 * common >= 3 * all
    }
}

impl Negotiation<'_> {
    /// Takes back the effort that was added to a request if it may be why the request failed.
    /// Returns whether the effort is gone.
    pub(super) fn take_back(
        &mut self,
        prepared: &PreparedRequest<'_>,
        attempt: &Attempt,
        error: &Error,
    ) -> bool {
        let complaint = Complaint::of(attempt, self.wanted);
        if let Some(taken) = self.taken_back.take()
            && taken.complaint.is_same(&complaint)
        {
            self.restore(taken);
            return false;
        }
        let refusal = attempt.refusal.as_ref();
        let names_a_field = refusal.is_some_and(|it| it.field(&prepared.request).is_some());
        if names_a_field || names_effort(self.wanted) || !self.may_be_due_to_effort(error) {
            return false;
        }
        let sent = prepared.request.other.get(super::EFFORT);
        let Some(sent) = sent.and_then(|effort| effort.as_str()) else {
            return false;
        };
        let mut state = self.shared.state();
        let own = self.own.as_ref().unwrap_or(&state.profile);
        if own.effort.as_deref() != Some(sent) {
            // Another request has changed it in the meantime.
            return state.version != prepared.version;
        }
        if state.accepted.contains(Fields::EFFORT) {
            return false;
        }
        let (before, accepted) = (Arc::clone(own), state.accepted);
        let mut profile = Profile::clone(&before);
        profile.refused_efforts.extend(profile.effort.take());
        profile.refused = profile.refused.with(Fields::EFFORT);
        if self.own.is_some() {
            drop(state);
            self.own = Some(Arc::new(profile));
            self.taken_back = Some(TakenBack::own(complaint));
            return true;
        }
        if !state.change(profile, accepted) {
            return false;
        }
        self.taken_back = Some(TakenBack {
            before: Some((before, accepted, state.version)),
            complaint,
        });
        drop(state);
        self.has_learned = true;
        true
    }

    /// A service that fails right after it has answered the same request without the effort
    /// fails because of the effort.
    fn may_be_due_to_effort(&self, error: &Error) -> bool {
        match error.status() {
            Some(400 | 422) => error.kind() != ErrorKind::ContentFilter,
            Some(500 | 501) => self.holds_an_answer(),
            _ => false,
        }
    }

    /// Undoes a change after which the request is refused for the same reason.
    fn restore(&mut self, taken: TakenBack) {
        let Some((before, accepted, version)) = taken.before else {
            self.own = None;
            return;
        };
        let mut state = self.shared.state();
        if version == state.version {
            state.refusals = state.refusals.saturating_sub(1);
            self.has_learned |= state.change(Profile::clone(&before), accepted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(message: &str) -> Complaint {
        let error = Error::new(ErrorKind::BadRequest, message.to_owned()).with_status(400);
        let attempt = Attempt {
            outcome: Err(error),
            limits: Default::default(),
            retry: crate::http::retry::Retry::NO,
            refusal: None,
            is_sent: true,
        };
        Complaint::of(&attempt, &ChatRequest::from("x"))
    }

    #[test]
    fn the_same_complaint_is_recognized_whatever_its_ids() {
        let first = complaint("Bad prompt for this model. Request id 7f3a2, 12:00:01");
        let again = complaint("Bad prompt for this model. Request id 99b1c, 12:00:02");
        assert!(first.is_same(&again));
        assert!(!first.is_same(&complaint("The context is too long: 9000 tokens.")));
    }
}
