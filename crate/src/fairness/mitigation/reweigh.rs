//! Reweighing: weights that make group and outcome independent.

use std::collections::HashMap;

use crate::error::Result;
use crate::text::sanitize_line;

use super::labels::{LabelCell, LabeledRows, argument};

/// Reweighing after Kamiran & Calders, 'Data preprocessing techniques for classification without
/// discrimination', Knowledge and Information Systems 33 (2012): each row's weight is multiplied by
/// `w(g, y) = n_g n_y / (n n_gy)`, where the `n` are sums of weights. Rows are not changed, and the
/// sum of all weights stays the same.
///
/// The name and the two steps are those of AIF360. An empty cell, for which AIF360 returns
/// infinity, is an error here.
///
/// ```
/// use evenhand::fairness::mitigation::{LabeledRows, Reweighing};
///
/// let labels = LabeledRows::new([("m", "yes"), ("m", "yes"), ("m", "no"), ("f", "yes"),
///     ("f", "no"), ("f", "no")])?;
/// let balanced = Reweighing::fit(&labels)?.transform(labels)?;
/// let parity = balanced.parity("f", "m", "yes")?;
/// assert!(parity.statistical_parity_difference().abs() < 1e-9);
/// # Ok::<(), evenhand::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Reweighing {
    cells: Vec<LabelCell>,
}

impl Reweighing {
    /// Computes the factors from the weighted counts of the rows.
    ///
    /// # Errors
    /// The errors of [`LabeledRows::cells`]: an empty cell, or only one group or outcome.
    pub fn fit(labels: &LabeledRows) -> Result<Self> {
        Ok(Self {
            cells: labels.cells()?,
        })
    }

    /// The counted cells, each with its [factor](LabelCell::factor).
    pub fn cells(&self) -> &[LabelCell] {
        &self.cells
    }

    /// The rows with their new weights.
    ///
    /// # Errors
    /// A row with a group or an outcome that was not in the fitted rows; weights whose sum
    /// overflows.
    pub fn transform(&self, labels: LabeledRows) -> Result<LabeledRows> {
        let factors: HashMap<(&str, &str), f64> = self
            .cells
            .iter()
            .map(|cell| {
                let key = (cell.group.as_str(), cell.outcome.as_str());
                (key, cell.factor())
            })
            .collect();
        let weights: Result<Vec<f64>> = labels
            .rows()
            .zip(labels.weights())
            .map(|(row, weight)| match factors.get(&row) {
                Some(factor) => Ok(weight * factor),
                None => Err(argument(format!(
                    "there is no factor for the group '{}' and the outcome '{}'",
                    sanitize_line(row.0, 60),
                    sanitize_line(row.1, 60)
                ))),
            })
            .collect();
        let weights = weights?;
        labels.with_weights(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn golden() -> Value {
        serde_json::from_str(include_str!("fixtures/reweighing_aif360.json")).unwrap()
    }

    fn labels(rows: &Value) -> LabeledRows {
        let rows = rows.as_array().unwrap();
        let weights = rows.iter().map(|row| row["w"].as_f64().unwrap_or(1.0));
        let pairs = rows
            .iter()
            .map(|row| (row["gender"].as_str().unwrap(), row["y"].to_string()));
        LabeledRows::new(pairs)
            .unwrap()
            .with_weights(weights)
            .unwrap()
    }

    fn numbers(value: &Value) -> Vec<f64> {
        let numbers = value.as_array().unwrap();
        numbers.iter().map(|one| one.as_f64().unwrap()).collect()
    }

    fn near(ours: f64, theirs: &Value) {
        let theirs = theirs.as_f64().unwrap();
        assert!((ours - theirs).abs() < 1e-9, "{ours} is not {theirs}");
    }

    fn like_aif360(golden: &Value) {
        let labels = labels(&golden["rows"]);
        let balanced = Reweighing::fit(&labels)
            .unwrap()
            .transform(labels.clone())
            .unwrap();
        let expected = numbers(&golden["weights"]);
        assert_eq!(balanced.len(), expected.len());
        for (ours, theirs) in balanced.weights().iter().zip(expected) {
            assert!((ours - theirs).abs() < 1e-9);
        }
        for (labels, golden) in [(&labels, &golden["before"]), (&balanced, &golden["after"])] {
            let parity = labels.parity("f", "m", "1").unwrap();
            near(
                parity.disparate_impact().unwrap(),
                &golden["disparate_impact"],
            );
            near(
                parity.statistical_parity_difference(),
                &golden["statistical_parity_difference"],
            );
        }
    }

    #[test]
    fn weights_and_parity_are_those_of_aif360() {
        like_aif360(&golden());
        let labels = labels(&golden()["rows"]);
        let balanced = Reweighing::fit(&labels).unwrap().transform(labels).unwrap();
        near(balanced.weights().iter().sum(), &golden()["weights_sum"]);
        like_aif360(&golden()["second"]);
    }

    #[test]
    fn cells_have_the_factors_of_aif360() {
        let golden = golden();
        let reweighing = Reweighing::fit(&labels(&golden["rows"])).unwrap();
        let factors: Vec<_> = reweighing
            .cells()
            .iter()
            .map(|cell| (cell.group.as_str(), cell.outcome.as_str(), cell.factor()))
            .collect();
        for (name, group, outcome) in [
            ("w_p_fav", "m", "1"),
            ("w_p_unfav", "m", "0"),
            ("w_up_fav", "f", "1"),
            ("w_up_unfav", "f", "0"),
        ] {
            let found = factors.iter().find(|f| (f.0, f.1) == (group, outcome));
            near(found.unwrap().2, &golden["cell"][name]);
        }
    }

    #[test]
    fn earlier_weights_are_multiplied() {
        let golden = &golden()["preweighted"];
        let labels = labels(&golden["rows"]);
        let balanced = Reweighing::fit(&labels).unwrap().transform(labels).unwrap();
        for (ours, theirs) in balanced
            .weights()
            .iter()
            .zip(numbers(&golden["weights_out"]))
        {
            assert!((ours - theirs).abs() < 1e-9);
        }
    }

    #[test]
    fn where_aif360_says_infinity_we_name_the_cell() {
        let error = Reweighing::fit(&labels(&golden()["empty_cell"]["rows"])).unwrap_err();
        insta::assert_snapshot!(error.message(), @"no row has the group 'f' and the outcome '1'");
    }

    #[test]
    fn a_row_that_was_not_counted_has_no_factor() {
        let golden = golden();
        let reweighing = Reweighing::fit(&labels(&golden["rows"])).unwrap();
        let strange = LabeledRows::new([("x", "1")]).unwrap();
        insta::assert_snapshot!(reweighing.transform(strange).unwrap_err(), @"there is no factor for the group 'x' and the outcome '1'");
    }

    proptest! {
        #[test]
        fn afterwards_all_groups_have_the_same_rates(
            rows in proptest::collection::vec((0_usize..3, 0_usize..3, 0.01_f64..50.0), 0..60),
        ) {
            // Every cell has at least one row.
            let full = (0..9).map(|cell| (cell / 3, cell % 3, 1.0));
            let rows: Vec<_> = rows.into_iter().chain(full).collect();
            let labels = LabeledRows::new(rows.iter().map(|row| (row.0.to_string(), row.1.to_string())))
                .unwrap()
                .with_weights(rows.iter().map(|row| row.2))
                .unwrap();
            let before: f64 = labels.weights().iter().sum();
            let balanced = Reweighing::fit(&labels).unwrap().transform(labels).unwrap();
            let after: f64 = balanced.weights().iter().sum();
            prop_assert!((before - after).abs() < 1e-6);
            for outcome in ["0", "1", "2"] {
                let rates = ["0", "1", "2"].map(|group| balanced.base_rate(group, outcome).unwrap());
                prop_assert!((rates[0] - rates[1]).abs() < 1e-9);
                prop_assert!((rates[0] - rates[2]).abs() < 1e-9);
            }
        }
    }
}
