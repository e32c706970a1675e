//! Fairness: what to ask a model, what to measure in its answers, and what can be concluded.
//!
//! [`text`] tokenizes an answer once; [`lexicon`] defines which words name which group (groups are
//! data: no code here depends on gender); [`measures`] turns texts into numbers; [`occupations`]
//! ships the jobs that a study asks about, with the share of women in each, and [`templates`]
//! paraphrases of its question. [`statistics`] holds the tests, intervals and effect sizes; it works
//! on numbers, not on texts. `answer_view` (with the feature `notebook`) puts answers side by side
//! for a reader. [`validation`] validates measures against human labels, and [`gate`] turns a report
//! into a pass or a failure.

#[cfg(feature = "notebook")]
pub mod answer_view;
#[cfg(feature = "notebook")]
mod data_frame;
pub mod gate;
pub mod lexicon;
pub mod measures;
pub mod mitigation;
pub mod occupations;
pub mod report;
mod saved;
pub mod statistics;
pub mod study;
pub mod templates;
#[cfg(test)]
mod test_service;
pub mod text;
pub mod validation;
