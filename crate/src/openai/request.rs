//! A chat request, as the service accepts it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::message::Message;
use crate::error::{Error, ErrorKind, Result};

/// A chat request. Fields that are not set are not sent, so the service's defaults apply. A string
/// is a request too: a single message of the user.
///
/// ```
/// use evenhand::ChatRequest;
///
/// let request = ChatRequest::from("Describe a nurse.")
///     .system("Answer in one sentence.")
///     .temperature(0.0)
///     .max_tokens(60);
/// assert_eq!(
///     serde_json::to_string(&request)?,
///     r#"{"messages":[{"role":"system","content":"Answer in one sentence."},"#.to_owned()
///         + r#"{"role":"user","content":"Describe a nurse."}],"max_tokens":60,"temperature":0.0}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
#[must_use]
pub struct ChatRequest {
    /// The deployment (or model) that answers. Default: the client's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// The maximum length of an answer, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The maximum length of an answer including the model's thinking, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u32>,
    /// The sampling temperature: 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The share of the probability mass that tokens are sampled from (nucleus sampling): 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// The service tries to give the same answer for the same seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// The number of answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
    /// The answer ends before any of these texts.
    #[serde(deserialize_with = "texts", skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Other fields of the protocol, sent unchanged.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// In the protocol: a list of texts, a single text, or nothing.
fn texts<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        One(String),
        Many(Vec<String>),
    }
    let texts = Option::<Texts>::deserialize(value)?;
    Ok(match texts {
        None => Vec::new(),
        Some(Texts::One(text)) => vec![text],
        Some(Texts::Many(texts)) => texts,
    })
}

impl ChatRequest {
    /// A request with these messages.
    pub fn new(messages: impl IntoIterator<Item = Message>) -> Self {
        Self {
            messages: messages.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Appends a message.
    pub fn message(mut self, message: Message) -> Self {
        self.messages.push(message);
        self
    }

    /// Inserts instructions to the model at the beginning.
    ///
    /// # Default
    /// None.
    pub fn system(mut self, instructions: impl Into<String>) -> Self {
        self.messages.insert(0, Message::system(instructions));
        self
    }

    /// The deployment (or model) that answers.
    ///
    /// # Default
    /// The client's.
    pub fn deployment(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// The maximum length of an answer, in tokens, without the model's thinking. If a deployment
    /// requires `max_completion_tokens`, that is sent instead, with an allowance for its thinking added;
    /// if it thinks less than that, an answer may be longer by the rest.
    ///
    /// # Default
    /// The service's.
    pub fn max_tokens(mut self, tokens: u32) -> Self {
        self.max_tokens = Some(tokens);
        self
    }

    /// The maximum length of an answer including the model's thinking, in tokens; nothing is
    /// added. If a deployment only accepts `max_tokens`, that is sent instead.
    ///
    /// # Default
    /// The service's.
    pub fn max_completion_tokens(mut self, tokens: u32) -> Self {
        self.max_completion_tokens = Some(tokens);
        self
    }

    /// The sampling temperature, from 0 (always the most likely token) to 2. Reasoning models refuse
    /// it; it is then left out, as are `top_p` and `seed`, and a note reports that.
    ///
    /// # Default
    /// The service's, 1.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Tokens are sampled from the most likely ones that make up this share of the probability, from 0
    /// to 1 (nucleus sampling).
    ///
    /// # Default
    /// The service's, 1.
    pub fn top_p(mut self, share: f64) -> Self {
        self.top_p = Some(share);
        self
    }

    /// The service tries to give the same answer for the same seed.
    ///
    /// # Default
    /// None.
    pub fn seed(mut self, seed: i64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The number of answers. Each of them is billed.
    ///
    /// # Default
    /// 1.
    pub fn n(mut self, answers: u32) -> Self {
        self.n = Some(answers);
        self
    }

    /// The answer ends before this text. Some reasoning models refuse it; it is then left out, and a note
    /// reports that.
    ///
    /// # Default
    /// None.
    pub fn stop(mut self, text: impl Into<String>) -> Self {
        self.stop.push(text.into());
        self
    }

    /// Another field of the protocol, such as `reasoning_effort`. If a deployment refuses one without which
    /// it can answer, such as `logit_bias`, the field is left out and a note reports that; otherwise, as
    /// with `response_format` or an effort that it does not know, the request fails. If you set no effort,
    /// a reasoning model is asked for the lowest one that it accepts.
    ///
    /// # Default
    /// None.
    pub fn set(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.other.insert(field.into(), value.into());
        self
    }

    /// Requests the probability of each token of the answer, and of the `top` most likely alternatives;
    /// see [`Choice::logprobs`](super::Choice::logprobs).
    ///
    /// # Default
    /// None.
    pub fn logprobs(self, top: u32) -> Self {
        self.set("logprobs", true).set("top_logprobs", top)
    }

    /// Requires the answer to be JSON with this schema. The service requires that all properties are
    /// required and no others are allowed.
    ///
    /// # Default
    /// The answer is text.
    pub fn json_schema(self, name: &str, schema: Value) -> Self {
        let format = json!({
            "type": "json_schema",
            "json_schema": {"name": name, "strict": true, "schema": schema},
        });
        self.set("response_format", format)
    }

    /// The value of an optional setting, by its name in the protocol.
    pub(crate) fn setting(&self, name: &str) -> Option<Value> {
        match name {
            "temperature" => self.temperature.map(Value::from),
            "top_p" => self.top_p.map(Value::from),
            "seed" => self.seed.map(Value::from),
            "stop" => (!self.stop.is_empty()).then(|| Value::from(self.stop.as_slice())),
            name => self.other.get(name).cloned(),
        }
    }

    /// Adopts the defaults for everything that the request does not set.
    pub(crate) fn or(mut self, defaults: &Self) -> Self {
        self.model = self.model.or_else(|| defaults.model.clone());
        if self.max_completion_tokens.is_none() {
            self.max_tokens = self.max_tokens.or(defaults.max_tokens);
        }
        if self.max_tokens.is_none() {
            self.max_completion_tokens = self
                .max_completion_tokens
                .or(defaults.max_completion_tokens);
        }
        self.temperature = self.temperature.or(defaults.temperature);
        self.top_p = self.top_p.or(defaults.top_p);
        self.seed = self.seed.or(defaults.seed);
        self.n = self.n.or(defaults.n);
        if self.stop.is_empty() {
            self.stop.clone_from(&defaults.stop);
        }
        for (field, value) in &defaults.other {
            if !self.other.contains_key(field) {
                self.other.insert(field.clone(), value.clone());
            }
        }
        self
    }

    /// Checks the request. The service would report the same errors, but later and possibly for money.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::new(ErrorKind::Argument, what));
        if self.messages.is_empty() {
            return wrong("the request has no message".to_owned());
        }
        if self.max_tokens.is_some() && self.max_completion_tokens.is_some() {
            return wrong("max_tokens and max_completion_tokens exclude each other".to_owned());
        }
        for (name, value, top) in [
            ("temperature", self.temperature, 2.0),
            ("top_p", self.top_p, 1.0),
        ] {
            if value.is_some_and(|value| !(0.0..=top).contains(&value)) {
                return wrong(format!("{name} must be from 0 to {top}"));
            }
        }
        let counts = [
            ("n", self.n),
            ("max_tokens", self.max_tokens),
            ("max_completion_tokens", self.max_completion_tokens),
        ];
        for (name, value) in counts {
            if value == Some(0) {
                return wrong(format!("{name} must be at least 1"));
            }
        }
        const TYPED: [&str; 9] = [
            "model",
            "messages",
            "max_tokens",
            "max_completion_tokens",
            "temperature",
            "top_p",
            "seed",
            "n",
            "stop",
        ];
        match self
            .other
            .keys()
            .find(|name| TYPED.contains(&name.as_str()))
        {
            Some(name) => wrong(format!(
                "{name} has its own method and can't be given to set()"
            )),
            None if self
                .other
                .get("stream")
                .is_some_and(|value| !matches!(value, Value::Bool(false) | Value::Null)) =>
            {
                wrong("streamed answers are not supported".to_owned())
            }
            None => Ok(()),
        }
    }

    /// The body of the request to this deployment.
    pub(crate) fn body(&self, deployment: &str) -> Result<Vec<u8>> {
        #[derive(Serialize)]
        struct Named<'a> {
            model: &'a str,
            #[serde(flatten)]
            request: &'a ChatRequest,
        }
        let body = match &self.model {
            Some(_) => serde_json::to_vec(self),
            None => serde_json::to_vec(&Named {
                model: deployment,
                request: self,
            }),
        };
        body.map_err(|error| {
            Error::new(ErrorKind::Argument, "the request can't be written as JSON")
                .with_source(error)
        })
    }
}

impl From<Message> for ChatRequest {
    fn from(message: Message) -> Self {
        Self::new([message])
    }
}

impl From<Vec<Message>> for ChatRequest {
    fn from(messages: Vec<Message>) -> Self {
        Self::new(messages)
    }
}

impl From<&str> for ChatRequest {
    fn from(prompt: &str) -> Self {
        Message::user(prompt).into()
    }
}

impl From<String> for ChatRequest {
    fn from(prompt: String) -> Self {
        Message::user(prompt).into()
    }
}

impl From<&String> for ChatRequest {
    fn from(prompt: &String) -> Self {
        Message::user(prompt).into()
    }
}

impl From<&ChatRequest> for ChatRequest {
    fn from(request: &ChatRequest) -> Self {
        request.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_is_sent() {
        let body = ChatRequest::from("Hi")
            .stop("\n")
            .set("reasoning_effort", "low");
        let written = r#"{"model":"gpt","messages":[{"role":"user","content":"Hi"}],"stop":["\n"],"reasoning_effort":"low"}"#;
        for request in [body.clone(), body.deployment("gpt")] {
            let body = request.body("gpt").unwrap();
            assert_eq!(String::from_utf8(body).unwrap(), written);
        }
    }

    #[test]
    fn a_request_is_read_back_as_it_was_written() {
        let request = ChatRequest::from("Hi")
            .system("Be brief.")
            .n(2)
            .set("user", "u");
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<ChatRequest>(&text).unwrap(), request);
    }

    #[test]
    fn what_the_protocol_allows_is_read() {
        for (stop, read) in [
            (json!("\n"), vec!["\n"]),
            (json!(null), vec![]),
            (json!([]), vec![]),
            (json!(["a", "b"]), vec!["a", "b"]),
        ] {
            let body = json!({"messages": [{"role": "user", "content": "Hi"}], "stop": stop,
                "n": null, "temperature": 1, "max_tokens": null, "stream": null, "seed": null});
            let request: ChatRequest = serde_json::from_value(body).unwrap();
            assert_eq!(request.stop, read);
            request.check().unwrap();
        }
        let call = json!({"messages": [{"role": "assistant", "tool_calls": [{"id": "a"}]}]});
        let request: ChatRequest = serde_json::from_value(call).unwrap();
        request.check().unwrap();
    }

    #[test]
    fn nonsense_is_found_before_it_is_sent() {
        let wrong = [
            ChatRequest::new([]),
            ChatRequest::from("x").temperature(f64::NAN),
            ChatRequest::from("x").temperature(2.5),
            ChatRequest::from("x").top_p(-0.1),
            ChatRequest::from("x").n(0),
            ChatRequest::from("x").max_tokens(0),
            ChatRequest::from("x")
                .max_tokens(1)
                .max_completion_tokens(1),
            ChatRequest::from("x").set("temperature", 1),
            ChatRequest::from("x").set("stream", true),
        ];
        for request in wrong {
            assert_eq!(
                request.check().unwrap_err().kind(),
                ErrorKind::Argument,
                "{request:?}"
            );
        }
        ChatRequest::from("x")
            .temperature(2.0)
            .set("stream", false)
            .check()
            .unwrap();
    }
}
