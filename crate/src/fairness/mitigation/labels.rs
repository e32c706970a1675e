//! Rows with a group, an outcome and a weight, and their contingency table.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::text::sanitize_line;

/// The group, outcome and weight of each row of a data set. Groups and outcomes are arbitrary
/// strings.
///
/// ```
/// use evenhand::fairness::mitigation::LabeledRows;
///
/// let labels = LabeledRows::new([("m", "hired"), ("m", "hired"), ("f", "hired"), ("f", "not")])?;
/// assert_eq!(labels.len(), 4);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LabeledRows {
    pub(super) rows: Vec<(String, String)>,
    pub(super) weights: Vec<f64>,
}

/// The rows of one group with one outcome.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelCell {
    /// The group.
    pub group: String,
    /// The outcome.
    pub outcome: String,
    /// The number of rows.
    pub rows: usize,
    /// The sum of their weights, `n_gy`; without weights, the number of rows.
    pub weight: f64,
    /// The expected sum if group and outcome were independent: `n_g n_y / n`.
    pub target: f64,
}

impl LabelCell {
    /// The factor of Kamiran & Calders, `w(g, y) = n_g n_y / (n n_gy)`.
    pub fn factor(&self) -> f64 {
        self.target / self.weight
    }
}

impl LabeledRows {
    /// Creates labels from groups and outcomes. Each row has weight 1.
    ///
    /// # Errors
    /// There are no rows.
    pub fn new<G, O>(rows: impl IntoIterator<Item = (G, O)>) -> Result<Self>
    where
        G: Into<String>,
        O: Into<String>,
    {
        let rows: Vec<(String, String)> = rows
            .into_iter()
            .map(|(group, outcome)| (group.into(), outcome.into()))
            .collect();
        if rows.is_empty() {
            return Err(argument("there is no row to count"));
        }
        let weights = vec![1.0; rows.len()];
        Ok(Self { rows, weights })
    }

    /// The same rows with new weights, one per row.
    ///
    /// # Errors
    /// The numbers of weights and rows differ; a weight is negative or not finite; the sum of the
    /// weights is 0 or overflows.
    pub fn with_weights(mut self, weights: impl IntoIterator<Item = f64>) -> Result<Self> {
        let weights: Vec<f64> = weights.into_iter().collect();
        if weights.len() != self.rows.len() {
            let (rows, given) = (self.rows.len(), weights.len());
            return Err(argument(format!("{given} weights for {rows} rows")));
        }
        if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
            let weight = weights.get(row).copied().unwrap_or_default();
            return Err(
                argument(format!("row {row} has the invalid weight {weight}"))
                    .with_hint("a weight is a finite number of at least 0"),
            );
        }
        let sum: f64 = weights.iter().sum();
        if sum <= 0.0 || !sum.is_finite() {
            return Err(argument(format!("the weights sum to {sum}")));
        }
        self.weights = weights;
        Ok(self)
    }

    /// The number of rows; at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always a row")]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The group and outcome of each row.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.rows
            .iter()
            .map(|(group, outcome)| (group.as_str(), outcome.as_str()))
    }

    /// The weight of each row.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Selects rows by number, in the given order and with repetitions: the rows that
    /// [`resample`](Self::resample) drew, or a training set.
    ///
    /// # Errors
    /// A row number out of range; no row numbers.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        let chosen: Option<Vec<_>> = rows
            .iter()
            .map(|&row| Some((self.rows.get(row)?.clone(), *self.weights.get(row)?)))
            .collect();
        let (rows, weights): (Vec<_>, Vec<_>) = chosen
            .ok_or_else(|| argument(format!("there are only {} rows", self.len())))?
            .into_iter()
            .unzip();
        Self::new(rows)?.with_weights(weights)
    }

    /// The cells of all groups and outcomes, sorted by group and outcome.
    ///
    /// # Errors
    /// Fewer than two groups or outcomes, so that there is nothing to compare; a cell without rows
    /// or with a total weight of 0, which no factor could correct.
    pub fn cells(&self) -> Result<Vec<LabelCell>> {
        let mut groups: BTreeMap<&str, f64> = BTreeMap::new();
        let mut outcomes: BTreeMap<&str, f64> = BTreeMap::new();
        let mut both: BTreeMap<(&str, &str), (usize, f64)> = BTreeMap::new();
        for ((group, outcome), weight) in self.rows().zip(&self.weights) {
            *groups.entry(group).or_default() += weight;
            *outcomes.entry(outcome).or_default() += weight;
            let cell = both.entry((group, outcome)).or_default();
            *cell = (cell.0 + 1, cell.1 + weight);
        }
        several("group", &groups)?;
        several("outcome", &outcomes)?;
        let all: f64 = self.weights.iter().sum();
        let mut cells = Vec::with_capacity(groups.len() * outcomes.len());
        for (&group, of_group) in &groups {
            for (&outcome, of_outcome) in &outcomes {
                let (rows, weight) = both.get(&(group, outcome)).copied().unwrap_or_default();
                let cell = LabelCell {
                    group: group.to_owned(),
                    outcome: outcome.to_owned(),
                    rows,
                    weight,
                    target: of_group / all * of_outcome,
                };
                if !cell.factor().is_finite() {
                    return Err(empty(&cell));
                }
                cells.push(cell);
            }
        }
        Ok(cells)
    }
}

fn several(what: &str, found: &BTreeMap<&str, f64>) -> Result<()> {
    match found.first_key_value() {
        Some((only, _)) if found.len() == 1 => Err(argument(format!(
            "all rows have the {what} '{}': there is nothing to balance",
            sanitize_line(only, 60)
        ))),
        _ => Ok(()),
    }
}

fn empty(cell: &LabelCell) -> Error {
    let what = match cell.rows {
        0 => "no row has",
        _ => "only rows of weight 0 have",
    };
    argument(format!(
        "{what} the group '{}' and the outcome '{}'",
        sanitize_line(&cell.group, 60),
        sanitize_line(&cell.outcome, 60)
    ))
    .with_hint(
        "add such rows, or leave out the group or the outcome: no weight can replace missing rows",
    )
}

/// An error about an invalid argument.
pub(super) fn argument(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Argument, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn three() -> LabeledRows {
        LabeledRows::new([("m", "yes"), ("m", "no"), ("f", "no")]).unwrap()
    }

    #[test]
    fn an_empty_cell_is_named() {
        let error = three().cells().unwrap_err();
        assert_snapshot!(error, @"
        no row has the group 'f' and the outcome 'yes'
          hint: add such rows, or leave out the group or the outcome: no weight can replace missing rows
        ");
    }

    #[test]
    fn a_cell_that_weighs_nothing_is_named() {
        let four = [("m", "yes"), ("m", "no"), ("f", "no"), ("f", "yes")];
        let labels = LabeledRows::new(four).unwrap();
        let error = labels.with_weights([1.0, 1.0, 1.0, 0.0]).unwrap().cells();
        assert_snapshot!(error.unwrap_err().message(), @"only rows of weight 0 have the group 'f' and the outcome 'yes'");
    }

    #[test]
    fn one_group_alone_has_nothing_to_be_balanced_against() {
        let labels = LabeledRows::new([("f", "yes"), ("f", "no")]).unwrap();
        assert_snapshot!(labels.cells().unwrap_err(), @"all rows have the group 'f': there is nothing to balance");
    }

    #[test]
    fn weights_are_numbers_from_0_up_that_sum_to_something() {
        for wrong in [
            vec![1.0, 1.0],
            vec![1.0, f64::NAN, 1.0],
            vec![1.0, -1.0, 1.0],
            vec![f64::INFINITY, 1.0, 1.0],
            vec![0.0; 3],
            vec![f64::MAX; 3],
        ] {
            let error = three().with_weights(wrong.clone()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Argument, "{wrong:?}");
        }
        let nobody: [(&str, &str); 0] = [];
        LabeledRows::new(nobody).unwrap_err();
    }

    #[test]
    fn rows_are_selected_by_number_as_often_as_named() {
        let labels = three().select(&[2, 0, 0]).unwrap();
        let rows: Vec<_> = labels.rows().collect();
        assert_eq!(rows, [("f", "no"), ("m", "yes"), ("m", "yes")]);
        three().select(&[3]).unwrap_err();
    }
}
