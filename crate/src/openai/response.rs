//! An answer, as the service returns it.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::limits::RateLimits;
use crate::error::{ContentFilter, PromptFilter};
use crate::json::Json;
use crate::text::sanitize_line;

/// The answer to a chat request. It serializes to the response body and deserializes from one; data
/// outside of the body, such as the [latency](Self::latency), is then lost.
///
/// ```
/// use evenhand::ChatCompletion;
///
/// let body = r#"{"choices": [{"message": {"content": "Kind."}, "finish_reason": "stop"}]}"#;
/// let answer: ChatCompletion = serde_json::from_str(body)?;
/// assert_eq!(answer.text(), Some("Kind."));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChatCompletion {
    /// The service's ID of this answer.
    pub id: String,
    /// The model that answered, as the service names it.
    pub model: String,
    /// When it answered, in seconds since 1970.
    pub created: u64,
    /// The answers: at least one, at most 1,024.
    pub choices: Vec<Choice>,
    /// The token usage, if the service reported it; `None` also if it reported more tokens than any
    /// answer can have.
    pub usage: Option<Usage>,
    /// The content filter's results for the prompt.
    pub prompt_filter_results: Vec<PromptFilter>,
    /// Changes when the configuration of the service that runs the model changes.
    pub system_fingerprint: Option<String>,
    pub(super) body: Body,
    pub(super) exchange: Exchange,
}

/// The body as it was received. Parsed, it takes ten times as much memory, gigabytes for a batch of a
/// hundred thousand answers, so it is parsed only on request.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    text: Json,
    value: OnceLock<Box<Value>>,
}

impl Body {
    pub(super) fn new(text: Json) -> Self {
        Self {
            text,
            value: OnceLock::new(),
        }
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// How the answer was obtained.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Exchange {
    pub(super) latency: Duration,
    pub(super) request_id: Option<String>,
    pub(super) attempts: u32,
    pub(super) limits: RateLimits,
    pub(super) profile: Option<Arc<str>>,
}

impl ChatCompletion {
    /// The text of the first answer, without the thinking that some servers put before it, between
    /// `<think>` and `</think>`; `None` if the content filter withheld it.
    pub fn text(&self) -> Option<&str> {
        self.choices.first()?.text()
    }

    /// What the service's content filter found in the first answer, if the service has one. An answer that
    /// it withheld has findings, but no text.
    pub fn content_filter(&self) -> Option<&ContentFilter> {
        let filter = &self.choices.first()?.content_filter_results;
        (!filter.categories.is_empty()).then_some(filter)
    }

    /// Why the first answer ended.
    pub fn finish_reason(&self) -> Option<&FinishReason> {
        self.choices.first()?.finish_reason.as_ref()
    }

    /// How long the successful attempt took; zero for an answer that was read from a file.
    pub fn latency(&self) -> Duration {
        self.exchange.latency
    }

    /// The service's ID of the request, which its support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.exchange.request_id.as_deref()
    }

    /// The number of attempts; 0 for an answer that was read from a file.
    pub fn attempts(&self) -> u32 {
        self.exchange.attempts
    }

    /// What the service reported about the quota along with the answer.
    pub fn rate_limits(&self) -> &RateLimits {
        &self.exchange.limits
    }

    /// How the request was sent, if not as written: a deployment may require other parameters, such as
    /// `max_completion_tokens, effort minimal, without temperature`.
    pub fn profile(&self) -> Option<&str> {
        self.exchange.profile.as_deref()
    }

    /// The same, for an answer that is read from a file.
    pub(crate) fn with_profile(mut self, profile: Option<String>) -> Self {
        self.exchange.profile = profile.map(Into::into);
        self
    }

    /// The whole body as it was received, including fields that this type lacks.
    pub fn as_json(&self) -> &Value {
        self.body
            .value
            .get_or_init(|| Box::new(self.body.text.to_value()))
    }

    /// The same, unparsed.
    pub(crate) fn to_json(&self) -> Json {
        self.body.text.clone()
    }

    /// Records the number of attempts and the quota, which only the caller knows.
    pub(crate) fn after_attempts(mut self, attempts: u32, limits: RateLimits) -> Self {
        self.exchange.attempts = attempts;
        self.exchange.limits = limits;
        self
    }
}

impl Serialize for ChatCompletion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body.text.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ChatCompletion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Value::deserialize(deserializer)?;
        Self::from_json(Json::from(&body)).map_err(serde::de::Error::custom)
    }
}

/// One of the answers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Choice {
    /// The index of the answer, from 0.
    pub index: u64,
    /// The model's message.
    pub message: ChoiceMessage,
    /// Why it ended.
    pub finish_reason: Option<FinishReason>,
    /// The content filter's results for it.
    pub content_filter_results: ContentFilter,
    /// The probability of each token of the text, if
    /// [`ChatRequest::logprobs`](super::ChatRequest::logprobs) requested it, for the first 65,536
    /// tokens; [`ChatCompletion::as_json`] has all of them.
    pub logprobs: Vec<TokenLogprob>,
}

/// A token of an answer and its probability.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TokenLogprob {
    /// The token's text.
    pub token: String,
    /// The natural logarithm of its probability.
    pub logprob: f64,
    /// The most likely tokens in its place, in descending order, each with the logarithm of its
    /// probability.
    pub top: Vec<(String, f64)>,
}

/// The model's message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChoiceMessage {
    /// The role: `assistant`.
    pub role: String,
    /// The text, if there is one.
    pub content: Option<String>,
    /// The model's explanation why it does not answer.
    pub refusal: Option<String>,
}

/// Why an answer ended. Gateways before other models pass on the names of those models' protocols, which
/// are understood as well, in upper or lower case: `max_tokens`, `safety`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinishReason {
    /// It is complete, or reached one of the texts in `stop`.
    Stop,
    /// It reached its maximum length.
    Length,
    /// The content filter cut it off or withheld it.
    ContentFilter,
    /// The model wants to call a tool.
    ToolCalls,
    /// Another reason, as the service names it.
    Other(String),
}

impl FinishReason {
    /// The reason, as OpenAI's protocol names it; [`Other`](Self::Other) as the service does.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ContentFilter => "content_filter",
            Self::ToolCalls => "tool_calls",
            Self::Other(reason) => reason,
        }
    }
}

/// What other protocols call the reasons, in lower case.
const STOPPED: [&str; 7] = [
    "stop",
    "end_turn",
    "stop_sequence",
    "eos",
    "eos_token",
    "complete",
    "completed",
];
const CALLS_TOOLS: [&str; 3] = ["tool_calls", "tool_use", "function_call"];
const LENGTH: [&str; 4] = ["length", "max_tokens", "max_output_tokens", "model_length"];
const FILTERED: [&str; 9] = [
    "content_filter",
    "content_filtered",
    "safety",
    "prohibited_content",
    "blocklist",
    "recitation",
    "guardrail_intervened",
    "sensitive",
    "refusal",
];

impl From<&str> for FinishReason {
    fn from(reason: &str) -> Self {
        let is_one_of = |known: &[&str]| known.iter().any(|it| it.eq_ignore_ascii_case(reason));
        match reason {
            _ if is_one_of(&STOPPED) => Self::Stop,
            _ if is_one_of(&CALLS_TOOLS) => Self::ToolCalls,
            _ if is_one_of(&LENGTH) => Self::Length,
            _ if is_one_of(&FILTERED) => Self::ContentFilter,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sanitize_line(self.as_str(), 60))
    }
}

/// The token usage of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The tokens of the prompt.
    pub prompt_tokens: u64,
    /// The tokens of the answers, including those that the model spent on thinking.
    pub completion_tokens: u64,
    /// Of these, the reasoning tokens (`reasoning_tokens`), which are billed but not shown; 0 if the model
    /// does not think or does not report them.
    pub reasoning_tokens: u64,
    /// The tokens of the prompt and the answers.
    pub total_tokens: u64,
}

impl Usage {
    /// The sum of both; it saturates at the largest number.
    pub(crate) fn plus(self, other: Self) -> Self {
        let sum = u64::saturating_add;
        Self {
            prompt_tokens: sum(self.prompt_tokens, other.prompt_tokens),
            completion_tokens: sum(self.completion_tokens, other.completion_tokens),
            reasoning_tokens: sum(self.reasoning_tokens, other.reasoning_tokens),
            total_tokens: sum(self.total_tokens, other.total_tokens),
        }
    }

    /// The difference; never below zero.
    pub(crate) fn minus(self, other: Self) -> Self {
        let difference = u64::saturating_sub;
        Self {
            prompt_tokens: difference(self.prompt_tokens, other.prompt_tokens),
            completion_tokens: difference(self.completion_tokens, other.completion_tokens),
            reasoning_tokens: difference(self.reasoning_tokens, other.reasoning_tokens),
            total_tokens: difference(self.total_tokens, other.total_tokens),
        }
    }
}
