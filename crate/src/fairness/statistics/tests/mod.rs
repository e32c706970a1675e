//! Tests of the statistics as a whole: reference values, invariants, and simulations of the
//! guarantees of tests and intervals.

mod bounds;
mod crossed;
mod golden;
mod primary_test;
mod properties;
pub(in crate::fairness) mod shape;
mod simulation;
mod size_change;

use super::Differences;

fn differences(values: &[f64]) -> Differences {
    Differences::new(values).unwrap()
}
