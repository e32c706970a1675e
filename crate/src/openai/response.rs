//! An answer, as the service gives it.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::limits::RateLimits;
use crate::error::{ContentFilter, PromptFilter};
use crate::json::Json;
use crate::text::sanitize_line;

/// The answer to a chat request. It is serialized as the response body, and deserialized from one;
/// what is not in the body, such as the [latency](Self::latency), is then lost.
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
    /// The service's name for this answer.
    pub id: String,
    /// The model that answered, in the service's words.
    pub model: String,
    /// When it answered, in seconds since 1970.
    pub created: u64,
    /// The answers, at least one, and no more than 1,024.
    pub choices: Vec<Choice>,
    /// What it cost, when the service said so; `None` too where it named a number of tokens that
    /// no answer can have.
    pub usage: Option<Usage>,
    /// What the content filter said about the prompt.
    pub prompt_filter_results: Vec<PromptFilter>,
    /// Changes when the service changes what runs the model.
    pub system_fingerprint: Option<String>,
    pub(super) body: Body,
    pub(super) exchange: Exchange,
}

/// The body as it came. Taken apart it is ten times as large in memory, so that a batch of a
/// hundred thousand answers would take gigabytes: it is taken apart for who asks.
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

/// How the answer came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Exchange {
    pub(super) latency: Duration,
    pub(super) request_id: Option<String>,
    pub(super) attempts: u32,
    pub(super) limits: RateLimits,
    pub(super) profile: Option<Arc<str>>,
}

impl ChatCompletion {
    /// The first answer's text. There is none when the filter held it back.
    pub fn text(&self) -> Option<&str> {
        self.choices.first()?.message.content.as_deref()
    }

    /// Why the first answer ended.
    pub fn finish_reason(&self) -> Option<&FinishReason> {
        self.choices.first()?.finish_reason.as_ref()
    }

    /// How long the attempt that succeeded took; zero for an answer read from a file.
    pub fn latency(&self) -> Duration {
        self.exchange.latency
    }

    /// The service's name for the exchange, which its support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.exchange.request_id.as_deref()
    }

    /// How many attempts it took; 0 for an answer read from a file.
    pub fn attempts(&self) -> u32 {
        self.exchange.attempts
    }

    /// What the service said about the quota along with the answer.
    pub fn rate_limits(&self) -> &RateLimits {
        &self.exchange.limits
    }

    /// How it was asked, where that is not as it was written: in the words of a deployment that
    /// takes others, such as `max_completion_tokens, effort minimal, without temperature`.
    pub fn profile(&self) -> Option<&str> {
        self.exchange.profile.as_deref()
    }

    /// The same for an answer out of a file.
    pub(crate) fn with_profile(mut self, profile: Option<String>) -> Self {
        self.exchange.profile = profile.map(Into::into);
        self
    }

    /// The whole body as it came, with what has no field here.
    pub fn as_json(&self) -> &Value {
        self.body
            .value
            .get_or_init(|| Box::new(self.body.text.to_value()))
    }

    /// The same, not taken apart.
    pub(crate) fn to_json(&self) -> Json {
        self.body.text.clone()
    }

    /// Notes what only the one who counts attempts knows.
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
    /// Which of the answers it is, counted from 0.
    pub index: u64,
    /// What the model said.
    pub message: ChoiceMessage,
    /// Why it ended.
    pub finish_reason: Option<FinishReason>,
    /// What the content filter said about it.
    pub content_filter_results: ContentFilter,
    /// How likely each token of the text was, where
    /// [`ChatRequest::logprobs`](super::ChatRequest::logprobs) asked for it; of the first 65,536
    /// tokens, the rest stands in [`ChatCompletion::as_json`].
    pub logprobs: Vec<TokenLogprob>,
}

/// A token of an answer, with how likely it was.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TokenLogprob {
    /// The token's text.
    pub token: String,
    /// The natural logarithm of its probability.
    pub logprob: f64,
    /// The likeliest tokens in its place, the likeliest first, each with its logarithm.
    pub top: Vec<(String, f64)>,
}

/// What the model said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChoiceMessage {
    /// In which role: `assistant`.
    pub role: String,
    /// The text, if there is one.
    pub content: Option<String>,
    /// The model's own words for why it does not answer.
    pub refusal: Option<String>,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinishReason {
    /// It was at its end, or at a text given to `stop`.
    Stop,
    /// It was as long as it was allowed to be.
    Length,
    /// The content filter cut it off or held it back.
    ContentFilter,
    /// The model wants to use a tool.
    ToolCalls,
    /// Another reason, in the service's words.
    Other(String),
}

impl FinishReason {
    /// The reason in the service's words.
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

impl From<&str> for FinishReason {
    fn from(reason: &str) -> Self {
        match reason {
            "stop" => Self::Stop,
            "length" => Self::Length,
            "content_filter" => Self::ContentFilter,
            "tool_calls" => Self::ToolCalls,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sanitize_line(self.as_str(), 60))
    }
}

/// What an answer cost, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The prompt's tokens.
    pub prompt_tokens: u64,
    /// The answers' tokens, with those that the model thought with.
    pub completion_tokens: u64,
    /// Of these, the tokens that the model thought with (`reasoning_tokens`): paid for, and not
    /// shown. 0 for a model that does not think or does not say.
    pub reasoning_tokens: u64,
    /// Prompt and answers.
    pub total_tokens: u64,
}

impl Usage {
    /// Both together. A sum stays at the largest number.
    pub(crate) fn plus(self, other: Self) -> Self {
        let sum = u64::saturating_add;
        Self {
            prompt_tokens: sum(self.prompt_tokens, other.prompt_tokens),
            completion_tokens: sum(self.completion_tokens, other.completion_tokens),
            reasoning_tokens: sum(self.reasoning_tokens, other.reasoning_tokens),
            total_tokens: sum(self.total_tokens, other.total_tokens),
        }
    }
}
