//! A deployment that accepts what a given model accepts, and refuses the rest with the service's own
//! messages, as published for gpt-35-turbo, gpt-5-mini, gpt-5.1 and o4-mini. Like the service, it
//! refuses one field at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Loopback, Reply, Request};

/// When a deployment accepts a temperature other than 1, a `top_p` or the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    Taken,
    /// Only with the effort `none`.
    WithoutThinking,
    Refused,
}

/// The form of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// With code and field, like the service's.
    Service,
    /// Like a gateway's: only the message.
    Message,
    /// Like a gateway's: the message inside a page.
    Text,
    /// Like a gateway's: in another language, with the field.
    Foreign,
    /// Like a gateway's: in another language, with the field inside an error of its own, and after more
    /// than an error of the service holds.
    Wrapped,
    /// It names no field.
    Nameless,
}

/// What a deployment accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) model: &'static str,
    pub(crate) max_tokens: bool,
    pub(crate) max_completion_tokens: bool,
    /// If empty, the field itself is refused.
    pub(crate) efforts: &'static [&'static str],
    /// The effort if the request sets none.
    pub(crate) default_effort: &'static str,
    pub(crate) sampling: Sampling,
    pub(crate) seed: bool,
    /// Whether the effort is checked before the temperature.
    pub(crate) effort_first: bool,
    pub(crate) shape: Shape,
    /// The reasoning tokens at effort `low`; a quarter of them at `minimal`, four times as many at
    /// `medium`.
    pub(crate) thinks: u64,
}

impl Rules {
    /// Takes what gpt-35-turbo took.
    pub(crate) const OLD: Self = Self {
        model: "gpt-35-turbo",
        max_tokens: true,
        max_completion_tokens: false,
        efforts: &[],
        default_effort: "none",
        sampling: Sampling::Taken,
        seed: true,
        effort_first: true,
        shape: Shape::Service,
        thinks: 0,
    };
    /// Has another word for the limit, and no other difference.
    pub(crate) const COMPLETION_TOKENS: Self = Self {
        model: "gpt-5-chat",
        max_tokens: false,
        max_completion_tokens: true,
        ..Self::OLD
    };
    /// Thinks, and does not take `minimal`.
    pub(crate) const O4_MINI: Self = Self {
        model: "o4-mini-2025-04-16",
        efforts: &["low", "medium", "high"],
        default_effort: "medium",
        sampling: Sampling::Refused,
        thinks: 192,
        ..Self::COMPLETION_TOKENS
    };
    pub(crate) const GPT_5_MINI: Self = Self {
        model: "gpt-5-mini-2025-08-07",
        efforts: &["minimal", "low", "medium", "high"],
        ..Self::O4_MINI
    };
    pub(crate) const GPT_5_1: Self = Self {
        model: "gpt-5.1-2025-11-13",
        efforts: &["none", "low", "medium", "high"],
        default_effort: "none",
        sampling: Sampling::WithoutThinking,
        ..Self::O4_MINI
    };

    fn effort<'a>(&self, body: &'a Value) -> &'a str
    where
        Self: 'a,
    {
        body["reasoning_effort"]
            .as_str()
            .unwrap_or(self.default_effort)
    }

    /// Which field it refuses, its code, and what it says.
    fn refusal(&self, body: &Value) -> Option<(&'static str, &'static str, String)> {
        let has = |name: &str| !body[name].is_null();
        if has("max_tokens") && !self.max_tokens {
            let message = "Unsupported parameter: 'max_tokens' is not supported with this model. \
                           Use 'max_completion_tokens' instead.";
            return Some(("max_tokens", "unsupported_parameter", message.to_owned()));
        }
        if has("max_completion_tokens") && !self.max_completion_tokens {
            let message = "Unrecognized request argument supplied: max_completion_tokens";
            return Some(("", "", message.to_owned()));
        }
        let [first, second] = [self.effort_refusal(body), self.sampling_refusal(body)];
        match self.effort_first {
            true => first.or(second),
            false => second.or(first),
        }
    }

    fn effort_refusal(&self, body: &Value) -> Option<(&'static str, &'static str, String)> {
        let effort = body["reasoning_effort"].as_str()?;
        if self.efforts.is_empty() {
            let message = "Unrecognized request argument supplied: reasoning_effort";
            return Some(("", "", message.to_owned()));
        }
        let (last, others) = self.efforts.split_last()?;
        let others: Vec<String> = others.iter().map(|other| format!("'{other}'")).collect();
        let message = format!(
            "Unsupported value: 'reasoning_effort' does not support '{effort}' with this model. \
             Supported values are: {}, and '{last}'.",
            others.join(", ")
        );
        let is_taken = self.efforts.contains(&effort);
        (!is_taken).then_some(("reasoning_effort", "unsupported_value", message))
    }

    fn sampling_refusal(&self, body: &Value) -> Option<(&'static str, &'static str, String)> {
        let is_refused = match self.sampling {
            Sampling::Taken => false,
            Sampling::WithoutThinking => self.effort(body) != "none",
            Sampling::Refused => true,
        };
        for name in ["temperature", "top_p"] {
            if is_refused && !body[name].is_null() && body[name] != json!(1.0) {
                let message = format!(
                    "Unsupported value: '{name}' does not support {} with this model. Only the \
                     default (1) value is supported.",
                    body[name]
                );
                return Some((name, "unsupported_value", message));
            }
        }
        let message = "Unsupported parameter: 'seed' is not supported with this model.";
        let is_refused = !self.seed && !body["seed"].is_null();
        is_refused.then(|| ("seed", "unsupported_parameter", message.to_owned()))
    }

    /// What it thinks before it answers, in tokens.
    fn thought(&self, body: &Value) -> u64 {
        match self.effort(body) {
            "none" => 0,
            "minimal" => self.thinks / 4,
            "low" => self.thinks,
            "medium" => self.thinks * 4,
            _ => self.thinks * 16,
        }
    }

    fn answer(&self, body: &Value) -> Reply {
        const WORDS: u64 = 3;
        let limit = ["max_tokens", "max_completion_tokens"]
            .iter()
            .find_map(|name| body[*name].as_u64())
            .unwrap_or(u64::MAX);
        let thought = self.thought(body).min(limit);
        let words = WORDS.min(limit - thought);
        let text = match words {
            0 => String::new(),
            _ => format!("Yes: {}", super::last_message(body)),
        };
        let finish = if words < WORDS { "length" } else { "stop" };
        let completion = thought + words;
        let answer = json!({
            "id": "1", "model": self.model, "object": "chat.completion", "created": 1,
            "choices": [{"index": 0, "finish_reason": finish,
                "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": completion,
                "total_tokens": 5 + completion,
                "completion_tokens_details": {"reasoning_tokens": thought}},
        });
        Reply::json(200, answer).kept()
    }
}

/// A running deployment; it stops when it is dropped.
pub(crate) struct Deployment {
    loopback: Loopback,
    rules: Arc<Mutex<Rules>>,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    refused: AtomicUsize,
    answered: Mutex<Vec<Value>>,
}

impl Deployment {
    pub(crate) fn start(rules: Rules) -> Self {
        Self::slow(rules, Duration::ZERO)
    }

    /// The same, with answers, not refusals, that take a while.
    pub(crate) fn slow(rules: Rules, takes: Duration) -> Self {
        let (rules, seen) = (Arc::new(Mutex::new(rules)), Arc::new(Seen::default()));
        let (now, shared) = (Arc::clone(&rules), Arc::clone(&seen));
        let loopback = Loopback::serve(move |request: Request| {
            let (body, rules) = (request.json(), *now.lock().unwrap());
            match rules.refusal(&body) {
                Some((param, code, message)) => {
                    shared.refused.fetch_add(1, Ordering::SeqCst);
                    refusal(rules.shape, param, code, &message)
                }
                None => {
                    let reply = rules.answer(&body);
                    shared.answered.lock().unwrap().push(body);
                    reply.late(takes)
                }
            }
        });
        Self {
            loopback,
            rules,
            seen,
        }
    }

    /// Another model takes its place.
    pub(crate) fn replace(&self, rules: Rules) {
        *self.rules.lock().unwrap() = rules;
    }

    pub(crate) fn url(&self) -> String {
        self.loopback.url()
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        self.loopback.count()
    }

    /// How many of them were refused.
    pub(crate) fn refused(&self) -> usize {
        self.seen.refused.load(Ordering::SeqCst)
    }

    /// The bodies of the requests that were answered.
    pub(crate) fn answered(&self) -> Vec<Value> {
        self.seen.answered.lock().unwrap().clone()
    }
}

fn refusal(shape: Shape, param: &str, code: &str, message: &str) -> Reply {
    let text_or_null = |text: &str| match text {
        "" => Value::Null,
        text => json!(text),
    };
    let reply = match shape {
        Shape::Service => Reply::json(
            400,
            json!({"error": {"message": message, "type": "invalid_request_error",
                "param": text_or_null(param), "code": text_or_null(code)}}),
        ),
        Shape::Message => Reply::json(
            400,
            json!({"error": {"message": format!("litellm.BadRequestError: AzureException - {message}"),
                "type": text_or_null(""), "param": text_or_null(""), "code": "400"}}),
        ),
        Shape::Text => Reply::new(400, "text/html", format!("<h1>Bad request</h1>{message}")),
        Shape::Foreign => Reply::json(
            400,
            json!({"error": {"message": "该模型不支持此参数", "param": param}}),
        ),
        Shape::Wrapped => Reply::json(
            422,
            json!({"trace": "x".repeat(20_000), "error": {"message": "Anfrage abgelehnt",
                "innererror": {"message": "nicht unterstützt", "param": param}}}),
        ),
        Shape::Nameless => Reply::json(
            400,
            json!({"error": {"message": "Unsupported parameter.", "code": "unsupported_parameter"}}),
        ),
    };
    reply.kept()
}
