//! The words of a text, annotated to determine whom the text is about.

use super::Lexicon;
use super::roles::{Class, Classes, Role, Roles};
use crate::fairness::text::{Text, TokenKind};

/// A word or punctuation mark.
pub(super) struct Word<'t> {
    pub(super) lower: &'t str,
    pub(super) kind: TokenKind,
    /// Its group and role, if it belongs to a compared group.
    pub(super) mention: Option<(usize, Role)>,
    pub(super) classes: Classes,
    pub(super) starts_sentence: bool,
    pub(super) capital: bool,
    /// Whether it is part of direct speech.
    pub(super) quoted: bool,
    /// Whether it is part of a fixed expression, or of the name of an institution.
    pub(super) figure: bool,
    /// Whether it is coordinated with a word of another group.
    pub(super) coordinated: bool,
    gap: bool,
}

impl Word<'_> {
    pub(super) fn is(&self, class: Class) -> bool {
        self.classes.is(class)
    }

    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.kind == TokenKind::Mark && self.lower == mark
    }

    /// Its group and role, unless it refers to nobody.
    pub(super) fn named(&self) -> Option<(usize, Role)> {
        self.mention.filter(|_| !self.figure && !self.quoted)
    }
}

/// Annotates the words of a text.
pub(super) fn words<'t>(lexicon: &Lexicon, text: &'t Text) -> Vec<Word<'t>> {
    let roles = Roles::english();
    let mut words = tokens(lexicon, text, roles);
    quotes(&mut words);
    figures(&mut words, roles);
    institutions(&mut words);
    coordinations(&mut words);
    words
}

fn tokens<'t>(lexicon: &Lexicon, text: &'t Text, roles: &Roles) -> Vec<Word<'t>> {
    let mut end = 0;
    let mut starts = true;
    let annotated = text.tokens().zip(text.starts()).map(|(token, at)| {
        let gap = text.answer().get(end..at).unwrap_or_default();
        end = at + token.written.len();
        starts |= gap.contains('\n');
        let is_word = token.kind != TokenKind::Mark;
        let word = Word {
            lower: token.lower,
            kind: token.kind,
            mention: lexicon
                .group_of(token)
                .filter(|group| lexicon.groups.get(*group).is_some_and(|it| !it.apart))
                .map(|group| (group, role(lexicon, token.lower, roles))),
            classes: roles.classes(token.lower),
            starts_sentence: starts && is_word,
            capital: token.written.starts_with(char::is_uppercase),
            quoted: false,
            figure: false,
            coordinated: false,
            gap: !gap.is_empty() || at == 0,
        };
        starts = if is_word {
            false
        } else {
            starts || matches!(token.lower.chars().next(), Some('.' | '?' | '!' | '…'))
        };
        word
    });
    annotated.collect()
}

fn role(lexicon: &Lexicon, lower: &str, roles: &Roles) -> Role {
    let lower = lower.trim_end_matches('.');
    let listed = |entry: &super::Entry| entry.written.is_some();
    roles
        .role(lower)
        .unwrap_or_else(|| match lexicon.index.get(lower).is_some_and(listed) {
            true => Role::Name,
            false => Role::Any,
        })
}

/// Marks direct speech. If the whole text is quoted, nothing is marked.
fn quotes(words: &mut [Word<'_>]) {
    let mut open: Option<&str> = None;
    let mut outside = false;
    for at in 0..words.len() {
        let next_gap = words.get(at + 1).is_none_or(|next| next.gap);
        let Some(word) = words.get_mut(at) else {
            break;
        };
        let closing = match word.lower {
            "\"" | "”" | "“" | "„" | "«" | "»" => Some("\""),
            "'" => Some("'"),
            _ => None,
        };
        match (closing.filter(|_| word.kind == TokenKind::Mark), open) {
            (Some(mark), Some(opened)) if mark == opened => open = None,
            (Some(mark), None) if word.gap && !next_gap => open = Some(mark),
            _ => {
                word.quoted = open.is_some();
                outside |= open.is_none() && word.kind == TokenKind::Word;
            }
        }
    }
    if !outside {
        words.iter_mut().for_each(|word| word.quoted = false);
    }
}

fn figures(words: &mut [Word<'_>], roles: &Roles) {
    let mut at = 0;
    while at < words.len() {
        let rest = words.get(at..).unwrap_or_default();
        let found = roles
            .figures()
            .longest(rest.iter().map(|word| word.lower), |_| false);
        for word in words.iter_mut().skip(at).take(found.unwrap_or_default()) {
            word.figure = true;
        }
        at += found.unwrap_or(1);
    }
}

/// The most words after the first in the name of an institution.
const MAX_NAME: usize = 5;

/// Marks institutions and places: *King's College*, *St. Mary's Hospital*, *San Antonio*, *Society
/// of Women Engineers*.
fn institutions(words: &mut [Word<'_>]) {
    for at in 0..words.len() {
        let Some(word) = words.get(at) else {
            break;
        };
        let (Some((_, role)), true) = (word.mention, word.capital) else {
            continue;
        };
        if role == Role::Title {
            continue;
        }
        let back = |n: usize| at.checked_sub(n).and_then(|at| words.get(at));
        let place = back(1).is_some_and(|it| it.capital && it.is(Class::Place));
        let society = back(1).is_some_and(|of| of.lower == "of")
            && back(2).is_some_and(|it| it.capital && it.is(Class::Institution));
        let last = name_of_institution(words, at, role);
        if place || society {
            words
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|it| it.figure = true);
        }
        if let Some(last) = last {
            let name = words.iter_mut().take(last + 1).skip(at);
            name.for_each(|it| it.figure = true);
        }
    }
}

/// The end of the name of an institution that begins here, if there is one.
fn name_of_institution(words: &[Word<'_>], at: usize, role: Role) -> Option<usize> {
    // `Linda Park` is a person, `Linda's Park` is not.
    let mut family_name = role == Role::Name;
    for (place, word) in words.iter().enumerate().skip(at + 1).take(MAX_NAME) {
        let joins =
            word.kind == TokenKind::Clitic || matches!(word.lower, "'" | "&" | "and" | "of");
        if !joins && !word.capital {
            return None;
        }
        family_name &= word.kind != TokenKind::Clitic;
        let ends =
            word.is(Class::Institution) || word.is(Class::InstitutionOrFamilyName) && !family_name;
        if word.capital && ends {
            return Some(place);
        }
    }
    None
}

/// The largest distance between two coordinated mentions.
const PAIR: usize = 6;

/// Marks coordinated mentions of two groups: *he or she*, *Sarah and David*, *Mr. and Mrs. Rossi*.
fn coordinations(words: &mut [Word<'_>]) {
    let mut last: Option<(usize, usize)> = None;
    for at in 0..words.len() {
        let Some((group, _)) = words.get(at).and_then(Word::named) else {
            continue;
        };
        if let Some((before, other)) = last
            && other != group
            && at - before <= PAIR
            && words.get(before + 1..at).is_some_and(joins)
        {
            for place in [before, at] {
                if let Some(word) = words.get_mut(place) {
                    word.coordinated = true;
                }
            }
        }
        last = Some((at, group));
    }
}

/// Whether the words coordinate the mentions before and after them: *and the*, *Diaz and*, */*.
fn joins(between: &[Word<'_>]) -> bool {
    let mut coordinators = 0;
    let fits = between.iter().all(|word| {
        let coordinator = word.is(Class::Coordinator);
        coordinators += usize::from(coordinator);
        coordinator
            || coordinators == 0 && word.capital
            || coordinators > 0 && word.is(Class::Determiner)
            || word.is_mark(",")
    });
    fits && coordinators == 1
}
