//! The fields of a request that not every deployment accepts.

use serde_json::{Map, Value};

use super::rejection::{EFFORT, FREQUENCY_PENALTY, Field, LOGIT_BIAS, PRESENCE_PENALTY};
use crate::openai::ChatRequest;

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(u8);

impl Fields {
    /// `max_tokens` or `max_completion_tokens`.
    pub(super) const TOKENS: Self = Self(1);
    pub(super) const TEMPERATURE: Self = Self(2);
    pub(super) const TOP_P: Self = Self(4);
    pub(super) const SEED: Self = Self(8);
    pub(super) const EFFORT: Self = Self(16);
    const PRESENCE_PENALTY: Self = Self(32);
    const FREQUENCY_PENALTY: Self = Self(64);
    const LOGIT_BIAS: Self = Self(128);

    /// The sampling fields that the request holds by their names.
    const BY_NAME: [(Self, &'static str); 3] = [
        (Self::PRESENCE_PENALTY, PRESENCE_PENALTY),
        (Self::FREQUENCY_PENALTY, FREQUENCY_PENALTY),
        (Self::LOGIT_BIAS, LOGIT_BIAS),
    ];

    const NAMES: [(Self, &'static str); 8] = [
        (Self::TOKENS, "tokens"),
        (Self::TEMPERATURE, "temperature"),
        (Self::TOP_P, "top_p"),
        (Self::SEED, "seed"),
        (Self::PRESENCE_PENALTY, PRESENCE_PENALTY),
        (Self::FREQUENCY_PENALTY, FREQUENCY_PENALTY),
        (Self::LOGIT_BIAS, LOGIT_BIAS),
        (Self::EFFORT, "reasoning_effort"),
    ];

    pub(super) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them as a set of its own.
    pub(super) fn each(self) -> impl Iterator<Item = Self> {
        let fields = Self::NAMES.into_iter().map(|(field, _)| field);
        fields.filter(move |field| self.contains(*field))
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let names = Self::NAMES.into_iter();
        names.filter_map(move |(field, name)| self.contains(field).then_some(name))
    }

    pub(super) fn of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let field = |name: &str| Self::NAMES.iter().find(|(_, known)| *known == name);
        let fields = names.into_iter().filter_map(field);
        fields.fold(Self::default(), |all, (field, _)| all.with(*field))
    }

    /// The field that was refused, as a set.
    pub(super) fn of(field: Field) -> Self {
        match field {
            Field::MaxTokens | Field::MaxCompletionTokens => Self::TOKENS,
            Field::Temperature => Self::TEMPERATURE,
            Field::TopP => Self::TOP_P,
            Field::Seed => Self::SEED,
            Field::PresencePenalty => Self::PRESENCE_PENALTY,
            Field::FrequencyPenalty => Self::FREQUENCY_PENALTY,
            Field::LogitBias => Self::LOGIT_BIAS,
            Field::Effort => Self::EFFORT,
        }
    }

    /// The sampling fields that the request sets. A value that is the service's default is accepted
    /// by every deployment, so it proves nothing.
    pub(super) fn sampling(request: &ChatRequest) -> Self {
        let changed = |value: Option<f64>| value.is_some_and(|value| value != 1.0);
        let set = [
            (changed(request.temperature), Self::TEMPERATURE),
            (changed(request.top_p), Self::TOP_P),
            (request.seed.is_some(), Self::SEED),
        ];
        let set = set.into_iter().filter(|(is_set, _)| *is_set);
        let all = set.fold(Self::default(), |all, (_, field)| all.with(field));
        all.with(Self::sampling_by_name(request))
    }

    fn sampling_by_name(request: &ChatRequest) -> Self {
        let is_default = |value: &Value| {
            let is_empty = value.as_object().is_some_and(Map::is_empty);
            value.is_null() || value.as_f64() == Some(0.0) || is_empty
        };
        let set = Self::BY_NAME.into_iter().filter(|(_, name)| {
            let value = request.other.get(*name);
            value.is_some_and(|value| !is_default(value))
        });
        set.fold(Self::default(), |all, (field, _)| all.with(field))
    }

    /// The names of those of these fields that the request holds by their names.
    pub(super) fn held_by_name(self, request: &ChatRequest) -> Vec<&'static str> {
        let held = Self::BY_NAME.into_iter();
        let held =
            held.filter(|(field, name)| self.contains(*field) && request.other.contains_key(*name));
        held.map(|(_, name)| name).collect()
    }

    /// The fields that a deployment may refuse. A missing effort counts, because it is not known
    /// then how much the deployment thinks.
    pub(super) fn refusable(request: &ChatRequest) -> Self {
        let is_limited = request.max_tokens.is_some() || request.max_completion_tokens.is_some();
        let tokens = match is_limited {
            true => Self::TOKENS,
            false => Self::default(),
        };
        let effort = match request.other.contains_key(EFFORT) {
            true => Self::default(),
            false => Self::EFFORT,
        };
        Self::sampling(request).with(tokens).with(effort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_refused_is_at_risk() {
        let request = ChatRequest::from("x").temperature(1.0).seed(3);
        let names = |request: &ChatRequest| Fields::refusable(request).names().collect::<Vec<_>>();
        assert_eq!(names(&request), ["seed", "reasoning_effort"]);
        let request = request.temperature(0.0).max_tokens(9);
        assert_eq!(
            names(&request),
            ["tokens", "temperature", "seed", "reasoning_effort"]
        );
        assert_eq!(
            Fields::of_names(names(&request)),
            Fields::refusable(&request)
        );
    }
}
