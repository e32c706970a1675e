//! Answers that thinking has left empty, and requests that the service could not finish because of
//! it: they are asked again with a larger allowance, or with a smaller one where the context has no room
//! for it.

use std::sync::Arc;

use super::context_length::ContextLength;
use super::negotiation::Negotiation;
use super::prepared_request::PreparedRequest;
use super::rejection::Field;
use super::shared::State;
use super::thinking::GROWTH;
use super::{Budget, Profile, names_effort, thinking};
use crate::text::grouped;

/// How many times one request is sent again after an empty answer with an ample allowance. An empty
/// answer after a smaller one only shows that too little thinking was expected.
const EMPTY_ANSWERS: u32 = 2;

/// The smallest ample allowance, in tokens.
const AMPLE: u32 = 2_048;

impl Negotiation<'_> {
    /// Raises the thinking allowance after an attempt for which it was too small. Returns false if
    /// that can't help: the user's own was used, or it has been raised often enough.
    ///
    /// The user's own is used from the first request on only where it is known that the model thinks:
    /// the answers of any other would become longer by it.
    pub(super) fn raise_allowance(&mut self, prepared: &PreparedRequest<'_>) -> bool {
        let had = prepared.allowance;
        let is_used = self.granted.is_some_and(|granted| had >= granted);
        let is_fixed = is_used || self.wanted.max_tokens.is_none();
        if is_fixed || self.empty_answers >= EMPTY_ANSWERS {
            return false;
        }
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        let own = self.own.as_deref().unwrap_or(&state.profile);
        let more = match self.room_for_thinking(&state) {
            Some(room) if room > had => thinking::more(had).min(room),
            _ => thinking::more(had),
        };
        let needed = match self.granted {
            Some(_) => own.needed(self.wanted),
            None => more.max(own.needed(self.wanted)),
        };
        let raised = self.granted.unwrap_or(needed);
        let mut profile = Profile::clone(own);
        profile.thinks |= !names_effort(self.wanted);
        profile.need(self.wanted, needed);
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
        let is_news = match self.granted {
            Some(_) => profile.thinks && !state.profile.thinks,
            None => raised > state.profile.needed(self.wanted),
        };
        if is_news {
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

    /// The largest allowance that the context is known to have room for, with a prompt of usual length.
    pub(super) fn room_for_thinking(&self, state: &State) -> Option<u32> {
        state.room?.checked_sub(self.wanted.max_tokens?)
    }

    /// Limits the thinking allowance of this request to the room that the context has.
    ///
    /// # Errors
    /// There is no room for the answer that is wanted, or the allowance is not what is too large.
    pub(super) fn keep_within(
        &mut self,
        context: ContextLength,
        prepared: &PreparedRequest<'_>,
    ) -> Result<Field, Option<String>> {
        let sent = thinking::limit_of(&prepared.request).ok_or(None)?;
        let room = context.room(sent).ok_or(None)?;
        let wanted = self.wanted.max_tokens.ok_or(None)?;
        if room < wanted || room >= sent {
            return Err(None);
        }
        let profile = match &self.own {
            Some(own) => Arc::clone(own),
            None => self.shared.profile(),
        };
        let allowance = room - wanted;
        let mut state = self.shared.state();
        let needed = state.profile.needed(self.wanted);
        // Requests with prompts like this one need not be refused too. After a much longer one, the
        // others keep what they have.
        if allowance < needed && allowance >= needed / GROWTH {
            Arc::make_mut(&mut state.profile).need(self.wanted, allowance);
            state.room = Some(room);
        }
        drop(state);
        // Of this request alone: the prompts of others are shorter or longer.
        self.own = Some(Arc::new(Profile {
            most_tokens: Some(room),
            ..Profile::clone(&profile)
        }));
        Ok(match prepared.request.max_tokens {
            Some(_) => Field::MaxTokens,
            None => Field::MaxCompletionTokens,
        })
    }
}
