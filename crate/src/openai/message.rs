//! A message of a conversation, in all the forms that the protocol knows.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Whose words a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// The instructions that the model follows throughout.
    System,
    /// The same, as reasoning models call them.
    Developer,
    /// The person who asks.
    User,
    /// The model, in an example or an earlier answer.
    Assistant,
    /// What a tool that the model called has returned.
    Tool,
    /// The same, as the protocol had it before tools.
    Function,
}

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
#[non_exhaustive]
pub struct Message {
    /// Whose words these are.
    pub role: Role,
    /// The words. Of a message in parts, the texts of these, a line each.
    pub content: String,
    /// The parts of which the message consists, such as text and images, as the protocol has
    /// them; empty for a message that is a text alone.
    pub parts: Vec<Value>,
    /// Other fields of the protocol, such as `name` or `tool_calls`, sent as they are.
    pub other: Map<String, Value>,
}

/// A message as it is written.
#[derive(Serialize, Deserialize)]
struct Raw {
    role: Role,
    #[serde(default)]
    content: Content,
    #[serde(flatten)]
    other: Map<String, Value>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Value>),
    /// Of a message that only calls tools.
    #[default]
    None,
}

impl Message {
    /// A message in this role.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            parts: Vec::new(),
            other: Map::new(),
        }
    }

    /// Instructions to the model.
    pub fn system(content: impl Into<String>) -> Self {
        Self::new(Role::System, content)
    }

    /// A question to the model.
    pub fn user(content: impl Into<String>) -> Self {
        Self::new(Role::User, content)
    }

    /// An answer of the model.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self::new(Role::Assistant, content)
    }

    /// Adds a paragraph at the end of its words.
    pub(crate) fn add(&mut self, text: &str) {
        if !self.parts.is_empty() {
            self.parts.push(json!({"type": "text", "text": text}));
        }
        self.content = format!("{}\n\n{text}", self.content);
    }

    /// Are these instructions to the model?
    pub(crate) fn instructs(&self) -> bool {
        matches!(self.role, Role::System | Role::Developer)
    }

    /// How many images are among its parts.
    pub(crate) fn images(&self) -> u64 {
        let images = self.parts.iter().filter(|part| part["type"] == "image_url");
        images.count() as u64
    }
}

impl TryFrom<Raw> for Message {
    type Error = &'static str;

    fn try_from(raw: Raw) -> Result<Self, Self::Error> {
        let (content, parts) = match raw.content {
            Content::Text(content) => (content, Vec::new()),
            Content::Parts(parts) if parts.is_empty() => return Err("a message has no content"),
            Content::Parts(parts) => {
                let texts = parts.iter().filter_map(|part| part["text"].as_str());
                (texts.collect::<Vec<_>>().join("\n"), parts)
            }
            Content::None if raw.other.is_empty() => return Err("a message has no content"),
            Content::None => (String::new(), Vec::new()),
        };
        Ok(Self {
            role: raw.role,
            content,
            parts,
            other: raw.other,
        })
    }
}

impl From<Message> for Raw {
    fn from(message: Message) -> Self {
        let is_call = message.content.is_empty() && message.other.contains_key("tool_calls");
        let content = match message.parts {
            parts if !parts.is_empty() => Content::Parts(parts),
            _ if is_call => Content::None,
            _ => Content::Text(message.content),
        };
        Self {
            role: message.role,
            content,
            other: message.other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_message_passes_as_it_is() {
        let forms = [
            json!({"role": "system", "content": "Be fair."}),
            json!({"role": "developer", "content": "Be fair."}),
            json!({"role": "user", "content": "Hi", "name": "ada"}),
            json!({"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
            ]}),
            json!({"role": "assistant", "content": null, "tool_calls": [{"id": "a", "type": "function"}]}),
            json!({"role": "tool", "content": "7", "tool_call_id": "a"}),
            json!({"role": "function", "content": "7", "name": "sum"}),
        ];
        for form in forms {
            let message: Message = serde_json::from_value(form.clone()).unwrap();
            assert_eq!(serde_json::to_value(&message).unwrap(), form);
        }
    }

    #[test]
    fn the_text_and_the_images_of_parts_are_known() {
        let message: Message = serde_json::from_value(json!({"role": "user", "content": [
            {"type": "text", "text": "What"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"type": "text", "text": "is this?"},
        ]}))
        .unwrap();
        assert_eq!(message.content, "What\nis this?");
        assert_eq!(message.images(), 1);
    }

    #[test]
    fn what_says_nothing_is_no_message() {
        for content in [json!(null), json!([]), json!(7), json!({"text": "Hi"})] {
            let message = json!({"role": "user", "content": content});
            assert!(
                serde_json::from_value::<Message>(message).is_err(),
                "{content}"
            );
        }
        assert!(serde_json::from_value::<Message>(json!({"role": "user"})).is_err());
    }
}
