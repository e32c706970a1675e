//! The outputs of a cell: a kernel's messages, collected in the form that JupyterLab writes.

use serde_json::{Map, Value, json};

use super::notebook::source_lines;
use crate::jupyter::Message;

/// The outputs of one cell.
#[derive(Debug, Default)]
pub struct Outputs {
    items: Vec<Item>,
    /// Whether the next output clears those before it.
    clear_next: bool,
}

#[derive(Debug)]
enum Item {
    /// Kept as one text, since kernels send streams line by line.
    Stream { name: String, text: String },
    Bundle {
        json: Value,
        display_id: Option<String>,
    },
}

impl Outputs {
    /// Takes a message from the kernel. Messages that are not outputs are ignored.
    pub fn apply_message(&mut self, message: &Message) {
        let content = &message.content;
        match message.kind() {
            "stream" => self.stream(
                content["name"].as_str().unwrap_or("stdout"),
                content["text"].as_str().unwrap_or_default(),
            ),
            kind @ ("display_data" | "execute_result") => {
                let mut output = Map::new();
                output.insert("data".to_owned(), stored(&content["data"]));
                if kind == "execute_result" {
                    let number = content["execution_count"].clone();
                    output.insert("execution_count".to_owned(), number);
                }
                output.insert("metadata".to_owned(), object(&content["metadata"]));
                output.insert("output_type".to_owned(), json!(kind));
                let display_id = content["transient"]["display_id"]
                    .as_str()
                    .map(str::to_owned);
                self.push(Item::Bundle {
                    json: Value::Object(output),
                    display_id,
                });
            }
            "error" => self.error(
                content["ename"].as_str().unwrap_or_default(),
                content["evalue"].as_str().unwrap_or_default(),
                content["traceback"].clone(),
            ),
            "clear_output" if content["wait"] == true => self.clear_next = true,
            "clear_output" => self.items.clear(),
            _ => {}
        }
    }

    /// Updates the displays that have the message's `display_id`.
    pub fn update(&mut self, message: &Message) {
        let Some(id) = message.content["transient"]["display_id"].as_str() else {
            return;
        };
        for item in &mut self.items {
            if let Item::Bundle {
                json,
                display_id: Some(shown),
            } = item
                && shown == id
            {
                json["data"] = stored(&message.content["data"]);
                json["metadata"] = object(&message.content["metadata"]);
            }
        }
    }

    /// Adds an error that the kernel did not report as one.
    pub fn error(&mut self, name: &str, value: &str, traceback: Value) {
        let json =
            json!({"ename": name, "evalue": value, "output_type": "error", "traceback": traceback});
        self.push(Item::Bundle {
            json,
            display_id: None,
        });
    }

    /// The errors among the outputs.
    pub fn errors(&self) -> impl Iterator<Item = &Value> {
        self.items.iter().filter_map(|item| match item {
            Item::Bundle { json, .. } if json["output_type"] == "error" => Some(json),
            _ => None,
        })
    }

    /// The outputs in the notebook's format.
    pub fn to_json(&self) -> Vec<Value> {
        let stored = self.items.iter().map(|item| match item {
            Item::Stream { name, text } => {
                json!({"name": name, "output_type": "stream", "text": source_lines(&overwritten(text))})
            }
            Item::Bundle { json, .. } => json.clone(),
        });
        stored.collect()
    }

    fn stream(&mut self, name: &str, text: &str) {
        if !self.clear_next
            && let Some(Item::Stream {
                name: last,
                text: shown,
            }) = self.items.last_mut()
            && last == name
        {
            shown.push_str(text);
        } else {
            self.push(Item::Stream {
                name: name.to_owned(),
                text: text.to_owned(),
            });
        }
    }

    fn push(&mut self, item: Item) {
        if std::mem::take(&mut self.clear_next) {
            self.items.clear();
        }
        self.items.push(item);
    }
}

/// A MIME bundle in the notebook format, with texts as lists of lines.
fn stored(data: &Value) -> Value {
    let texts = data.as_object().into_iter().flatten().map(|(mime, value)| {
        let value = match value {
            Value::String(text) if !is_json(mime) => source_lines(text),
            other => other.clone(),
        };
        (mime.clone(), value)
    });
    Value::Object(texts.collect())
}

fn is_json(mime: &str) -> bool {
    mime == "application/json" || mime.ends_with("+json")
}

fn object(value: &Value) -> Value {
    if value.is_object() {
        value.clone()
    } else {
        json!({})
    }
}

/// What a terminal would show: text after a carriage return overwrites the line.
fn overwritten(text: &str) -> String {
    if !text.contains('\r') {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line.strip_suffix('\r').unwrap_or(line), "\n"),
            None => (line, ""),
        };
        let mut written: Vec<char> = Vec::new();
        for part in line.split('\r') {
            let part: Vec<char> = part.chars().collect();
            let rest = written.split_off(part.len().min(written.len()));
            written = part;
            written.extend(rest);
        }
        shown.extend(written);
        shown.push_str(end);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jupyter::Header;

    fn outputs(messages: &[(&str, Value)]) -> Outputs {
        let mut outputs = Outputs::default();
        for (kind, content) in messages {
            let message = Message::with_header(Header::new("s", 1, kind), content.clone());
            outputs.apply_message(&message);
            if *kind == "update_display_data" {
                outputs.update(&message);
            }
        }
        outputs
    }

    fn stream(name: &str, text: &str) -> (&'static str, Value) {
        ("stream", json!({"name": name, "text": text}))
    }

    #[test]
    fn streams_in_a_row_become_one() {
        let outputs = outputs(&[
            stream("stdout", "a\n"),
            stream("stdout", "b"),
            stream("stderr", "c\n"),
            stream("stdout", "d\n"),
        ]);
        let expected = json!([
            {"name": "stdout", "output_type": "stream", "text": ["a\n", "b"]},
            {"name": "stderr", "output_type": "stream", "text": ["c\n"]},
            {"name": "stdout", "output_type": "stream", "text": ["d\n"]},
        ]);
        assert_eq!(Value::from(outputs.to_json()), expected);
    }

    #[test]
    fn a_carriage_return_writes_over_the_line() {
        assert_eq!(overwritten("10%\r100%\rab\ncd\r\n50%\r"), "ab0%\ncd\n50%");
    }

    #[test]
    fn a_result_keeps_its_bundle() {
        let outputs = outputs(&[(
            "execute_result",
            json!({
                "data": {"text/plain": "1\n2", "application/geo+json": {"a": [1]}, "application/json": "text"},
                "metadata": {"text/plain": {}},
                "execution_count": 5,
            }),
        )]);
        let expected = json!([{
            "data": {"text/plain": ["1\n", "2"], "application/geo+json": {"a": [1]}, "application/json": "text"},
            "execution_count": 5,
            "metadata": {"text/plain": {}},
            "output_type": "execute_result",
        }]);
        assert_eq!(Value::from(outputs.to_json()), expected);
    }

    #[test]
    fn a_display_can_be_updated_and_all_can_be_cleared() {
        let display = |kind, text| {
            (
                kind,
                json!({"data": {"text/plain": text}, "transient": {"display_id": "bar"}}),
            )
        };
        let mut messages = vec![
            display("display_data", "0 %"),
            display("update_display_data", "9 %"),
        ];
        let shown = outputs(&messages).to_json();
        assert_eq!(shown.len(), 1);
        assert_eq!(shown[0]["data"]["text/plain"], json!(["9 %"]));
        assert!(shown[0].get("transient").is_none());

        messages.push(("clear_output", json!({"wait": true})));
        assert_eq!(
            outputs(&messages).to_json().len(),
            1,
            "nothing has come yet"
        );
        messages.push(stream("stdout", "done"));
        assert_eq!(outputs(&messages).to_json()[0]["name"], "stdout");
        messages.push(("clear_output", json!({"wait": false})));
        assert!(outputs(&messages).to_json().is_empty());
    }
}
