//! Fields of bodies, by their paths.

use serde_json::{Value, json};

/// Sets a field of an object, and makes the objects above it.
pub(super) fn set(object: &mut Value, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *object = value;
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    if let Some(fields) = object.as_object_mut() {
        let field = fields.entry((*first).to_owned()).or_insert(Value::Null);
        set(field, rest, value);
    }
}

/// The text at this path, or nothing.
pub(super) fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    let found = path
        .iter()
        .try_fold(object, |object, name| object.get(name));
    found.and_then(Value::as_str).unwrap_or_default()
}
