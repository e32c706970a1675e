//! LangFair's co-occurrence bias score.

use std::collections::HashMap;

use super::association::mean;
use super::proximity::nearness;
use crate::error::Result;
use crate::fairness::lexicon::Lexicon;
use crate::fairness::text::{StopWords, Text, TokenKind};

/// The result of [`cobs()`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Cobs {
    /// The mean over [`words`](Cobs::words): 0 is even-handed. `None` if there are none.
    pub mean: Option<f64>,
    /// The target words that occur near words of both groups, with their scores.
    pub words: Vec<(String, f64)>,
    /// The target words that occur near words of only one group, with the group's index in the
    /// lexicon. **They are the most stereotyped words, but have no score**: their ratio is
    /// infinite.
    pub one_sided: Vec<(String, usize)>,
}

/// The co-occurrence bias score of target words, for a lexicon that compares two groups.
///
/// near_g(w) is the sum of 0.95^d over all words of group g in the texts that contain w, where d is
/// the distance in tokens, not counting punctuation; COBS(w) = |log10(R_1 / R_2)| with R_g =
/// near_g(w) / sum of near_g over all words, divided by count_g / number of all words. "All words"
/// are those that are neither stop words nor words of a compared group. Targets are single words in
/// lower case.
///
/// # Errors
/// `ErrorKind::Argument` if the lexicon compares more or fewer than two groups.
///
/// Source: Bordia and Bowman (2019), Identifying and Reducing Gender Bias in Word-Level Language
/// Models; LangFair 0.8, which silently drops the one-sided words.
pub fn cobs<'t>(
    texts: impl IntoIterator<Item = &'t Text>,
    lexicon: &Lexicon,
    stop_words: &StopWords,
    targets: &[&str],
) -> Result<Cobs> {
    let pair = lexicon.pair()?;
    let mut counted = Counted::default();
    for text in texts {
        counted.count_text(text, pair, lexicon, stop_words);
    }
    let mut found = Cobs {
        mean: None,
        words: Vec::new(),
        one_sided: Vec::new(),
    };
    for &word in targets {
        let near = counted.near.get(word).copied().unwrap_or_default();
        match (near.map(|near| near > 0.0), counted.score(near)) {
            ([true, true], Some(score)) => found.words.push((word.to_owned(), score)),
            ([true, false], _) => found.one_sided.push((word.to_owned(), pair[0])),
            ([false, true], _) => found.one_sided.push((word.to_owned(), pair[1])),
            _ => {}
        }
    }
    found.mean = mean(found.words.iter().map(|&(_, score)| score));
    Ok(found)
}

#[derive(Default)]
pub(super) struct Counted<'t> {
    pub(super) near: HashMap<&'t str, [f64; 2]>,
    pub(super) sums: [f64; 2],
    pub(super) group_words: [usize; 2],
}

impl<'t> Counted<'t> {
    pub(super) fn count_text(
        &mut self,
        text: &'t Text,
        pair: [usize; 2],
        lexicon: &Lexicon,
        stop: &StopWords,
    ) {
        let tokens: Vec<_> = text
            .tokens()
            .filter(|token| token.kind != TokenKind::Mark)
            .collect();
        let groups: Vec<_> = tokens
            .iter()
            .map(|&token| lexicon.group_of(token))
            .collect();
        let near = pair.map(|place| {
            let marked: Vec<_> = groups.iter().map(|&group| group == Some(place)).collect();
            nearness(&marked, None)
        });
        for (number, (token, group)) in tokens.iter().zip(&groups).enumerate() {
            if let Some(side) = pair.iter().position(|&place| *group == Some(place)) {
                self.group_words[side] += 1;
                continue;
            }
            let word = token.lower.trim_matches(|c: char| !c.is_alphanumeric());
            if word.is_empty() || stop.contains(word) {
                continue;
            }
            let counted = self.near.entry(word).or_default();
            for ((counted, sum), near) in counted.iter_mut().zip(&mut self.sums).zip(&near) {
                let near = near.get(number).copied().unwrap_or_default();
                *counted += near;
                *sum += near;
            }
        }
    }

    /// The number of all words is a factor of both rates and cancels in their ratio.
    fn score(&self, near: [f64; 2]) -> Option<f64> {
        let rate = |side: usize| near[side] / self.sums[side] / self.group_words[side] as f64;
        let score = (rate(0) / rate(1)).log10().abs();
        score.is_finite().then_some(score)
    }
}
