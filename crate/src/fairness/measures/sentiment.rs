//! How an answer feels, by VADER.

use std::sync::OnceLock;

use vader_parity::{SentimentIntensityAnalyzer, SentimentScores};

use super::Measure;
use crate::error::Result;
use crate::fairness::text::Text;

/// The sentiment of an answer, by VADER 3.3.2 (Hutto and Gilbert 2014).
///
/// Each word of a lexicon has a valence from -4 to 4, which words around it strengthen,
/// weaken or turn; the scores come out as Python's to the last digit, rounded as Python
/// rounds them. Undefined for an answer without words: VADER itself says 0.
///
/// Typographic apostrophes and quotation marks are made straight first, which Python's does not
/// do: it knows `isn't` for a negation, and does not know `isn’t`.
///
/// VADER was made for short posts: over a long answer the compound nears 1 or -1. And it is
/// about words, so *struggles with difficult patients* is negative, though nothing bad is
/// said of a nurse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sentiment {
    /// s / sqrt(s² + 15), where s is the sum of all valences: from -1 to 1.
    Compound,
    /// The share of the text that is positive: from 0 to 1.
    Positive,
    /// The share of the text that is negative: from 0 to 1.
    Negative,
}

impl Measure for Sentiment {
    fn name(&self) -> &str {
        match self {
            Self::Compound => "sentiment",
            Self::Positive => "positive sentiment",
            Self::Negative => "negative sentiment",
        }
    }

    fn unit(&self) -> &str {
        match self {
            Self::Compound => "from -1 to 1",
            Self::Positive | Self::Negative => "from 0 to 1",
        }
    }

    fn direction(&self) -> &str {
        match self {
            Self::Compound | Self::Positive => "higher: more positive",
            Self::Negative => "higher: more negative",
        }
    }

    fn score(&self, text: &Text) -> Result<Option<f64>> {
        Ok(scores(text).map(|scores| match self {
            Self::Compound => scores.compound,
            Self::Positive => scores.pos,
            Self::Negative => scores.neg,
        }))
    }
}

fn scores(text: &Text) -> Option<SentimentScores> {
    // Its lexicons are parsed once.
    static ANALYZER: OnceLock<SentimentIntensityAnalyzer> = OnceLock::new();
    let analyzer = ANALYZER.get_or_init(SentimentIntensityAnalyzer::new);
    (text.word_count() > 0).then(|| text.sentiment(|answer| analyzer.polarity_scores(answer)))
}
