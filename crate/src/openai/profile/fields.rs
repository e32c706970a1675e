//! The fields of a request that not every deployment accepts.

use serde_json::Value;

use super::field::{EFFORT, Field, LOGPROBS, NAMED, TOP_LOGPROBS};
use crate::openai::ChatRequest;

/// The first bit of the fields that a request holds by their names.
const FIRST_NAMED: usize = 8;

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(u32);

impl Fields {
    /// `max_tokens` or `max_completion_tokens`.
    pub(super) const TOKENS: Self = Self(1);
    pub(super) const TEMPERATURE: Self = Self(1 << 1);
    pub(super) const TOP_P: Self = Self(1 << 2);
    pub(super) const SEED: Self = Self(1 << 3);
    pub(super) const STOP: Self = Self(1 << 4);
    /// An effort that the client adds to the request.
    pub(super) const EFFORT: Self = Self(1 << 5);
    /// An effort that the request sets itself.
    pub(super) const OWN_EFFORT: Self = Self(1 << 6);
    /// Fields that are never left out, such as the schema of an answer.
    const NEEDED: Self = Self(1 << 7);

    const TYPED: [(Self, &'static str); 6] = [
        (Self::TOKENS, "tokens"),
        (Self::TEMPERATURE, "temperature"),
        (Self::TOP_P, "top_p"),
        (Self::SEED, "seed"),
        (Self::STOP, "stop"),
        (Self::EFFORT, EFFORT),
    ];

    /// Each field and its name.
    fn all() -> impl Iterator<Item = (Self, &'static str)> {
        Self::TYPED.into_iter().chain(Self::by_name())
    }

    /// Those that a request holds by their names.
    fn by_name() -> impl Iterator<Item = (Self, &'static str)> {
        let named = NAMED.into_iter().enumerate();
        let named = named.map(|(number, name)| (Self(1 << (FIRST_NAMED + number)), name));
        [(Self::OWN_EFFORT, EFFORT)].into_iter().chain(named)
    }

    /// The same, with the field that is left out together with another one.
    fn held() -> impl Iterator<Item = (Self, &'static str)> {
        let logprobs = Self::of_names([LOGPROBS]);
        Self::by_name().chain([(logprobs, TOP_LOGPROBS)])
    }

    /// What reasoning models refuse together, by Azure's list
    /// (learn.microsoft.com/azure/ai-foundry/openai/how-to/reasoning, 'Not supported').
    pub(super) fn refused_together() -> Self {
        let named = [
            LOGPROBS,
            "presence_penalty",
            "frequency_penalty",
            "logit_bias",
        ];
        let sampling = Self::TEMPERATURE.with(Self::TOP_P);
        Self::of_names(named).with(sampling)
    }

    /// The names of the fields that may be left out.
    pub(super) fn optional_names() -> impl Iterator<Item = &'static str> {
        let never = Self::TOKENS.with(Self::EFFORT);
        let optional = Self::all().filter(move |(field, _)| !never.contains(*field));
        optional.map(|(_, name)| name)
    }

    /// The fields of the request that are none of these.
    pub(super) fn needed(request: &ChatRequest) -> impl Iterator<Item = (&String, &Value)> {
        let others = request.other.iter();
        others.filter(|(name, _)| !Self::optional_names().any(|known| known == *name))
    }

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
        self.named().map(|(field, _)| field)
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        self.named().map(|(_, name)| name)
    }

    fn named(self) -> impl Iterator<Item = (Self, &'static str)> {
        // Most sets are empty, and one is asked for with each row.
        let all = (!self.is_empty()).then(Self::all).into_iter().flatten();
        all.filter(move |(field, _)| self.contains(*field))
    }

    pub(super) fn of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let field = |name: &str| Self::all().find(|(_, known)| *known == name);
        let fields = names.into_iter().filter_map(field);
        fields.fold(Self::default(), |all, (field, _)| all.with(field))
    }

    /// The field of this request that was refused, as a set.
    pub(super) fn of_request(field: Field, wanted: &ChatRequest) -> Self {
        match field {
            Field::MaxTokens | Field::MaxCompletionTokens => Self::TOKENS,
            Field::Temperature => Self::TEMPERATURE,
            Field::TopP => Self::TOP_P,
            Field::Seed => Self::SEED,
            Field::Stop => Self::STOP,
            Field::Effort if wanted.other.contains_key(EFFORT) => Self::OWN_EFFORT,
            Field::Effort => Self::EFFORT,
            Field::Named(name) => Self::of_names([name]),
        }
    }

    /// The fields that the request sets and could be sent without, though its answer might be another
    /// one. A value that is the service's default is accepted by every deployment, so it proves nothing.
    pub(super) fn optional(request: &ChatRequest) -> Self {
        let changed = |value: Option<f64>| value.is_some_and(|value| value != 1.0);
        let set = [
            (changed(request.temperature), Self::TEMPERATURE),
            (changed(request.top_p), Self::TOP_P),
            (request.seed.is_some(), Self::SEED),
            (!request.stop.is_empty(), Self::STOP),
        ];
        let set = set.into_iter().filter(|(is_set, _)| *is_set);
        let all = set.fold(Self::default(), |all, (_, field)| all.with(field));
        all.with(Self::optional_by_name(request))
    }

    fn optional_by_name(request: &ChatRequest) -> Self {
        if request.other.is_empty() {
            return Self::default();
        }
        let is_default = |name: &str, value: &Value| match value {
            Value::Null => true,
            Value::Bool(is_set) => !is_set && matches!(name, LOGPROBS | "store"),
            Value::Object(fields) => fields.is_empty(),
            value => value.as_f64() == Some(0.0),
        };
        let set = Self::held().filter(|(_, name)| {
            let value = request.other.get(*name);
            value.is_some_and(|value| !is_default(name, value))
        });
        set.fold(Self::default(), |all, (field, _)| all.with(field))
    }

    /// The names of those of these fields that the request holds by their names.
    pub(super) fn held_by_name(self, request: &ChatRequest) -> Vec<&'static str> {
        if self.is_empty() || request.other.is_empty() {
            return Vec::new();
        }
        let held = Self::held();
        let held =
            held.filter(|(field, name)| self.contains(*field) && request.other.contains_key(*name));
        held.map(|(_, name)| name).collect()
    }

    /// The fields that a deployment may refuse. A missing effort counts, because it is not known
    /// then how much the deployment thinks.
    pub(super) fn refusable(request: &ChatRequest) -> Self {
        let is_limited = request.max_tokens.is_some() || request.max_completion_tokens.is_some();
        let is_optional = |name: &String| Self::held().any(|(_, known)| known == name);
        let needs = request.n.is_some() || !request.other.keys().all(is_optional);
        let others = [
            (is_limited, Self::TOKENS),
            (!request.other.contains_key(EFFORT), Self::EFFORT),
            (needs, Self::NEEDED),
        ];
        let others = others.into_iter().filter(|(is_set, _)| *is_set);
        others.fold(Self::optional(request), |all, (_, field)| all.with(field))
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
