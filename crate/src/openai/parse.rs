//! Parses a body to an answer. Only what makes an answer is required; an optional field of an unknown
//! shape is left out and does not spoil a good answer. Fields that the type lacks are not parsed: the
//! body is kept as it was received.

use std::fmt;

use serde_json::value::RawValue;

use super::embedded_error::{self, ErrorFields};
use super::response::{
    Body, ChatCompletion, Choice, ChoiceMessage, Exchange, FinishReason, TokenLogprob, Usage,
};
use crate::error::{ContentFilter, Error, ErrorKind, PromptFilter};
use crate::json::{self, Json, NoJson, field, fields, items};

/// The maximum number of answers, slightly more than a request may ask for.
const MAX_CHOICES: usize = 1_024;
/// The maximum number of tokens, and of alternatives, whose probabilities are kept.
const MAX_TOKENS: usize = 65_536;
/// No answer costs this many tokens: a larger number means something else.
const ABSURD: u64 = 1_000_000_000;

/// Why a body is not an answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The body ends after this many bytes, before its JSON does: the connection is at fault.
    BreaksOff { length: usize },
    /// The content filter refused the prompt, and there are no choices.
    Filtered(ContentFilter),
    /// The body is something else.
    Other(String),
}

impl From<NoAnswer> for Error {
    fn from(why: NoAnswer) -> Self {
        let kind = match why {
            NoAnswer::Filtered(_) => ErrorKind::ContentFilter,
            NoAnswer::BreaksOff { .. } | NoAnswer::Other(_) => ErrorKind::Response,
        };
        Self::new(kind, why.to_string())
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BreaksOff { length: 0 } => f.write_str("the answer is empty"),
            Self::BreaksOff { length } => {
                write!(f, "the answer breaks off after {length} bytes")
            }
            Self::Filtered(filter) => write!(f, "the content filter refused the prompt: {filter}"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

/// A body that is not an answer.
#[derive(Debug)]
pub(crate) struct UnreadBody {
    pub(crate) why: NoAnswer,
    /// The body, possibly with repaired characters and without white space between its tokens.
    pub(crate) body: Vec<u8>,
}

impl UnreadBody {
    fn other(why: impl Into<String>, body: Vec<u8>) -> Self {
        Self {
            why: NoAnswer::Other(why.into()),
            body,
        }
    }

    fn breaks_off(body: Vec<u8>) -> Self {
        Self {
            why: NoAnswer::BreaksOff { length: body.len() },
            body,
        }
    }
}

impl ChatCompletion {
    /// Reads the body of an answer, or explains why it is not one.
    pub(crate) fn from_body(body: Vec<u8>) -> Result<Self, UnreadBody> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(UnreadBody::breaks_off(Vec::new()));
        }
        let text = String::from_utf8(body).map_err(|error| {
            let breaks_off = error.utf8_error().error_len().is_none();
            match breaks_off {
                true => UnreadBody::breaks_off(error.into_bytes()),
                false => UnreadBody::other("the answer is not UTF-8 text", error.into_bytes()),
            }
        })?;
        let json = Json::read(text).map_err(|(why, text)| match why {
            NoJson::BreaksOff => UnreadBody::breaks_off(text.into_bytes()),
            NoJson::Other => UnreadBody::other("the answer is not JSON", text.into_bytes()),
        })?;
        let read = Self::from_json(json.clone());
        read.map_err(|why| UnreadBody {
            why,
            body: json.text().as_bytes().to_vec(),
        })
    }

    /// Reads a body that is JSON, or explains why it is not an answer.
    pub(crate) fn from_json(body: Json) -> Result<Self, NoAnswer> {
        let no_answer = |why: &str| Err(NoAnswer::Other(why.to_owned()));
        let [
            choices,
            id,
            model,
            created,
            usage,
            prompt_filters,
            prompt_annotations,
            prompt_or_answer_filters,
            fingerprint,
            error,
        ] = fields(
            body.raw(),
            [
                "choices",
                "id",
                "model",
                "created",
                "usage",
                "prompt_filter_results",
                "prompt_annotations",
                "content_filters",
                "system_fingerprint",
                "error",
            ],
        );
        let Some(list) = choices.filter(|list| list.get().starts_with('[')) else {
            return no_answer("the answer has no `choices`");
        };
        let list = items(list, MAX_CHOICES);
        let list: Vec<_> = list.into_iter().map(ChoiceFields::of_choice).collect();
        let each = list.iter().map(|choice| ErrorFields {
            whole: choice.whole,
            error: choice.error,
            finish_reason: choice.finish_reason,
        });
        if embedded_error::error_description(error, each).is_some() {
            return no_answer("the answer is an error");
        }
        if list.is_empty() {
            let filters = prompt_filters.or(prompt_annotations);
            let filters = filters.or(prompt_or_answer_filters);
            return Err(why_no_choices(filters));
        }
        if !list.iter().any(ChoiceFields::has_answer) {
            return no_answer("the answer has no message");
        }
        let mut left = Left::default();
        let choices = list.into_iter().zip(0..);
        let completion = Self {
            id: text(id).unwrap_or_default(),
            model: text(model).unwrap_or_default(),
            created: created.and_then(json::deserialize).unwrap_or_default(),
            choices: choices
                .map(|(choice, place)| choice.into_choice(place, &mut left))
                .collect(),
            usage: usage.and_then(self::usage),
            prompt_filter_results: prompt_filters
                .or(prompt_annotations)
                .map(self::prompt_filters)
                .unwrap_or_default(),
            system_fingerprint: text(fingerprint),
            body: Body::default(),
            exchange: Exchange::default(),
        };
        Ok(Self {
            body: Body::new(body),
            ..completion
        })
    }
}

/// Why a body has no choices, if the filter's results for its prompts tell.
fn why_no_choices(filters: Option<&RawValue>) -> NoAnswer {
    let filters = filters.map(prompt_filters).unwrap_or_default();
    let mut found = filters.into_iter().map(|prompt| prompt.content_filter);
    match found.find(ContentFilter::is_filtered) {
        Some(filter) => NoAnswer::Filtered(filter),
        None => NoAnswer::Other("the answer's `choices` are empty".to_owned()),
    }
}

/// How many more probabilities are kept.
struct Left {
    tokens: usize,
    likely: usize,
}

impl Default for Left {
    fn default() -> Self {
        Self {
            tokens: MAX_TOKENS,
            likely: MAX_TOKENS,
        }
    }
}

fn text(json: Option<&RawValue>) -> Option<String> {
    json.and_then(json::deserialize)
}

/// The fields of a choice, found in one pass.
struct ChoiceFields<'a> {
    whole: &'a RawValue,
    index: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    finish_reason: Option<&'a RawValue>,
    logprobs: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    content_filter: [Option<&'a RawValue>; 2],
}

impl<'a> ChoiceFields<'a> {
    fn of_choice(whole: &'a RawValue) -> Self {
        let [filter, other_filter] = ContentFilter::NAMES;
        let names = [
            "index",
            "message",
            "finish_reason",
            "logprobs",
            "error",
            filter,
            other_filter,
        ];
        let [
            index,
            message,
            finish_reason,
            logprobs,
            error,
            filter,
            other_filter,
        ] = fields(whole, names);
        Self {
            whole,
            index,
            message,
            finish_reason,
            logprobs,
            error,
            content_filter: [filter, other_filter],
        }
    }

    /// Does it have a message, or has the content filter withheld it?
    fn has_answer(&self) -> bool {
        self.message
            .is_some_and(|message| message.get().starts_with('{'))
            || text(self.finish_reason).is_some_and(|reason| {
                FinishReason::from(reason.as_str()) == FinishReason::ContentFilter
            })
    }

    fn into_choice(self, place: u64, left: &mut Left) -> Choice {
        let [role, content, refusal] = match self.message {
            Some(message) => fields(message, ["role", "content", "refusal"]),
            None => [None; 3],
        };
        Choice {
            index: self.index.and_then(json::deserialize).unwrap_or(place),
            message: ChoiceMessage {
                role: text(role).unwrap_or_else(|| "assistant".to_owned()),
                content: content.and_then(self::content),
                refusal: text(refusal),
            },
            finish_reason: text(self.finish_reason).map(|reason| reason.as_str().into()),
            content_filter_results: ContentFilter::found(self.content_filter),
            logprobs: self
                .logprobs
                .and_then(|logprobs| field(logprobs, "content"))
                .map(|tokens| self::logprobs(tokens, left))
                .unwrap_or_default(),
        }
    }
}

fn logprobs(tokens: &RawValue, left: &mut Left) -> Vec<TokenLogprob> {
    let tokens = items(tokens, left.tokens);
    left.tokens -= tokens.len();
    let read = |json: &RawValue| {
        let [token, logprob, top] = fields(json, ["token", "logprob", "top_logprobs"]);
        let (token, logprob) = likely(token, logprob)?;
        let top = top.map_or_else(Vec::new, |top| items(top, left.likely));
        left.likely -= top.len();
        let top = top.into_iter().filter_map(|json| {
            let [token, logprob] = fields(json, ["token", "logprob"]);
            likely(token, logprob)
        });
        let mut top: Vec<_> = top.collect();
        // Room for four is otherwise kept for each of many tokens with one alternative.
        top.shrink_to_fit();
        Some(TokenLogprob {
            token,
            logprob,
            top,
        })
    };
    tokens.into_iter().filter_map(read).collect()
}

fn likely(token: Option<&RawValue>, logprob: Option<&RawValue>) -> Option<(String, f64)> {
    Some((text(token)?, logprob.and_then(json::deserialize)?))
}

/// A text, or the texts of the parts into which some servers split it.
fn content(json: &RawValue) -> Option<String> {
    if let Some(text) = json::deserialize(json) {
        return Some(text);
    }
    let texts = items(json, MAX_TOKENS);
    let texts = texts
        .into_iter()
        .filter_map(|part| text(field(part, "text")));
    texts.reduce(|whole, part| whole + &part)
}

fn usage(json: &RawValue) -> Option<Usage> {
    let [prompt_tokens, completion_tokens, total_tokens, details] = fields(
        json,
        [
            "prompt_tokens",
            "completion_tokens",
            "total_tokens",
            "completion_tokens_details",
        ],
    );
    let number = |json: Option<&RawValue>| json.and_then(json::deserialize::<u64>);
    let prompt_tokens = number(prompt_tokens)?;
    let completion_tokens = number(completion_tokens).unwrap_or_default();
    let total_tokens = number(total_tokens);
    let reasoning_tokens = details.and_then(|details| field(details, "reasoning_tokens"));
    let sum = prompt_tokens.saturating_add(completion_tokens);
    // xAI counts thinking beside the answer's tokens, OpenAI among them, and Gemini in the total alone:
    // what is billed includes it.
    let rest = total_tokens.map_or(0, |total| total.saturating_sub(sum));
    let reasoning_tokens = number(reasoning_tokens).unwrap_or(rest);
    let is_beside = reasoning_tokens > completion_tokens
        || reasoning_tokens > 0 && total_tokens == sum.checked_add(reasoning_tokens);
    let beside = match is_beside {
        true => reasoning_tokens,
        false => 0,
    };
    let sum = sum.saturating_add(beside);
    let usage = Usage {
        prompt_tokens,
        completion_tokens: completion_tokens.saturating_add(beside),
        reasoning_tokens,
        total_tokens: match total_tokens {
            Some(total) if is_beside => total.max(sum),
            total => total.unwrap_or(sum),
        },
    };
    let largest = sum.max(usage.total_tokens);
    (largest < ABSURD).then_some(usage)
}

fn prompt_filters(json: &RawValue) -> Vec<PromptFilter> {
    let items = items(json, MAX_CHOICES).into_iter().zip(0..);
    items
        .map(|(item, place)| PromptFilter {
            prompt_index: field(item, "prompt_index")
                .and_then(json::deserialize)
                .unwrap_or(place),
            content_filter: ContentFilter::inside(item),
        })
        .collect()
}

#[cfg(test)]
mod tests;
