//! Thinking that a server returns at the beginning of the answer's text, between tags.

use super::{Choice, FinishReason};

/// The tags, in lower case.
const TAGS: [(&str, &str); 2] = [("<think>", "</think>"), ("<thinking>", "</thinking>")];

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
}

fn without_thinking(content: &str, is_cut: bool) -> &str {
    let mut text = content;
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
