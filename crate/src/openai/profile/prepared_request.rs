//! A request that the profile has translated.

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::openai::ChatRequest;

/// A request as one attempt sends it.
pub(crate) struct PreparedRequest<'a> {
    /// The request as it is sent.
    pub(crate) request: Cow<'a, ChatRequest>,
    pub(crate) deployment: &'a str,
    /// How it was translated; `None` if it is sent as written.
    pub(crate) tag: Option<Arc<str>>,
    /// The thinking allowance in it, in tokens.
    pub(super) allowance: u32,
    /// The largest limit of tokens that the service is known to take.
    pub(super) most_tokens: Option<u32>,
    pub(super) version: u32,
}

impl PreparedRequest<'_> {
    /// Adds a hint to the error of a request that is larger than the quota if its thinking
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
