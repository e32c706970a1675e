//! Answers that thinking has left empty, and requests that the service could not finish because of
//! it: they are asked again with a larger allowance.

use std::sync::Arc;

use super::negotiation::Negotiation;
use super::prepared_request::PreparedRequest;
use super::{Budget, Profile, thinking};
use crate::text::grouped;

/// How many times one request is sent again after an empty answer with an ample allowance. An empty
/// answer after a smaller one only shows that too little thinking was expected.
const EMPTY_ANSWERS: u32 = 2;

/// The smallest ample allowance, in tokens.
const AMPLE: u32 = 2_048;

impl Negotiation<'_> {
    /// Raises the thinking allowance after an attempt for which it was too small. Returns false if
    /// that can't help: the user has fixed it, or it has been raised often enough.
    pub(super) fn raise_allowance(&mut self, prepared: &PreparedRequest<'_>) -> bool {
        let had = prepared.allowance;
        let is_fixed = self.granted.is_some() || self.wanted.max_tokens.is_none();
        if is_fixed || self.empty_answers >= EMPTY_ANSWERS {
            return false;
        }
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        let own = self.own.as_deref().unwrap_or(&state.profile);
        let raised = thinking::more(had).max(own.allowance);
        let profile = Profile {
            allowance: raised,
            thinks: true,
            ..own.clone()
        };
        let limit = profile.tokens(self.wanted, Budget::Tokens(raised));
        if limit <= thinking::limit_of(&prepared.request) {
            return false;
        }
        if had >= AMPLE {
            self.empty_answers += 1;
        }
        self.raised = Some(raised);
        if self.own.is_some() {
            self.own = Some(Arc::new(profile));
            return true;
        }
        if raised > state.profile.allowance {
            state.note(format!(
                "an answer of {} was empty because of its thinking: {} tokens are allowed for that \
                 in addition to max_tokens from now on",
                shared.deployment(),
                grouped(u64::from(raised)),
            ));
        }
        // The other rows start with it. Not every service reports that it thinks.
        state.profile = Arc::new(profile);
        self.has_learned = true;
        true
    }
}
