//! Batches against deployments that accept different parameters.

mod deployments;
mod mixed_models;
mod one_row;
mod steering;
mod thinking;
