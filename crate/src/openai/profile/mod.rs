//! Which parameters a deployment accepts, and how it thinks.
//!
//! A request states what the user *wants*: an answer of at most so many tokens, this
//! temperature. Deployments differ in how that must be sent. Older models accept `max_tokens`;
//! reasoning models accept `max_completion_tokens`, which also pays for their thinking, and
//! refuse a temperature. A [`Profile`] holds what is known about one deployment and translates
//! requests for it.
//!
//! - `rejection` interprets what an error response says (`error_body`, `wording`, `context_length`), `learn`
//!   draws the conclusions.
//! - `field` and `fields` are what a deployment may refuse; `condition` tells for which requests a field
//!   counts as refused.
//! - `shared` holds the one profile of a deployment in this process, and lets one request go
//!   ahead and learn while the others wait; `left_out` tells what is not sent; `turns` detects several
//!   models behind a deployment.
//! - `negotiation` sends one request (`prepared_request`), each time as an `attempt`, until it has its answer; `judge_rejection` decides what a
//!   rejection changes, and for whom; `thinking` detects answers that thinking has left empty, and
//!   `exhausted` asks again for them; `take_back` takes back an effort that a deployment does not
//!   accept, and a change after which the `complaint` is the same; `file` is the format in which a
//!   profile is stored.

mod attempt;
mod complaint;
mod condition;
mod context_length;
mod error_body;
mod exhausted;
mod field;
mod fields;
mod file;
mod judge_rejection;
mod learn;
mod left_out;
mod negotiation;
mod prepared_request;
mod rejection;
mod shared;
mod take_back;
mod thinking;
mod turns;
mod wording;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::openai::ChatRequest;
use crate::text::sanitize_line;
use condition::Condition;
use field::EFFORT;
use fields::Fields;

pub(crate) use attempt::Attempt;
pub(crate) use negotiation::{HeldAnswer, Negotiation, NextStep};
pub(crate) use shared::SharedProfile;
pub(crate) use thinking::consumed_in_batch;

/// The maximum length of a model's name, in characters.
const MAX_NAME: usize = 100;

/// What is known about a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    /// The parameter that limits the length of an answer.
    tokens: TokensField,
    /// The `reasoning_effort` that is sent if the request sets none.
    effort: Option<String>,
    /// Efforts that were refused.
    refused_efforts: Vec<String>,
    /// Fields that were refused.
    refused: Fields,
    /// With which settings some of these were refused. The others are always refused.
    conditions: Vec<Condition>,
    /// Which of these are known to be accepted with other settings.
    excepted: Fields,
    /// Fields that are left out without having been refused, because others were.
    untried: Fields,
    /// Its answers have reported reasoning tokens.
    thinks: bool,
    /// The reasoning tokens that it has needed so far, for requests that set no effort.
    allowance: u32,
    /// The same for requests that set this effort themselves. They show nothing about the others.
    allowances: BTreeMap<String, u32>,
    /// The maximum of its completion tokens, if it has stated one.
    most_tokens: Option<u32>,
    /// The model that answered last, as the service names it.
    model: Option<String>,
}

/// The parameter that limits the length of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum TokensField {
    /// As the user wrote it; nothing was refused yet.
    #[default]
    AsWritten,
    MaxTokens,
    MaxCompletionTokens,
}

/// How many reasoning tokens are allowed in addition to the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Budget {
    /// As many as the deployment is known to need.
    Default,
    /// A fixed number.
    Tokens(u32),
}

impl Profile {
    /// The request as it is sent to the deployment. It is copied only if something is changed.
    fn translate<'a>(&self, wanted: &'a ChatRequest, budget: Budget) -> Cow<'a, ChatRequest> {
        let limits = self.limits(wanted, budget);
        let left_out = self.not_sent(wanted);
        let keeps = |field| !left_out.contains(field);
        let temperature = wanted.temperature.filter(|_| keeps(Fields::TEMPERATURE));
        let top_p = wanted.top_p.filter(|_| keeps(Fields::TOP_P));
        let seed = wanted.seed.filter(|_| keeps(Fields::SEED));
        let stops = match keeps(Fields::STOP) {
            true => wanted.stop.len(),
            false => 0,
        };
        let effort = self.effort.as_ref().filter(|_| !names_effort(wanted));
        let left_out_by_name = left_out.held_by_name(wanted);
        let is_as_written = limits == (wanted.max_tokens, wanted.max_completion_tokens)
            && (temperature, top_p, seed) == (wanted.temperature, wanted.top_p, wanted.seed)
            && stops == wanted.stop.len()
            && effort.is_none()
            && left_out_by_name.is_empty();
        if is_as_written {
            return Cow::Borrowed(wanted);
        }
        let mut request = wanted.clone();
        request.stop.truncate(stops);
        (request.max_tokens, request.max_completion_tokens) = limits;
        (request.temperature, request.top_p, request.seed) = (temperature, top_p, seed);
        for name in left_out_by_name {
            request.other.remove(name);
        }
        if let Some(effort) = effort {
            let effort = effort.as_str().into();
            request.other.insert(EFFORT.to_owned(), effort);
        }
        Cow::Owned(request)
    }

    /// `max_tokens` and `max_completion_tokens` as they are sent.
    fn limits(&self, wanted: &ChatRequest, budget: Budget) -> (Option<u32>, Option<u32>) {
        let tokens = self.tokens(wanted, budget);
        let is_completion = match self.tokens {
            TokensField::AsWritten => wanted.max_completion_tokens.is_some(),
            TokensField::MaxTokens => false,
            TokensField::MaxCompletionTokens => true,
        };
        match is_completion {
            true => (None, tokens),
            false => (tokens, None),
        }
    }

    /// The limit that is sent: the length that is wanted plus the thinking allowance. A request
    /// that limits both together, with `max_completion_tokens`, is left as it is.
    fn tokens(&self, wanted: &ChatRequest, budget: Budget) -> Option<u32> {
        let answer = match wanted.max_tokens {
            Some(answer) => answer,
            None => return wanted.max_completion_tokens,
        };
        let tokens = answer.saturating_add(self.allowance(wanted, budget));
        let most = self.most_tokens.unwrap_or(u32::MAX);
        Some(tokens.min(most.max(answer)))
    }

    /// The thinking allowance, in tokens.
    fn allowance(&self, wanted: &ChatRequest, budget: Budget) -> u32 {
        let effort = self.effort_of(wanted);
        let needed = self.needed(wanted);
        let may_think = effort.is_some() || self.thinks || needed > 0;
        match budget {
            _ if !may_think || effort == Some("none") => 0,
            Budget::Tokens(tokens) => tokens,
            Budget::Default => thinking::usual(effort).max(needed),
        }
    }

    /// The reasoning tokens that requests with the effort of this one have needed so far.
    fn needed(&self, wanted: &ChatRequest) -> u32 {
        match own_effort(wanted) {
            Some(effort) => self.allowances.get(&effort).copied().unwrap_or_default(),
            None => self.allowance,
        }
    }

    /// Records how many reasoning tokens requests with the effort of this one need.
    fn need(&mut self, wanted: &ChatRequest, tokens: u32) {
        match own_effort(wanted) {
            Some(effort) => drop(self.allowances.insert(effort, tokens)),
            None => self.allowance = tokens,
        }
    }

    /// The effort that is sent.
    fn effort_of<'a>(&'a self, wanted: &'a ChatRequest) -> Option<&'a str> {
        if self.not_sent(wanted).contains(Fields::OWN_EFFORT) {
            return None;
        }
        let named = wanted.other.get(EFFORT);
        named.map_or(self.effort.as_deref(), |effort| effort.as_str())
    }

    /// The fields of the request that are not sent although they would change the answer.
    fn left_out(&self, wanted: &ChatRequest) -> Fields {
        Fields::optional(wanted).and(self.not_sent(wanted))
    }

    /// A description of how the request was sent, stored with its answer; `None` if it was sent as
    /// written.
    fn tag(&self, wanted: &ChatRequest) -> Option<Arc<str>> {
        let mut parts = Vec::new();
        match (self.tokens, wanted.max_tokens.is_some()) {
            (TokensField::MaxCompletionTokens, true) => {
                parts.push("max_completion_tokens".to_owned());
            }
            (TokensField::MaxTokens, false) if wanted.max_completion_tokens.is_some() => {
                parts.push("max_tokens".to_owned());
            }
            _ => {}
        }
        if let Some(effort) = self.effort.as_ref().filter(|_| !names_effort(wanted)) {
            parts.push(format!("effort {effort}"));
        }
        let left_out = self.left_out(wanted).names();
        parts.extend(left_out.map(|name| format!("without {name}")));
        (!parts.is_empty()).then(|| parts.join(", ").into())
    }

    /// Is it decided which effort is sent with the request?
    fn is_settled(&self, wanted: &ChatRequest) -> bool {
        let has_effort = self.effort.is_some() || self.refused.contains(Fields::EFFORT);
        names_effort(wanted) || self.thinks && has_effort
    }

    /// Is every request sent as written?
    fn is_plain(&self) -> bool {
        self.tokens == TokensField::AsWritten
            && self.effort.is_none()
            && self.left_out_ever().is_empty()
            && !self.thinks
            && self.allowances.is_empty()
    }

    /// The fields that are not sent with this request if it sets them.
    fn not_sent(&self, wanted: &ChatRequest) -> Fields {
        let tried = self.tried(wanted);
        tried.fold(self.left_out_ever(), Fields::without)
    }

    fn left_out_ever(&self) -> Fields {
        self.refused.with(self.untried).without(Fields::EFFORT)
    }
}

/// The model's name as it is stored, compared and shown; the service chooses it freely.
fn model_name(name: &str) -> String {
    sanitize_line(name, MAX_NAME)
}

/// The effort that the request sets itself.
fn own_effort(wanted: &ChatRequest) -> Option<String> {
    let effort = wanted.other.get(EFFORT)?;
    Some(model_name(effort.as_str().unwrap_or_default()))
}

/// Does the request set the effort itself?
fn names_effort(wanted: &ChatRequest) -> bool {
    wanted.other.contains_key(EFFORT)
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut takes = Vec::new();
        match self.tokens {
            TokensField::AsWritten => {}
            TokensField::MaxTokens => takes.push("max_tokens".to_owned()),
            TokensField::MaxCompletionTokens => takes.push("max_completion_tokens".to_owned()),
        }
        takes.extend(self.left_out_ever().names().map(|name| {
            let field = Fields::of_names([name]);
            match self.refused.contains(field) {
                true if self.excepted.contains(field) => format!("{name} not in every request"),
                true => format!("no {name}"),
                false => format!("no {name} (not tried)"),
            }
        }));
        let takes = match takes.is_empty() {
            true => "takes every parameter as written".to_owned(),
            false => format!("takes {}", takes.join(", ")),
        };
        match self.effort.as_deref() {
            Some("none") => write!(f, "{takes}; it does not think (effort none)"),
            Some(effort) => write!(f, "{takes}; it thinks with effort {effort}"),
            None if self.thinks || !self.allowances.is_empty() => write!(f, "{takes}; it thinks"),
            None => f.write_str(&takes),
        }
    }
}
