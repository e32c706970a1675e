//! The commands that a user types, each in a file or a folder of its own.
//!
//! - `lab`, `run`, `new`, `kernel`, `serve`, `spark`, `complete`, `study`, `doctor`, `clean`.
//! - `provider`: the service or model that answers notebooks started by `lab` and `run`.

pub mod clean;
pub mod complete;
pub mod doctor;
pub mod kernel;
pub mod lab;
pub mod new;
mod provider;
pub mod run;
pub mod serve;
pub mod spark;
pub mod study;
