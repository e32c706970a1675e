//! What a report finds, what it does not, and what it refuses.

mod bad;
mod compared;
mod fake;
mod found;
