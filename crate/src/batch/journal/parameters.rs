//! The IDs of rows: hashes of the host, the deployment, the parameters and the messages. The same
//! request gets the same ID on every machine and in every run.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use crate::loopback_host::is_loopback;
use crate::text::sanitize_line;

/// What all answers of a journal share: the host, the deployment, and every field of the request
/// except the messages and the seed, which differs between samples.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameters {
    host: String,
    deployment: String,
    fields: Map<String, Value>,
    hash: [u8; 4],
}

impl Parameters {
    /// The parameters of a request. `host` may include a port, which is ignored on a loopback
    /// address because a local server may get another port at every start.
    pub(crate) fn new(host: &str, deployment: &str, body: &Value) -> Self {
        let host = without_loopback_port(host);
        let fields = parameters(body);
        let hash = hash(host, deployment, &canonical_object(&fields));
        Self {
            host: host.to_owned(),
            deployment: deployment.to_owned(),
            fields,
            hash,
        }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn deployment(&self) -> &str {
        &self.deployment
    }

    /// The first part of the ID of every row: 8 hexadecimal digits.
    pub(crate) fn hash(&self) -> String {
        hex(&self.hash)
    }

    /// The question of a request with these parameters.
    pub(crate) fn question(&self, body: &Value) -> Question {
        let asked = match body {
            Value::Object(fields) => {
                canonical_object(fields.iter().filter(|(name, _)| *name != "model"))
            }
            other => canonical(other),
        };
        Question {
            parameters: self.hash,
            hash: hash(&self.host, &self.deployment, &asked),
        }
    }

    /// Describes how these parameters differ from those of a row, as far as they are recorded.
    pub(crate) fn difference(&self, theirs: &Recorded) -> String {
        let plain = |text: &str| sanitize_line(text, 60);
        let mut differences = Vec::new();
        let mut compare = |name: &str, theirs: Option<String>, ours: Option<String>| {
            if theirs != ours {
                let said = |value: Option<String>| value.unwrap_or_else(|| "not set".to_owned());
                let (theirs, ours) = (said(theirs), said(ours));
                differences.push(format!("{name} was {theirs} and is {ours}"));
            }
        };
        let host = theirs.host.as_deref().map(without_loopback_port);
        for (name, theirs, ours) in [
            ("the host", host, &self.host),
            (
                "the deployment",
                theirs.deployment.as_deref(),
                &self.deployment,
            ),
        ] {
            if let Some(theirs) = theirs {
                compare(name, Some(plain(theirs)), Some(plain(ours)));
            }
        }
        if let Some(theirs) = &theirs.body {
            let theirs = parameters(theirs);
            let names: BTreeSet<_> = theirs.keys().chain(self.fields.keys()).collect();
            for name in names {
                let value = |fields: &Map<String, Value>| {
                    fields.get(name).map(|value| plain(&canonical(value)))
                };
                compare(&plain(name), value(&theirs), value(&self.fields));
            }
        }
        differences.join(", ")
    }
}

/// The recorded parameters of a row.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) host: Option<String>,
    pub(crate) deployment: Option<String>,
    pub(crate) body: Option<Value>,
}

/// The fields of a request except its messages, model and seed.
fn parameters(body: &Value) -> Map<String, Value> {
    let mut fields = body.as_object().cloned().unwrap_or_default();
    fields.retain(|name, _| !matches!(name.as_str(), "messages" | "model" | "seed"));
    fields
}

/// A hash of a request and its destination: equal requests have equal hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    parameters: [u8; 4],
    hash: [u8; 16],
}

impl Question {
    /// The ID of the row in which this question occurs for the `occurrence`-th time in its
    /// batch, counted from 0.
    pub(crate) fn custom_id(&self, occurrence: u64) -> String {
        format!("{}-{}-{occurrence}", hex(&self.parameters), hex(&self.hash))
    }
}

/// The hash of the parameters in a row's ID, if the ID has our format.
pub(crate) fn shared_part(custom_id: &str) -> Option<&str> {
    let (parameters, rest) = custom_id.split_once('-')?;
    let (question, occurrence) = rest.split_once('-')?;
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
    };
    let ours = is_hex(parameters, 8)
        && is_hex(question, 32)
        && !occurrence.is_empty()
        && occurrence.bytes().all(|c| c.is_ascii_digit());
    ours.then_some(parameters)
}

fn without_loopback_port(host: &str) -> &str {
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let is_port = !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit());
    if is_port && is_loopback(name) {
        name
    } else {
        host
    }
}

/// The first bytes of the SHA-256 of the JSON array of these three.
fn hash<const N: usize>(host: &str, deployment: &str, asked: &str) -> [u8; N] {
    let [host, deployment] = [host, deployment].map(Value::from);
    let whole = digest(&SHA256, format!("[{host},{deployment},{asked}]").as_bytes());
    let mut first = [0; N];
    for (to, from) in first.iter_mut().zip(whole.as_ref()) {
        *to = *from;
    }
    first
}

fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn canonical_object<'a>(fields: impl IntoIterator<Item = (&'a String, &'a Value)>) -> String {
    let mut text = String::new();
    write_object(fields, &mut text);
    text
}

/// JSON with sorted keys and whole numbers without a decimal point, so that equal values give
/// equal text however they were written.
fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => write_object(fields, text),
        Value::Number(number) => match number.as_f64() {
            // Whole numbers up to here are exact.
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => {
                push(text, format_args!("{}", float as i64));
            }
            _ => push(text, format_args!("{number}")),
        },
        plain => push(text, format_args!("{plain}")),
    }
}

fn write_object<'a>(fields: impl IntoIterator<Item = (&'a String, &'a Value)>, text: &mut String) {
    let mut fields: Vec<_> = fields.into_iter().collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    text.push('{');
    for (place, (name, field)) in fields.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        write_canonical(&Value::from(name.as_str()), text);
        text.push(':');
        write_canonical(field, text);
    }
    text.push('}');
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        push(&mut text, format_args!("{byte:02x}"));
    }
    text
}

/// Writing to a `String` can't fail.
fn push(text: &mut String, piece: fmt::Arguments<'_>) {
    let _ = text.write_fmt(piece);
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn body() -> Value {
        json!({"model": "gpt-4o", "max_tokens": 100, "temperature": 0,
            "messages": [{"role": "user", "content": "Describe a nurse."}]})
    }

    #[test]
    fn a_name_is_the_same_on_every_machine_and_in_every_version() {
        let parameters = Parameters::new("contoso.openai.azure.com", "gpt-4o", &body());
        assert_snapshot!(parameters.question(&body()).custom_id(0), @"381c81d8-f67772c58291f2a00a8899e8db74056b-0");
    }

    #[test]
    fn order_and_the_spelling_of_numbers_do_not_count() {
        let text = r#"{"messages": [{"content": "Describe a nurse.", "role": "user"}],
            "temperature": 0.0, "model": "another", "max_tokens": 1e2}"#;
        let other: Value = serde_json::from_str(text).unwrap();
        let name = |body: &Value| {
            Parameters::new("h", "gpt-4o", body)
                .question(body)
                .custom_id(3)
        };
        assert_eq!(name(&other), name(&body()));
    }

    #[test]
    fn whatever_differs_makes_another_name() {
        let name = |host: &str, deployment: &str, body: &Value, occurrence| {
            let parameters = Parameters::new(host, deployment, body);
            parameters.question(body).custom_id(occurrence)
        };
        let mut changed = body();
        changed["max_tokens"] = json!(101);
        let mut asked = body();
        asked["messages"][0]["content"] = json!("Describe a doctor.");
        let names = [
            name("h", "gpt-4o", &body(), 0),
            name("h", "gpt-4o", &body(), 1),
            name("h", "gpt-4", &body(), 0),
            name("h:8080", "gpt-4o", &body(), 0),
            name("h", "gpt-4o", &changed, 0),
            name("h", "gpt-4o", &asked, 0),
            name("h", "gpt-4o", &json!([1]), 0),
        ];
        let distinct: BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        let part = |name: &str| shared_part(name).unwrap().to_owned();
        assert_eq!(part(&names[0]), part(&names[5]), "only the messages differ");
        assert_ne!(part(&names[0]), part(&names[4]), "a parameter differs");
    }

    #[test]
    fn a_local_server_may_change_its_port() {
        let hash = |host: &str| Parameters::new(host, "d", &body()).hash();
        assert_eq!(hash("127.0.0.1:8080"), hash("127.0.0.1:9090"));
        assert_eq!(hash("[::1]:8080"), hash("[::1]"));
        assert_eq!(hash("localhost:1"), hash("localhost"));
        assert_ne!(hash("10.0.0.1:8080"), hash("10.0.0.1:9090"));
    }

    #[test]
    fn differences_are_told_on_one_line() {
        let ours = Parameters::new("a.example", "gpt-4o", &body());
        let theirs = Recorded {
            host: Some("b.example".to_owned()),
            deployment: Some("evil\n\u{1b}[31m".to_owned()),
            body: Some(json!({"max_tokens": 20, "stop": ["\n"], "messages": []})),
        };
        assert_snapshot!(ours.difference(&theirs), @r#"the host was b.example and is a.example, the deployment was evil �[31m and is gpt-4o, max_tokens was 20 and is 100, stop was ["\n"] and is not set, temperature was not set and is 0"#);
        assert_eq!(ours.difference(&Recorded::default()), "");
    }

    proptest! {
        #[test]
        fn a_name_of_ours_tells_its_parameters(deployment in any::<String>(), occurrence in any::<u64>()) {
            let parameters = Parameters::new("h", &deployment, &body());
            let name = parameters.question(&body()).custom_id(occurrence);
            let hash = parameters.hash();
            prop_assert_eq!(shared_part(&name), Some(hash.as_str()));
        }

        #[test]
        fn any_name_is_ours_or_not(name in any::<String>()) {
            let _ = shared_part(&name);
        }
    }
}
