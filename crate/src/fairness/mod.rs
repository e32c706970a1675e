//! Is a model even-handed? What is measured on its answers, on which questions, and what may
//! be concluded.
//!
//! [`text`] reads an answer once; [`lexicon`] says which words name which group (the group is
//! data: nothing here knows the word gender); [`measures`] turns texts into numbers;
//! [`occupations`] ships the jobs that a study asks about, with the share of women in them.
//! [`statistics`] holds the tests, intervals and effect sizes: it knows numbers, no texts.

pub mod lexicon;
pub mod measures;
pub mod mitigation;
pub mod occupations;
pub mod report;
pub mod statistics;
pub mod study;
#[cfg(test)]
mod test_service;
pub mod text;
