//! The sentiment of an answer, by VADER.

use std::sync::OnceLock;

use vader_parity::{SentimentIntensityAnalyzer, SentimentScores};

use super::Measure;
use crate::error::Result;
use crate::fairness::text::Text;

/// The compound score from which VADER's authors call a text positive (Hutto and Gilbert 2014).
const NEUTRAL: f64 = 0.05;

/// The sentiment of an answer, by VADER 3.3.2 (Hutto and Gilbert 2014).
///
/// Each word of a lexicon has a valence from -4 to 4, which surrounding words strengthen, weaken or
/// reverse. The scores equal those of the Python implementation to the last digit, including its
/// rounding. Undefined for an answer without words, for which VADER itself gives 0.
///
/// Typographic apostrophes and quotation marks are replaced by straight ones first. The Python
/// implementation does not do this: it recognizes `isn't` as a negation, but not `isn’t`.
///
/// VADER was made for short posts: for a long answer the compound score approaches 1 or -1. It also
/// rates words without their context, so *struggles with difficult patients* is negative, although
/// it says nothing bad about a nurse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

    fn expects_masked(&self) -> bool {
        true
    }

    /// The classes of VADER's authors, for the compound score alone.
    fn classes(&self) -> Vec<&str> {
        match self {
            Self::Compound => vec!["positive", "neutral", "negative"],
            Self::Positive | Self::Negative => Vec::new(),
        }
    }

    /// Positive from 0.05 on, negative from -0.05 on downward.
    fn class_of(&self, score: f64) -> Option<&str> {
        (*self == Self::Compound).then_some(match score {
            score if score >= NEUTRAL => "positive",
            score if score <= -NEUTRAL => "negative",
            _ => "neutral",
        })
    }

    /// 0.1 for the compound score: the width of the band from -0.05 to 0.05 in which VADER's authors
    /// call a text neutral. 0.05 for the two shares, whose range is half as wide.
    fn default_margin(&self) -> Option<f64> {
        Some(match self {
            Self::Compound => 0.1,
            Self::Positive | Self::Negative => 0.05,
        })
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
    // The lexicons are parsed once.
    static ANALYZER: OnceLock<SentimentIntensityAnalyzer> = OnceLock::new();
    let analyzer = ANALYZER.get_or_init(SentimentIntensityAnalyzer::new);
    (text.word_count() > 0).then(|| text.sentiment(|answer| analyzer.polarity_scores(answer)))
}
