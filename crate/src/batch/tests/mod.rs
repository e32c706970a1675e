//! Batches against deployments that accept different parameters.

mod deployments;
mod one_row;
mod steering;
mod thinking;
