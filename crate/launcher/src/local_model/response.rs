//! The engine's answers in Azure's format: with the model's name, and without llama.cpp's own
//! fields.
//!
//! No content filter runs here, so there are no `content_filter_results`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::MODEL;
use super::api_error::ApiError;

/// Joins the engine's answers to the same request into one.
pub(crate) fn join(answers: Vec<Value>) -> Value {
    let mut answers = answers.into_iter().map(tidy);
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
    }
    whole
}

/// A line of an event stream, rewritten if it contains a piece of the answer.
pub(crate) fn line(line: &str) -> String {
    let Some(data) = line.strip_prefix("data:") else {
        return line.to_owned();
    };
    match serde_json::from_str(data) {
        Ok(piece) => format!("data: {}", tidy(piece)),
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

fn tidy(mut answer: Value) -> Value {
    let Some(fields) = answer.as_object_mut() else {
        return answer;
    };
    fields.shift_remove("timings");
    if fields.contains_key("model") {
        fields.insert("model".to_owned(), json!(MODEL));
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
        let answer = join(vec![from_engine("Hello", 2)]);
        assert_eq!(
            answer,
            json!({
                "choices": [{ "finish_reason": "stop", "index": 0, "message": { "role": "assistant", "content": "Hello" } }],
                "created": 1, "model": MODEL, "system_fingerprint": "fp_local", "object": "chat.completion",
                "usage": { "completion_tokens": 2, "prompt_tokens": 10, "total_tokens": 12 },
                "id": "chatcmpl-1",
            })
        );
    }

    #[test]
    fn several_answers_are_choices_of_one() {
        let answer = join(vec![
            from_engine("a", 2),
            from_engine("b", 3),
            from_engine("c", 4),
        ]);
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
    fn pieces_are_rewritten_and_the_end_is_not() {
        let piece = r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null}}],"model":"x","timings":{}}"#;
        assert_eq!(
            line(piece),
            format!(
                r#"data: {{"choices":[{{"index":0,"delta":{{"role":"assistant","content":""}}}}],"model":"{MODEL}"}}"#
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
