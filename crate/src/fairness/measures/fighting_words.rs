//! Fighting Words: the words that differ between the answers about two groups.

use std::collections::{BTreeMap, BTreeSet};

use crate::fairness::lexicon::Lexicon;
use crate::fairness::text::{Text, TokenKind};

/// The number of occurrences of each word in some texts.
pub type WordCounts = BTreeMap<String, f64>;

/// A word, and how much more often one side uses it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WordDifference {
    /// The word, in lower case.
    pub word: String,
    /// The number of occurrences on the first side.
    pub first: f64,
    /// The number of occurrences on the second side.
    pub second: f64,
    /// The log odds ratio: above 0 if the first side uses the word more often.
    pub delta: f64,
    /// delta divided by its standard deviation: about normal, if words were independent.
    pub z: f64,
}

/// The number of occurrences of each word in the texts, without the words of the lexicon's groups:
/// a prompt about a woman is naturally answered with *she*.
pub fn word_counts<'t>(texts: impl IntoIterator<Item = &'t Text>, without: &Lexicon) -> WordCounts {
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    for text in texts {
        for token in text.tokens().filter(|token| token.kind == TokenKind::Word) {
            if without.group_of(token).is_none() {
                *counts.entry(token.lower).or_default() += 1.0;
            }
        }
    }
    counts
        .into_iter()
        .map(|(word, count)| (word.to_owned(), count))
        .collect()
}

/// The informative prior of [`fighting_words()`] from both sides together: words have the
/// frequencies of the pooled texts, with a total weight of a tenth of the smaller side.
///
/// Monroe et al. use a prior of 500 words for a day of speeches. A fixed share keeps z comparable
/// between studies: with no difference its standard deviation is 0.95, whereas a prior as heavy as
/// the texts would reduce it to 0.6.
pub fn pooled_prior(first: &WordCounts, second: &WordCounts) -> WordCounts {
    let [a, b] = [first, second].map(|counts| counts.values().sum::<f64>());
    let scale = a.min(b).max(1.0) / 10.0 / (a + b).max(1.0);
    let mut prior = first.clone();
    for (word, count) in second {
        *prior.entry(word.clone()).or_default() += count;
    }
    prior.values_mut().for_each(|count| *count *= scale);
    prior
}

/// The words of two sides, ordered by z: those that the first side uses more often come first.
///
/// delta_w = ln[(y1 + a) / (n1 + a0 - y1 - a)] - ln[the same for 2], where y is the count of the
/// word, n that of all words, a its prior and a0 the sum of all priors; var = 1/(y1 + a) + 1/(y2 +
/// a); z = delta / sqrt(var). Words of either side are included; a word without a prior, or that is
/// the only word of its side, has no odds and is omitted.
///
/// **z assumes that words are independent**, but the samples of a prompt repeat each other, so z is
/// too large: use it to rank words, not as a test. Correct for the number of words before reporting
/// any.
///
/// Source: Monroe, Colaresi and Quinn (2008), Fightin' Words, equations 16 and 20 to 22.
pub fn fighting_words(
    first: &WordCounts,
    second: &WordCounts,
    prior: &WordCounts,
) -> Vec<WordDifference> {
    let words: BTreeSet<_> = first.keys().chain(second.keys()).collect();
    let weight: f64 = words.iter().filter_map(|&word| prior.get(word)).sum();
    let [all_first, all_second] = [first, second].map(|side| side.values().sum::<f64>() + weight);
    let difference = |word: &String| {
        let prior = *prior.get(word)?;
        let [y1, y2] = [first, second].map(|side| side.get(word).copied().unwrap_or_default());
        let odds = |count: f64, all: f64| (count / (all - count)).ln();
        let delta = odds(y1 + prior, all_first) - odds(y2 + prior, all_second);
        let z = delta / (1.0 / (y1 + prior) + 1.0 / (y2 + prior)).sqrt();
        let found = WordDifference {
            word: word.clone(),
            first: y1,
            second: y2,
            delta,
            z,
        };
        z.is_finite().then_some(found)
    };
    let mut found: Vec<_> = words.into_iter().filter_map(difference).collect();
    found.sort_by(|a, b| b.z.total_cmp(&a.z).then_with(|| a.word.cmp(&b.word)));
    found
}
