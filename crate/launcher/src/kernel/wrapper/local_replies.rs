//! Requests that are answered without evcxr: kernel information, history, open comms, and
//! whether a cell is complete.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::is_complete::{self, Complete};
use crate::jupyter::{Message, PROTOCOL};

/// The cells that the reader ran, with their numbers.
#[derive(Debug, Default)]
pub struct History(Vec<(u64, String)>);

impl History {
    /// Adds a cell.
    pub fn add(&mut self, count: u64, code: &str) {
        self.0.push((count, code.to_owned()));
    }

    /// The cells, from the first.
    pub fn cells(&self) -> &[(u64, String)] {
        &self.0
    }

    /// Answers a `history_request`. The current session is the only one.
    fn answer(&self, request: &Value) -> Value {
        let number = |field: &str| request[field].as_u64();
        let all = self.0.iter();
        let found: Vec<_> = match request["hist_access_type"].as_str() {
            Some("range") => {
                let start = number("start").unwrap_or(0);
                let stop = number("stop").unwrap_or(u64::MAX);
                all.filter(|(count, _)| (start..stop).contains(count))
                    .collect()
            }
            Some("search") => {
                let pattern = request["pattern"].as_str().unwrap_or("*");
                let mut found: Vec<_> = all.filter(|(_, code)| matches(pattern, code)).collect();
                if request["unique"] == true {
                    // Of several equal cells, only the last one is kept.
                    found.reverse();
                    let mut seen = std::collections::HashSet::new();
                    found.retain(|(_, code)| seen.insert(code));
                    found.reverse();
                }
                found
            }
            _ => all.collect(),
        };
        let last = number("n").map_or(found.len(), |n| usize::try_from(n).unwrap_or(usize::MAX));
        let with_output = request["output"] == true;
        let entries = found[found.len().saturating_sub(last)..]
            .iter()
            .map(|(count, code)| match with_output {
                true => json!([0, count, [code, null]]),
                false => json!([0, count, code]),
            });
        json!({"status": "ok", "history": entries.collect::<Vec<_>>()})
    }
}

/// The open comms with their target names, by id.
#[derive(Debug, Default)]
pub struct Comms(BTreeMap<String, String>);

impl Comms {
    /// Updates the list from a message of either side.
    pub fn observe(&mut self, message: &Message) {
        let field = |name| {
            message.content[name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        match message.kind() {
            "comm_open" => {
                self.0.insert(field("comm_id"), field("target_name"));
            }
            "comm_close" => {
                self.0.remove(&field("comm_id"));
            }
            _ => {}
        }
    }

    /// Answers a `comm_info_request`, which may ask for the comms of one target only.
    fn answer(&self, request: &Value) -> Value {
        let wanted = request["target_name"]
            .as_str()
            .filter(|name| !name.is_empty());
        let comms: Map<String, Value> = self
            .0
            .iter()
            .filter(|(_, target)| wanted.is_none_or(|wanted| wanted == *target))
            .map(|(id, target)| (id.clone(), json!({"target_name": target})))
            .collect();
        json!({"status": "ok", "comms": comms})
    }
}

/// Matches a shell pattern: `*` is any text, `?` any character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut next) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while next < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, next));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[next] => {
                at += 1;
                next += 1;
            }
            _ => match &mut star {
                Some((place, from)) => {
                    *from += 1;
                    (at, next) = (*place + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|left| *left == '*')
}

/// The answer to a request, if it does not need evcxr.
pub fn answer(request: &Message, history: &History, comms: &Comms) -> Option<Value> {
    match request.kind() {
        "kernel_info_request" => Some(info()),
        "is_complete_request" => {
            let code = request.content["code"].as_str().unwrap_or_default();
            Some(match is_complete::complete(code) {
                Complete::Whole => json!({"status": "complete"}),
                Complete::Wrong => json!({"status": "invalid"}),
                Complete::Open { indent } => {
                    json!({"status": "incomplete", "indent": " ".repeat(indent)})
                }
            })
        }
        "history_request" => Some(history.answer(&request.content)),
        "comm_info_request" => Some(comms.answer(&request.content)),
        _ => None,
    }
}

/// The content of a `kernel_info_reply`.
pub fn info() -> Value {
    json!({
        "status": "ok",
        "protocol_version": PROTOCOL,
        "implementation": "evenhand",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": {
            "name": "rust",
            "version": "",
            "mimetype": "text/rust",
            "file_extension": ".rs",
            "pygments_lexer": "rust",
            "codemirror_mode": "rust",
        },
        "banner": "Rust (evcxr), with evenhand",
        "help_links": [
            {"text": "Rust's standard library", "url": "https://doc.rust-lang.org/stable/std/"},
            {"text": "polars", "url": "https://docs.rs/polars"},
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jupyter::Header;

    fn history(request: Value) -> String {
        let mut history = History::default();
        for (count, code) in [(1, "let a = 1;"), (2, "a"), (3, "let b = 2;"), (4, "a")] {
            history.add(count, code);
        }
        history.answer(&request)["history"].to_string()
    }

    #[test]
    fn the_past_is_found_by_number_end_and_pattern() {
        assert_eq!(
            history(json!({"hist_access_type": "tail", "n": 2})),
            r#"[[0,3,"let b = 2;"],[0,4,"a"]]"#
        );
        assert_eq!(
            history(json!({"hist_access_type": "range", "start": 2, "stop": 3, "output": true})),
            r#"[[0,2,["a",null]]]"#
        );
        assert_eq!(
            history(json!({"hist_access_type": "search", "pattern": "let ? = *;", "n": 1})),
            r#"[[0,3,"let b = 2;"]]"#
        );
        assert_eq!(
            history(json!({"hist_access_type": "search", "pattern": "a", "unique": true})),
            r#"[[0,4,"a"]]"#
        );
        assert_eq!(
            history(json!({"hist_access_type": "search", "pattern": "b"})),
            "[]"
        );
    }

    #[test]
    fn comms_are_there_from_their_opening_to_their_end() {
        let message = |kind, content| Message::with_header(Header::new("s", 1, kind), content);
        let mut comms = Comms::default();
        for (id, target) in [("1", "check"), ("2", "widget")] {
            let content = json!({"comm_id": id, "target_name": target, "data": {}});
            comms.observe(&message("comm_open", content));
        }
        comms.observe(&message("comm_msg", json!({"comm_id": "1"})));
        let asked = |request| comms.answer(&request)["comms"].to_string();
        assert_eq!(
            asked(json!({})),
            r#"{"1":{"target_name":"check"},"2":{"target_name":"widget"}}"#
        );
        assert_eq!(
            asked(json!({"target_name": "widget"})),
            r#"{"2":{"target_name":"widget"}}"#
        );
        comms.observe(&message("comm_close", json!({"comm_id": "1"})));
        assert_eq!(
            comms.answer(&json!({"target_name": "check"}))["comms"],
            json!({})
        );
    }

    #[test]
    fn only_what_needs_no_evcxr_is_answered() {
        let asked = |kind| {
            let request = Message::with_header(Header::new("s", 1, kind), json!({}));
            answer(&request, &History::default(), &Comms::default())
        };
        assert_eq!(
            asked("kernel_info_request").unwrap()["implementation"],
            "evenhand"
        );
        assert_eq!(asked("comm_info_request").unwrap()["comms"], json!({}));
        assert_eq!(asked("execute_request"), None);
    }
}
