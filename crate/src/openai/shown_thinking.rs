//! Thinking that a server returns at the beginning of the answer's text, between tags.

use super::{ChatCompletion, Choice, FinishReason};

/// The tags, in lower case: of DeepSeek and Qwen, of others, of Mistral's Magistral, and the channels of
/// gpt-oss.
const TAGS: [(&str, &str); 6] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("[think]", "[/think]"),
    (
        "<|channel|>analysis<|message|>",
        "<|channel|>final<|message|>",
    ),
];

/// The tags that a model may close without having opened them: its chat template ends the prompt with
/// the opening one, as DeepSeek-R1's and Qwen3-Thinking's do.
const IN_THE_PROMPT: [(&str, &str); 2] = [TAGS[0], TAGS[1]];

impl Choice {
    /// The text without the thinking before it. If the limit has cut the thinking off, the text is
    /// empty.
    pub(crate) fn text(&self) -> Option<&str> {
        match self.finish_reason {
            Some(FinishReason::Length) => self.text_if_cut(),
            _ => Some(without_thinking(self.message.content.as_deref()?, false)),
        }
    }

    /// The same of an answer that has reached its limit, whatever the service calls that.
    pub(super) fn text_if_cut(&self) -> Option<&str> {
        Some(without_thinking(self.message.content.as_deref()?, true))
    }

    /// Does it neither begin with a tag nor close one? Of a deployment that does not open its tags, a
    /// cut answer like that is thinking.
    pub(super) fn has_no_tag(&self) -> bool {
        let content = self.message.content.as_deref().unwrap_or_default();
        let beginning = content.trim_start();
        !TAGS.iter().any(|(open, _)| begins_with(beginning, open))
            && after_unopened_thinking(content).is_none()
    }
}

impl ChatCompletion {
    /// Does its text close a tag of thinking that the prompt has opened?
    pub(super) fn closes_unopened_thinking(&self) -> bool {
        let contents = self.choices.iter();
        let mut contents = contents.filter_map(|choice| choice.message.content.as_deref());
        contents.any(|content| after_unopened_thinking(content).is_some())
    }
}

/// The text after thinking whose opening tag is in the prompt: the tag that closes it ends a line.
fn after_unopened_thinking(content: &str) -> Option<&str> {
    // Most answers have no tag, and each is searched several times.
    if !content.contains('<') {
        return None;
    }
    IN_THE_PROMPT.iter().find_map(|(open, close)| {
        let (thinking, rest) = content.split_once(close)?;
        let ends_a_line = rest.trim_start_matches([' ', '\t', '\r']);
        let is_unopened = !thinking.contains(open);
        (is_unopened && (ends_a_line.is_empty() || ends_a_line.starts_with('\n')))
            .then(|| rest.trim_start())
    })
}

fn without_thinking(content: &str, is_cut: bool) -> &str {
    let mut text = after_unopened_thinking(content).unwrap_or(content);
    loop {
        let beginning = text.trim_start();
        let tag = TAGS.iter().find(|(open, _)| begins_with(beginning, open));
        let Some((open, close)) = tag else {
            return text;
        };
        let inside = beginning.get(open.len()..).unwrap_or_default();
        match inside.split_once(close) {
            Some((_, rest)) => text = rest.trim_start(),
            None if is_cut => return "",
            None => return text,
        }
    }
}

fn begins_with(text: &str, tag: &str) -> bool {
    let beginning = text.get(..tag.len());
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinking_before_the_text_is_not_part_of_it() {
        for (content, text) in [
            ("<think>hm</think>\n\nKind.", "Kind."),
            (" \n<thinking>a < b</thinking>Kind. ", "Kind. "),
            ("<THINK>hm</think> <think></think>Kind.", "Kind."),
            ("<think>hm</think>", ""),
            ("Kind.", "Kind."),
            (" Kind. <think>hm</think>", " Kind. <think>hm</think>"),
            ("The tag <think> opens it.", "The tag <think> opens it."),
            ("<thinker>hm", "<thinker>hm"),
            ("é<think>", "é<think>"),
            ("[THINK]hm[/think]Kind.", "Kind."),
            (
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Kind.",
                "Kind.",
            ),
            ("<|channel|>analysis<|message|>hm", ""),
            ("hm\n</think>\n\nKind.", "Kind."),
            ("hm</think> \r\nKind.", "Kind."),
            ("hm\n</think>\n<think>again</think>Kind.", "Kind."),
            ("\n</think>", ""),
            ("The tag </think> closes it.", "The tag </think> closes it."),
            ("A <think>\nb\n</think>\nc", "A <think>\nb\n</think>\nc"),
            ("", ""),
        ] {
            assert_eq!(without_thinking(content, true), text, "{content}");
        }
    }

    #[test]
    fn thinking_that_is_cut_leaves_no_text() {
        assert_eq!(without_thinking("<think>hm, hm", true), "");
        assert_eq!(without_thinking("<think>a</think><think>b", true), "");
        // Not a block: it was not cut.
        let tag = "<think> is a tag";
        assert_eq!(without_thinking(tag, false), tag);
    }
}
