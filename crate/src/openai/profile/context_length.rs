//! What the error of a request that is larger than the model's context states about the room in it.

use super::wording::leading_number;
use crate::openai::error_mapping::Excess;

/// Phrases before the size of the context: of OpenAI, vLLM and SGLang, llama.cpp, Text Generation
/// Inference, Anthropic, and Fireworks.
const BEFORE_CONTEXT: [&str; 7] = [
    "maximum context length is",
    "context length of",
    "context size (",
    "context window of",
    "`max_new_tokens` must be <=",
    "context limit:",
    "maximum context length:",
];

/// Words after the size of the context: of Mistral.
const AFTER_CONTEXT: &str = " maximum context length";

/// Words after the number of the prompt's tokens.
const AFTER_PROMPT: [&str; 7] = [
    " input tokens",
    " in the messages",
    " in the prompt",
    " prompt tokens",
    " `inputs` tokens",
    " tokens from the input",
    " + ",
];

/// Words before it: of Mistral and Fireworks.
const BEFORE_PROMPT: [&str; 2] = ["prompt contains", "prompt is too long:"];

/// The word before the number of tokens that were asked for, of prompt and answer together.
const BEFORE_REQUESTED: &str = "you requested";

/// Words before the largest answer: of Bedrock, and of OpenRouter for an account with little credit.
const BEFORE_ANSWER: [&str; 2] = ["exceeds the model limit of", "can only afford"];

/// Words after it: of Anthropic, '2148 > 1800, which is the maximum allowed number of output tokens'.
const AFTER_ANSWER: &str = ", which is the maximum allowed number of output tokens";

/// What an error states about the size of the context, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContextLength {
    context: u32,
    prompt: Option<u32>,
    requested: Option<u32>,
}

impl ContextLength {
    /// Searches a message in lower case.
    pub(super) fn stated(text: &str) -> Option<Self> {
        Self::of_answer(text)
            .or_else(|| Self::of_context(text))
            .or_else(|| Self::of_limit(text))
    }

    /// A limit of the answer alone.
    fn of_answer(text: &str) -> Option<Self> {
        let after = |phrase: &&str| {
            text.split_once(*phrase)
                .and_then(|(_, rest)| number_after(rest))
        };
        let before = || last_number(text.split_once(AFTER_ANSWER)?.0);
        let answer = BEFORE_ANSWER.iter().find_map(after).or_else(before)?;
        Some(Self {
            context: answer,
            prompt: Some(0),
            requested: None,
        })
    }

    fn of_context(text: &str) -> Option<Self> {
        let after = |phrase: &str| text.split_once(phrase).map(|(_, rest)| rest);
        let context = match BEFORE_CONTEXT.iter().find_map(|phrase| after(phrase)) {
            Some(rest) => match rest.split_once(" > ") {
                // '18 + 4146 > 4096'.
                Some((sum, context)) if sum.contains(" + ") && sum.len() < 40 => {
                    number_after(context)
                }
                _ => number_after(rest),
            },
            None => last_number(text.split_once(AFTER_CONTEXT)?.0),
        };
        let ends = AFTER_PROMPT
            .iter()
            .flat_map(|words| text.match_indices(words));
        let mut ends = ends.filter_map(|(place, _)| last_number(text.get(..place)?));
        let mut starts = BEFORE_PROMPT.iter();
        let mut before = || starts.find_map(|phrase| after(phrase).and_then(number_after));
        Some(Self {
            context: context?,
            prompt: ends.next().or_else(&mut before),
            requested: after(BEFORE_REQUESTED).and_then(number_after),
        })
    }

    /// A limit of prompt and answer together: 'Limit 6000, Requested 7000'.
    fn of_limit(text: &str) -> Option<Self> {
        let Excess { limit, requested } = Excess::stated_in(text)?;
        Some(Self {
            context: u32::try_from(limit).ok()?,
            prompt: None,
            requested: Some(u32::try_from(requested).ok()?),
        })
    }

    /// How many tokens there are for the answer of a request that was sent with this limit.
    pub(super) fn room(self, sent: u32) -> Option<u32> {
        let requested = || self.requested?.checked_sub(sent);
        let prompt = self.prompt.or_else(requested)?;
        self.context.checked_sub(prompt)
    }
}

fn number_after(text: &str) -> Option<u32> {
    leading_number(text.trim_start())
}

/// The number at the end of a text.
fn last_number(text: &str) -> Option<u32> {
    let start = text.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| {
        at + text[at..].chars().next().map_or(1, char::len_utf8)
    });
    text.get(start..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_found_in_the_words_of_each_server() {
        for (text, room) in [
            (
                "'max_tokens' or 'max_completion_tokens' is too large: 4146. this model's maximum context \
                 length is 4096 tokens and your request has 18 input tokens (4146 > 4096 - 18).",
                Some(4_078),
            ),
            (
                "this model's maximum context length is 8,192 tokens. however, you requested 12046 tokens \
                 (7900 in the messages, 4146 in the completion). please reduce the length of the messages.",
                Some(292),
            ),
            (
                "this model's maximum context length is 8192 tokens. however, you requested 12046 tokens.",
                Some(292),
            ),
            (
                "`inputs` tokens + `max_new_tokens` must be <= 4096. given: 18 `inputs` tokens and 4146 \
                 `max_new_tokens`",
                Some(4_078),
            ),
            (
                "input length and `max_tokens` exceed context limit: 18 + 4146 > 4096, decrease them",
                Some(4_078),
            ),
            ("this model's maximum context length is 8192 tokens.", None),
            (
                "this model's maximum context length is 10 tokens and your request has 18 input tokens",
                None,
            ),
            (
                "requested token count exceeds the model's maximum context length of 4096 tokens. you \
                 requested a total of 4164 tokens: 18 tokens from the input messages and 4146 tokens for \
                 the completion.",
                Some(4_078),
            ),
            (
                "input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. given: 18 \
                 `inputs` tokens and 4146 `max_new_tokens`",
                Some(4_078),
            ),
            (
                "prompt contains 18 tokens and 0 draft tokens, too large for model with 4096 maximum \
                 context length",
                Some(4_078),
            ),
            (
                "the prompt is too long: 18, model maximum context length: 4096",
                Some(4_078),
            ),
            (
                "the maximum tokens you requested exceeds the model limit of 4096. try again with a \
                 maximum tokens value that is lower than 4096.",
                Some(4_096),
            ),
            (
                "max_tokens: 4146 > 4096, which is the maximum allowed number of output tokens for claude",
                Some(4_096),
            ),
            (
                "this request requires more credits. you requested up to 4146 tokens, but can only afford \
                 1800.",
                Some(1_800),
            ),
            (
                "request too large for gpt-4o on tokens per min (tpm): limit 4096, requested 4164.",
                Some(4_078),
            ),
            ("limit 4096, used 4000, requested 1000", None),
            ("é input tokens, maximum context length is é", None),
            ("the maximum is 5", None),
        ] {
            let found = ContextLength::stated(text).and_then(|context| context.room(4_146));
            assert_eq!(found, room, "{text}");
        }
    }
}
