//! Thinking allowances, and answers that thinking has left empty.
//!
//! A reasoning model spends completion tokens on thinking first. If it reaches the limit before
//! the first word of its answer, the answer is empty, has the finish reason `length`, and is paid
//! for all the same.

use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};
use crate::json::{field, fields, items, plain_text};
use crate::openai::{ChatCompletion, ChatRequest, Choice, FinishReason};

use super::field::effort_in;
use super::prepared_request::PreparedRequest;

/// The largest allowance that is used by default, in tokens.
pub(super) const MAX_COUNT: u32 = 16_384;

/// The factor by which an empty answer raises the allowance.
pub(super) const GROWTH: u32 = 4;

/// Efforts with which a model thinks as little as it can, or nearly.
const LOW: [&str; 3] = ["none", "minimal", "low"];

/// Services report thinking in blocks of this many tokens.
const BLOCK: u32 = 64;

/// So many tokens without a word are thinking, even if the service does not report that.
const MIN_LENGTH: u32 = 16;

/// The initial allowance, in tokens. The quota is charged for all of it, used or not, so it starts
/// small and grows with the thinking that is observed.
pub(super) fn usual(effort: Option<&str>) -> u32 {
    match effort {
        Some("none") => 0,
        // Rarely more than one or two blocks.
        Some("minimal") => 2 * BLOCK,
        Some("low") => 512,
        Some("medium") | None => 2_048,
        Some("high") => 8_192,
        Some(_) => MAX_COUNT,
    }
}

/// The next allowance after an empty answer.
pub(super) fn more(allowance: u32) -> u32 {
    allowance
        .saturating_mul(GROWTH)
        .clamp(4 * BLOCK, MAX_COUNT.max(allowance))
}

/// An allowance for twice the thinking that was observed.
pub(super) fn comfortable(reasoning_tokens: u64) -> u32 {
    let tokens = u32::try_from(reasoning_tokens.saturating_mul(2)).unwrap_or(MAX_COUNT);
    tokens
        .checked_next_multiple_of(BLOCK)
        .map_or(MAX_COUNT, |tokens| tokens.min(MAX_COUNT))
}

impl ChatCompletion {
    /// Is every answer empty because the limit was reached? Then thinking has used up the tokens,
    /// whether or not the service reports that. `limit` is what each answer was allowed, if it is known:
    /// not every service calls it `length` when an answer reaches that.
    pub(crate) fn is_consumed_by_thinking(&self, limit: Option<u32>) -> bool {
        let has_used_all = limit.is_some_and(|limit| {
            self.has_used_all(limit) && (limit >= MIN_LENGTH || self.has_thought())
        });
        let is_empty = |choice: &Choice| {
            let is_cut = match &choice.finish_reason {
                Some(FinishReason::Length) => true,
                Some(FinishReason::ContentFilter | FinishReason::ToolCalls) => false,
                Some(FinishReason::Stop | FinishReason::Other(_)) | None => has_used_all,
            };
            let text = choice.text_if_cut().unwrap_or_default();
            let refusal = choice.message.refusal.as_deref().unwrap_or_default();
            is_cut
                && text.trim().is_empty()
                && refusal.trim().is_empty()
                && choice.logprobs.is_empty()
                && !choice.content_filter_results.is_filtered()
        };
        self.choices.iter().all(is_empty) && !self.is_filtered() && !self.calls_tools()
    }

    /// Was an answer cut clearly before the length that was wanted, in tokens, because its thinking took
    /// the others? Of several answers, whose tokens are not told apart, one that has fewer bytes than such an
    /// answer has tokens.
    pub(super) fn is_cut_by_thinking(&self, wanted: u32) -> bool {
        let Some(usage) = self.usage.filter(|usage| usage.reasoning_tokens > 0) else {
            return false;
        };
        let written = usage
            .completion_tokens
            .saturating_sub(usage.reasoning_tokens);
        let enough = u64::from(wanted - wanted / 10);
        let is_short = |choice: &Choice| match self.choices.len() {
            1 => written < enough,
            _ => choice.text().is_none_or(|text| {
                text.trim().is_empty() || u64::try_from(text.len()).is_ok_and(|it| it < enough)
            }),
        };
        let mut choices = self.choices.iter();
        choices.any(|choice| choice.finish_reason == Some(FinishReason::Length) && is_short(choice))
    }

    /// Has the limit cut every answer before a tag of thinking? Of a deployment whose prompt opens the tag
    /// and whose answers close it, all of such an answer is thinking.
    pub(super) fn is_cut_before_thinking_closes(&self) -> bool {
        let mut choices = self.choices.iter();
        choices
            .all(|choice| choice.finish_reason == Some(FinishReason::Length) && choice.has_no_tag())
    }

    /// Have the answers used as many tokens as they were allowed? Some services do not count thinking
    /// among the tokens of an answer.
    fn has_used_all(&self, limit: u32) -> bool {
        let answers = u64::try_from(self.choices.len()).unwrap_or(u64::MAX);
        let allowed = u64::from(limit).saturating_mul(answers);
        self.usage.is_some_and(|usage| {
            let rest = usage.total_tokens.saturating_sub(usage.prompt_tokens);
            let used = usage
                .completion_tokens
                .max(usage.reasoning_tokens)
                .max(rest);
            allowed > 0 && used >= allowed
        })
    }

    /// Does the answer consist of calls of tools?
    fn calls_tools(&self) -> bool {
        self.has_in_message(["tool_calls", "function_call"], |calls| {
            !matches!(calls.get(), "[]" | "null" | "{}")
        })
    }

    /// Is it known that tokens were spent on thinking?
    fn has_thought(&self) -> bool {
        let reports_thinking = self.usage.is_some_and(|usage| usage.reasoning_tokens > 0);
        let has_text = |choice: &Choice| {
            let content = choice.message.content.as_deref().unwrap_or_default();
            !content.trim().is_empty()
        };
        // Of an empty answer, such a text is thinking.
        reports_thinking || self.choices.iter().any(has_text) || self.shows_thinking()
    }

    /// Does a message contain the thinking itself? Some servers return it and report no reasoning
    /// tokens.
    fn shows_thinking(&self) -> bool {
        self.has_in_message(["reasoning_content", "reasoning"], |thinking| {
            plain_text(thinking).is_some_and(|text| !text.trim().is_empty())
        })
    }

    /// Has a message one of these fields with such a value?
    fn has_in_message(&self, names: [&str; 2], is_wanted: impl Fn(&RawValue) -> bool) -> bool {
        let body = self.to_json();
        let choices =
            field(body.raw(), "choices").map(|choices| items(choices, self.choices.len()));
        let messages = choices.unwrap_or_default().into_iter();
        let messages = messages.filter_map(|choice| field(choice, "message"));
        let found = messages.flat_map(|message| fields(message, names));
        found.flatten().any(is_wanted)
    }

    /// The tokens that an empty answer has cost.
    fn spent_on_thinking(&self) -> u64 {
        self.usage.map_or(0, |usage| match usage.reasoning_tokens {
            0 => usage.completion_tokens,
            reasoning => reasoning,
        })
    }
}

/// An allowance that is probably sufficient after so much thinking, and this allowance, were not, in
/// tokens.
fn enough(thought: u64, had: u32) -> u32 {
    let known = u32::try_from(thought).unwrap_or(MAX_COUNT).max(had);
    match more(known) {
        more if more > known => more,
        _ => known
            .saturating_mul(2)
            .div_ceil(BLOCK)
            .saturating_mul(BLOCK),
    }
}

/// The error of a row of the Batch API whose answer is empty.
pub(crate) fn consumed_in_batch(completion: &ChatCompletion) -> Error {
    let thought = completion.spent_on_thinking();
    let enough = enough(thought, 0);
    empty_answer(
        completion,
        format!("the answer is empty: thinking used all {thought} tokens"),
    )
    .with_hint(format!(
        ".thinking_allowance({enough}) gives the thinking more room: submit or run it again with that"
    ))
}

fn empty_answer(completion: &ChatCompletion, message: String) -> Error {
    Error::new(ErrorKind::TokenLimit, message)
        .with_request_id(completion.request_id().map(str::to_owned))
}

/// The error of a row whose answer is empty.
pub(super) fn consumed(
    completion: &ChatCompletion,
    wanted: &ChatRequest,
    prepared: &PreparedRequest<'_>,
) -> Error {
    let limit = limit_of(&prepared.request);
    let answers = u64::try_from(completion.choices.len().max(1)).unwrap_or(u64::MAX);
    let thought = match completion.spent_on_thinking() / answers {
        // The service reports no usage.
        0 => u64::from(limit.unwrap_or_default()),
        thought => thought,
    };
    let message = match limit {
        Some(limit) if !completion.has_thought() => format!(
            "the answer is empty: it has used up the {limit} tokens allowed for both thinking and \
             the answer"
        ),
        Some(limit) => format!(
            "the answer is empty: thinking used {thought} of the {limit} tokens allowed for both \
             thinking and the answer"
        ),
        None => format!("the answer is empty: thinking used all {thought} tokens"),
    };
    empty_answer(completion, message).with_hint(hint(thought, wanted, prepared))
}

/// The error of a row that the service could not finish within the limit, in place of its own error.
pub(super) fn unfinished(
    error: &Error,
    wanted: &ChatRequest,
    prepared: &PreparedRequest<'_>,
) -> Error {
    let limit = limit_of(&prepared.request).unwrap_or_default();
    let message = format!(
        "there is no answer: the {limit} tokens allowed for both thinking and the answer did not \
         suffice"
    );
    let hint = hint(u64::from(limit), wanted, prepared);
    let explained = Error::new(ErrorKind::TokenLimit, message).with_hint(hint);
    let explained = explained.with_request_id(error.request_id().map(str::to_owned));
    match error.status() {
        Some(status) => explained.with_status(status),
        None => explained,
    }
    .with_source(error.clone())
}

/// The limit that is sent, whatever its name.
pub(super) fn limit_of(sent: &ChatRequest) -> Option<u32> {
    sent.max_completion_tokens.or(sent.max_tokens)
}

/// How to get an answer after so many reasoning tokens were not enough.
fn hint(thought: u64, wanted: &ChatRequest, prepared: &PreparedRequest<'_>) -> String {
    // A limit for both together includes no allowance.
    let had = wanted.max_tokens.map_or(0, |_| prepared.allowance);
    let enough = enough(thought, had);
    let is_low = effort_in(&prepared.request).is_some_and(|effort| LOW.contains(&effort));
    let less = match is_low {
        true => "another model may think less",
        false => ".set(\"reasoning_effort\", \"low\") reduces it",
    };
    let sent = limit_of(&prepared.request);
    match (wanted.max_tokens, wanted.max_completion_tokens) {
        (Some(_), _)
            if let Some(most) = prepared.most_tokens.filter(|most| sent >= Some(*most)) =>
        {
            format!("there is room for no more than {most} tokens of thinking and answer; {less}")
        }
        (Some(_), _) if enough > MAX_COUNT => format!(
            ".thinking_allowance({enough}) gives the thinking more room, if the model takes so many \
             tokens; {less}"
        ),
        (Some(_), _) => {
            format!(".thinking_allowance({enough}) gives the thinking more room")
        }
        (None, Some(_)) => format!(
            "max_completion_tokens limits thinking and answer together: use \
             .max_completion_tokens({enough}), or .max_tokens(n), which limits the answer alone"
        ),
        (None, None) if is_low => less.to_owned(),
        (None, None) => "reduce the thinking with .set(\"reasoning_effort\", \"low\")".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_allowance_grows_to_its_limit() {
        assert_eq!(more(0), 256);
        assert_eq!(more(128), 512);
        assert_eq!(more(8_192), MAX_COUNT);
        assert_eq!(more(20_000), 20_000);
        assert_eq!(comfortable(0), 0);
        assert_eq!(comfortable(65), 192);
        assert_eq!(comfortable(u64::MAX), MAX_COUNT);
    }

    #[test]
    fn what_is_advised_is_more_than_what_was_not_enough() {
        assert_eq!(enough(29, 20), 256);
        assert_eq!(enough(5_050, 5_000), MAX_COUNT);
        assert_eq!(enough(16_434, 16_384), 32_896);
        assert_eq!(enough(0, 16_384), 32_768);
    }

    #[test]
    fn an_empty_answer_at_its_limit_was_consumed_whatever_it_is_called() {
        let is_consumed = |reason: Value, content: &str, used: u64| {
            let body = json!({"choices": [{"finish_reason": reason, "message": {"content": content}}],
                "usage": {"prompt_tokens": 5, "completion_tokens": used,
                    "completion_tokens_details": {"reasoning_tokens": used}}});
            let answer = ChatCompletion::from_body(body.to_string().into_bytes()).unwrap();
            answer.is_consumed_by_thinking(Some(100))
        };
        for reason in [
            json!("stop"),
            json!(null),
            json!(""),
            json!("eos"),
            json!("incomplete"),
        ] {
            assert!(is_consumed(reason.clone(), "", 100), "{reason}");
            assert!(is_consumed(reason.clone(), "<think>hm", 100), "{reason}");
            assert!(!is_consumed(reason.clone(), "Yes", 100), "{reason}");
            assert!(!is_consumed(reason, "", 99));
        }
        assert!(!is_consumed(json!("content_filter"), "", 100));
        // Some services do not count thinking among the tokens of the answer.
        let body = json!({"choices": [{"finish_reason": "stop", "message": {"content": null}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 105}});
        let answer = ChatCompletion::from_body(body.to_string().into_bytes()).unwrap();
        assert!(answer.is_consumed_by_thinking(Some(100)));
        assert!(!answer.is_consumed_by_thinking(None));
    }
}
