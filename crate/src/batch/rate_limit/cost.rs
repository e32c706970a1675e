//! Estimates what the service will charge for a request, before it is sent.
//!
//! Azure charges on receipt, by its own estimate: the prompt's characters divided by four, plus
//! `max_tokens` for each answer. Unused tokens are not refunded.

use crate::openai::{ChatRequest, Message, Usage};

/// English text has about four bytes per token in the models' vocabularies.
const BYTES_PER_TOKEN: f64 = 4.0;
/// The tokens of a message besides its text: its role and delimiters.
const TOKENS_PER_MESSAGE: u64 = 4;
/// The tokens of an image: a square of 1024 pixels in full detail, by the models' rule of 85 plus
/// 170 for each of its four tiles.
const TOKENS_PER_IMAGE: u64 = 765;
/// The charge for an answer whose length the request does not limit. Measured at the service for
/// gpt-35-turbo, where it was the default of `max_tokens`. Some newer deployments charge several
/// hundred: the difference appears in the headers as another client's use, and is kept free as
/// such.
const UNLIMITED_ANSWER: u64 = 16;
/// The half-life of an observation, in bytes of prompts: the next batch may be in another
/// language.
const MEMORY: f64 = 20_000.0;

/// The properties of a request that determine its charge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// The length of all messages, in bytes.
    pub(crate) prompt_bytes: u64,
    /// The number of messages.
    pub(crate) messages: u64,
    /// The number of images.
    pub(crate) images: u64,
    /// The longest answer, in tokens.
    pub(crate) max_tokens: Option<u64>,
    /// The number of answers.
    pub(crate) n: u64,
}

impl From<&ChatRequest> for Cost {
    fn from(request: &ChatRequest) -> Self {
        let bytes = |message: &Message| message.content.len() as u64;
        let images: u64 = request.messages.iter().map(Message::images).sum();
        let max_tokens = request.max_tokens.or(request.max_completion_tokens);
        Self {
            prompt_bytes: request.messages.iter().map(bytes).sum(),
            messages: request.messages.len() as u64,
            images,
            max_tokens: max_tokens.map(u64::from),
            n: u64::from(request.n.unwrap_or(1)),
        }
    }
}

impl Cost {
    /// The part of the charge that needs no estimate.
    pub(super) fn answers(self) -> u64 {
        let each = self.max_tokens.unwrap_or(UNLIMITED_ANSWER);
        each.saturating_mul(self.n.max(1))
    }

    fn overhead(self) -> u64 {
        let images = self.images.saturating_mul(TOKENS_PER_IMAGE);
        images.saturating_add(self.messages.saturating_mul(TOKENS_PER_MESSAGE))
    }
}

/// Estimates the tokens of prompts, and improves with each count that the service reports.
#[derive(Debug)]
pub(super) struct Estimator {
    bytes: f64,
    tokens: f64,
}

impl Estimator {
    pub(super) fn new() -> Self {
        Self {
            bytes: 400.0 * BYTES_PER_TOKEN,
            tokens: 400.0,
        }
    }

    /// The whole charge, in tokens. Text that takes fewer tokens than usual is charged as usual,
    /// because the service estimates the charge from the length too.
    pub(super) fn estimate(&self, cost: Cost) -> u64 {
        let ratio = (self.tokens / self.bytes).max(1.0 / BYTES_PER_TOKEN);
        let text = (cost.prompt_bytes as f64 * ratio).ceil() as u64;
        text.saturating_add(cost.overhead())
            .saturating_add(cost.answers())
    }

    /// Learns from the service's count. Counts that no text can have are ignored.
    pub(super) fn learn(&mut self, cost: Cost, usage: &Usage) {
        let tokens = usage.prompt_tokens.saturating_sub(cost.overhead()) as f64;
        let bytes = cost.prompt_bytes as f64;
        if tokens <= bytes && tokens * 20.0 >= bytes && bytes > 0.0 {
            let kept = 0.5_f64.powf(bytes / MEMORY);
            self.bytes = self.bytes * kept + bytes;
            self.tokens = self.tokens * kept + tokens;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COST: Cost = Cost {
        prompt_bytes: 400,
        messages: 2,
        images: 0,
        max_tokens: Some(100),
        n: 3,
    };

    fn usage(prompt_tokens: u64) -> Usage {
        Usage {
            prompt_tokens,
            ..Usage::default()
        }
    }

    #[test]
    fn prompt_and_all_answers_are_charged() {
        let estimator = Estimator::new();
        assert_eq!(estimator.estimate(COST), 100 + 8 + 300);
        let unlimited = Cost {
            max_tokens: None,
            n: 0,
            ..COST
        };
        assert_eq!(estimator.estimate(unlimited), 100 + 8 + 16);
    }

    #[test]
    fn the_images_of_a_message_are_charged_and_their_data_is_no_text() {
        let image = serde_json::json!({"messages": [{"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAAAAAAAAAAAAAA"}},
        ]}], "max_tokens": 10});
        let request: ChatRequest = serde_json::from_value(image).unwrap();
        let estimate = Estimator::new().estimate(Cost::from(&request));
        assert_eq!(estimate, 4 + 4 + 765 + 10);
    }

    #[test]
    fn text_of_many_tokens_is_charged_more_once_it_was_seen() {
        let mut estimator = Estimator::new();
        for _ in 0..200 {
            estimator.learn(COST, &usage(208));
        }
        let estimate = estimator.estimate(COST);
        assert!((490..=508).contains(&estimate), "{estimate}");
        // Text of few tokens is charged as usual, because the service estimates by length.
        for _ in 0..1_000 {
            estimator.learn(COST, &usage(48));
        }
        assert_eq!(estimator.estimate(COST), 408);
    }

    #[test]
    fn impossible_counts_teach_nothing() {
        let mut estimator = Estimator::new();
        for tokens in [0, 1, 10_000, u64::MAX] {
            estimator.learn(COST, &usage(tokens));
        }
        assert_eq!(estimator.estimate(COST), 408);
    }

    proptest! {
        #[test]
        fn any_request_has_a_charge(
            prompt_bytes in any::<u64>(),
            messages in any::<u64>(),
            images in any::<u64>(),
            max_tokens in any::<Option<u64>>(),
            n in any::<u64>(),
            tokens in any::<u64>(),
        ) {
            let cost = Cost { prompt_bytes, messages, images, max_tokens, n };
            let mut estimator = Estimator::new();
            estimator.learn(cost, &usage(tokens));
            prop_assert!(estimator.estimate(cost) >= cost.answers());
        }
    }
}
