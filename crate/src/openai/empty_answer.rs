//! Why an answer has no text.

use super::{ChatCompletion, Choice, FinishReason};
#[cfg(feature = "notebook")]
use crate::text::sanitize_line;

/// The longest excerpt of a model's refusal, in characters.
#[cfg(feature = "notebook")]
const WIDTH: usize = 200;

impl ChatCompletion {
    /// Whether the content filter withheld an answer or cut it off: the only one, or any of several.
    pub fn is_filtered(&self) -> bool {
        self.choices.iter().any(Choice::is_filtered) || self.is_prompt_filtered()
    }

    /// Whether there is no text because the filter refused the prompt.
    fn is_prompt_filtered(&self) -> bool {
        let mut prompts = self.prompt_filter_results.iter();
        self.text().is_none_or(str::is_empty)
            && prompts.any(|prompt| prompt.content_filter.is_filtered())
    }

    /// Why the first answer has no text. `None` if it has some.
    #[cfg(feature = "notebook")]
    pub(crate) fn why_empty(&self) -> Option<String> {
        if self.text().is_some_and(|text| !text.is_empty()) {
            return None;
        }
        let choice = self.choices.first()?;
        if choice.is_filtered() || self.is_prompt_filtered() {
            let found = choice.content_filter_results.to_string();
            return Some(match found.is_empty() {
                true => "the content filter withheld the answer".to_owned(),
                false => format!("the content filter withheld the answer: {found}"),
            });
        }
        if let Some(refusal) = &choice.message.refusal {
            let refusal = sanitize_line(refusal, WIDTH);
            return Some(format!("the model refused to answer: {refusal}"));
        }
        Some(match &choice.finish_reason {
            Some(reason) => format!("the answer has no text (finish reason {reason})"),
            None => "the answer has no text".to_owned(),
        })
    }
}

impl Choice {
    fn is_filtered(&self) -> bool {
        self.finish_reason == Some(FinishReason::ContentFilter)
            || self.content_filter_results.is_filtered()
    }
}

#[cfg(test)]
#[cfg(feature = "notebook")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn why(choice: Value) -> Option<String> {
        let body = json!({"choices": [choice]}).to_string();
        let answer = ChatCompletion::from_body(body.into_bytes()).unwrap();
        answer.why_empty()
    }

    #[test]
    fn an_empty_answer_says_why() {
        let filtered = json!({"violence": {"filtered": true, "severity": "high"}});
        let reasons = [
            json!({"finish_reason": "content_filter", "message": {"content": null}, "content_filter_results": filtered}),
            json!({"finish_reason": "content_filter", "message": {"content": ""}}),
            json!({"finish_reason": "stop", "message": {"content": null, "refusal": "I can't \u{1b}help."}}),
            json!({"finish_reason": "tool_calls", "message": {"tool_calls": []}}),
            json!({"message": {}}),
        ];
        let reasons: Vec<_> = reasons
            .into_iter()
            .map(|choice| why(choice).unwrap())
            .collect();
        insta::assert_snapshot!(reasons.join("\n"), @r"
        the content filter withheld the answer: violence (high)
        the content filter withheld the answer
        the model refused to answer: I can't �help.
        the answer has no text (finish reason tool_calls)
        the answer has no text
        ");
    }

    #[test]
    fn a_filter_is_known_by_the_names_of_other_protocols() {
        for reason in ["SAFETY", "content_filtered", "PROHIBITED_CONTENT"] {
            let reasons = why(json!({"finish_reason": reason, "message": {"content": null}}));
            assert_eq!(
                reasons.as_deref(),
                Some("the content filter withheld the answer"),
                "{reason}"
            );
        }
        let without_message = json!({"finish_reason": "SAFETY"});
        assert!(why(without_message).is_some());
    }

    #[test]
    fn a_filtered_prompt_is_why_there_is_no_text() {
        let body = |text: Value| {
            let body = json!({"choices": [{"finish_reason": "stop", "message": {"content": text}}],
                "prompt_filter_results": [{"prompt_index": 0, "content_filter_results":
                    {"hate": {"filtered": true, "severity": "high"}}}]});
            ChatCompletion::from_body(body.to_string().into_bytes()).unwrap()
        };
        assert!(body(Value::Null).is_filtered());
        assert!(!body(json!("Kind.")).is_filtered());
    }

    #[test]
    fn an_answer_with_text_needs_no_reason() {
        assert_eq!(
            why(json!({"finish_reason": "stop", "message": {"content": "Kind."}})),
            None
        );
        let cut = json!({"finish_reason": "content_filter", "message": {"content": "Ki"}});
        assert_eq!(why(cut), None);
    }
}
