//! The messages of a request: what they may contain, and how the engine gets them.

use serde_json::{Value, json};

use super::api_error::ApiError;

/// Checks the messages of a request.
///
/// # Errors
/// There are none, or one is not a message of this protocol, or has content that the local model
/// can't read.
pub(super) fn check(messages: Option<&Value>) -> Result<(), ApiError> {
    let bad = |message: &str| Err(ApiError::bad(Some("messages"), message));
    match messages {
        None => bad("'messages' is a required property"),
        Some(Value::Array(messages)) if messages.is_empty() => bad("[] is too short - 'messages'"),
        Some(Value::Array(messages)) => {
            if !messages.iter().all(is_well_formed) {
                return bad(
                    "A message has a 'role' (system, developer, user or assistant) and a 'content'",
                );
            }
            for (place, message) in messages.iter().enumerate() {
                check_parts(place, &message["content"])?;
            }
            Ok(())
        }
        Some(_) => bad("'messages' is not an array"),
    }
}

fn is_well_formed(message: &Value) -> bool {
    let role = message.get("role").and_then(Value::as_str);
    let is_role =
        role.is_some_and(|role| matches!(role, "system" | "developer" | "user" | "assistant"));
    // An assistant that has refused has said nothing else.
    let has_refused = || role == Some("assistant") && message["refusal"].is_string();
    let content = &message["content"];
    is_role && (content.is_string() || content.is_array() || content.is_null() && has_refused())
}

/// Checks the parts of a content that is a list.
fn check_parts(message: usize, content: &Value) -> Result<(), ApiError> {
    for (place, part) in content.as_array().into_iter().flatten().enumerate() {
        let kind = part["type"].as_str().unwrap_or_default();
        let is_text = match kind {
            "text" | "refusal" => part[kind].is_string(),
            _ => false,
        };
        if is_text {
            continue;
        }
        let parameter = format!("messages.[{message}].content.[{place}].type");
        let why = match kind {
            "image_url" | "input_audio" | "file" => {
                format!("Invalid content type. {kind} is only supported by certain models.")
            }
            _ => format!(
                "Invalid value: '{kind}'. Supported values are: 'text', and 'refusal', each with a text \
                 of that name."
            ),
        };
        return Err(ApiError::bad(Some(&parameter), why));
    }
    Ok(())
}

/// The messages as the engine reads them.
pub(super) fn for_engine(messages: Option<&mut Value>) {
    for message in messages.and_then(Value::as_array_mut).into_iter().flatten() {
        // `developer` is the newer name of the role, which the model was not trained on.
        if message["role"] == "developer" {
            message["role"] = "system".into();
        }
        if message["content"].is_null() {
            message["content"] = message["refusal"].take();
        }
        for part in message["content"].as_array_mut().into_iter().flatten() {
            if part["type"] == "refusal" {
                *part = json!({ "type": "text", "text": part["refusal"] });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(content: Value) -> String {
        let messages = json!([{ "role": "user", "content": content }]);
        format!("{:?}", check(Some(&messages)).unwrap_err())
    }

    #[test]
    fn content_that_the_small_model_cannot_read_is_the_requests_error() {
        let image = told(json!([{ "type": "image_url", "image_url": { "url": "data:," } }]));
        assert!(image.contains("status: 400"), "{image}");
        assert!(
            image.contains("Invalid content type. image_url is only supported by certain models."),
            "{image}"
        );
        assert!(image.contains("messages.[0].content.[0].type"), "{image}");
        for odd in [
            json!(["x"]),
            json!([{ "type": "nope" }]),
            json!([{ "type": "text" }]),
        ] {
            assert!(told(odd).contains("Supported values are"));
        }
    }

    #[test]
    fn a_refusal_of_the_assistant_is_part_of_the_conversation() {
        let mut messages = json!([
            { "role": "user", "content": [{ "type": "text", "text": "Hi" }] },
            { "role": "assistant", "content": null, "refusal": "No." },
            { "role": "assistant", "content": [{ "type": "refusal", "refusal": "No." }] },
        ]);
        assert_eq!(check(Some(&messages)), Ok(()));
        for_engine(Some(&mut messages));
        assert_eq!(messages[1]["content"], "No.");
        assert_eq!(
            messages[2]["content"][0],
            json!({ "type": "text", "text": "No." })
        );
    }
}
