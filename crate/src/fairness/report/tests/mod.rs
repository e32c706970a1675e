//! What a report detects, what it does not, and which answers it rejects.

mod bad;
mod compared;
mod doubts;
mod fake;
mod found;
mod groups;
mod margins;
mod models;
mod simulation;
mod templates;
