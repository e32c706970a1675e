//! What holds of the statistics as a whole: the peers' numbers, the invariants, and by
//! simulation the promises of tests and intervals.

mod bounds;
mod calibration;
mod golden;
mod properties;
mod size_change;

use super::Differences;

fn differences(values: &[f64]) -> Differences {
    Differences::new(values).unwrap()
}
