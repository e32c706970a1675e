//! A field of a request that not every deployment accepts.

use crate::openai::ChatRequest;

/// The field of a request that sets the effort.
pub(super) const EFFORT: &str = "reasoning_effort";
pub(super) const LOGPROBS: &str = "logprobs";
pub(super) const TOP_LOGPROBS: &str = "top_logprobs";

/// The fields without which a request can be sent, and which it holds by their names. `top_logprobs`
/// belongs to `logprobs`.
pub(super) const NAMED: [&str; 17] = [
    LOGPROBS,
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "verbosity",
    "top_k",
    "min_p",
    "repetition_penalty",
    "service_tier",
    "store",
    "metadata",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prediction",
    "parallel_tool_calls",
];

/// The effort that the request is sent with, if it is a text.
pub(super) fn effort_in(request: &ChatRequest) -> Option<&str> {
    request.other.get(EFFORT)?.as_str()
}

/// A field that some deployments refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    MaxTokens,
    MaxCompletionTokens,
    Temperature,
    TopP,
    Seed,
    Stop,
    Effort,
    /// A field without which the request can be sent, by its name.
    Named(&'static str),
}

impl Field {
    const TYPED: [(Self, &'static str); 11] = [
        (Self::MaxTokens, "max_tokens"),
        (Self::MaxCompletionTokens, "max_completion_tokens"),
        (Self::Temperature, "temperature"),
        (Self::TopP, "top_p"),
        (Self::Seed, "seed"),
        (Self::Stop, "stop"),
        (Self::Effort, EFFORT),
        (Self::Effort, "reasoning.effort"),
        (Self::Effort, "reasoning effort"),
        (Self::Effort, "reasoningeffort"),
        (Self::Named(LOGPROBS), TOP_LOGPROBS),
    ];

    /// The names of each field that a message may use.
    pub(super) fn all() -> impl Iterator<Item = (Self, &'static str)> {
        let named = NAMED.into_iter().map(|name| (Self::Named(name), name));
        Self::TYPED.into_iter().chain(named)
    }

    /// The fields that the request sets, under the names that a message may use.
    pub(super) fn in_request(request: &ChatRequest) -> impl Iterator<Item = (Self, &'static str)> {
        Self::all().filter(|(field, _)| field.is_in(request))
    }

    /// Can the request be sent without it?
    pub(super) fn is_optional(self) -> bool {
        match self {
            Self::MaxTokens | Self::MaxCompletionTokens | Self::Effort => false,
            Self::Temperature | Self::TopP | Self::Seed | Self::Stop | Self::Named(_) => true,
        }
    }

    /// Its value, if values of it may be out of range.
    fn value_in(self, request: &ChatRequest) -> Option<f64> {
        match self {
            Self::Temperature => request.temperature,
            Self::TopP => request.top_p,
            Self::Named(name) => request.other.get(name).and_then(serde_json::Value::as_f64),
            Self::MaxTokens | Self::MaxCompletionTokens | Self::Effort => None,
            Self::Seed | Self::Stop => None,
        }
    }

    /// May its value be out of range? Every deployment that takes such a field takes values from 0 to 1, but
    /// not every one takes others.
    pub(super) fn is_unusual_in(self, request: &ChatRequest) -> bool {
        let value = self.value_in(request);
        value.is_some_and(|value| !(0.0..=1.0).contains(&value))
    }

    /// Does the request set it?
    pub(super) fn is_in(self, request: &ChatRequest) -> bool {
        match self {
            Self::MaxTokens => request.max_tokens.is_some(),
            Self::MaxCompletionTokens => request.max_completion_tokens.is_some(),
            Self::Temperature => request.temperature.is_some(),
            Self::TopP => request.top_p.is_some(),
            Self::Seed => request.seed.is_some(),
            Self::Stop => !request.stop.is_empty(),
            Self::Effort => request.other.contains_key(EFFORT),
            Self::Named(LOGPROBS) => [LOGPROBS, TOP_LOGPROBS]
                .iter()
                .any(|name| request.other.contains_key(*name)),
            Self::Named(name) => request.other.contains_key(name),
        }
    }
}
