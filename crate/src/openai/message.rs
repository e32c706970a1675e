//! A message of a conversation, in all forms that the protocol allows.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// The instructions that the model follows throughout.
    System,
    /// The same, under the name that reasoning models use.
    Developer,
    /// The user.
    User,
    /// The model, in an example or in an earlier answer.
    Assistant,
    /// The result of a tool that the model called.
    Tool,
    /// The same, in the older protocol without tools.
    Function,
}

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
#[non_exhaustive]
pub struct Message {
    /// The author.
    pub role: Role,
    /// The text. For a message in parts, the texts of its parts, one per line.
    pub content: String,
    /// The parts of the message, such as text and images, as in the protocol; empty for a message that
    /// consists of a single text.
    pub parts: Vec<Value>,
    /// Other fields of the protocol, such as `name` or `tool_calls`, sent unchanged.
    pub other: Map<String, Value>,
}

/// A message as it is serialized.
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
    /// For a message that only calls tools.
    #[default]
    None,
}

impl Message {
    /// A message with this role.
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

    /// A message of the user.
    pub fn user(content: impl Into<String>) -> Self {
        Self::new(Role::User, content)
    }

    /// An answer of the model.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self::new(Role::Assistant, content)
    }

    /// Appends a paragraph to the text.
    pub(crate) fn add(&mut self, text: &str) {
        if !self.parts.is_empty() {
            self.parts.push(json!({"type": "text", "text": text}));
        }
        self.content = format!("{}\n\n{text}", self.content);
    }

    /// Whether the message contains instructions to the model.
    pub(crate) fn instructs(&self) -> bool {
        matches!(self.role, Role::System | Role::Developer)
    }

    /// The number of images among its parts.
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
