//! The commands that a user types, each a file or a folder of its own.
//!
//! - `lab`, `run`, `serve`, `complete`, `doctor`, `clean`;
//! - `provider`: who answers the notebooks that `lab` and `run` start.

pub mod clean;
pub mod complete;
pub mod doctor;
pub mod lab;
mod provider;
pub mod run;
pub mod serve;
