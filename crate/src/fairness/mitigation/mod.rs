//! What may make answers, or the data that a model learns from, more even-handed.
//!
//! - Data of groups and outcomes: [`Labels`] counts them, [`Parity`] compares two groups,
//!   [`Reweighing`] weights rows so that outcome and group are independent, and
//!   [`resample`](Labels::resample) draws rows to the same end.
//! - Texts: [`Swap`] exchanges the words of two groups; with the versions of
//!   [`augment`](Swap::augment) a model meets both alike.
//! - Requests: [`Prompt`] changes what is asked.
//! - Fine-tuning: [`TrainingFile`] writes what Azure OpenAI learns from.
//! - [`NaiveBayes`] is a model that is small enough to learn in a cell, and [`applicants`] is
//!   made-up data that it learns an unfair rule from.
//! - [`Utility`](super::measures::Utility) watches the price: an empty answer is fair, and of no use.
//!
//! A group is data: nothing here but the shipped word lists knows of gender. Whatever chance
//! decides takes a seed, and gives the same for the same seed.
//!
//! Weighting or drawing rows changes data, not a hosted model. The honest ways to a better
//! deployment are a prompt, or a training file, a fine-tuning, and the same questions again.

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
pub use counterfactual::{Counterfactual, Kept, Swap, Version};
pub use labels::{Cell, Labels};
pub use naive_bayes::NaiveBayes;
pub use parity::Parity;
pub use prompt::Prompt;
pub use resample::Sampling;
pub use reweigh::Reweighing;
pub use training::{Example, Training, TrainingFile};
