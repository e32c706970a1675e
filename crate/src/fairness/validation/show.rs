//! Samples and validations in a notebook.

use polars::prelude::DataFrame;

use super::{LabelSample, Validation};
use crate::display::{MimeBundle, Show, escaped};
use crate::error::Result;
use crate::fairness::data_frame::{column, frame};

impl LabelSample {
    /// The sheet as a frame: `row`, `answer`, and an empty `label`.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let rows = self.rows();
        let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
        let texts: Vec<_> = rows.iter().map(|row| row.text.as_str()).collect();
        let columns = vec![
            column("row", names),
            column("answer", texts),
            column("label", vec![None::<&str>; rows.len()]),
        ];
        frame(rows.len(), columns)
    }
}

impl Show for LabelSample {
    /// The sheet.
    fn mime_bundle(&self) -> MimeBundle {
        match self.to_frame() {
            Ok(frame) => frame.mime_bundle(),
            Err(error) => preformatted(error.message().to_owned()),
        }
    }
}

impl Validation {
    /// The accuracy: `measure`, `class`, `sensitivity`, `sensitivity_low`, `sensitivity_high`,
    /// `precision`, `precision_low`, `precision_high` (95 %).
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let rows = &self.accuracy;
        let each = |of: &dyn Fn(&super::ClassAccuracy) -> Option<f64>| -> Vec<Option<f64>> {
            rows.iter().map(of).collect()
        };
        let columns = vec![
            column("measure", vec![self.about.as_str(); rows.len()]),
            column(
                "class",
                rows.iter()
                    .map(|one| one.class.as_str())
                    .collect::<Vec<_>>(),
            ),
            column(
                "sensitivity",
                each(&|one| Some(one.sensitivity.as_ref()?.rate())),
            ),
            column(
                "sensitivity_low",
                each(&|one| Some(one.sensitivity.as_ref()?.interval.low)),
            ),
            column(
                "sensitivity_high",
                each(&|one| Some(one.sensitivity.as_ref()?.interval.high)),
            ),
            column(
                "precision",
                each(&|one| Some(one.precision.as_ref()?.rate())),
            ),
            column(
                "precision_low",
                each(&|one| Some(one.precision.as_ref()?.interval.low)),
            ),
            column(
                "precision_high",
                each(&|one| Some(one.precision.as_ref()?.interval.high)),
            ),
        ];
        frame(rows.len(), columns)
    }
}

impl Show for Validation {
    /// Its text.
    fn mime_bundle(&self) -> MimeBundle {
        preformatted(self.to_string())
    }
}

fn preformatted(text: String) -> MimeBundle {
    let html = format!(
        "<div class=\"evenhand tex2jax_ignore mathjax_ignore\" style=\"white-space:pre-wrap\">{}</div>",
        escaped(&text)
    );
    MimeBundle { html, text }
}
