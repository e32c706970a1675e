//! The words that differ between the compared groups, in context.

use serde::{Deserialize, Serialize};

use super::measured_answers::MeasuredAnswers;
use crate::error::Result;
use crate::fairness::measures::{
    WordDifference, fighting_words, in_context, pooled_prior, word_counts,
};
use crate::fairness::statistics::{benjamini_hochberg, normal_cdf};
use crate::fairness::text::Text;

/// The most words of each group that are shown.
const MAX_COUNT: usize = 8;
/// The number of tokens of context on each side of a word.
const WIDTH: usize = 8;
/// Words with a larger adjusted p-value are not shown.
const LEVEL: f64 = 0.05;

/// A word that the answers of one group use more often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Word {
    /// The word, in lower case.
    pub word: String,
    /// The group whose answers use it more often.
    pub group: String,
    /// The number of occurrences in the first group's answers.
    pub first: u64,
    /// The number of occurrences in the second group's answers.
    pub second: u64,
    /// The z of Fighting Words: above 0 if the first group uses the word more often.
    pub z: f64,
    /// The p-value of z, adjusted by Benjamini and Hochberg. It assumes that words are independent,
    /// which samples of one prompt are not: use it for ranking, not for a decision.
    pub adjusted_p: f64,
    /// The text before the first occurrence of the word. It comes from a model, as do the next two
    /// fields.
    pub before: String,
    /// The word as written there.
    pub written: String,
    /// The text after it.
    pub after: String,
}

pub(super) fn differing(measured: &MeasuredAnswers<'_>) -> Result<Vec<Word>> {
    let (Ok(pair), Some(names)) = (measured.pair(), measured.study().pair()) else {
        return Ok(Vec::new());
    };
    let sides = pair.map(|group| measured.of_group(&measured.raw, group));
    let counts = [0, 1].map(|side| word_counts(sides[side].iter().copied(), measured.lexicon()));
    let prior = pooled_prior(&counts[0], &counts[1]);
    let found = fighting_words(&counts[0], &counts[1], &prior);
    let p: Vec<f64> = found.iter().map(|word| two_sided(word.z)).collect();
    let asked = asked(measured);
    let mut ranked: Vec<(WordDifference, f64)> = found
        .into_iter()
        .zip(benjamini_hochberg(&p)?)
        .filter(|(word, p)| *p <= LEVEL && !asked.contains(&word.word))
        .collect();
    ranked.sort_by(|(a, _), (b, _)| b.z.abs().total_cmp(&a.z.abs()));
    let side = |more: fn(f64) -> bool| {
        let words = ranked.iter().filter(move |(word, _)| more(word.z));
        words.take(MAX_COUNT)
    };
    let first = side(|z| z > 0.0).map(|word| shown(word, names[0], &sides[0]));
    let second = side(|z| z < 0.0).map(|word| shown(word, names[1], &sides[1]));
    Ok(first.chain(second).collect())
}

fn two_sided(z: f64) -> f64 {
    (2.0 * normal_cdf(-z.abs())).min(1.0)
}

/// The words of the adjectives, which answers repeat from the prompt.
fn asked(measured: &MeasuredAnswers<'_>) -> Vec<String> {
    let groups = measured.study().groups.iter();
    groups
        .flat_map(|group| {
            let text = Text::new(group.adjective.as_str());
            text.words().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

fn shown((word, p): &(WordDifference, f64), group: &str, texts: &[&Text]) -> Word {
    let hit = in_context(texts.iter().copied(), &word.word, WIDTH).next();
    let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
    Word {
        word: word.word.clone(),
        group: group.to_owned(),
        first: word.first as u64,
        second: word.second as u64,
        z: word.z,
        adjusted_p: *p,
        before: part(hit.map(|hit| hit.before)),
        written: part(hit.map(|hit| hit.word)),
        after: part(hit.map(|hit| hit.after)),
    }
}
