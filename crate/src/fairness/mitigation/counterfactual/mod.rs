//! Counterfactual texts: the same text about the other group.
//!
//! `lexicon` holds the pairs as rules, `text` finds the words, `grammar` disambiguates them by
//! context, `form` adapts letter case, possessives and articles, and `protected_spans` finds what
//! must not change.

mod form;
mod grammar;
mod lexicon;
mod protected_spans;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::error::Result;
use lexicon::{Lexicon, Rule, When};
use protected_spans::Keep;
pub use protected_spans::ProtectionReason;
use text::{Word, words};

/// Exchanges the words of two groups in a text.
///
/// Counterfactual data augmentation after Lu et al., 'Gender Bias in Neural Natural Language
/// Processing' (2020), with the names of Hall Maudslay et al., 'It's All in the Name' (EMNLP 2019):
/// each name has one fixed counterpart, so that a person has the same name throughout a text.
///
/// [`Swap::gender`] has built-in English words, titles and names. Any other two groups are given as
/// a list of pairs:
///
/// ```
/// use evenhand::fairness::mitigation::Swap;
///
/// let gender = Swap::gender();
/// assert_eq!(gender.swap("She loves her job.").text, "He loves his job.");
///
/// let age = Swap::new([("young", "old"), ("grandchild", "uncle")])?;
/// assert_eq!(age.swap("A young man has a grandchild.").text, "An old man has an uncle.");
/// # Ok::<(), evenhand::Error>(())
/// ```
///
/// Letter case, possessives and the articles *a* and *an* are adapted to the new word; *they* is
/// not changed. Where a form has two meanings (*her*), the surrounding words decide. There is no
/// parser, so 'they elected her president' becomes 'his president'. Of 40 difficult sentences that
/// were not used to write the rules, 33 come out right (`her_his_unseen.tsv`). A name after another
/// name is taken for a family name and is not changed.
#[derive(Clone, Debug)]
#[must_use = "a swap changes no text until `swap` or `augment`"]
pub struct Swap {
    lexicon: Lexicon,
    keep: Keep,
}

/// A text about the other group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counterfactual {
    /// The text; the original if nothing was exchanged.
    pub text: String,
    /// The number of exchanged words.
    pub swapped: usize,
    /// The reason why the text was not changed, if there is one.
    pub kept: Option<ProtectionReason>,
}

/// A text in an augmented set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Version {
    /// The index of the original, from 0, which both versions share.
    pub pair: usize,
    /// Whether it is the version about the other group.
    pub swapped: bool,
    /// The text.
    pub text: String,
    /// The reason why there is no counterpart, if the text is protected.
    pub kept: Option<ProtectionReason>,
}

impl Swap {
    /// English words, titles and given names of women and men. Texts about facts that depend on sex
    /// (pregnancy) and about historical people (Marie Curie) are not changed.
    pub fn gender() -> Self {
        static GENDER: LazyLock<Swap> = LazyLock::new(|| Swap {
            lexicon: Lexicon::gender(),
            keep: Keep::shipped(),
        });
        GENDER.clone()
    }

    /// Defines two groups by pairs of words or phrases, which are exchanged for each other.
    ///
    /// # Errors
    /// An entry that is in two pairs, contains no word, or is its own counterpart.
    pub fn new<A, B>(pairs: impl IntoIterator<Item = (A, B)>) -> Result<Self>
    where
        A: AsRef<str>,
        B: AsRef<str>,
    {
        let mut lexicon = Lexicon::default();
        for (one, other) in pairs {
            lexicon.add_pair(one.as_ref(), other.as_ref(), When::Always)?;
        }
        Ok(Self {
            lexicon,
            keep: Keep::default(),
        })
    }

    /// Adds a pair of names, which match only where they are written as names.
    ///
    /// # Errors
    /// The errors of [`new`](Self::new).
    pub fn with_names(&self, one: &str, other: &str) -> Result<Self> {
        let mut swap = self.clone();
        swap.lexicon.add_pair(one, other, When::Name)?;
        Ok(swap)
    }

    /// Protects texts with this name of a real person, so that they are not changed.
    pub fn keep_person(&self, name: &str) -> Self {
        let mut swap = self.clone();
        swap.keep.add(protected_spans::Kind::Person, name);
        swap
    }

    /// The text about the other group. A text about a fact that only applies to its group is not
    /// changed at all: a partial exchange would make it false.
    pub fn swap(&self, text: &str) -> Counterfactual {
        let words = words(text);
        let lower: Vec<String> = words.iter().map(Word::lower).collect();
        if let Some(kept) = self.keep.reason(&words, &lower) {
            return Counterfactual {
                text: text.to_owned(),
                swapped: 0,
                kept: Some(kept),
            };
        }
        self.exchange(text, &words, &lower)
    }

    fn exchange(&self, text: &str, words: &[Word<'_>], lower: &[String]) -> Counterfactual {
        let mut out = form::Writer::new(text);
        let mut swapped = 0;
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let idiom = self.keep.idiom(words, lower, at);
            if idiom > 0 {
                at += idiom;
                continue;
            }
            let (length, rule) = self.counterpart(words, lower, at);
            if let Some(rule) = rule {
                let last = words.get(at + length - 1).unwrap_or(word);
                out.replace(words, at, last, &rule);
                swapped += 1;
            }
            at += length;
        }
        Counterfactual {
            text: out.finish(),
            swapped,
            kept: None,
        }
    }

    /// The number of words at this index that belong together, and the rule that applies to them.
    fn counterpart<'r>(
        &'r self,
        words: &[Word<'_>],
        lower: &[String],
        at: usize,
    ) -> (usize, Option<Cow<'r, Rule>>) {
        if let Some((length, rules)) = self.lexicon.longest(words, lower, at) {
            let mut rules = rules.iter();
            let rule = rules.find(|rule| self.holds(rule, words, lower, at));
            return (length, rule.map(Cow::Borrowed));
        }
        let compound = lower.get(at).and_then(|word| self.lexicon.compound(word));
        (1, compound.map(Cow::Owned))
    }

    fn holds(&self, rule: &Rule, words: &[Word<'_>], lower: &[String], at: usize) -> bool {
        match rule.when {
            When::Always => true,
            When::BeforeNoun => grammar::noun_follows(words, lower, at),
            When::Alone => !grammar::noun_follows(words, lower, at),
            When::Title => grammar::is_title(&self.lexicon, words, lower, at),
            When::Name => grammar::is_given_name(&self.lexicon, words, lower, at),
        }
    }

    /// Every text, followed by its counterpart if it has one; both share the text's index. A text
    /// without words of the groups has no counterpart: an identical copy would only count it twice.
    ///
    /// ```
    /// use evenhand::fairness::mitigation::Swap;
    ///
    /// let versions = Swap::gender().augment(["He is a nurse.", "They are nurses."]);
    /// let texts: Vec<_> = versions.iter().map(|one| (one.pair, one.text.as_str())).collect();
    /// assert_eq!(texts, [(0, "He is a nurse."), (0, "She is a nurse."), (1, "They are nurses.")]);
    /// ```
    pub fn augment<T: AsRef<str>>(&self, texts: impl IntoIterator<Item = T>) -> Vec<Version> {
        let mut versions = Vec::new();
        for (pair, text) in texts.into_iter().enumerate() {
            let text = text.as_ref();
            let other = self.swap(text);
            versions.push(Version {
                pair,
                swapped: false,
                text: text.to_owned(),
                kept: other.kept,
            });
            if other.swapped > 0 {
                versions.push(Version {
                    pair,
                    swapped: true,
                    text: other.text,
                    kept: None,
                });
            }
        }
        versions
    }
}
