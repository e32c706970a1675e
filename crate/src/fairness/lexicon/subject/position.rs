//! The position of a noun or a name in its sentence, which tells whether it is the subject of the text
//! or another person.

use super::super::roles::{Class, Role};
use super::Reading;
use crate::fairness::text::TokenKind;

/// The largest distance to the left at which the article of a noun is searched.
const MAX_PHRASE: usize = 6;

/// The position of a noun or a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// At the start of its sentence, or in apposition to the subject.
    Start,
    /// A predicate, which describes a person.
    Predicate,
    /// Another person.
    Other,
}

impl<'t> Reading<'t> {
    pub(super) fn is(&self, at: usize, class: Class) -> bool {
        self.words.get(at).is_some_and(|word| word.is(class))
    }

    pub(super) fn lower(&self, at: usize) -> Option<&'t str> {
        self.words.get(at).map(|word| word.lower)
    }

    /// The start of the noun phrase that ends with this word.
    fn phrase(&self, at: usize) -> usize {
        const ENDS: [Class; 7] = [
            Class::Preposition,
            Class::Conjunction,
            Class::Coordinator,
            Class::Copula,
            Class::Introducer,
            Class::IntroducerAfterNoun,
            Class::Verb,
        ];
        let named = matches!(
            self.words.get(at).and_then(|word| word.mention),
            Some((_, Role::Name | Role::Title))
        );
        let mut from = at;
        let mut bare = None;
        for place in (self.sentence..at).rev().take(MAX_PHRASE) {
            let Some(word) = self.words.get(place) else {
                break;
            };
            let owner = matches!(
                word.mention,
                Some((_, Role::Possessive | Role::ObjectOrPossessive))
            );
            if word.is(Class::Determiner) || owner {
                return bare.filter(|_| named).unwrap_or(place);
            }
            let comma = word.is_mark(",") && !named;
            let stops = word.kind != TokenKind::Word && !comma || word.classes.is_any(&ENDS);
            if stops {
                break;
            }
            if is_verb(word.lower) || comma || named && is_plural(word.lower) {
                bare = bare.or(Some(place + 1));
            }
            from = place;
        }
        bare.unwrap_or(from)
    }

    pub(super) fn position(&self, at: usize) -> Position {
        let from = self.phrase(at);
        let alone = from == at && from == self.sentence;
        let noun = matches!(
            self.words.get(at).and_then(|word| word.mention),
            Some((_, Role::Noun | Role::Relative))
        );
        if alone
            && noun
            && self
                .words
                .get(at + 1)
                .is_none_or(|it| it.kind == TokenKind::Mark)
        {
            // `Man, what a day`
            return Position::Other;
        }
        let Some(before) = from.checked_sub(1).filter(|_| from > self.sentence) else {
            let introduced = self.is(from, Class::Indefinite)
                || self.person.is_some() && self.is(from, Class::Determiner);
            let someone_new = self.sentences > 1 && noun && introduced;
            return match someone_new && self.subject().is_none() {
                true => Position::Other,
                false => Position::Start,
            };
        };
        self.after(before, from, noun)
    }

    /// Whether a word belongs to a phrase such as `, a quiet and patient artist`.
    pub(super) fn is_apposition(&self, at: usize) -> bool {
        let mut before = (self.sentence..at).rev().take(MAX_PHRASE);
        before.any(|at| {
            let comma = at.checked_sub(1).and_then(|at| self.words.get(at));
            self.is(at, Class::Indefinite) && comma.is_some_and(|it| it.is_mark(","))
        })
    }

    /// The position of a phrase, determined by the word before it.
    fn after(&self, before: usize, from: usize, noun: bool) -> Position {
        let Some(word) = self.words.get(before) else {
            return Position::Other;
        };
        if word.kind == TokenKind::Mark {
            let list = before.checked_sub(1).is_some_and(|it| {
                self.last_other.is_some_and(|last| last >= it) || self.is(it, Class::Counterpart)
            });
            // `It serves all: the boy who counts his coins, the woman in a hurry`
            let listed = (self.sentence..=before)
                .any(|at| self.words.get(at).is_some_and(|it| it.is_mark(":")));
            // `As the pilot climbed down, the foreman waved`
            let second = noun
                && self.is(from, Class::Determiner)
                && !self.is(from, Class::Indefinite)
                && self.is(self.sentence, Class::Subordinator)
                && (self.sentence + 1..before).any(|at| self.is(at, Class::Determiner));
            return match list || listed || second {
                true => Position::Other,
                false => Position::Start,
            };
        }
        let topic = word.is(Class::Preposition)
            && before
                .checked_sub(1)
                .is_some_and(|it| self.is(it, Class::Topic));
        let called = word.is(Class::IntroducerAfterNoun)
            && self.is(self.phrase(before.saturating_sub(1)), Class::Indefinite);
        let narrated = self.is(self.sentence, Class::FirstPerson)
            && !self.narrator
            && from - self.sentence <= MAX_PHRASE
            && noun;
        let copula = word.is(Class::Copula) || word.lower == "'s" && self.clause_is(before);
        if copula || word.is(Class::Introducer) || topic || called || narrated {
            return Position::Predicate;
        }
        let second = word.is(Class::Coordinator) && noun;
        let first_part = (self.sentence..before).rev().take(MAX_PHRASE);
        let mut first_part = first_part.map_while(|it| self.words.get(it));
        if second && first_part.any(|it| it.is(Class::Copula)) {
            return Position::Predicate;
        }
        Position::Other
    }

    /// Whether this `'s` is a verb, as in `she's`.
    fn clause_is(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.words.get(at));
        before.is_some_and(|word| {
            matches!(word.mention, Some((_, Role::Subject)))
                || matches!(word.lower, "it" | "that" | "there" | "who" | "here")
        })
    }
}

pub(super) fn is_plural(word: &str) -> bool {
    word.len() > 3 && word.ends_with('s') && !word.ends_with("ss")
}

fn is_verb(word: &str) -> bool {
    word.len() > 3 && (word.ends_with("ed") || word.ends_with("ing"))
}
