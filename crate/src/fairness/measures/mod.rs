//! Measures: from texts to numbers.
//!
//! There are three kinds. A [`Measure`] scores one answer, and a study averages it over the samples
//! of a cell: [`Length`], [`Sentiment`], [`Refusal`], [`Share`], [`Frequency`], the
//! service's content filter ([`ContentSeverity`], [`ProtectedMaterial`]), [`OtherGroup`], a model as [`Judge`], or
//! your own. Counterfactual measures compare the answers about two groups:
//! [`bleu()`], [`rouge_l()`], [`sentiment_gap()`] and [`rate_gap()`]. Corpus measures look at all
//! answers together: [`representation()`], [`association()`], [`genbit()`], [`cobs()`],
//! [`fighting_words()`].
//!
//! Scores are never made up: where a measure is undefined (an empty answer, no word of any group)
//! it is `None`. All but the judge are pure functions. None of them tells whether a difference is
//! larger than chance would explain.

mod association;
mod bleu;
mod cobs;
mod concordance;
mod content_filter;
mod fighting_words;
mod frame;
mod genbit;
mod judge;
mod measure;
mod other_group;
mod parity;
mod plain;
mod proximity;
mod refusal;
mod rouge;
mod sentiment;
mod utility;

pub use association::{Association, Target, association, representation, total_variation};
pub use bleu::bleu;
pub use cobs::{Cobs, cobs};
pub use concordance::{Hit, in_context};
pub use content_filter::{ContentSeverity, ProtectedMaterial};
pub use fighting_words::{WordCounts, WordDifference, fighting_words, pooled_prior, word_counts};
pub use frame::MetricFrame;
pub use genbit::{GenBit, WordBias, genbit};
pub use judge::{Judge, Rating};
pub use measure::{Measure, Raw};
pub use other_group::OtherGroup;
pub use parity::{rate_gap, sentiment_gap};
pub use plain::{Frequency, Length, Share};
pub use refusal::{Refusal, refuses};
pub use rouge::rouge_l;
pub use sentiment::Sentiment;
pub use utility::Utility;

#[cfg(test)]
mod tests;
