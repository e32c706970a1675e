//! Batches against deployments that take different things.

mod deployments;
mod thinking;
