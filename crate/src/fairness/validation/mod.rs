//! Measures validated against human labels: answers drawn for labeling, the labels that come back, and how well
//! the people and the measure agree.
//!
//! - [`Report::sample_to_label`](super::report::Report::sample_to_label) draws answers ([`LabelSample`], in `sample`); `sheet` writes them as
//!   a CSV file for a spreadsheet, and `csv` reads such files.
//! - `labels` reads what people wrote into the sheet; `outcome` compares it ([`Validation`]), and
//!   `text` tells the result.
//!
//! **Who labels must judge what the measure judges.** Two questions can be asked:
//!
//! - *Whom is the text about?* The answers to the neutral prompts are shown unmasked, because the
//!   words that are masked elsewhere are what tells the group. These prompts name no group, so the
//!   text shows no more than what the model itself wrote.
//! - A primary measure with [classes](crate::fairness::measures::Measure::classes), such as *Does
//!   the answer decline?* The answers of all groups are shown as the measure reads them: masked,
//!   unless it reads them unmasked, so that nobody can judge by the group.
//!
//! The labeling is blind: a row has a meaningless name and the text, but neither the prompt, the
//! group, the occupation nor what the measure found, and the rows are in random order. (A text may
//! still mention its occupation.)

mod csv;
mod labels;
mod outcome;
mod sample;
mod sheet;
#[cfg(feature = "notebook")]
mod show;
#[cfg(test)]
mod tests;
mod text;

pub use labels::Labels;
pub use outcome::{Agreement, ClassAccuracy, Rate, Validation};
pub(super) use sample::classified_by;
pub use sample::{LabelRow, LabelSample};

/// The name of a sheet's column that names the rows.
const ROW: &str = "row";

/// What the name of a column of labels begins with.
const LABEL: &str = "label";
