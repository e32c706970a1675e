//! The settings without which a request would be another one, apart from its text.

use serde_json::Value;

use crate::openai::profile::SharedProfile;
use crate::openai::{ChatRequest, Role};

const EFFORT: &str = "reasoning_effort";

/// The settings of a request that a service may refuse for all requests with them.
pub(super) struct NeededSettings {
    model: Option<String>,
    limits: [Option<u32>; 3],
    others: Vec<(String, Value)>,
    /// The authors of its messages, and which of these have parts, such as images.
    messages: Vec<(Role, bool)>,
}

impl NeededSettings {
    pub(super) fn of_request(request: &ChatRequest) -> Self {
        Self {
            model: request.model.clone(),
            limits: limits(request),
            others: others(request)
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            messages: messages(request).collect(),
        }
    }

    /// Does the request have the same ones?
    pub(super) fn are_of(&self, request: &ChatRequest) -> bool {
        let own = self.others.iter().map(|(name, value)| (name, value));
        self.model == request.model
            && self.limits == limits(request)
            && own.eq(others(request))
            && self.messages.iter().copied().eq(messages(request))
    }
}

fn limits(request: &ChatRequest) -> [Option<u32>; 3] {
    [request.n, request.max_tokens, request.max_completion_tokens]
}

fn others(request: &ChatRequest) -> impl Iterator<Item = (&String, &Value)> {
    let effort = request.other.get_key_value(EFFORT);
    SharedProfile::needed_fields(request).chain(effort)
}

fn messages(request: &ChatRequest) -> impl Iterator<Item = (Role, bool)> {
    let messages = request.messages.iter();
    messages.map(|message| (message.role, !message.parts.is_empty()))
}
