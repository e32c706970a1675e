//! The engine's answers in Azure's format: with the model's name, and without llama.cpp's own
//! fields.
//!
//! No content filter runs here, so there are no `content_filter_results`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::api_error::ApiError;
use super::like::Deployment;
use super::weights::NAME;

/// Which deployment's answer it is to be.
#[derive(Debug, Default)]
pub(crate) struct SimulatedDeployment {
    pub(crate) like: Option<&'static Deployment>,
    /// How many tokens of each answer are thought.
    pub(crate) thinking: Vec<u64>,
    /// The longest answer, with the thinking before it.
    pub(crate) most: Option<u64>,
}

impl SimulatedDeployment {
    fn model(&self) -> &str {
        self.like.map_or(NAME, |like| &like.answers_as)
    }

    /// How much is thought before the so many-th answer, and whether nothing is left to say it.
    fn thought(&self, answer: usize) -> (u64, bool) {
        let thinking = self.thinking.get(answer).copied().unwrap_or(0);
        match self.most {
            Some(most) if thinking > 0 && thinking >= most => (most, true),
            _ => (thinking, false),
        }
    }

    /// The thinking goes before the answer, counts as its tokens, and may leave none of it.
    fn think(&self, answer: usize, completion: &mut Value) {
        if self.like.is_none() {
            return;
        }
        let (thought, is_all) = self.thought(answer);
        for choice in completion["choices"].as_array_mut().into_iter().flatten() {
            if !is_all {
                continue;
            }
            for part in ["message", "delta"] {
                if choice[part]["content"].is_string() {
                    choice[part]["content"] = json!("");
                }
            }
            if choice["finish_reason"].is_string() {
                choice["finish_reason"] = json!("length");
            }
        }
        let usage = &mut completion["usage"];
        if let (Some(prompt), Some(visible)) = (
            usage["prompt_tokens"].as_u64(),
            usage["completion_tokens"].as_u64(),
        ) {
            let written = if is_all { thought } else { thought + visible };
            usage["completion_tokens"] = written.into();
            usage["total_tokens"] = (prompt + written).into();
            usage["completion_tokens_details"] = json!({
                "accepted_prediction_tokens": 0,
                "audio_tokens": 0,
                "reasoning_tokens": thought,
                "rejected_prediction_tokens": 0,
            });
        }
    }
}

/// Joins the engine's answers to the same request into one.
pub(crate) fn join(answers: Vec<Value>, played: &SimulatedDeployment) -> Value {
    let mut answers = answers.into_iter().enumerate().map(|(index, answer)| {
        let mut answer = tidy(answer, played.model());
        played.think(index, &mut answer);
        answer
    });
    let Some(mut whole) = answers.next() else {
        return Value::Null;
    };
    for (index, mut answer) in (1u64..).zip(answers) {
        let choice = answer["choices"].get_mut(0).map(Value::take);
        if let (Some(choices), Some(mut choice)) = (whole["choices"].as_array_mut(), choice) {
            choice["index"] = index.into();
            choices.push(choice);
        }
        // The prompt is the same for all, and is counted once.
        let count = |answer: &Value, name: &str| answer["usage"][name].as_u64().unwrap_or(0);
        let written = count(&whole, "completion_tokens") + count(&answer, "completion_tokens");
        let prompt = count(&whole, "prompt_tokens");
        whole["usage"]["completion_tokens"] = written.into();
        whole["usage"]["total_tokens"] = (prompt + written).into();
        let thought = |answer: &Value| {
            answer["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64()
        };
        if let (Some(one), Some(other)) = (thought(&whole), thought(&answer)) {
            whole["usage"]["completion_tokens_details"]["reasoning_tokens"] = (one + other).into();
        }
    }
    whole
}

/// A line of an event stream, rewritten if it contains a piece of the answer.
pub(crate) fn line(line: &str, played: &SimulatedDeployment) -> String {
    let Some(data) = line.strip_prefix("data:") else {
        return line.to_owned();
    };
    match serde_json::from_str(data) {
        Ok(piece) => {
            let mut piece = tidy(piece, played.model());
            // No usage is told of a piece, unless it was asked for.
            let has_usage = piece.get("usage").is_some_and(Value::is_object);
            played.think(0, &mut piece);
            if let (false, Some(fields)) = (has_usage, piece.as_object_mut())
                && fields.get("usage").is_some_and(Value::is_null)
            {
                fields.shift_remove("usage");
            }
            format!("data: {piece}")
        }
        // "[DONE]"
        Err(_) => line.to_owned(),
    }
}

/// The engine's error in Azure's format.
pub(crate) fn refusal(status: StatusCode, body: &[u8]) -> ApiError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = body["error"]["message"]
        .as_str()
        .unwrap_or("it gave no reason");
    let too_long = body["error"]["type"] == "exceed_context_size_error";
    match (status.is_client_error(), too_long) {
        (true, true) => ApiError::too_long(message),
        (true, false) => ApiError::bad(None, message),
        _ => ApiError::engine(
            format!("The local model failed ({status}): {message}"),
            None,
        ),
    }
}

fn tidy(mut answer: Value, model: &str) -> Value {
    let Some(fields) = answer.as_object_mut() else {
        return answer;
    };
    fields.shift_remove("timings");
    if fields.contains_key("model") {
        fields.insert("model".to_owned(), json!(model));
    }
    if fields.contains_key("system_fingerprint") {
        fields.insert("system_fingerprint".to_owned(), json!("fp_local"));
    }
    if let Some(error) = fields.get_mut("error") {
        // In the middle of a stream, an error cannot be reported as a status any more.
        *error = json!({ "code": "503", "message": error["message"] });
    }
    let choices = answer.get_mut("choices").and_then(Value::as_array_mut);
    for choice in choices.into_iter().flatten() {
        // As the service's documentation shows an answer.
        if let Some(message) = choice.get_mut("message").and_then(Value::as_object_mut) {
            message.entry("refusal").or_insert(Value::Null);
            if let Some(choice) = choice.as_object_mut() {
                choice.entry("logprobs").or_insert(Value::Null);
            }
        }
        let content = choice
            .get_mut("delta")
            .and_then(|delta| delta.get_mut("content"));
        if let Some(content @ Value::Null) = content {
            *content = json!("");
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::super::like::{self, Like};
    use super::*;

    fn from_engine(text: &str, tokens: u64) -> Value {
        json!({
            "choices": [{ "finish_reason": "stop", "index": 0, "message": { "role": "assistant", "content": text } }],
            "created": 1, "model": "some.gguf", "system_fingerprint": "b0", "object": "chat.completion",
            "usage": { "completion_tokens": tokens, "prompt_tokens": 10, "total_tokens": 10 + tokens },
            "id": "chatcmpl-1", "timings": { "cache_n": 1 },
        })
    }

    #[test]
    fn one_answer_keeps_everything_but_the_engines_own() {
        let answer = join(
            vec![from_engine("Hello", 2)],
            &SimulatedDeployment::default(),
        );
        assert_eq!(
            answer,
            json!({
                "choices": [{ "finish_reason": "stop", "index": 0, "message": { "role": "assistant", "content": "Hello", "refusal": null }, "logprobs": null }],
                "created": 1, "model": NAME, "system_fingerprint": "fp_local", "object": "chat.completion",
                "usage": { "completion_tokens": 2, "prompt_tokens": 10, "total_tokens": 12 },
                "id": "chatcmpl-1",
            })
        );
    }

    #[test]
    fn several_answers_are_choices_of_one() {
        let answers = vec![
            from_engine("a", 2),
            from_engine("b", 3),
            from_engine("c", 4),
        ];
        let answer = join(answers, &SimulatedDeployment::default());
        let choices = answer["choices"].as_array().unwrap();
        let of = |name: &str| {
            choices
                .iter()
                .map(|choice| choice[name].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("index"), [0, 1, 2]);
        assert_eq!(choices[2]["message"]["content"], "c");
        assert_eq!(
            answer["usage"],
            json!({ "completion_tokens": 9, "prompt_tokens": 10, "total_tokens": 19 })
        );
    }

    #[test]
    fn thinking_is_counted_and_may_take_all() {
        let Ok(Like::Deployment(like)) = like::parse("gpt-5-mini") else {
            panic!("it is in the table");
        };
        let played = |most| SimulatedDeployment {
            like: Some(like),
            thinking: vec![192, 64],
            most,
        };
        let answers = || vec![from_engine("a", 2), from_engine("b", 3)];
        let free = join(answers(), &played(None));
        assert_eq!(free["model"], "gpt-5-mini-2025-08-07");
        assert_eq!(free["usage"]["completion_tokens"], 192 + 64 + 5);
        let details = &free["usage"]["completion_tokens_details"];
        assert_eq!(details["reasoning_tokens"], 256);
        let bound = join(answers(), &played(Some(100)));
        let choices = &bound["choices"];
        assert_eq!(choices[0]["message"]["content"], "");
        assert_eq!(choices[0]["finish_reason"], "length");
        assert_eq!(choices[1]["message"]["content"], "b");
        assert_eq!(bound["usage"]["completion_tokens"], 100 + 64 + 3);
        assert_eq!(bound["usage"]["total_tokens"], 10 + 100 + 64 + 3);
    }

    #[test]
    fn pieces_are_rewritten_and_the_end_is_not() {
        let piece = r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null}}],"model":"x","timings":{}}"#;
        let line = |text: &str| line(text, &SimulatedDeployment::default());
        assert_eq!(
            line(piece),
            format!(
                r#"data: {{"choices":[{{"index":0,"delta":{{"role":"assistant","content":""}}}}],"model":"{NAME}"}}"#
            )
        );
        assert_eq!(line("data: [DONE]"), "data: [DONE]");
        assert_eq!(line(""), "");
        assert_eq!(line(": ping"), ": ping");
    }

    #[test]
    fn the_engines_refusals_become_azures() {
        let body =
            br#"{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}"#;
        assert_eq!(
            refusal(StatusCode::BAD_REQUEST, body),
            ApiError::too_long("too long")
        );
        let broken = refusal(StatusCode::INTERNAL_SERVER_ERROR, b"oops");
        assert!(format!("{broken:?}").contains("it gave no reason"));
    }
}
