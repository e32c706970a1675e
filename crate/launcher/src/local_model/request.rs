//! A chat request: which fields it may contain, what it is charged, and what is sent to the engine.
//!
//! Only the fields of the protocol are passed on. The engine knows many more, and some of them
//! would make it do other things than answer a chat request.

use serde_json::{Map, Value};

use super::api_error::ApiError;
use super::like::{Deployment, thinking_tokens};
use super::{messages, response_format};

/// The maximum number of answers per request.
const MAX_ANSWERS: u64 = 8;

/// The tokens charged for an answer whose length the request does not limit, as OpenAI's own
/// clients estimate it.
const UNLIMITED_ANSWER: u64 = 16;

/// The length of such an answer at most, in tokens. The model does not find an end on its own, and
/// on a busy machine the whole context would take minutes.
const MAX_UNLIMITED_ANSWER: u64 = 512;

/// The fields that are passed to the engine unchanged.
const PASSED_ON: [&str; 12] = [
    "messages",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "response_format",
    "stream_options",
];

/// The fields that are handled here or have no meaning for a single local model.
const NOT_PASSED_ON: [&str; 11] = [
    "model",
    "n",
    "stream",
    "max_tokens",
    "max_completion_tokens",
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
];

/// The protocol's fields that the local model can't honor.
const OF_OTHERS: [&str; 10] = [
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "modalities",
    "audio",
    "prediction",
    "web_search_options",
    "data_sources",
];

/// A chat request that may be sent to the engine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EngineRequest {
    body: Map<String, Value>,
    answers: u64,
    /// The maximum length of an answer, including its thinking.
    pub(crate) most_tokens: Option<u64>,
    /// The reasoning tokens of each answer.
    pub(crate) thinking: Vec<u64>,
    /// Whether the answer is streamed.
    pub(crate) stream: bool,
    /// The deployment, for the path that does not name it.
    pub(crate) model: Option<String>,
}

impl EngineRequest {
    /// Reads the body of a request to a deployment of this kind.
    pub(crate) fn parse(body: &[u8], like: Option<&Deployment>) -> Result<Self, ApiError> {
        let body: Value = serde_json::from_slice(body).map_err(|error| {
            ApiError::bad(
                None,
                format!("The body of the request is not JSON: {error}"),
            )
        })?;
        let Value::Object(mut given) = body else {
            return Err(ApiError::bad(
                None,
                "The body of the request is not a JSON object",
            ));
        };
        // A null means the default.
        given.retain(|_, value| !value.is_null());
        if let Some(other) = given.keys().find(|name| OF_OTHERS.contains(&name.as_str())) {
            let instead = " A local model writes the text here, and does not accept this \
                           parameter.";
            return Err(ApiError::unsupported_parameter(other, instead));
        }
        if let Some(unknown) = given.keys().find(|name| {
            !PASSED_ON.contains(&name.as_str())
                && !NOT_PASSED_ON.contains(&name.as_str())
                && !like.is_some_and(|like| like.knows(name))
        }) {
            let message = format!("Unrecognized request argument supplied: {unknown}");
            return Err(ApiError::bad(Some(unknown), message));
        }
        messages::check(given.get("messages"))?;
        response_format::check(&given)?;
        if let Some(like) = like {
            like.check(&given)?;
        }
        for (name, from, to) in [
            ("temperature", 0.0, 2.0),
            ("top_p", 0.0, 1.0),
            ("presence_penalty", -2.0, 2.0),
            ("frequency_penalty", -2.0, 2.0),
        ] {
            number(&given, name, from, to)?;
        }
        let most_tokens = match (
            whole(&given, "max_tokens", u64::MAX)?,
            whole(&given, "max_completion_tokens", u64::MAX)?,
        ) {
            (Some(_), Some(_)) => {
                return Err(ApiError::bad(
                    Some("max_tokens"),
                    "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
                ));
            }
            (one, other) => one.or(other),
        };
        let answers = whole(&given, "n", MAX_ANSWERS)?.unwrap_or(1);
        let stream = match given.get("stream") {
            None => false,
            Some(Value::Bool(stream)) => *stream,
            Some(_) => return Err(ApiError::bad(Some("stream"), "'stream' is not a boolean")),
        };
        if given.contains_key("stream_options") && !stream {
            return Err(ApiError::bad(
                Some("stream_options"),
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            ));
        }
        if stream && answers > 1 {
            return Err(ApiError::bad(
                Some("n"),
                "The local model streams one answer at a time",
            ));
        }
        if given
            .get("seed")
            .is_some_and(|seed| !seed.is_i64() && !seed.is_u64())
        {
            return Err(ApiError::bad(Some("seed"), "'seed' is not an integer"));
        }
        let model = match given.get("model") {
            None => None,
            Some(Value::String(model)) => Some(model.clone()),
            Some(_) => return Err(ApiError::bad(Some("model"), "'model' is not a string")),
        };
        let effort = like.and_then(|like| like.effort(&given));
        let messages = given.get("messages");
        let thinking = (0..answers)
            .map(|answer| thinking_tokens(effort, messages, answer))
            .collect();
        given.retain(|name, _| PASSED_ON.contains(&name.as_str()));
        messages::for_engine(given.get_mut("messages"));
        Ok(Self {
            body: given,
            answers,
            most_tokens,
            thinking,
            stream,
            model,
        })
    }

    /// The tokens charged on receipt: the prompt at four characters per token, and the maximum
    /// length of every answer, including its thinking.
    pub(crate) fn estimate(&self) -> u64 {
        let characters = self.body.get("messages").map_or(0, characters);
        let answers = match self.most_tokens {
            Some(most) => most.saturating_mul(self.answers),
            None => self
                .thinking
                .iter()
                .map(|thinking| thinking + UNLIMITED_ANSWER)
                .sum(),
        };
        characters.div_ceil(4).saturating_add(answers)
    }

    /// The bodies to send to the engine, one for each requested answer.
    pub(crate) fn for_engine(&self) -> Vec<Value> {
        (0..self.answers)
            .map(|index| Value::Object(self.nth(index)))
            .collect()
    }

    fn nth(&self, index: u64) -> Map<String, Value> {
        let mut body = self.body.clone();
        // Azure's default, which differs from the engine's.
        body.entry("temperature").or_insert_with(|| 1.0.into());
        body.insert("stream".to_owned(), self.stream.into());
        let most = self.most_tokens.map_or(MAX_UNLIMITED_ANSWER, |most| {
            let thinking = usize::try_from(index).map_or(None, |index| self.thinking.get(index));
            // At least one: the engine still reads the prompt, and counts its tokens.
            most.saturating_sub(thinking.copied().unwrap_or(0)).max(1)
        });
        // The engine cannot write more than its context, and would misread larger numbers.
        body.insert("max_tokens".to_owned(), most.min(1 << 20).into());
        if let Some(seed) = self.seed(index) {
            body.insert("seed".to_owned(), seed.into());
        }
        body
    }

    /// The seed of an answer. Each has its own, since otherwise all would be the same. The engine's
    /// seeds have 32 bits, and the largest one means 'random'.
    fn seed(&self, index: u64) -> Option<u64> {
        let seed = self.body.get("seed")?;
        let seed = seed
            .as_u64()
            .or_else(|| seed.as_i64().map(i64::cast_unsigned))?;
        Some(seed.wrapping_add(index) % u64::from(u32::MAX))
    }
}

fn number(given: &Map<String, Value>, name: &str, from: f64, to: f64) -> Result<(), ApiError> {
    match given.get(name).map(Value::as_f64) {
        None => Ok(()),
        Some(Some(value)) if (from..=to).contains(&value) => Ok(()),
        Some(Some(value)) => Err(ApiError::bad(
            Some(name),
            format!("{value} is not between {from} and {to} - '{name}'"),
        )),
        Some(None) => Err(ApiError::bad(
            Some(name),
            format!("'{name}' is not a number"),
        )),
    }
}

fn whole(given: &Map<String, Value>, name: &str, most: u64) -> Result<Option<u64>, ApiError> {
    match given.get(name) {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(number) if (1..=most).contains(&number) => Ok(Some(number)),
            Some(number) if number > most => Err(ApiError::bad(
                Some(name),
                format!("{number} is greater than the maximum of {most} - '{name}'"),
            )),
            _ => Err(ApiError::bad(
                Some(name),
                format!("{value} is not an integer of at least 1 - '{name}'"),
            )),
        },
    }
}

/// The characters of all texts in a JSON value.
fn characters(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.chars().count() as u64,
        Value::Array(parts) => parts.iter().map(characters).sum(),
        Value::Object(fields) => fields.values().map(characters).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(body: Value) -> Result<EngineRequest, ApiError> {
        EngineRequest::parse(body.to_string().as_bytes(), None)
    }

    fn nurse() -> Value {
        json!([{ "role": "user", "content": "Describe a nurse." }])
    }

    fn refused(parameter: &str, body: Value) {
        let text = format!("{:?}", parse(body).unwrap_err());
        assert!(
            text.contains(&format!("\"param\": String(\"{parameter}\")")),
            "{text}"
        );
    }

    #[test]
    fn only_the_protocol_reaches_the_engine() {
        let ask = parse(json!({
            "messages": nurse(), "model": "gpt", "user": "me", "max_completion_tokens": 9, "top_p": null,
        }));
        assert_eq!(
            ask.unwrap().for_engine(),
            [json!({ "messages": nurse(), "temperature": 1.0, "stream": false, "max_tokens": 9 })]
        );
        refused("id_slot", json!({ "messages": nurse(), "id_slot": 1 }));
        refused("tools", json!({ "messages": nurse(), "tools": [] }));
    }

    #[test]
    fn each_answer_has_its_own_seed() {
        let ask = parse(json!({ "messages": nurse(), "n": 3, "seed": 7 })).unwrap();
        let seeds: Vec<_> = ask
            .for_engine()
            .iter()
            .map(|body| body["seed"].clone())
            .collect();
        assert_eq!(seeds, [7, 8, 9]);
        let negative = parse(json!({ "messages": nurse(), "seed": -1 })).unwrap();
        assert!(negative.for_engine()[0]["seed"].as_u64().unwrap() < u64::from(u32::MAX));
    }

    #[test]
    fn the_estimate_counts_the_prompt_and_every_answer_at_its_longest() {
        // "user" and "Describe a nurse." are 21 characters, so six tokens.
        let estimate = |body| parse(body).unwrap().estimate();
        assert_eq!(
            estimate(json!({ "messages": nurse(), "max_tokens": 100, "n": 2 })),
            206
        );
        assert_eq!(estimate(json!({ "messages": nurse() })), 22);
        assert_eq!(
            estimate(json!({ "messages": nurse(), "max_tokens": u64::MAX })),
            u64::MAX
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        refused("messages", json!({}));
        refused("messages", json!({ "messages": [] }));
        refused("messages", json!({ "messages": "hello" }));
        refused(
            "messages",
            json!({ "messages": [{ "role": "nobody", "content": "x" }] }),
        );
        refused("messages", json!({ "messages": [{ "role": "user" }] }));
        refused(
            "temperature",
            json!({ "messages": nurse(), "temperature": 2.1 }),
        );
        refused(
            "temperature",
            json!({ "messages": nurse(), "temperature": "hot" }),
        );
        refused(
            "max_tokens",
            json!({ "messages": nurse(), "max_tokens": 0 }),
        );
        refused(
            "max_tokens",
            json!({ "messages": nurse(), "max_tokens": -1 }),
        );
        refused(
            "max_tokens",
            json!({ "messages": nurse(), "max_tokens": 1, "max_completion_tokens": 1 }),
        );
        refused("n", json!({ "messages": nurse(), "n": 9 }));
        refused("n", json!({ "messages": nurse(), "n": 2, "stream": true }));
        refused("seed", json!({ "messages": nurse(), "seed": 1.5 }));
        refused("stream", json!({ "messages": nurse(), "stream": "yes" }));
        assert!(EngineRequest::parse(b"{", None).is_err());
        assert!(EngineRequest::parse(b"[]", None).is_err());
    }
}
