//! A model small enough to be trained in a notebook cell, to show how data affect a model.

use std::collections::{BTreeMap, HashMap};

use crate::error::Result;
use crate::fairness::text::plain_words;

use super::labels::{LabeledRows, argument};

/// Multinomial naive Bayes over the words of a text, with Laplace's smoothing (Manning, Raghavan &
/// Schütze, 'Introduction to Information Retrieval', 2008, section 13.2). It is trained by counting
/// rows by weight, so [`Reweighing`](super::Reweighing) changes what it learns:
///
/// `ln P(y | text) = ln(n_y / n) + sum over words of ln((n_wy + 1) / (N_y + V)) + a constant`
///
/// with `n_wy` the number of occurrences of the word in rows of outcome `y`, `N_y` the sum over
/// words, and `V` the number of distinct words. Words that were not in the training texts are
/// ignored.
///
/// ```
/// use evenhand::fairness::mitigation::{LabeledRows, NaiveBayes};
///
/// let texts = ["good work", "fine work", "bad work"];
/// let labels = LabeledRows::new([("f", "yes"), ("m", "yes"), ("f", "no")])?;
/// let model = NaiveBayes::train(&texts, &labels)?;
/// assert_eq!(model.predict("good and fine"), "yes");
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NaiveBayes {
    outcomes: Vec<Outcome>,
    /// The number of distinct words.
    words: f64,
}

#[derive(Clone, Debug, Default)]
struct Outcome {
    name: String,
    /// The logarithm of its share of all rows.
    prior: f64,
    counts: HashMap<String, f64>,
    sum: f64,
}

impl NaiveBayes {
    /// Trains a model on texts, one per row of `labels`.
    ///
    /// # Errors
    /// The numbers of texts and rows differ.
    pub fn train<T: AsRef<str>>(texts: &[T], labels: &LabeledRows) -> Result<Self> {
        if texts.len() != labels.len() {
            let (texts, rows) = (texts.len(), labels.len());
            return Err(argument(format!("{texts} texts for {rows} rows")));
        }
        let all: f64 = labels.weights().iter().sum();
        let mut counted: BTreeMap<&str, (f64, HashMap<String, f64>)> = BTreeMap::new();
        let mut vocabulary: HashMap<String, ()> = HashMap::new();
        for ((text, (_, outcome)), weight) in texts.iter().zip(labels.rows()).zip(labels.weights())
        {
            let (rows, counts) = counted.entry(outcome).or_default();
            *rows += weight;
            for word in plain_words(text.as_ref()) {
                vocabulary.entry(word.clone()).or_default();
                *counts.entry(word).or_default() += weight;
            }
        }
        // An outcome whose rows have a total weight of 0 is not learned.
        let learned = counted.into_iter().filter(|(_, (rows, _))| *rows > 0.0);
        let outcomes = learned.map(|(name, (rows, counts))| Outcome {
            name: name.to_owned(),
            prior: (rows / all).ln(),
            sum: counts.values().sum(),
            counts,
        });
        Ok(Self {
            outcomes: outcomes.collect(),
            words: vocabulary.len() as f64,
        })
    }

    /// The most likely outcome; of equally likely ones, the first in alphabetical order.
    pub fn predict(&self, text: &str) -> &str {
        let likelihoods = self.log_likelihoods(text);
        let mut best: Option<(&Outcome, f64)> = None;
        for (outcome, likelihood) in self.outcomes.iter().zip(likelihoods) {
            if best.is_none_or(|(_, most)| likelihood > most) {
                best = Some((outcome, likelihood));
            }
        }
        best.map_or("", |(outcome, _)| &outcome.name)
    }

    /// The probability of an outcome, from 0 to 1; 0 for one that was not learned.
    pub fn score(&self, text: &str, outcome: &str) -> f64 {
        let likelihoods = self.log_likelihoods(text);
        let most = likelihoods
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        let odds: Vec<f64> = likelihoods.iter().map(|one| (one - most).exp()).collect();
        let at = self.outcomes.iter().position(|one| one.name == outcome);
        let own = at.and_then(|at| odds.get(at)).copied().unwrap_or_default();
        own / odds.iter().sum::<f64>()
    }

    /// The weighted share of texts whose outcome is predicted correctly, from 0 to 1.
    ///
    /// # Errors
    /// The numbers of texts and rows differ.
    pub fn accuracy<T: AsRef<str>>(&self, texts: &[T], labels: &LabeledRows) -> Result<f64> {
        let predicted = self.label(texts, labels)?;
        let rows = predicted.rows().zip(labels.rows()).zip(labels.weights());
        let right = rows.filter(|((ours, theirs), _)| ours.1 == theirs.1);
        let right: f64 = right.map(|(_, weight)| weight).sum();
        Ok(right / labels.weights().iter().sum::<f64>())
    }

    /// The same rows with the outcomes that the model predicts, for example to compute their
    /// [`parity`](LabeledRows::parity).
    ///
    /// # Errors
    /// The numbers of texts and rows differ.
    pub fn label<T: AsRef<str>>(&self, texts: &[T], labels: &LabeledRows) -> Result<LabeledRows> {
        if texts.len() != labels.len() {
            let (texts, rows) = (texts.len(), labels.len());
            return Err(argument(format!("{texts} texts for {rows} rows")));
        }
        let rows = labels.rows().zip(texts);
        let predicted = rows.map(|((group, _), text)| (group, self.predict(text.as_ref())));
        LabeledRows::new(predicted)?.with_weights(labels.weights().iter().copied())
    }

    /// The logarithm of the probability of each outcome, up to a constant.
    fn log_likelihoods(&self, text: &str) -> Vec<f64> {
        let known: Vec<String> = plain_words(text)
            .filter(|word| {
                self.outcomes
                    .iter()
                    .any(|one| one.counts.contains_key(word))
            })
            .collect();
        let of = |outcome: &Outcome| {
            let of_word = |word: &String| {
                let count = outcome.counts.get(word).copied().unwrap_or_default();
                ((count + 1.0) / (outcome.sum + self.words)).ln()
            };
            outcome.prior + known.iter().map(of_word).sum::<f64>()
        };
        self.outcomes.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of the book, table 13.1.
    fn china() -> NaiveBayes {
        let texts = [
            "Chinese Beijing Chinese",
            "Chinese Chinese Shanghai",
            "Chinese Macao",
            "Tokyo Japan Chinese",
        ];
        let labels = LabeledRows::new([("", "c"), ("", "c"), ("", "c"), ("", "j")]).unwrap();
        NaiveBayes::train(&texts, &labels).unwrap()
    }

    #[test]
    fn the_example_of_the_book_comes_out_as_it_stands_there() {
        let text = "Chinese Chinese Chinese Tokyo Japan";
        let c = 3.0 / 4.0 * (3.0_f64 / 7.0).powi(3) / 14.0 / 14.0;
        let j = 1.0 / 4.0 * (2.0_f64 / 9.0).powi(3) * 2.0 / 9.0 * 2.0 / 9.0;
        assert!((china().score(text, "c") - c / (c + j)).abs() < 1e-9);
        assert_eq!(china().predict(text), "c");
        assert_eq!(china().score(text, "other"), 0.0);
    }

    #[test]
    fn a_weight_of_two_is_a_row_that_stands_twice() {
        let texts = ["a b", "b c"];
        let labels = LabeledRows::new([("x", "yes"), ("x", "no")]).unwrap();
        let weighted = labels.clone().with_weights([2.0, 1.0]).unwrap();
        let twice = labels.select(&[0, 0, 1]).unwrap();
        let one = NaiveBayes::train(&texts, &weighted).unwrap();
        let other = NaiveBayes::train(&["a b", "a b", "b c"], &twice).unwrap();
        for text in ["a", "b", "c", "a c c", ""] {
            assert!((one.score(text, "yes") - other.score(text, "yes")).abs() < 1e-12);
        }
    }

    proptest! {
        #[test]
        fn scores_are_probabilities(text in any::<String>(), repeat in 0_usize..300) {
            let text = format!("{text} {}", "Chinese Tokyo ".repeat(repeat));
            let (c, j) = (china().score(&text, "c"), china().score(&text, "j"));
            prop_assert!((c + j - 1.0).abs() < 1e-9);
        }
    }
}
