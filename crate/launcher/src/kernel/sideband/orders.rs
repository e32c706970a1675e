//! evcxr's display protocol: a line with a MIME type, the content, a line that ends it.
//!
//! Other crates display their values by printing it. It counts only where a cell asks for a display:
//! everywhere else, the same lines are text.

use serde_json::{Value, json};

use super::{Mark, StreamPart};

const BEGIN: &str = "EVCXR_BEGIN_CONTENT ";
const END: &str = "EVCXR_END_CONTENT";

/// The protocol in one stream.
#[derive(Debug, Default)]
pub(super) struct Orders {
    /// Whether the cell's own code uses the protocol.
    pub cell: bool,
    /// Whether a value displays itself.
    pub display: bool,
    /// The MIME type and the content so far.
    content: Option<(String, String)>,
    /// All contents of one display: a viewer chooses among them.
    data: serde_json::Map<String, Value>,
    line: String,
}

impl Orders {
    /// Takes text, which may contain lines of the protocol.
    pub fn text(&mut self, text: &str) -> Vec<StreamPart> {
        if !self.cell && !self.display {
            return match &mut self.content {
                Some((_, content)) => {
                    content.push_str(text);
                    Vec::new()
                }
                None => text_of(text.to_owned()),
            };
        }
        self.line.push_str(text);
        let mut parts = Vec::new();
        while let Some(end) = self.line.find('\n') {
            let line: String = self.line.drain(..=end).collect();
            parts.extend(self.line(&line));
        }
        if self.content.is_none()
            && !BEGIN.starts_with(&*self.line)
            && !self.line.starts_with(BEGIN)
        {
            parts.extend(text_of(std::mem::take(&mut self.line)));
        }
        parts
    }

    fn line(&mut self, line: &str) -> Vec<StreamPart> {
        let end = line.trim_end_matches('\n');
        if let Some((_, content)) = &mut self.content {
            match end == END {
                true => return self.end(),
                false => content.push_str(line),
            }
            return Vec::new();
        }
        match end.strip_prefix(BEGIN) {
            Some(mime) => self.begin(mime),
            None => text_of(line.to_owned()),
        }
    }

    /// Content of this MIME type begins.
    pub fn begin(&mut self, mime: &str) -> Vec<StreamPart> {
        // A second content of the same type is another display.
        let before = match self.data.contains_key(mime) {
            true => self.shown(),
            false => Vec::new(),
        };
        self.content = Some((mime.to_owned(), String::new()));
        before
    }

    /// The content ends.
    pub fn end(&mut self) -> Vec<StreamPart> {
        if let Some((mime, content)) = self.content.take() {
            let content = content.strip_suffix('\n').unwrap_or(&content);
            let value = match mime.contains("json") {
                true => serde_json::from_str(content).unwrap_or_else(|_| content.into()),
                false => content.into(),
            };
            self.data.insert(mime, value);
        }
        match self.display {
            true => Vec::new(),
            false => self.shown(),
        }
    }

    /// What is left when a display or a cell ends.
    pub fn finish(&mut self) -> Vec<StreamPart> {
        let mut parts = text_of(std::mem::take(&mut self.line));
        if self.content.is_some() {
            parts.extend(self.end());
        }
        parts.extend(self.shown());
        parts
    }

    fn shown(&mut self) -> Vec<StreamPart> {
        let data = std::mem::take(&mut self.data);
        if data.is_empty() {
            return Vec::new();
        }
        let content = json!({"data": data, "metadata": {}});
        let mark = Mark::Show("execute_result".to_owned(), content);
        vec![StreamPart::Mark(mark)]
    }
}

fn text_of(text: String) -> Vec<StreamPart> {
    match text.is_empty() {
        true => Vec::new(),
        false => vec![StreamPart::Text(text)],
    }
}
