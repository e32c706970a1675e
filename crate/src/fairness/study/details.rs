//! What is known about the replies besides their texts.

use std::sync::Arc;

use crate::error::{ContentFilter, Result};
use crate::openai::{ChatCompletion, FinishReason};

/// What is known about a reply besides its text.
#[derive(Clone, Debug, Default)]
pub(in crate::fairness) struct ReplyDetails {
    /// What the content filter found in the answer.
    pub(in crate::fairness) filter: Option<Arc<ContentFilter>>,
    /// Whether the service's content filter refused the prompt, or withheld the answer or cut it off;
    /// or the model declined in the field for that, without a text.
    pub(in crate::fairness) is_withheld: bool,
    /// The model that answered, and how the request was sent if other than written.
    pub(in crate::fairness) origin: Option<Arc<str>>,
}

impl ReplyDetails {
    /// The details of all replies, in their order.
    pub(super) fn from_outcomes<'a>(
        outcomes: impl Iterator<Item = &'a Result<ChatCompletion>>,
    ) -> Vec<Self> {
        let mut origins: Vec<Arc<str>> = Vec::new();
        let details = outcomes.map(|outcome| match outcome {
            Ok(completion) => Self {
                filter: filter_of(completion),
                is_withheld: is_withheld(completion),
                origin: Some(shared(&mut origins, &origin(completion))),
            },
            Err(error) => Self {
                is_withheld: error.is_content_filter(),
                ..Self::default()
            },
        });
        details.collect()
    }
}

fn filter_of(completion: &ChatCompletion) -> Option<Arc<ContentFilter>> {
    let filter = &completion.choices.first()?.content_filter_results;
    (!filter.categories.is_empty()).then(|| Arc::new(filter.clone()))
}

fn is_withheld(completion: &ChatCompletion) -> bool {
    if completion.finish_reason() == Some(&FinishReason::ContentFilter) {
        return true;
    }
    let has_text = completion
        .text()
        .is_some_and(|text| !text.trim().is_empty());
    let choice = completion.choices.first();
    let declines = choice.is_some_and(|choice| choice.message.refusal.is_some());
    !has_text && (declines || completion.is_filtered())
}

fn origin(completion: &ChatCompletion) -> String {
    match completion.profile() {
        Some(profile) => format!("{}, sent with {profile}", completion.model),
        None => completion.model.clone(),
    }
}

/// The stored copy of this text.
fn shared(stored: &mut Vec<Arc<str>>, text: &str) -> Arc<str> {
    if let Some(known) = stored.iter().find(|known| known.as_ref() == text) {
        return Arc::clone(known);
    }
    let new: Arc<str> = text.into();
    stored.push(Arc::clone(&new));
    new
}
