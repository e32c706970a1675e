//! What must not be changed: facts that depend on sex, historical people, and idioms.

use std::collections::HashMap;

use super::text::Word;
use crate::fairness::mitigation::tsv;

/// The reason why a text was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtectionReason {
    /// It is about a fact that only applies to its group, such as a pregnancy.
    Fact(String),
    /// It is about a real person.
    Person(String),
}

/// The kind of a protected phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Protects the whole text.
    Fact,
    /// Protects the whole text if the phrase is written as a name.
    Person,
    /// Protects only the phrase itself: *mother tongue*.
    Idiom,
}

/// Phrases by their first word, in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Keep(HashMap<String, Vec<(Vec<String>, Kind)>>);

impl Keep {
    /// The phrases of `protected.tsv`.
    pub(super) fn shipped() -> Self {
        let mut keep = Self::default();
        for [kind, phrase] in tsv::split_fields(include_str!("protected.tsv")) {
            let kind = match kind {
                "person" => Kind::Person,
                "idiom" => Kind::Idiom,
                _ => Kind::Fact,
            };
            keep.add(kind, phrase);
        }
        keep
    }

    pub(super) fn add(&mut self, kind: Kind, phrase: &str) {
        let words: Vec<String> = super::words(phrase).iter().map(Word::lower).collect();
        if let Some(first) = words.first().cloned() {
            self.0.entry(first).or_default().push((words, kind));
        }
    }

    /// The reason why the whole text is protected, if it is.
    pub(super) fn reason(&self, words: &[Word<'_>], lower: &[String]) -> Option<ProtectionReason> {
        (0..words.len()).find_map(|at| {
            let (phrase, kind) = self
                .phrases(words, lower, at)
                .find(|(_, kind)| *kind != Kind::Idiom)?;
            let there: Vec<&str> = words
                .iter()
                .skip(at)
                .take(phrase.len())
                .map(|word| word.text)
                .collect();
            let there = there.join(" ");
            Some(match kind {
                Kind::Person => ProtectionReason::Person(there),
                _ => ProtectionReason::Fact(there),
            })
        })
    }

    /// The number of words of an idiom at this index, 0 if there is none.
    pub(super) fn idiom(&self, words: &[Word<'_>], lower: &[String], at: usize) -> usize {
        self.phrases(words, lower, at)
            .filter(|(_, kind)| *kind == Kind::Idiom)
            .map(|(phrase, _)| phrase.len())
            .max()
            .unwrap_or_default()
    }

    fn phrases<'k>(
        &'k self,
        words: &'k [Word<'_>],
        lower: &'k [String],
        at: usize,
    ) -> impl Iterator<Item = &'k (Vec<String>, Kind)> {
        let known = lower.get(at).and_then(|word| self.0.get(word));
        known.into_iter().flatten().filter(move |(phrase, kind)| {
            let place = at..at + phrase.len();
            // *Joan of Arc* contains a word in lower case.
            let named = || {
                let words = words.get(place.clone()).unwrap_or_default();
                words.first().is_some_and(Word::is_capital)
                    && words.last().is_some_and(Word::is_capital)
            };
            lower.get(place.clone()) == Some(phrase.as_slice())
                && (*kind != Kind::Person || named())
        })
    }
}
