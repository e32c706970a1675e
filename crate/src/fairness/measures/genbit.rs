//! GenBit: whether words occur nearer to the words of one group than to those of another.

use std::collections::HashMap;

use super::association::mean;
use super::proximity::nearness;
use crate::error::{Error, ErrorKind, Result};
use crate::fairness::lexicon::Lexicon;
use crate::fairness::text::{StopWords, Text};

/// The largest distance at which a group's word counts, in tokens.
const WINDOW: usize = 30;

/// The result of [`genbit()`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GenBit {
    /// The mean of |bias| over [`words`](GenBit::words): 0 is even-handed. `None` if there are no
    /// such words.
    pub score: Option<f64>,
    /// The mean of the signed biases: toward which group the words lean overall.
    pub signed: Option<f64>,
    /// The least co-occurrence for a word to be included.
    pub cutoff: f64,
    /// The number of words of each group of the lexicon in the texts.
    pub group_words: Vec<usize>,
    /// The Jensen-Shannon divergence, in nats, between the proximities of all words to the first
    /// and to the second group: 0 if both groups have the same neighbors, at most ln 2.
    pub divergence: f64,
    /// The included words, in alphabetical order.
    pub words: Vec<WordBias>,
}

/// A word, and how near it occurs to the words of each group.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WordBias {
    /// The word.
    pub word: String,
    /// The number of occurrences in the texts.
    pub frequency: usize,
    /// For each group of the lexicon, 1 + the sum of 0.95^distance over the group's words.
    pub proximity: Vec<f64>,
    /// For each group of the lexicon, P(w | group).
    pub conditional_probability: Vec<f64>,
    /// ln P(w | second group) - ln P(w | first group), for the two compared groups.
    pub bias: f64,
}

/// The GenBit score of texts, for a lexicon that compares two groups.
///
/// proximity_g(w) = 1 + sum of 0.95^d over the words of group g at a distance d of at most 30 tokens
/// in the same text, after removal of stop words; P(w | g) = proximity_g(w) / (N_g + |V|), with N_g
/// the number of words of g in the texts and |V| the number of distinct words. The score is the mean
/// of |ln P(w | 2) / P(w | 1)| over the words that belong to no group and whose sum of proximity_g is
/// at or above the `percentile` (GenBit uses 80) of the sums above 2.
///
/// GenBit's other ratios, for groups that are counted apart (its *non-binary* words), can be
/// computed from [`proximity`](WordBias::proximity) and [`group_words`](GenBit::group_words).
///
/// Words are runs of letters. Unlike in GenBit, which uses a neural model, they are not lemmatized.
/// GenBit's stop words are those of `stopwordsiso`; pass them for the same results.
///
/// # Errors
/// `ErrorKind::Argument` if the lexicon compares more or fewer than two groups, or the percentile
/// is not between 0 and 100.
///
/// Source: Sengupta et al. (2021), GenBit: Measure and Mitigate Gender Bias in Language
/// Datasets; GenBit 2.2.
pub fn genbit<'t>(
    texts: impl IntoIterator<Item = &'t Text>,
    lexicon: &Lexicon,
    stop_words: &StopWords,
    percentile: f64,
) -> Result<GenBit> {
    let pair = lexicon.pair()?;
    if !(0.0..=100.0).contains(&percentile) {
        let message = format!("a percentile is between 0 and 100, not {percentile}");
        return Err(Error::new(ErrorKind::Argument, message));
    }
    let mut vocabulary = Vocabulary::default();
    for text in texts {
        vocabulary.count_text(text, lexicon, stop_words);
    }
    let entries = vocabulary.entries;
    let group_words: Vec<usize> = (0..lexicon.groups().len())
        .map(|place| {
            let own = entries.iter().filter(|entry| entry.group == Some(place));
            own.map(|entry| entry.frequency).sum()
        })
        .collect();
    let sizes: Vec<f64> = group_words
        .iter()
        .map(|words| (words + entries.len()) as f64)
        .collect();
    let divergence = divergence(&entries, pair);
    let cutoff = cutoff(entries.iter().map(Entry::total), percentile);
    let looked_at = entries.into_iter().filter(|entry| {
        // Sums of the same terms in a different order may differ in the last digits.
        entry.group.is_none() && entry.total() >= cutoff - 1e-9
    });
    let mut words: Vec<_> = looked_at.map(|entry| entry.bias(pair, &sizes)).collect();
    words.sort_by(|a, b| a.word.cmp(&b.word));
    Ok(GenBit {
        score: mean(words.iter().map(|word| word.bias.abs())),
        signed: mean(words.iter().map(|word| word.bias)),
        cutoff,
        group_words,
        divergence,
        words,
    })
}

struct Entry {
    word: String,
    group: Option<usize>,
    frequency: usize,
    proximity: Vec<f64>,
}

impl Entry {
    fn total(&self) -> f64 {
        self.proximity.iter().sum()
    }

    fn proximity(&self, place: usize) -> f64 {
        self.proximity.get(place).copied().unwrap_or(1.0)
    }

    fn bias(self, pair: [usize; 2], sizes: &[f64]) -> WordBias {
        let conditional_probability: Vec<f64> = self
            .proximity
            .iter()
            .zip(sizes)
            .map(|(proximity, size)| proximity / size)
            .collect();
        let [first, second] =
            pair.map(|place| conditional_probability.get(place).copied().unwrap_or(1.0));
        WordBias {
            word: self.word,
            frequency: self.frequency,
            bias: second.ln() - first.ln(),
            proximity: self.proximity,
            conditional_probability,
        }
    }
}

/// The words of the texts. A word with two spellings, only one of which names a group (`Miss`), is
/// two entries.
#[derive(Default)]
struct Vocabulary {
    entries: Vec<Entry>,
    index: HashMap<(String, Option<usize>), usize>,
}

impl Vocabulary {
    fn count_text(&mut self, text: &Text, lexicon: &Lexicon, stop_words: &StopWords) {
        let groups = lexicon.groups().len();
        let kept: Vec<_> = text
            .letters()
            .filter_map(|run| {
                let lower = run.to_lowercase();
                let group = lexicon.group_of_word(run, &lower);
                let keeps = group.is_some() || !stop_words.contains(&lower);
                keeps.then(|| self.place(lower, group, groups))
            })
            .collect();
        for place in 0..groups {
            let of_group = |&at: &usize| self.entries.get(at).map(|entry| entry.group);
            let marked: Vec<_> = kept
                .iter()
                .map(|at| of_group(at) == Some(Some(place)))
                .collect();
            if !marked.contains(&true) {
                continue;
            }
            for (&at, proximity) in kept.iter().zip(nearness(&marked, Some(WINDOW))) {
                let entry = self.entries.get_mut(at);
                if let Some(sum) = entry.and_then(|entry| entry.proximity.get_mut(place)) {
                    *sum += proximity;
                }
            }
        }
    }

    /// Counts a word and returns its index.
    fn place(&mut self, word: String, group: Option<usize>, groups: usize) -> usize {
        let next = self.entries.len();
        let place = *self.index.entry((word.clone(), group)).or_insert(next);
        if place == next {
            self.entries.push(Entry {
                word,
                group,
                frequency: 0,
                proximity: vec![1.0; groups],
            });
        }
        if let Some(entry) = self.entries.get_mut(place) {
            entry.frequency += 1;
        }
        place
    }
}

/// The mean of the Kullback-Leibler divergences of both groups' neighbors from their average.
fn divergence(entries: &[Entry], pair: [usize; 2]) -> f64 {
    let sums = pair.map(|place| {
        entries
            .iter()
            .map(|entry| entry.proximity(place))
            .sum::<f64>()
    });
    let terms = entries.iter().map(|entry| {
        let shares = [0, 1].map(|side: usize| entry.proximity(pair[side]) / sums[side]);
        let middle = 0.5 * (shares[0] + shares[1]);
        let terms = shares.map(|share| 0.5 * share * (share / middle).ln());
        terms.iter().sum::<f64>()
    });
    terms.sum()
}

/// The percentile of the totals above 2, interpolated as in NumPy; 2 if there are none.
fn cutoff(totals: impl Iterator<Item = f64>, percentile: f64) -> f64 {
    let mut totals: Vec<_> = totals.filter(|&total| total > 2.0).collect();
    totals.sort_by(f64::total_cmp);
    let place = totals.len().saturating_sub(1) as f64 * percentile / 100.0;
    let below = totals.get(place.floor() as usize).copied();
    let above = totals.get(place.ceil() as usize).copied();
    match (below, above) {
        (Some(below), Some(above)) => below + (above - below) * place.fract(),
        _ => 2.0,
    }
}
