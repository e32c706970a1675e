//! Is a model even-handed? What is measured on its answers, and on which questions.
//!
//! [`text`] reads an answer once; [`lexicon`] says which words name which group (the group is
//! data: nothing here knows the word gender); [`measures`] turns texts into numbers;
//! [`occupations`] ships the jobs that a study asks about, with the share of women in them.

pub mod lexicon;
pub mod measures;
pub mod occupations;
pub mod text;
