//! Parses a rejection: which field was refused, and which values are accepted.
//!
//! The service sends a 400 with `code` (`unsupported_parameter`, `unsupported_value`), `param`
//! and a message that lists the accepted values. Gateways leave out any of these or embed the
//! message in their own, some with a status of their own. Therefore the message is searched too (`error_body`,
//! `wording`), and a field that it names counts only if the request set it. An error in unknown words,
//! such as another language, counts if it names such a field and is not about a limit.

use super::context_length::ContextLength;
use super::error_body::ErrorBody;
use super::field::Field;
use super::wording::{
    AS_SUCH, EXHAUSTED, EXPLICIT, OUT_OF_RANGE, PHRASES, VALUE_CODES, WEAK_PHRASES, is_about_limit,
    is_marked, listed_efforts, most_tokens, names_as_field, position, position_as_field,
    repeats_the_request,
};
use crate::openai::ChatRequest;

/// Statuses of a used-up quota or account: such an error refuses no field.
const ABOUT_QUOTA: [u16; 3] = [402, 413, 429];

/// The shortest prompt that is looked for in an error, in bytes.
const MIN_PROMPT: usize = 4;

/// Codes of an error about a parameter; the last one is Azure AI's.
const PARAMETER_CODES: [&str; 3] = [
    "unsupported_parameter",
    "unknown_parameter",
    "parameter_not_supported",
];

/// Names of fields that are words of any message too.
const COMMON_WORDS: [&str; 5] = ["stop", "store", "user", "metadata", "prediction"];

/// How clearly an error says that it is about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wording {
    Known,
    /// It is about the field that it names as such, if any.
    Weak,
    /// The same, of an error that is probably about a limit or the content: it is about the field that
    /// it quotes, if any.
    Weaker,
    /// Nothing is known about the words, as in another language.
    Unknown,
}

/// The service refuses a field of the request or its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// In lower case; empty if none is named.
    param: String,
    /// In lower case.
    text: String,
    /// The accepted efforts, if the message lists them.
    efforts: Vec<&'static str>,
    /// The maximum number of tokens, if the message states it.
    most_tokens: Option<u32>,
    /// What the message states about the size of the context.
    context: Option<ContextLength>,
    wording: Wording,
    /// The error is about a parameter, even if it names none.
    is_about_parameter: bool,
    /// The error is about the range of a field's values.
    is_out_of_range: bool,
    /// The error is about a value, of whatever field.
    is_value_error: bool,
    /// The limit was reached before there was an answer.
    is_exhausted: bool,
}

impl Rejection {
    /// Parses a response; `None` if it is about something else.
    pub(crate) fn from_response(status: u16, body: &[u8]) -> Option<Self> {
        let is_passed_on = !matches!(status, 400 | 422);
        if !(400..600).contains(&status) || matches!(status, 401 | 407 | 408) {
            return None;
        }
        let ErrorBody { code, param, text } = ErrorBody::from_body(body);
        let context = ContextLength::stated(&text);
        if ABOUT_QUOTA.contains(&status) {
            return context.map(|context| Self::of_size(context, text));
        }
        let has = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
        let is_about_parameter = PARAMETER_CODES.contains(&code.as_str());
        if is_passed_on && !has(&EXPLICIT) && !code.starts_with("unsupported_") {
            return None;
        }
        let efforts = listed_efforts(&text);
        let most_tokens = most_tokens(&text, &param);
        let is_about_field = is_about_parameter
            || code.starts_with("unsupported_")
            || has(&PHRASES)
            || !efforts.is_empty()
            || most_tokens.is_some();
        let is_exhausted = has(&EXHAUSTED);
        let names_value =
            VALUE_CODES.iter().any(|known| code.ends_with(known)) || text.contains("invalid value");
        let is_unsupported = text.contains("support") || has(&AS_SUCH);
        let is_about_other = code == "content_filter" || is_about_limit(&text);
        let wording = match is_about_field {
            true => Wording::Known,
            false if has(&WEAK_PHRASES) && is_about_other => Wording::Weaker,
            false if has(&WEAK_PHRASES) => Wording::Weak,
            false if is_exhausted || context.is_some() => Wording::Known,
            false if is_about_other => return None,
            false => Wording::Unknown,
        };
        Some(Self {
            param,
            efforts,
            most_tokens,
            context,
            wording,
            is_about_parameter,
            is_out_of_range: has(&OUT_OF_RANGE),
            is_value_error: names_value && !is_unsupported,
            is_exhausted,
            text,
        })
    }

    /// The request is larger than what the quota, or the account, has room for at all.
    fn of_size(context: ContextLength, text: String) -> Self {
        Self {
            param: String::new(),
            text,
            efforts: Vec::new(),
            most_tokens: None,
            context: Some(context),
            wording: Wording::Known,
            is_about_parameter: false,
            is_out_of_range: false,
            is_value_error: false,
            is_exhausted: false,
        }
    }

    /// Takes the texts of the request out of its own: a filter repeats what it refuses, and a name in a prompt
    /// is no name of a field.
    pub(super) fn forget_prompts(&mut self, request: &ChatRequest) {
        for message in &request.messages {
            let content = message.content.trim().to_lowercase();
            let escaped = serde_json::Value::from(content.as_str()).to_string();
            let forms = [content.as_str(), escaped.trim_matches('"')];
            for form in forms.into_iter().filter(|form| form.len() >= MIN_PROMPT) {
                if self.text.contains(form) {
                    self.text = self.text.replace(form, " ");
                }
            }
        }
    }

    /// What it states about the size of the context, which the request was too large for.
    pub(super) fn context(&self) -> Option<ContextLength> {
        self.context
    }

    /// Did the model reach the limit of its tokens before there was an answer?
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// Is it about how many tokens there are, and not about a field?
    fn is_about_size(&self) -> bool {
        self.is_exhausted || self.context.is_some()
    }

    /// Does it refuse the field in words that are not clear, so that it may be about this request
    /// alone?
    pub(super) fn is_guess(&self, sent: &ChatRequest) -> bool {
        match self.wording {
            Wording::Known => false,
            Wording::Unknown => true,
            Wording::Weak | Wording::Weaker => !self.marks_a_field(sent),
        }
    }

    fn marks_a_field(&self, sent: &ChatRequest) -> bool {
        Field::in_request(sent).any(|(_, name)| {
            position(&self.text, name).is_some_and(|place| is_marked(&self.text, place, name))
        })
    }

    /// The field of this request that was refused, if it can be identified.
    pub(super) fn field(&self, sent: &ChatRequest) -> Option<Field> {
        let field = match self.is_about_size() {
            true => None,
            false => self.named_field(sent).or_else(|| self.only_field(sent)),
        }?;
        let is_about_value =
            self.is_out_of_range || self.is_value_error && field.is_unusual_in(sent);
        (!field.is_optional() || !is_about_value).then_some(field)
    }

    /// May the field have been refused only because of its value in this request?
    pub(super) fn may_be_about_value(&self, field: Field, sent: &ChatRequest) -> bool {
        !self.is_about_any_value() && field.is_unusual_in(sent)
    }

    /// Does it refuse the field whatever its value? It may still depend on the request's other settings.
    pub(super) fn is_about_any_value(&self) -> bool {
        self.is_about_parameter || AS_SUCH.iter().any(|phrase| self.text.contains(phrase))
    }

    /// The one field that an error about a parameter without a name can mean.
    fn only_field(&self, sent: &ChatRequest) -> Option<Field> {
        let names_none = self.param.is_empty();
        let is_known = |name: &String| Field::all().any(|(_, known)| known == name);
        let others = !sent.other.keys().all(is_known);
        if !self.is_about_parameter || !names_none || others {
            return None;
        }
        if sent.n.is_some() || self.text.contains(['\'', '`', '"']) {
            return None;
        }
        let (field, _) = Field::in_request(sent).next()?;
        let mut others = Field::in_request(sent).filter(|(other, _)| *other != field);
        others.next().is_none().then_some(field)
    }

    fn named_field(&self, sent: &ChatRequest) -> Option<Field> {
        let param = self.param.as_str();
        if !param.is_empty() {
            if param.starts_with("messages") {
                return None;
            }
            let name = param.rsplit('.').next().unwrap_or(param);
            let known = Field::all().find(|(_, known)| *known == name);
            let field = match known {
                Some((field, _)) => Some(field),
                None if matches!(name, "effort" | "reasoning") => Some(Field::Effort),
                None => None,
            };
            match field {
                Some(field) if field.is_in(sent) => return Some(field),
                // A field that must not be left out.
                None if is_sent(sent, name) => return None,
                _ => {}
            }
        }
        if repeats_the_request(&self.text) {
            return None;
        }
        let named = Field::in_request(sent).filter_map(|(field, name)| {
            let place = match COMMON_WORDS.contains(&name) {
                true => position_as_field(&self.text, name),
                false => position(&self.text, name),
            }?;
            let counts = match self.wording {
                Wording::Known => true,
                Wording::Weaker => is_marked(&self.text, place, name),
                Wording::Weak | Wording::Unknown => names_as_field(&self.text, name),
            };
            counts.then_some((place, field))
        });
        let first = named.min_by_key(|(place, _)| *place);
        // 'Please use max_completion_tokens.'
        let first = first.map(|(_, field)| field).or_else(|| {
            let is_other = position(&self.text, "max_completion_tokens").is_some();
            (is_other && sent.max_tokens.is_some()).then_some(Field::MaxTokens)
        });
        first.or_else(|| {
            // 'minimal' is not supported with the 'gpt-5.1' model. Supported values are: ..
            let is_effort = !self.efforts.is_empty() && Field::Effort.is_in(sent);
            is_effort.then_some(Field::Effort)
        })
    }

    /// The field that was refused, if the request sets it and must not be sent without it.
    pub(super) fn needed_field<'a>(&self, sent: &'a ChatRequest) -> Option<&'a str> {
        let is_optional = |name: &&str| Field::all().any(|(_, known)| known == *name);
        let others = sent.other.keys().map(String::as_str);
        let others = others.filter(|name| !is_optional(name));
        let mut names = others.chain(["n"]).filter(|name| is_sent(sent, name));
        // `response_format.type` is part of `response_format`.
        let param = self.param.split('.').next().unwrap_or_default();
        if param.starts_with("messages") || self.is_about_size() {
            return None;
        }
        if let Some(name) = names.clone().find(|name| *name == param) {
            return Some(name);
        }
        let is_clear = self.wording == Wording::Known || self.is_about_any_value();
        if !is_clear || is_about_limit(&self.text) || repeats_the_request(&self.text) {
            return None;
        }
        names.find(|name| {
            let is_named = match name.contains('_') {
                true => position(&self.text, name),
                false => position_as_field(&self.text, name),
            };
            is_named.is_some()
        })
    }

    /// Does its text mention the field?
    pub(super) fn names(&self, field: Field) -> bool {
        let mut names = Field::all().filter(|(known, _)| *known == field);
        names.any(|(_, name)| position(&self.text, name).is_some())
    }

    /// Does its text mention this word?
    pub(super) fn mentions(&self, word: &str) -> bool {
        position(&self.text, word).is_some()
    }

    pub(super) fn efforts(&self) -> &[&'static str] {
        &self.efforts
    }

    pub(super) fn most_tokens(&self) -> Option<u32> {
        self.most_tokens
    }
}

/// Does the request set this field, which must not be left out?
fn is_sent(request: &ChatRequest, name: &str) -> bool {
    match name {
        "messages" | "model" => true,
        "n" => request.n.is_some(),
        name => request.other.contains_key(name),
    }
}

#[cfg(test)]
mod tests;
