//! The guarantees of tests and intervals by simulation, with fixed seeds. These take longer than
//! other tests, so the command for work in progress skips what is named `simulation`.

mod calibration;
mod primary_test;
mod size_change;
