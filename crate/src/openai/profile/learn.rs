//! Learns from a rejection.
//!
//! A service reports one unsupported field at a time, so a request with three of them would be
//! refused three times. At most two rejections are spent:
//!
//! - A deployment that refuses `max_tokens` or a temperature is taken for a reasoning model, so
//!   the next request also sets an effort: the lowest of the model's family, if a name reveals the
//!   family. Otherwise no effort is guessed, so that the second rejection remains for a temperature or
//!   a seed, of this request or of a later one. The first answer, which `max_tokens` keeps short, then
//!   reveals the model's name and whether it thinks (`negotiation` asks again if it does).
//! - After the second rejection in a row, of which one was as by a reasoning model, those fields that
//!   reasoning models refuse by Azure's list (temperature, `top_p`, penalties, `logprobs`) and that have
//!   not been accepted yet are left out. They are reported as 'not tried'. Others, such as a seed or
//!   `stop`, are sent until they are refused themselves.
//!
//! Once requests without an effort are answered, the rejection of a sampling field that only one row
//! sets adds no effort to the others. A field that is refused after it was accepted changes only the
//! row concerned, until a second row agrees (`negotiation`).

use std::collections::BTreeMap;

use super::condition::{Exceptions, Settings};
use super::field::{Field, effort_in};
use super::fields::Fields;
use super::rejection::Rejection;
use super::wording::EFFORTS;
use super::{Profile, TokensField, names_effort};
use crate::openai::ChatRequest;

/// After this many rejections in a row, optional fields are no longer tried.
const TRIES: u32 = 2;

/// The context of a rejection.
pub(super) struct Circumstances<'a> {
    pub(super) wanted: &'a ChatRequest,
    pub(super) sent: &'a ChatRequest,
    /// Names that may reveal the model's family, the most reliable first.
    pub(super) names: &'a [&'a str],
    /// The fields that were accepted since the profile last changed.
    pub(super) accepted: Fields,
    /// The fields that were accepted before an effort was added.
    pub(super) accepted_without_effort: Fields,
    /// What was accepted of what had been refused.
    pub(super) exceptions: &'a Exceptions,
    /// How many rejections in a row, including this one.
    pub(super) rejections: u32,
}

/// The rejection reveals nothing that would help this request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NothingLearned;

impl Profile {
    /// Learns from a rejection, and returns the field that was refused.
    pub(super) fn learn(
        &mut self,
        rejection: &Rejection,
        now: &Circumstances<'_>,
    ) -> Result<Field, NothingLearned> {
        let field = rejection.field(now.sent).ok_or(NothingLearned)?;
        match field {
            Field::MaxTokens | Field::MaxCompletionTokens => {
                self.learn_tokens(field, rejection, now)?;
            }
            Field::Effort if names_effort(now.wanted) => {
                self.learn_that_no_effort_is_accepted(rejection, now)?;
            }
            Field::Effort => self.learn_effort(rejection),
            optional => self.leave_out(optional, rejection, now),
        }
        let thinks = self.tokens == TokensField::MaxCompletionTokens
            || self.refused.contains(Fields::TEMPERATURE);
        let works_without = field.is_optional() && now.accepted.contains(Fields::EFFORT);
        if thinks && !works_without {
            self.choose_effort(now.wanted, now.names, None);
        }
        let together = Fields::refused_together();
        let is_of_reasoning = thinks || !self.refused.and(together).is_empty();
        if now.rejections >= TRIES && is_of_reasoning {
            let accepted = now.accepted.with(now.accepted_without_effort);
            let left = Fields::optional(now.wanted).and(together).without(accepted);
            self.untried = self.untried.with(left.without(self.refused));
        }
        Ok(field)
    }

    /// What was learned from rejections since the profile was as `earlier`, of this model.
    pub(super) fn since(&self, earlier: &Self, model: &str) -> Self {
        let is_new = |effort: &&String| !earlier.refused_efforts.contains(effort);
        let refused_efforts = self.refused_efforts.iter().filter(is_new);
        let tokens = match self.tokens == earlier.tokens {
            true => TokensField::AsWritten,
            false => self.tokens,
        };
        let effort = self.effort.clone();
        let refused = self.refused.without(earlier.refused);
        let conditions = self.conditions.iter();
        let conditions = conditions.filter(|it| refused.contains(it.field));
        Self {
            tokens,
            effort: effort.filter(|_| self.effort != earlier.effort),
            refused_efforts: refused_efforts.cloned().collect(),
            refused,
            conditions: conditions.cloned().collect(),
            excepted: Fields::default(),
            untried: self.untried.without(earlier.untried),
            thinks: false,
            allowance: 0,
            allowances: BTreeMap::new(),
            most_tokens: self
                .most_tokens
                .filter(|_| self.most_tokens != earlier.most_tokens),
            model: Some(model.to_owned()),
        }
    }

    fn learn_tokens(
        &mut self,
        field: Field,
        rejection: &Rejection,
        now: &Circumstances<'_>,
    ) -> Result<(), NothingLearned> {
        let sent = now.sent.max_tokens.or(now.sent.max_completion_tokens);
        if let Some(most) = rejection.most_tokens() {
            // Only the thinking allowance can be reduced.
            let fits = now.wanted.max_tokens.is_some_and(|wanted| wanted <= most);
            if !fits || sent.is_none_or(|sent| sent <= most) {
                return Err(NothingLearned);
            }
            self.most_tokens = Some(most);
            return Ok(());
        }
        if field == Field::MaxTokens {
            self.tokens = TokensField::MaxCompletionTokens;
        } else {
            // A deployment without this field is older than `reasoning_effort`.
            self.tokens = TokensField::MaxTokens;
            self.effort = None;
            self.refused = self.refused.with(Fields::EFFORT);
        }
        Ok(())
    }

    /// Leaves the field out of this request and of those like it.
    fn leave_out(&mut self, field: Field, rejection: &Rejection, now: &Circumstances<'_>) {
        let field = Fields::of_request(field, now.wanted);
        let mut settings = Settings::from_request(now.wanted);
        if rejection.is_about_any_value() {
            settings = settings.without(field);
        }
        self.refuse(field, settings, now.exceptions);
    }

    /// Leaves out the effort that the user has set. Where only this one is refused, another one must be
    /// chosen by the user: the answers depend on it.
    fn learn_that_no_effort_is_accepted(
        &mut self,
        rejection: &Rejection,
        now: &Circumstances<'_>,
    ) -> Result<(), NothingLearned> {
        let is_about_value = effort_in(now.sent).is_some_and(|effort| rejection.mentions(effort));
        let is_about_all = rejection.is_about_any_value() || !is_about_value;
        if !is_about_all || rejection.is_guess(now.sent) || !rejection.efforts().is_empty() {
            return Err(NothingLearned);
        }
        self.leave_out(Field::Effort, rejection, now);
        if self.effort.is_none() {
            self.refused = self.refused.with(Fields::EFFORT);
        }
        Ok(())
    }

    /// Chooses the lowest of the efforts that the rejection lists.
    fn learn_effort(&mut self, rejection: &Rejection) {
        self.refused_efforts.extend(self.effort.take());
        let is_left = |effort: &&str| {
            let listed = rejection.efforts().contains(effort);
            listed && !self.refused_efforts.iter().any(|refused| refused == effort)
        };
        match EFFORTS.into_iter().find(is_left) {
            Some(effort) => self.effort = Some(effort.to_owned()),
            None => self.refused = self.refused.with(Fields::EFFORT),
        }
    }

    /// Chooses the lowest effort of the model's family, otherwise the guess, if no effort is known
    /// yet. Returns whether one was chosen.
    pub(super) fn choose_effort(
        &mut self,
        wanted: &ChatRequest,
        names: &[&str],
        guess: Option<&str>,
    ) -> bool {
        let is_settled = self.effort.is_some() || self.refused.contains(Fields::EFFORT);
        if is_settled || names_effort(wanted) {
            return false;
        }
        let of_family = names.iter().find_map(|name| lowest_effort(name));
        self.effort = match of_family {
            Some(Family::Takes(effort)) => Some(effort.to_owned()),
            Some(Family::TakesNone) => None,
            None => guess.map(str::to_owned),
        };
        self.effort.is_some()
    }
}

/// What a family of models accepts.
#[derive(Debug, PartialEq, Eq)]
enum Family {
    /// Its lowest effort.
    Takes(&'static str),
    TakesNone,
}

/// The lowest effort of the family that the name reveals, according to the published tables.
/// A deployment's name is the user's choice, so this is only the first guess.
fn lowest_effort(name: &str) -> Option<Family> {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .collect();
    let has = |word: &str| words.contains(&word);
    if ["o1", "o3", "o4"].iter().any(|family| has(family)) {
        return Some(Family::Takes("low"));
    }
    let version = words.iter().zip(words.iter().skip(1));
    let version = version.filter_map(|(gpt, version)| (*gpt == "gpt").then_some(*version));
    let version = version
        .chain(words.iter().filter_map(|word| word.strip_prefix("gpt")))
        .find(|version| version.starts_with(|c: char| c.is_ascii_digit()))?;
    let minor = version.strip_prefix('5')?;
    Some(match minor {
        _ if has("chat") => Family::TakesNone,
        _ if has("codex") || has("pro") => Family::Takes("medium"),
        "" => Family::Takes("minimal"),
        _ => Family::Takes("none"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_tell_the_lowest_effort() {
        for (name, effort) in [
            ("gpt-5-mini", Some(Family::Takes("minimal"))),
            ("gpt-5-mini-2025-08-07", Some(Family::Takes("minimal"))),
            ("team_GPT5", Some(Family::Takes("minimal"))),
            ("gpt-5.1-2025-11-13", Some(Family::Takes("none"))),
            ("gpt-5.4-nano", Some(Family::Takes("none"))),
            ("gpt-51", Some(Family::Takes("none"))),
            ("o4-mini", Some(Family::Takes("low"))),
            ("gpt-5-chat", Some(Family::TakesNone)),
            ("gpt-5-pro", Some(Family::Takes("medium"))),
            ("gpt-4o-mini", None),
            ("gpt-35-turbo", None),
            ("demo1", None),
            ("class", None),
        ] {
            assert_eq!(lowest_effort(name), effort, "{name}");
        }
    }
}
