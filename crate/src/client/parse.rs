//! From the bytes of a body to an answer. Only what makes an answer must be there; a
//! side field of an unknown shape is left out and never spoils a good answer.

use serde_json::Value;

use super::filter::{ContentFilter, PromptFilter};
use super::json::mended;
use super::response::{Body, ChatCompletion, Choice, ChoiceMessage, Exchange, TokenLogprob, Usage};

impl ChatCompletion {
    /// Reads the body of an answer, or says in words why it is none.
    pub(crate) fn from_body(body: &[u8]) -> Result<Self, String> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err("the answer is empty".to_owned());
        }
        let text = std::str::from_utf8(body).map_err(|_| "the answer is not UTF-8 text")?;
        let parsed = serde_json::from_str(text);
        let parsed = parsed.or_else(|error| serde_json::from_str(&mended(body)).map_err(|_| error));
        let value = parsed.map_err(|error| {
            if error.is_eof() {
                format!("the answer breaks off after {} bytes", body.len())
            } else {
                "the answer is not JSON".to_owned()
            }
        })?;
        Self::from_json(value)
    }

    /// Reads a body that is JSON already, or says in words why it is no answer.
    pub(crate) fn from_json(body: Value) -> Result<Self, String> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some(list) = body.get("choices").and_then(Value::as_array) else {
            return Err("the answer has no `choices`".to_owned());
        };
        if list.is_empty() {
            return Err("the answer's `choices` are empty".to_owned());
        }
        let choices = list
            .iter()
            .zip(0..)
            .map(|(item, place)| choice(item, place))
            .collect();
        Ok(Self {
            id: text("id").unwrap_or_default(),
            model: text("model").unwrap_or_default(),
            created: body
                .get("created")
                .and_then(Value::as_u64)
                .unwrap_or_default(),
            choices,
            usage: body.get("usage").and_then(usage),
            prompt_filter_results: prompt_filters(&body),
            system_fingerprint: text("system_fingerprint"),
            body: Body::new(&body),
            exchange: Exchange::default(),
        })
    }
}

fn choice(item: &Value, place: u64) -> Choice {
    let message = item.get("message").unwrap_or(&Value::Null);
    let text = |name: &str| message.get(name).and_then(Value::as_str).map(str::to_owned);
    Choice {
        index: item.get("index").and_then(Value::as_u64).unwrap_or(place),
        message: ChoiceMessage {
            role: text("role").unwrap_or_else(|| "assistant".to_owned()),
            content: message.get("content").and_then(content),
            refusal: text("refusal"),
        },
        finish_reason: item
            .get("finish_reason")
            .and_then(Value::as_str)
            .map(Into::into),
        content_filter_results: ContentFilter::inside(item),
        logprobs: logprobs(item).unwrap_or_default(),
    }
}

fn logprobs(item: &Value) -> Option<Vec<TokenLogprob>> {
    let likely = |value: &Value| {
        let token = value.get("token")?.as_str()?.to_owned();
        Some((token, value.get("logprob")?.as_f64()?))
    };
    let tokens = item.get("logprobs")?.get("content")?.as_array()?.iter();
    let tokens = tokens.filter_map(|value| {
        let (token, logprob) = likely(value)?;
        let top = value.get("top_logprobs").and_then(Value::as_array);
        let top = top.into_iter().flatten().filter_map(likely).collect();
        Some(TokenLogprob {
            token,
            logprob,
            top,
        })
    });
    Some(tokens.collect())
}

/// A text, or the texts of the parts that some servers cut it into.
fn content(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts
                .iter()
                .filter_map(|part| part.get("text").and_then(Value::as_str))
                .collect();
            (!texts.is_empty()).then(|| texts.concat())
        }
        _ => None,
    }
}

fn usage(value: &Value) -> Option<Usage> {
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    let prompt_tokens = number("prompt_tokens")?;
    let completion_tokens = number("completion_tokens").unwrap_or_default();
    let sum = prompt_tokens.saturating_add(completion_tokens);
    let total_tokens = number("total_tokens").unwrap_or(sum);
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens,
    })
}

fn prompt_filters(body: &Value) -> Vec<PromptFilter> {
    let list = body
        .get("prompt_filter_results")
        .or_else(|| body.get("prompt_annotations"));
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items
        .zip(0..)
        .map(|(item, place)| PromptFilter {
            prompt_index: item
                .get("prompt_index")
                .and_then(Value::as_u64)
                .unwrap_or(place),
            content_filter: ContentFilter::inside(item),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::FinishReason;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(body: &Value) -> ChatCompletion {
        ChatCompletion::from_body(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_azure_answer_is_read_whole() {
        let body = json!({
            "id": "chatcmpl-1", "model": "gpt-4o", "created": 1_700_000_000, "object": "chat.completion",
            "system_fingerprint": "fp",
            "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {
                "hate": {"filtered": false, "severity": "safe"},
                "jailbreak": {"filtered": false, "detected": false}}}],
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Kind."},
                "content_filter_results": {"violence": {"filtered": false, "severity": "low"}}}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11,
                "prompt_tokens_details": {"cached_tokens": 0}},
        });
        let answer = read(&body);
        assert_eq!(answer.text(), Some("Kind."));
        assert_eq!(answer.finish_reason(), Some(&FinishReason::Stop));
        assert_eq!(answer.usage.unwrap().total_tokens, 11);
        let prompt = &answer.prompt_filter_results[0].content_filter;
        assert_eq!(prompt.categories["jailbreak"].detected, Some(false));
        assert_eq!(prompt.categories["hate"].severity.as_deref(), Some("safe"));
        assert!(!prompt.is_filtered());
        assert_eq!(serde_json::to_value(&answer).unwrap(), body);
    }

    #[test]
    fn a_filtered_answer_has_no_text_but_a_reason() {
        let answer = read(&json!({"choices": [{"finish_reason": "content_filter",
            "message": {"role": "assistant", "content": null},
            "content_filter_result": {"violence": {"filtered": true, "severity": "high"}}}]}));
        assert_eq!(answer.text(), None);
        assert_eq!(answer.finish_reason(), Some(&FinishReason::ContentFilter));
        assert_eq!(
            answer.choices[0].content_filter_results.to_string(),
            "violence (high)"
        );
    }

    #[test]
    fn odd_side_fields_do_not_spoil_an_answer() {
        let answer = read(&json!({
            "id": 7, "created": "now", "usage": "none", "prompt_filter_results": {"a": 1},
            "choices": [{"message": {"content": [{"type": "text", "text": "Yes"}]},
                "finish_reason": "eos", "content_filter_results": {"hate": 3, "error": {"code": "x"}}}],
        }));
        assert_eq!(answer.text(), Some("Yes"));
        assert_eq!(answer.finish_reason().unwrap().as_str(), "eos");
        assert_eq!(answer.usage, None);
        assert!(
            answer.choices[0]
                .content_filter_results
                .categories
                .is_empty()
        );
    }

    #[test]
    fn what_is_no_answer_says_why() {
        let why = |body: &[u8]| ChatCompletion::from_body(body).unwrap_err();
        assert_eq!(why(b" \n"), "the answer is empty");
        assert_eq!(why(b"\xff\xfe"), "the answer is not UTF-8 text");
        assert_eq!(
            why(b"{\"choices\": [{\"mess"),
            "the answer breaks off after 19 bytes"
        );
        assert_eq!(why(b"<html>"), "the answer is not JSON");
        assert_eq!(why(b"[]"), "the answer has no `choices`");
        assert_eq!(
            why(b"{\"choices\": []}"),
            "the answer's `choices` are empty"
        );
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let name = prop::sample::select(vec![
            "choices",
            "message",
            "content",
            "text",
            "finish_reason",
            "index",
            "usage",
            "prompt_tokens",
            "prompt_filter_results",
            "content_filter_results",
            "filtered",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name.clone(), inner), 0..4)
                    .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in any::<Vec<u8>>()) {
            let _ = ChatCompletion::from_body(&body);
        }

        #[test]
        fn any_choices_make_an_answer(choices in prop::collection::vec(json_value(), 1..4)) {
            let body = json!({"choices": choices, "usage": choices[0]});
            prop_assert!(ChatCompletion::from_json(body).is_ok());
        }

        #[test]
        fn any_json_is_read_or_refused(body in json_value()) {
            let _ = ChatCompletion::from_json(body);
        }
    }
}
