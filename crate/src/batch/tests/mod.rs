//! Batches against deployments that accept different parameters.

mod deployments;
mod steering;
mod thinking;
