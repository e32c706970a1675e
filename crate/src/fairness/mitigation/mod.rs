//! Mitigation: methods that may make answers, or the data that a model learns from, more
//! even-handed.
//!
//! - Data with groups and outcomes: [`LabeledRows`] holds them, [`Parity`] compares two groups,
//!   [`Reweighing`] weights rows so that outcome and group are independent, and
//!   [`resample`](LabeledRows::resample) draws rows for the same purpose.
//! - Texts: [`Swap`] exchanges the words of two groups; with [`augment`](Swap::augment), a model
//!   sees both groups equally often.
//! - Requests: [`MitigationPrompt`] changes what is asked.
//! - Fine-tuning: [`TrainingFile`] writes training files for Azure OpenAI.
//! - [`NaiveBayes`] is a model small enough to be trained in a notebook cell, and [`applicants`] is
//!   fictional data from which it learns an unfair rule.
//! - [`Utility`](super::measures::Utility) measures the price: an empty answer is fair, but
//!   useless.
//!
//! Groups are data: only the built-in word lists are about gender. Everything random takes a seed,
//! and gives the same result for the same seed.
//!
//! Weighting or resampling rows changes data, not a hosted model. To improve a deployment, change
//! the prompt, or write a training file and fine-tune; then ask the same questions again.

mod applicants;
mod counterfactual;
mod labels;
mod naive_bayes;
mod parity;
mod prompt;
mod resample;
mod reweigh;
mod training;
mod tsv;

pub use applicants::{Applicant, applicants};
pub use counterfactual::{Counterfactual, ProtectionReason, Swap, Version};
pub use labels::{LabelCell, LabeledRows};
pub use naive_bayes::NaiveBayes;
pub use parity::Parity;
pub use prompt::MitigationPrompt;
pub use resample::Sampling;
pub use reweigh::Reweighing;
pub use training::{Example, Training, TrainingFile};
