//! Which rows are drawn, and the note about the others.

use super::text_metrics::clean;
use crate::text::counted;
use crate::text::grouped;

/// The maximum number of rows, or of names on an axis, that are drawn.
pub(super) const MAX_COUNT: usize = 100;

/// The parts of a frame that are not in its chart.
#[derive(Clone, Debug, Default)]
pub(super) struct Omitted {
    /// The rows of the frame.
    pub(super) rows: usize,
    /// The column to be drawn.
    pub(super) column: String,
    /// Rows without a finite number.
    pub(super) without: usize,
    /// Rows after the first hundred names.
    pub(super) beyond: usize,
    /// Rows that are drawn without their interval.
    pub(super) open: usize,
}

impl Omitted {
    /// Counts the rows without a value, and returns the indices of the others.
    pub(super) fn of_values(column: &str, values: &[Option<f64>]) -> (Self, Vec<usize>) {
        let kept: Vec<_> = (0..values.len())
            .filter(|row| values[*row].is_some())
            .collect();
        let left_out = Self {
            rows: values.len(),
            column: clean(column),
            without: values.len() - kept.len(),
            ..Self::default()
        };
        (left_out, kept)
    }

    /// Keeps the first hundred of these rows.
    pub(super) fn cut(&mut self, rows: &mut Vec<usize>) {
        self.beyond = rows.len().saturating_sub(MAX_COUNT);
        rows.truncate(MAX_COUNT);
    }

    /// The note in the chart, if anything is left out.
    pub(super) fn description(&self) -> Option<String> {
        let of_all = format!("of {}", counted(self.rows, "row"));
        let parts = [
            (self.without > 0).then(|| {
                let without = grouped(self.without as u64);
                format!("{without} {of_all} without a value left out")
            }),
            (self.beyond > 0).then(|| {
                let beyond = grouped(self.beyond as u64);
                format!("{beyond} {of_all} beyond the first {MAX_COUNT} left out")
            }),
            (self.open > 0).then(|| format!("{} without an interval", counted(self.open, "row"))),
        ];
        let said: Vec<_> = parts.into_iter().flatten().collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// The text of an empty chart.
    pub(super) fn nothing(&self) -> String {
        match self.rows {
            0 => "Nothing to draw: the frame has no rows.".to_owned(),
            rows => {
                let rows = counted(rows, "row");
                format!(
                    "Nothing to draw: none of {rows} has a number in '{}'.",
                    self.column
                )
            }
        }
    }
}
