//! A report of several models as text.

use std::fmt;

use super::super::conclusion::conclusion;
use super::super::format::{Rows, aligned, none, p_value, with_names};
use super::super::text::{VARIANCE, estimate_cells, variance_rows};
use super::{MultiModelReport, PrimaryOutcome};
use crate::text::sanitize_line;

impl MultiModelReport {
    /// The findings in a few sentences: those of each model, and the differences between models.
    pub fn conclusion(&self) -> String {
        let mut parts: Vec<String> = self
            .models
            .iter()
            .map(|model| {
                format!(
                    "{}: {}",
                    model.name,
                    conclusion(&model.report.primary_outcomes)
                )
            })
            .collect();
        parts.push(format!("Between models: {}", conclusion(&self.pairs)));
        if let Some(one) = self
            .models
            .first()
            .and_then(|model| model.report.about_one_sentence())
        {
            parts.push(one);
        }
        parts.join("\n")
    }

    /// The primary tests of all models, test by test.
    pub(super) fn rows(&self) -> Rows {
        let names = ["measure", "contrast", "model"].into_iter().chain(FOUND);
        let tests = self
            .models
            .first()
            .map_or(0, |first| first.report.primary_outcomes.len());
        let rows = (0..tests).flat_map(|test| {
            self.models.iter().filter_map(move |model| {
                let one = model.report.primary_outcomes.get(test)?;
                let head = [one.name.clone(), one.contrast.clone(), model.name.clone()];
                Some(head.into_iter().chain(found(one)).collect())
            })
        });
        with_names(&names.collect::<Vec<_>>(), rows)
    }

    /// The tests of all pairs of models.
    pub(super) fn pair_rows(&self) -> Rows {
        let names = ["measure", "models"].into_iter().chain(FOUND);
        let rows = self.pairs.iter().map(|one| {
            let head = [one.name.clone(), one.contrast.clone()];
            head.into_iter().chain(found(one)).collect()
        });
        with_names(&names.collect::<Vec<_>>(), rows)
    }

    pub(super) fn variance_rows(&self) -> Rows {
        let outcomes = outcomes_of(self);
        variance_rows(&self.variance_shares(), |shares| {
            let is_own =
                |one: &&PrimaryOutcome| one.name == shares.name && one.contrast == shares.contrast;
            let own = outcomes.iter().find(is_own);
            own.map_or_else(|| shares.name.clone(), |own| own.label(outcomes))
        })
    }
}

/// The primary tests of the first model.
fn outcomes_of(report: &MultiModelReport) -> &[PrimaryOutcome] {
    let first = report.models.first();
    first.map_or(&[], |first| first.report.primary_outcomes.as_slice())
}

const FOUND: [&str; 6] = [
    "estimate",
    "95 % interval",
    "adjusted p",
    "d_z",
    "pairs",
    "verdict",
];

/// What was found, in the columns of [`FOUND`].
fn found(one: &PrimaryOutcome) -> [String; 6] {
    let [estimate, interval] = estimate_cells(one);
    [
        estimate,
        interval,
        one.adjusted_p.map_or_else(none, p_value),
        one.d_z.map_or_else(none, |d_z| format!("{d_z:.2}")),
        one.units.len().to_string(),
        one.verdict_text(),
    ]
}

/// The summary: the models, the conclusion, both tables of tests, the shares of variance and the
/// caveats.
impl fmt::Display for MultiModelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = self.models.first() {
            writeln!(f, "{}", first.report.asked.grid())?;
        }
        for model in &self.models {
            let name = sanitize_line(&model.name, 60);
            writeln!(f, "{name}: {}", model.report.asked.conditions())?;
        }
        writeln!(f, "\n{}\n\n{}", self.conclusion(), aligned(&self.rows()))?;
        writeln!(f, "Between models\n{}", aligned(&self.pair_rows()))?;
        let variance = self.variance_rows();
        if variance.len() > 1 {
            writeln!(f, "{VARIANCE}\n{}", aligned(&variance))?;
        }
        f.write_str("Caveats")?;
        self.caveats
            .iter()
            .try_for_each(|caveat| write!(f, "\n- {}", sanitize_line(caveat, 600)))
    }
}
