//! Batches against deployments that accept different parameters, or refuse requests.

mod deployments;
mod mixed_models;
mod one_row;
mod refusals;
mod steering;
mod thinking;
