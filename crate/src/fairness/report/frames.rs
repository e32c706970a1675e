//! The tables of a report as data frames.

use polars::prelude::DataFrame;

use super::{Comparison, PrimaryOutcome, Report};
use crate::error::Result;
use crate::fairness::data_frame::{column, each, frame};

impl Report {
    /// The primary tests: `measure`, `contrast`, `unit`, `estimate`, `low`, `high` (95 %),
    /// `p`, `adjusted_p`, `d_z`, `noise_floor`, `pairs`, `margin`, `adjusted_within_p`,
    /// `adjusted_beyond_p`, `verdict`.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn primary_frame(&self) -> Result<DataFrame> {
        let rows = &self.primary_outcomes;
        frame(
            rows.len(),
            vec![
                column("measure", each(rows, |one| one.name.as_str())),
                column("contrast", each(rows, |one| one.contrast.as_str())),
                column("unit", each(rows, |one| one.unit.as_str())),
                column("estimate", each(rows, |one| one.estimate)),
                column("low", each(rows, |one| one.interval.map(|ends| ends.low))),
                column("high", each(rows, |one| one.interval.map(|ends| ends.high))),
                column("p", each(rows, |one| one.p)),
                column("adjusted_p", each(rows, |one| one.adjusted_p)),
                column("d_z", each(rows, |one| one.d_z)),
                column("noise_floor", each(rows, |one| one.noise_floor)),
                column("pairs", each(rows, |one| one.units.len() as u64)),
                column("margin", each(rows, |one| one.margin.map(|one| one.size))),
                column(
                    "adjusted_within_p",
                    each(rows, |one| one.margin?.adjusted_within_p),
                ),
                column(
                    "adjusted_beyond_p",
                    each(rows, |one| one.margin?.adjusted_beyond_p),
                ),
                column("verdict", each(rows, PrimaryOutcome::verdict_text)),
            ],
        )
    }

    /// The pairs behind the primary tests: `measure`, `contrast`, `occupation`, `first`, `second`,
    /// `difference`.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn pairs_frame(&self) -> Result<DataFrame> {
        let unit = |one: &PrimaryOutcome| -> Vec<_> {
            let units = one.units.iter();
            units
                .map(|unit| (one.name.clone(), one.contrast.clone(), unit.clone()))
                .collect()
        };
        let rows: Vec<_> = self.primary_outcomes.iter().flat_map(unit).collect();
        frame(
            rows.len(),
            vec![
                column("measure", each(&rows, |(name, ..)| name.as_str())),
                column(
                    "contrast",
                    each(&rows, |(_, contrast, _)| contrast.as_str()),
                ),
                column(
                    "occupation",
                    each(&rows, |(.., unit)| unit.occupation.as_str()),
                ),
                column("first", each(&rows, |(.., unit)| unit.first)),
                column("second", each(&rows, |(.., unit)| unit.second)),
                column("difference", each(&rows, |(.., unit)| unit.difference())),
            ],
        )
    }

    /// The shares of variance: `measure`, `contrast`, `occupation`, `template`, `sample`, `rest`,
    /// each from 0 to 1.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn variance_frame(&self) -> Result<DataFrame> {
        let rows = &self.variance_shares();
        frame(
            rows.len(),
            vec![
                column("measure", each(rows, |one| one.name.as_str())),
                column("contrast", each(rows, |one| one.contrast.as_str())),
                column("occupation", each(rows, |one| one.occupation)),
                column("template", each(rows, |one| one.template)),
                column("sample", each(rows, |one| one.sample)),
                column("rest", each(rows, |one| one.rest)),
            ],
        )
    }

    /// Whom the answers to neutral prompts assume: `occupation`, `answers`, a column for each of
    /// the lexicon's groups, `undetected`, `women`. Empty if there is no neutral group.
    ///
    /// # Errors
    /// A group of the lexicon that has the name of one of these columns.
    pub fn neutral_frame(&self) -> Result<DataFrame> {
        let Some(neutral) = &self.neutral else {
            return Ok(DataFrame::empty());
        };
        let rows = &neutral.occupations;
        let mut columns = vec![
            column("occupation", each(rows, |one| one.occupation.as_str())),
            column("answers", each(rows, |one| one.answers as u64)),
        ];
        for (place, label) in neutral.labels.iter().enumerate() {
            let counts = each(rows, |one| one.counts.get(place).map(|count| *count as u64));
            columns.push(column(label, counts));
        }
        columns.push(column(
            "undetected",
            each(rows, |one| one.undetected as u64),
        ));
        columns.push(column("women", each(rows, |one| one.women)));
        frame(rows.len(), columns)
    }

    /// The words that differ: `group`, `word`, `first`, `second`, `z`, `adjusted_p`, `before`,
    /// `written`, `after`.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn words_frame(&self) -> Result<DataFrame> {
        let rows = &self.words;
        frame(
            rows.len(),
            vec![
                column("group", each(rows, |one| one.group.as_str())),
                column("word", each(rows, |one| one.word.as_str())),
                column("first", each(rows, |one| one.first)),
                column("second", each(rows, |one| one.second)),
                column("z", each(rows, |one| one.z)),
                column("adjusted_p", each(rows, |one| one.adjusted_p)),
                column("before", each(rows, |one| one.before.as_str())),
                column("written", each(rows, |one| one.written.as_str())),
                column("after", each(rows, |one| one.after.as_str())),
            ],
        )
    }
}

impl Comparison {
    /// The changes: `measure`, `before`, `after`, `reduction`, `low`, `high` (95 %),
    /// `adjusted_p`, `pairs`, `conclusion`.
    ///
    /// # Errors
    /// None that a user could cause.
    pub fn frame(&self) -> Result<DataFrame> {
        let rows = &self.changes;
        frame(
            rows.len(),
            vec![
                column("measure", each(rows, |one| one.name.as_str())),
                column("before", each(rows, |one| one.before)),
                column("after", each(rows, |one| one.after)),
                column("reduction", each(rows, |one| one.reduction)),
                column("low", each(rows, |one| one.interval.map(|ends| ends.low))),
                column("high", each(rows, |one| one.interval.map(|ends| ends.high))),
                column("adjusted_p", each(rows, |one| one.adjusted_p)),
                column("pairs", each(rows, |one| one.occupations as u64)),
                column("conclusion", each(rows, |one| one.change.to_string())),
            ],
        )
    }
}
