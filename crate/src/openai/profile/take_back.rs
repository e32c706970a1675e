//! Undoes a change of the profile that did not help, and takes back the effort that a request was
//! sent with although its user set none.
//!
//! A deployment may refuse an effort without naming it, or fail because of it. No request may fail
//! for what was added to it, so before such a rejection becomes an error, the effort is taken back.

use std::sync::Arc;

use super::attempt::Attempt;
use super::complaint::{Complaint, TakenBack};
use super::field::effort_in;
use super::fields::Fields;
use super::negotiation::Negotiation;
use super::prepared_request::PreparedRequest;
use super::{Profile, names_effort};
use crate::error::{Error, ErrorKind};

impl Negotiation<'_> {
    /// Takes back the effort that was added to a request if it may be why the request failed.
    /// Returns whether the request is to be sent again: without the effort, or once more with it.
    pub(super) fn take_back(
        &mut self,
        prepared: &PreparedRequest<'_>,
        attempt: &Attempt,
        error: &Error,
    ) -> bool {
        let complaint = Complaint::from_attempt(attempt, self.wanted);
        if let Some(taken) = self.taken_back.take()
            && taken.complaint.is_same(&complaint)
        {
            self.restore(taken);
            return false;
        }
        let rejection = attempt.rejection.as_ref();
        let names_a_field = rejection.is_some_and(|it| it.field(&prepared.request).is_some());
        if names_a_field || names_effort(self.wanted) || !self.may_be_due_to_effort(error) {
            return false;
        }
        let Some(sent) = effort_in(&prepared.request) else {
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
        // A service may fail once for any reason. The effort goes when this request, or the next one that
        // is sent with it, fails too.
        if matches!(error.status(), Some(500 | 501)) && state.failures_with_effort == 0 {
            state.failures_with_effort += 1;
            return true;
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
    /// may fail because of the effort, and so may one that has failed so before. A failure that may pass by itself must happen twice, and so must
    /// one after which only other requests were answered without it.
    fn may_be_due_to_effort(&mut self, error: &Error) -> bool {
        match error.status() {
            Some(400 | 422) => error.kind() != ErrorKind::ContentFilter,
            Some(500 | 501) if self.answered_without_effort => true,
            Some(500 | 501) if self.shared.state().failures_with_effort > 0 => true,
            Some(500..=504) => self.fails_again(),
            None if error.kind() == ErrorKind::Connection => self.fails_again(),
            _ => false,
        }
    }

    fn fails_again(&mut self) -> bool {
        if !self.shared.state().answered_without_effort {
            return false;
        }
        self.failures_with_effort += 1;
        self.failures_with_effort > 1
    }

    /// Undoes a change after which the request is refused for the same reason.
    fn restore(&mut self, taken: TakenBack) {
        let Some((before, accepted, version)) = taken.before else {
            self.own = None;
            return;
        };
        let mut state = self.shared.state();
        if version == state.version {
            state.rejections = state.rejections.saturating_sub(1);
            self.has_learned |= state.change(Profile::clone(&before), accepted);
        }
    }
}
