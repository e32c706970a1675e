//! What the error of a request that is larger than the model's context states about the room in it.

use super::wording::leading_number;

/// Phrases before the size of the context: of OpenAI and vLLM, llama.cpp, Text Generation Inference,
/// and Anthropic.
const BEFORE_CONTEXT: [&str; 6] = [
    "maximum context length is",
    "context length of",
    "context size (",
    "context window of",
    "`max_new_tokens` must be <=",
    "context limit:",
];

/// Words after the number of the prompt's tokens.
const AFTER_PROMPT: [&str; 6] = [
    " input tokens",
    " in the messages",
    " in the prompt",
    " prompt tokens",
    " `inputs` tokens",
    " + ",
];

/// The word before the number of tokens that were asked for, of prompt and answer together.
const BEFORE_REQUESTED: &str = "you requested";

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
        let after = |phrase: &str| text.split_once(phrase).map(|(_, rest)| rest);
        let rest = BEFORE_CONTEXT.iter().find_map(|phrase| after(phrase))?;
        let context = match rest.split_once(" > ") {
            // '18 + 4146 > 4096'.
            Some((sum, context)) if sum.contains(" + ") && sum.len() < 40 => context,
            _ => rest,
        };
        let mut prompts = AFTER_PROMPT.iter().filter_map(|phrase| {
            let (before, _) = text.split_once(phrase)?;
            last_number(before)
        });
        Some(Self {
            context: number_after(context)?,
            prompt: prompts.next(),
            requested: after(BEFORE_REQUESTED).and_then(number_after),
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
            ("é input tokens, maximum context length is é", None),
            ("the maximum is 5", None),
        ] {
            let found = ContextLength::stated(text).and_then(|context| context.room(4_146));
            assert_eq!(found, room, "{text}");
        }
    }
}
