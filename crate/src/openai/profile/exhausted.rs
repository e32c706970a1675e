//! Answers that thinking has left empty or cut short, and requests that the service could not finish
//! because of it: they are asked again with a larger allowance, or with a smaller one where the context or
//! the quota has no room for it.

use std::sync::Arc;

use super::context_length::ContextLength;
use super::field::Field;
use super::negotiation::Negotiation;
use super::prepared_request::PreparedRequest;
use super::shared::State;
use super::thinking::GROWTH;
use super::wording::is_about_limit;
use super::{Budget, Profile, names_effort, thinking};
use crate::error::{Error, ErrorKind};
use crate::text::grouped;

/// How many times one request is sent again after an empty answer with an ample allowance. An empty
/// answer after a smaller one only shows that too little thinking was expected.
const EMPTY_ANSWERS: u32 = 2;

/// The smallest ample allowance, in tokens.
const AMPLE: u32 = 2_048;

/// Limits that differ by less, in tokens, are taken to be equal.
const CLOSE: u32 = 64;

/// How many times the allowance of one request is lowered after rejections in unknown words.
const MAX_LOWERED: u32 = 4;

impl Negotiation<'_> {
    /// Raises the thinking allowance after an attempt for which it was too small, so that the answer was
    /// empty or `lost` otherwise. Returns false if that can't help: the user's own was used, or it has been
    /// raised often enough.
    ///
    /// The user's own is used from the first request on only where it is known that the model thinks:
    /// the answers of any other would become longer by it.
    pub(super) fn raise_allowance(
        &mut self,
        prepared: &PreparedRequest<'_>,
        lost: &'static str,
    ) -> bool {
        let had = prepared.allowance;
        let is_used = self.granted.is_some_and(|granted| had >= granted);
        let is_fixed = is_used || self.wanted.max_tokens.is_none();
        if is_fixed || self.empty_answers >= EMPTY_ANSWERS {
            return false;
        }
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        let own = self.own.as_deref().unwrap_or(&state.profile);
        let sent = thinking::limit_of(&prepared.request);
        let below = self.below_refused(&state, sent.unwrap_or_default());
        let more = match (below, self.room_for_thinking(&state)) {
            (Some(below), _) => below.saturating_sub(self.wanted.max_tokens.unwrap_or_default()),
            (None, Some(room)) if room > had => thinking::more(had).min(room),
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
        if self.refused_limit.is_some() {
            profile.most_tokens = below;
        }
        let limit = profile.tokens(self.wanted, Budget::Tokens(raised));
        if limit <= sent {
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
            state.add_note(format!(
                "an answer of {} was {lost} because of its thinking: {} tokens are allowed for that \
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

    /// A limit between the one that was sent and the smallest that was refused in unknown words, if one
    /// was.
    fn below_refused(&self, state: &State, sent: u32) -> Option<u32> {
        let refused = self.refused_limit.or(state.refused_limit);
        let refused = refused.filter(|refused| *refused > sent)?;
        Some(match refused - sent < CLOSE {
            true => sent,
            false => sent.midpoint(refused),
        })
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
        let field = self.keep_to(room, prepared).ok_or(None)?;
        self.share_room(room);
        Ok(field)
    }

    /// Limits the thinking allowance so that the request fits into the quota, which it exceeds by so many
    /// tokens. Returns whether that is possible.
    pub(crate) fn fit(&mut self, prepared: &PreparedRequest<'_>, excess: u64) -> bool {
        let answers = u64::from(self.wanted.n.unwrap_or(1).max(1));
        let excess = u32::try_from(excess.div_ceil(answers)).ok();
        let sent = thinking::limit_of(&prepared.request);
        let room = sent.zip(excess);
        let room = room.and_then(|(sent, excess)| sent.checked_sub(excess));
        let is_kept = room.is_some_and(|room| self.keep_to(room, prepared).is_some());
        if let Some(room) = room.filter(|_| is_kept) {
            self.share_room(room);
        }
        is_kept
    }

    /// Lowers the thinking allowance after a rejection in unknown words that it may be the reason of:
    /// requests with a smaller one were answered. Returns false if it can't be.
    pub(super) fn lower_allowance(
        &mut self,
        prepared: &PreparedRequest<'_>,
        error: &Error,
    ) -> bool {
        let may_be_size = matches!(
            error.kind(),
            ErrorKind::BadRequest | ErrorKind::UnprocessableEntity
        );
        // The same prompt was answered with less, or the words are about a size.
        let is_likely = self.raised.is_some() || is_about_limit(&error.message().to_lowercase());
        if !may_be_size || !is_likely || self.granted.is_some() || self.lowered >= MAX_LOWERED {
            return false;
        }
        let answered = self.shared.state().answered_limit;
        let Some(sent) = thinking::limit_of(&prepared.request).filter(|sent| *sent > answered)
        else {
            return false;
        };
        self.lowered += 1;
        self.refused_limit = Some(sent);
        let room = match self.lowered {
            MAX_LOWERED => answered,
            _ => answered.midpoint(sent),
        };
        self.keep_to(room, prepared).is_some()
    }

    /// Limits the allowance of the other requests to what was right for this one after a rejection in
    /// unknown words, unless some of them were answered with more.
    pub(super) fn share_lowered(&self, prepared: &PreparedRequest<'_>) {
        let room = thinking::limit_of(&prepared.request).unwrap_or_default();
        if self.lowered == 0 || room < self.shared.state().answered_limit {
            return;
        }
        self.shared.state().refused_limit = self.refused_limit;
        self.share_room(room);
    }

    /// Requests with prompts like this one need not be refused too. After a much longer one, the others
    /// keep what they have.
    fn share_room(&self, room: u32) {
        let allowance = room.saturating_sub(self.wanted.max_tokens.unwrap_or_default());
        let mut state = self.shared.state();
        let needed = state.profile.needed(self.wanted);
        if allowance < needed && allowance >= needed / GROWTH {
            Arc::make_mut(&mut state.profile).need(self.wanted, allowance);
            state.room = Some(room);
        }
    }

    /// Limits the thinking allowance so that thinking and answer have so many tokens. Returns the field
    /// that limits them, or `None` if the answer that is wanted has no room.
    fn keep_to(&mut self, room: u32, prepared: &PreparedRequest<'_>) -> Option<Field> {
        let sent = thinking::limit_of(&prepared.request)?;
        let wanted = self.wanted.max_tokens?;
        if room < wanted || room >= sent {
            return None;
        }
        let profile = match &self.own {
            Some(own) => Arc::clone(own),
            None => self.shared.profile(),
        };
        // Of this request alone: the prompts of others are shorter or longer.
        self.own = Some(Arc::new(Profile {
            most_tokens: Some(room),
            ..Profile::clone(&profile)
        }));
        Some(match prepared.request.max_tokens {
            Some(_) => Field::MaxTokens,
            None => Field::MaxCompletionTokens,
        })
    }
}
