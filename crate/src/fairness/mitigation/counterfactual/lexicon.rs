//! The words of two groups as rules: the counterpart of a word, and when it applies.

use std::collections::HashMap;

use super::text::{Word, words};
use crate::error::Result;
use crate::fairness::mitigation::labels::argument;
use crate::fairness::mitigation::tsv;
use crate::text::sanitize_line;

/// A word's counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) to: String,
    pub(super) when: When,
}

/// The condition under which a counterpart applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// When the word is a possessive before a noun.
    BeforeNoun,
    /// When it is not.
    Alone,
    /// As a title: with a capital, before a name.
    Title,
    /// As a given name: with a capital.
    Name,
}

/// Rules by the words or phrases that they replace, in lower case; the words of a phrase are
/// separated by a space.
#[derive(Clone, Debug, Default)]
pub(super) struct Lexicon {
    rules: HashMap<String, Vec<Rule>>,
    /// The number of words in the longest phrase.
    longest: usize,
}

impl Lexicon {
    /// The built-in words of `swap.tsv` and names of `names.tsv`.
    pub(super) fn gender() -> Self {
        let mut lexicon = Self::default();
        for [one, other, how] in tsv::split_fields(include_str!("swap.tsv")) {
            match how {
                "to" => lexicon.insert(one, other, When::Always),
                "noun" => lexicon.insert(one, other, When::BeforeNoun),
                "alone" => lexicon.insert(one, other, When::Alone),
                "title-to" => lexicon.insert(one, other, When::Title),
                "title" => lexicon.insert_both(one, other, When::Title),
                _ => lexicon.insert_both(one, other, When::Always),
            }
        }
        for [one, other] in tsv::split_fields(include_str!("names.tsv")) {
            lexicon.insert_both(one, other, When::Name);
        }
        lexicon
    }

    /// Adds a pair of counterparts, in both directions.
    pub(super) fn add_pair(&mut self, one: &str, other: &str, when: When) -> Result<()> {
        for side in [one, other] {
            let shown = sanitize_line(side, 60);
            if words(side).is_empty() {
                return Err(argument(format!(
                    "'{shown}' is not a word that can be swapped"
                )));
            }
            if self.rules.contains_key(&key(side)) {
                return Err(argument(format!("'{shown}' is in two pairs"))
                    .with_hint("a word can have only one counterpart"));
            }
        }
        if key(one) == key(other) {
            let shown = sanitize_line(one, 60);
            return Err(argument(format!("'{shown}' is its own counterpart")));
        }
        self.insert_both(one, other, when);
        Ok(())
    }

    fn insert_both(&mut self, one: &str, other: &str, when: When) {
        self.insert(one, other, when);
        self.insert(other, one, when);
    }

    fn insert(&mut self, from: &str, to: &str, when: When) {
        let key = key(from);
        self.longest = self.longest.max(key.split(' ').count());
        self.rules.entry(key).or_default().push(Rule {
            to: to.to_owned(),
            when,
        });
    }

    /// The number of words in the longest phrase that starts at this word, and its rules. The words
    /// of a phrase must run on, without punctuation between them.
    pub(super) fn longest(
        &self,
        words: &[Word<'_>],
        lower: &[String],
        at: usize,
    ) -> Option<(usize, &[Rule])> {
        (1..=self.longest).rev().find_map(|length| {
            let phrase = lower.get(at..at + length)?;
            let inner = words.get(at..at + length - 1)?;
            if !inner.iter().all(Word::runs_on) {
                return None;
            }
            let rules = match phrase {
                [word] => self.rules.get(word),
                _ => self.rules.get(&phrase.join(" ")),
            };
            Some((length, rules?.as_slice()))
        })
    }

    /// Whether the word has a rule with this condition.
    pub(super) fn has(&self, word: &str, when: When) -> bool {
        let rules = self.rules.get(word);
        rules.is_some_and(|rules| rules.iter().any(|rule| rule.when == when))
    }

    /// The rule for a hyphenated word in which some parts have an unconditional counterpart.
    pub(super) fn compound(&self, word: &str) -> Option<Rule> {
        if !word.contains('-') {
            return None;
        }
        let mut found = false;
        let parts: Vec<&str> = word
            .split('-')
            .map(|part| {
                let rules = self.rules.get(part).into_iter().flatten();
                let mut always = rules.filter(|rule| rule.when == When::Always);
                always.next().map_or(part, |rule| {
                    found = true;
                    rule.to.as_str()
                })
            })
            .collect();
        found.then(|| Rule {
            to: parts.join("-"),
            when: When::Always,
        })
    }
}

fn key(text: &str) -> String {
    let words: Vec<String> = words(text).iter().map(Word::lower).collect();
    words.join(" ")
}
