//! The format that a request wants its answer in.

use serde_json::{Map, Value};

use super::api_error::ApiError;

const NAME: &str = "response_format";

/// Checks the format of a request.
///
/// # Errors
/// It is not one of the protocol's, or lacks what it needs; in the service's words.
pub(super) fn check(given: &Map<String, Value>) -> Result<(), ApiError> {
    let Some(format) = given.get(NAME) else {
        return Ok(());
    };
    if !format.is_object() {
        let message = "Invalid type for 'response_format': expected an object.";
        return Err(ApiError::bad(Some(NAME), message));
    }
    let bad = |parameter: &str, message: String| Err(ApiError::bad(Some(parameter), message));
    match format["type"].as_str() {
        Some("text") => Ok(()),
        Some("json_object") => {
            let messages = given.get("messages").map(Value::to_string);
            match messages.unwrap_or_default().to_lowercase().contains("json") {
                true => Ok(()),
                false => bad(
                    "messages",
                    "'messages' must contain the word 'json' in some form, to use \
                     'response_format' of type 'json_object'."
                        .to_owned(),
                ),
            }
        }
        Some("json_schema") if format["json_schema"].is_object() => Ok(()),
        Some("json_schema") => bad(
            "response_format.json_schema",
            "Missing required parameter: 'response_format.json_schema'.".to_owned(),
        ),
        _ => bad(
            "response_format.type",
            format!(
                "Invalid value: {}. Supported values are: 'json_object', 'json_schema', and 'text'.",
                format["type"]
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(format: Value, prompt: &str) -> Option<String> {
        let given = json!({ "response_format": format, "messages": [{ "content": prompt }] });
        let error = check(given.as_object().unwrap()).err()?;
        Some(format!("{error:?}"))
    }

    #[test]
    fn only_the_protocols_formats_pass() {
        for format in [
            json!({ "type": "text" }),
            json!({ "type": "json_object" }),
            json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": {} } }),
        ] {
            assert_eq!(told(format, "Answer in JSON."), None);
        }
        for (format, said) in [
            (json!("json"), "expected an object"),
            (json!({ "type": "xml" }), "Supported values are"),
            (json!({ "type": "json_schema" }), "Missing required"),
            (json!({ "type": "json_object" }), "the word 'json'"),
        ] {
            let told = told(format, "Hello.").unwrap();
            assert!(told.contains(said), "{told}");
        }
    }
}
