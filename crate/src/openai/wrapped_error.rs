//! The error inside of another: services and gateways wrap the error of the model.

use serde_json::value::RawValue;

use crate::json::{Json, field, fields, is_null, items, plain_text};

/// How many of Azure's `details` are searched.
const MAX_DETAILS: usize = 16;

/// The first of Azure's `details`, which names in `target` what is wrong, or the provider's own error in
/// `metadata.raw`, which OpenRouter passes on as text.
pub(super) fn inside(error: &RawValue) -> Option<Json> {
    let [details, metadata] = fields(error, ["details", "metadata"]);
    let details = details.map_or_else(Vec::new, |details| items(details, MAX_DETAILS));
    let says_something = |detail: &&RawValue| {
        let said = fields(detail, ["code", "message"]);
        said.into_iter().flatten().any(|part| !is_null(part))
    };
    if let Some(detail) = details.into_iter().find(says_something) {
        return Json::new(detail.get().to_owned()).ok();
    }
    let raw = field(metadata?, "raw")?;
    let text = match raw.get().starts_with('{') {
        true => raw.get().to_owned(),
        false => plain_text(raw)?,
    };
    Json::new(text)
        .ok()
        .filter(|json| json.text().starts_with('{'))
}

/// Does it give reasons of a moderation, as OpenRouter does?
pub(super) fn is_moderated(error: &RawValue) -> bool {
    let reasons = field(error, "metadata").and_then(|metadata| field(metadata, "reasons"));
    reasons.is_some_and(|reasons| !items(reasons, 1).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(error: serde_json::Value) -> Option<String> {
        let json = Json::from(&error);
        inside(json.raw()).map(|inside| inside.text().to_owned())
    }

    #[test]
    fn it_is_found_in_details_and_in_raw() {
        let inner = r#"{"code":"a","message":"b"}"#;
        let value = json!({"code": "a", "message": "b"});
        assert_eq!(
            found(json!({"details": [{}, value]})).as_deref(),
            Some(inner)
        );
        assert_eq!(
            found(json!({"metadata": {"raw": inner}})).as_deref(),
            Some(inner)
        );
        assert_eq!(
            found(json!({"metadata": {"raw": value}})).as_deref(),
            Some(inner)
        );
        for none in [
            json!({"details": "b", "metadata": {"raw": "b"}}),
            json!({"details": [], "metadata": {}}),
            json!({"metadata": {"raw": "[]"}}),
            json!("b"),
        ] {
            assert_eq!(found(none), None);
        }
    }
}
