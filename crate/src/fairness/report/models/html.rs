//! A report of several models in a notebook, and as data frames.

use polars::prelude::DataFrame;

use super::super::html::{CHART, effect, opened, push_caveats, push_line, push_table};
use super::super::text::VARIANCE;
use super::{MultiModelReport, PrimaryOutcome};
use crate::chart::forest_plot;
use crate::display::{MimeBundle, Show};
use crate::error::Result;
use crate::fairness::data_frame::{column, each, frame};

impl Show for MultiModelReport {
    /// The conclusion, the tests of all models with one chart, the tests between models, the shares
    /// of variance, and the caveats.
    fn mime_bundle(&self) -> MimeBundle {
        let mut html = opened();
        for line in self.conclusion().lines() {
            push_line(&mut html, "p", line);
        }
        push_table(&mut html, "Primary tests", &self.rows());
        push_chart(&mut html, self);
        push_table(&mut html, "Between models", &self.pair_rows());
        let variance = self.variance_rows();
        if variance.len() > 1 {
            push_table(&mut html, VARIANCE, &variance);
        }
        push_caveats(&mut html, &self.caveats);
        html.push_str("</div>");
        MimeBundle {
            html,
            text: self.to_string(),
        }
    }
}

/// All models on one scale, test by test.
fn push_chart(html: &mut String, report: &MultiModelReport) {
    let Some(first) = report.models.first() else {
        return;
    };
    let outcomes = first.report.primary_outcomes.as_slice();
    let effects = outcomes.iter().enumerate().flat_map(|(test, one)| {
        let label = one.label(outcomes);
        report.models.iter().filter_map(move |model| {
            let own = model.report.primary_outcomes.get(test)?;
            Some(effect(own, format!("{label}, {}", model.name)))
        })
    });
    let chart = forest_plot(
        effects.collect(),
        "standard deviations of the difference (d_z)",
    );
    html.push_str(&chart.titled(CHART).mime_bundle().html);
}

impl MultiModelReport {
    /// The primary tests of all models: `model`, `measure`, `contrast`, `estimate`, `low`, `high`
    /// (95 %), `adjusted_p`, `d_z`, `pairs`, `verdict`.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn frame(&self) -> Result<DataFrame> {
        let rows: Vec<(&str, &PrimaryOutcome)> = self
            .models
            .iter()
            .flat_map(|model| {
                let outcomes = model.report.primary_outcomes.iter();
                outcomes.map(|one| (model.name.as_str(), one))
            })
            .collect();
        found("model", &rows)
    }

    /// The tests of all pairs of models: `measure`, `models`, `estimate`, `low`, `high` (95 %),
    /// `adjusted_p`, `d_z`, `pairs`, `verdict`; `contrast` is the same as `models`.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn pairs_frame(&self) -> Result<DataFrame> {
        let rows: Vec<(&str, &PrimaryOutcome)> = self
            .pairs
            .iter()
            .map(|one| (one.contrast.as_str(), one))
            .collect();
        found("models", &rows)
    }
}

fn found(head: &str, rows: &[(&str, &PrimaryOutcome)]) -> Result<DataFrame> {
    frame(
        rows.len(),
        vec![
            column(head, each(rows, |(name, _)| *name)),
            column("measure", each(rows, |(_, one)| one.name.as_str())),
            column("contrast", each(rows, |(_, one)| one.contrast.as_str())),
            column("estimate", each(rows, |(_, one)| one.estimate)),
            column(
                "low",
                each(rows, |(_, one)| one.interval.map(|ends| ends.low)),
            ),
            column(
                "high",
                each(rows, |(_, one)| one.interval.map(|ends| ends.high)),
            ),
            column("adjusted_p", each(rows, |(_, one)| one.adjusted_p)),
            column("d_z", each(rows, |(_, one)| one.d_z)),
            column("pairs", each(rows, |(_, one)| one.units.len() as u64)),
            column("verdict", each(rows, |(_, one)| one.verdict_text())),
        ],
    )
}
