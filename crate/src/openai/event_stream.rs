//! The JSON texts of a body that should be one: some gateways report an error as an event stream, as lines
//! of JSON, or with something after it, although no request asks for that.

use serde_json::value::RawValue;

/// How many are read.
const MAX_COUNT: usize = 64;

/// The data of the events, or the values one after the other; none if it is neither.
pub(super) fn texts(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let data = event_data(&text);
    match data.is_empty() {
        true => values(&text),
        false => data,
    }
}

/// The data of each event. Its lines may end as on any system, and belong together up to an empty one.
fn event_data(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut events = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if let Some(data) = line.strip_prefix("data:") {
            lines.push(data.strip_prefix(' ').unwrap_or(data));
        } else if line.is_empty() && !lines.is_empty() {
            events.push(lines.join("\n"));
            lines.clear();
        }
    }
    events.retain(|event| event.trim() != "[DONE]");
    events.truncate(MAX_COUNT);
    events
}

fn values(text: &str) -> Vec<String> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<Box<RawValue>>();
    let values = values.map_while(Result::ok).take(MAX_COUNT);
    values.map(|value| value.get().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_gives_its_json() {
        for (body, data) in [
            (
                "data: {\"error\": 1}\n\ndata: [DONE]\n\n",
                vec!["{\"error\": 1}"],
            ),
            (": ping\r\nevent: error\r\ndata:{}\r\n\r\n", vec!["{}"]),
            ("event: error\rdata: {}\r\r", vec!["{}"]),
            (
                "id: 1\nretry: 3000\ndata: {\ndata:  \"a\": 1\ndata: }",
                vec!["{\n \"a\": 1\n}"],
            ),
            ("data: [DONE]\n\ndata: 1\n\ndata: 2\n\n", vec!["1", "2"]),
            ("{\"a\": 1}\n{\"b\": 2}\n", vec!["{\"a\": 1}", "{\"b\": 2}"]),
            ("{\"a\": 1}; more", vec!["{\"a\": 1}"]),
            ("{\"data\": 1}", vec!["{\"data\": 1}"]),
            ("data", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(texts(body.as_bytes()), data, "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_read(body in any::<Vec<u8>>()) {
            prop_assert!(texts(&body).len() <= MAX_COUNT);
        }
    }
}
