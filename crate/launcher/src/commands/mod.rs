//! The commands that a user types, each in a file or a folder of its own.
//!
//! - `lab`, `run`, `new`, `kernel`, `serve`, `practice`, `cloud`, `spark`, `complete`, `study`, `doctor`,
//!   `clean`.
//! - `percent_encoding`: names in addresses.
//! - `provider`: the service or model that answers notebooks started by `lab` and `run`.

pub mod clean;
pub mod cloud;
pub mod complete;
pub mod doctor;
pub mod kernel;
pub mod lab;
pub mod new;
mod percent_encoding;
pub mod practice;
mod provider;
pub mod run;
pub mod serve;
pub mod spark;
pub mod study;
