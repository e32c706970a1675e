//! Resampling of rows so that group and outcome are independent, for models without support for
//! weights.

use crate::error::Result;

use super::labels::{LabelCell, LabeledRows, argument};
use crate::random::Random;

/// Which rows of a cell are omitted or repeated to reach its target size: the two methods of
/// Kamiran & Calders (2012), as implemented in R's `fairmodels`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Sampling<'a> {
    /// Each row of a cell has the same probability. A cell that is too large is sampled without
    /// replacement, one that is too small with replacement.
    Uniform {
        /// The seed; the same seed draws the same rows.
        seed: u64,
    },
    /// The rows nearest the decision boundary are omitted or repeated: those with the lowest scores
    /// among the favorable outcomes, and those with the highest among the others. A cell that is
    /// too small first gets all its rows, as many times as they fit completely. There is no
    /// randomness; of rows with equal scores, the earlier one counts as lower.
    Preferential {
        /// The favorable outcome.
        favorable: &'a str,
        /// One score per row from a ranker, such as
        /// [`NaiveBayes::score`](super::NaiveBayes::score): higher for rows that are more likely to
        /// have the favorable outcome.
        scores: &'a [f64],
    },
}

impl LabeledRows {
    /// Draws rows so that each cell has `n_g n_y / n` of them, and returns their numbers in
    /// ascending order. The total number of rows is unchanged: targets are rounded down, and the
    /// remaining rows go to the cells with the largest fractions.
    ///
    /// # Errors
    /// The errors of [`cells`](Self::cells); rows of different weights, which a number of copies
    /// can't represent; different numbers of scores and rows; a score that is NaN; a favorable
    /// outcome that no row has.
    pub fn resample(&self, sampling: &Sampling<'_>) -> Result<Vec<usize>> {
        let cells = self.cells()?;
        self.check(sampling)?;
        let mut drawn = match sampling {
            Sampling::Uniform { seed } => {
                let mut random = Random::new(*seed);
                self.draw(&cells, |rows, _, size| uniform(rows, size, &mut random))
            }
            Sampling::Preferential { favorable, scores } => {
                self.draw(&cells, |rows, cell, size| {
                    let favored = cell.outcome == *favorable;
                    preferential(rows, size, scores, favored)
                })
            }
        };
        drawn.sort_unstable();
        Ok(drawn)
    }

    /// Draws the target number of rows from each cell.
    fn draw(
        &self,
        cells: &[LabelCell],
        mut choose: impl FnMut(Vec<usize>, &LabelCell, usize) -> Vec<usize>,
    ) -> Vec<usize> {
        let sizes = sizes(cells, self.len());
        let cells = cells.iter().zip(sizes);
        cells
            .flat_map(|(cell, size)| choose(self.rows_of(cell), cell, size))
            .collect()
    }

    fn rows_of(&self, cell: &LabelCell) -> Vec<usize> {
        let key = (cell.group.as_str(), cell.outcome.as_str());
        let rows = self.rows().enumerate();
        rows.filter(|(_, row)| *row == key)
            .map(|(at, _)| at)
            .collect()
    }

    fn check(&self, sampling: &Sampling<'_>) -> Result<()> {
        if self.weights.windows(2).any(|two| two.first() != two.last()) {
            return Err(argument(
                "rows of different weights can't be resampled: a number of copies can't represent them",
            )
            .with_hint("resample the rows as they are, or keep the weights and don't resample"));
        }
        let Sampling::Preferential { favorable, scores } = sampling else {
            return Ok(());
        };
        if scores.len() != self.len() {
            let (given, rows) = (scores.len(), self.len());
            return Err(argument(format!("{given} scores for {rows} rows")));
        }
        if let Some(row) = scores.iter().position(|score| score.is_nan()) {
            return Err(argument(format!("the score of row {row} is not a number")));
        }
        match self.rows().any(|(_, outcome)| outcome == *favorable) {
            true => Ok(()),
            false => Err(argument("no row has the favorable outcome")),
        }
    }
}

fn uniform(mut rows: Vec<usize>, size: usize, random: &mut Random) -> Vec<usize> {
    if size <= rows.len() {
        random.shuffle(&mut rows);
        rows.truncate(size);
        return rows;
    }
    (0..size)
        .filter_map(|_| rows.get(random.below(rows.len())).copied())
        .collect()
}

/// Nearest the boundary are the lowest scores of the favored rows, and the highest of the others. A
/// cell that shrinks keeps the rows far from the boundary; one that grows repeats those near it.
fn preferential(mut rows: Vec<usize>, size: usize, scores: &[f64], favored: bool) -> Vec<usize> {
    let shrinks = size < rows.len();
    let score = |row: &usize| scores.get(*row).copied().unwrap_or_default();
    rows.sort_by(|a, b| score(a).total_cmp(&score(b)));
    if favored == shrinks {
        rows.reverse();
    }
    rows.into_iter().cycle().take(size).collect()
}

/// The cells' targets as integers that sum to `total` (largest remainder method).
fn sizes(cells: &[LabelCell], total: usize) -> Vec<usize> {
    let weight: f64 = cells.iter().map(|cell| cell.weight).sum();
    let targets: Vec<f64> = cells
        .iter()
        .map(|cell| cell.target / weight * total as f64)
        // A target within rounding error of an integer is that integer.
        .map(|target| match (target - target.round()).abs() < 1e-9 {
            true => target.round(),
            false => target,
        })
        .collect();
    let mut sizes: Vec<usize> = targets.iter().map(|target| *target as usize).collect();
    let missing = total.saturating_sub(sizes.iter().sum());
    let mut by_fraction: Vec<usize> = (0..cells.len()).collect();
    let fraction = |at: &usize| targets.get(*at).map_or(0.0, |target| target.fract());
    by_fraction.sort_by(|a, b| fraction(b).total_cmp(&fraction(a)));
    for at in by_fraction.into_iter().cycle().take(missing) {
        if let Some(size) = sizes.get_mut(at) {
            *size += 1;
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn labels(counts: &[(&str, &str, usize)]) -> LabeledRows {
        let rows = counts
            .iter()
            .flat_map(|&(group, outcome, rows)| std::iter::repeat_n((group, outcome), rows));
        LabeledRows::new(rows).unwrap()
    }

    fn drawn(labels: &LabeledRows, rows: &[usize], group: &str, outcome: &str) -> usize {
        let all: Vec<_> = labels.rows().collect();
        rows.iter()
            .filter(|&&row| all[row] == (group, outcome))
            .count()
    }

    #[test]
    fn cells_have_the_sizes_of_the_paper() {
        let golden: Value =
            serde_json::from_str(include_str!("fixtures/resampling_targets.json")).unwrap();
        for name in ["eight_rows", "ten_rows"] {
            let cells = golden[name].as_object().unwrap();
            let counts: Vec<_> = cells
                .iter()
                .map(|(key, cell)| {
                    let (group, outcome) = key.split_once(',').unwrap();
                    (group, outcome, cell["observed"].as_u64().unwrap() as usize)
                })
                .collect();
            let labels = labels(&counts);
            for cell in labels.cells().unwrap() {
                let golden = &cells[&format!("{},{}", cell.group, cell.outcome)];
                assert!((cell.target - golden["target"].as_f64().unwrap()).abs() < 1e-9);
                assert!((cell.factor() - golden["factor"].as_f64().unwrap()).abs() < 1e-9);
                let rows = labels.resample(&Sampling::Uniform { seed: 1 }).unwrap();
                assert_eq!(
                    drawn(&labels, &rows, &cell.group, &cell.outcome) as u64,
                    golden["target_rounded"].as_u64().unwrap()
                );
            }
        }
    }

    #[test]
    fn preferential_sampling_doubles_and_leaves_out_what_is_near_the_border() {
        let labels = labels(&[("m", "1", 3), ("m", "0", 1), ("f", "1", 1), ("f", "0", 3)]);
        let scores = [0.9, 0.6, 0.8, 0.4, 0.7, 0.1, 0.45, 0.2];
        let sampling = Sampling::Preferential {
            favorable: "1",
            scores: &scores,
        };
        // Row 1 is the favored man nearest the boundary, row 6 the refused woman nearest it.
        assert_eq!(
            labels.resample(&sampling).unwrap(),
            [0, 2, 3, 3, 4, 4, 5, 7]
        );
    }

    #[test]
    fn the_seed_decides_which_rows() {
        let labels = labels(&[
            ("m", "1", 30),
            ("m", "0", 10),
            ("f", "1", 10),
            ("f", "0", 30),
        ]);
        let draw = |seed| labels.resample(&Sampling::Uniform { seed }).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn what_a_number_of_copies_cannot_represent_is_an_error() {
        let labels = labels(&[("m", "1", 3), ("m", "0", 1), ("f", "1", 1), ("f", "0", 3)]);
        let preferential = |scores| Sampling::Preferential {
            favorable: "1",
            scores,
        };
        labels.resample(&preferential(&[0.5; 7])).unwrap_err();
        labels.resample(&preferential(&[f64::NAN; 8])).unwrap_err();
        let weights = [1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        let weighted = labels.with_weights(weights).unwrap();
        let error = weighted
            .resample(&Sampling::Uniform { seed: 1 })
            .unwrap_err();
        insta::assert_snapshot!(error, @"
        rows of different weights can't be resampled: a number of copies can't represent them
          hint: resample the rows as they are, or keep the weights and don't resample
        ");
    }

    proptest! {
        #[test]
        fn as_many_rows_as_there_were_and_each_cell_within_one_of_its_target(
            counts in proptest::collection::vec(1_usize..40, 6), seed: u64,
        ) {
            let names = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "x"), ("c", "y")];
            let counts: Vec<_> = names.iter().zip(counts).map(|(n, count)| (n.0, n.1, count)).collect();
            let labels = labels(&counts);
            let scores: Vec<f64> = (0..labels.len()).map(|row| (row % 7) as f64).collect();
            for sampling in [
                Sampling::Uniform { seed },
                Sampling::Preferential { favorable: "x", scores: &scores },
            ] {
                let rows = labels.resample(&sampling).unwrap();
                prop_assert_eq!(rows.len(), labels.len());
                for cell in labels.cells().unwrap() {
                    let drawn = drawn(&labels, &rows, &cell.group, &cell.outcome) as f64;
                    prop_assert!((drawn - cell.target).abs() < 1.0);
                }
                let mut times = vec![0_usize; labels.len()];
                rows.iter().for_each(|&row| times[row] += 1);
                let all: Vec<_> = labels.rows().collect();
                for cell in labels.cells().unwrap() {
                    let key = (cell.group.as_str(), cell.outcome.as_str());
                    let times = times.iter().zip(&all).filter(|(_, row)| **row == key);
                    let times: Vec<usize> = times.map(|(times, _)| *times).collect();
                    let (least, most) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
                    // A row is repeated only in a cell that grows, and evenly with preferential
                    // sampling.
                    prop_assert!(most <= 1 || cell.target > cell.weight);
                    let by_chance = matches!(sampling, Sampling::Uniform { .. });
                    prop_assert!(by_chance || most - least <= 1);
                }
            }
        }
    }
}
