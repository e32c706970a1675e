//! The build directory in which evcxr compiles a notebook's cells: a private copy of the warm
//! build, and the `cargo` that evcxr finds there.
//!
//! - `copy`: the private copy; `shim`: the programs that are placed first on PATH.
//! - `cargo_shim`: what our `cargo` does for a cell, with the help of `lock_file` (versions),
//!   `cell_build` (compiling), `own_crates` (the reader's crates next to the toolkit), `metadata` and
//!   `reduced_packages` (what rust-analyzer sees) and `real_cargo`.
//! - `instrument`: adds marks to a cell's generated code, with the help of `last_expression`,
//!   `definitions` and `implementations`. The marks call `cell_library`, which is compiled for the
//!   cells and is not part of this program.
//! - `profile`: how polars is compiled.
//! - `message`: what evcxr is told of the compiler's messages; `failure`: of what else went wrong; `progress`: what the reader is told of
//!   a build.

mod cargo_shim;
mod cell_build;
mod copy;
mod definitions;
mod failure;
mod implementations;
mod instrument;
mod last_expression;
mod lock_file;
mod message;
mod metadata;
mod own_crates;
mod profile;
mod progress;
mod real_cargo;
mod reduced_packages;
mod shim;

pub use cargo_shim::run as run_cargo;
pub use copy::{PrivateCopy, copy_dependencies, sweep};
pub use message::{MOVED, Moved};
pub use own_crates::{NOTE, WARM};
pub use profile::text as profile_of_packages;
#[cfg(test)]
pub use progress::PROGRESS;
pub use progress::Progress;
pub use reduced_packages::FOLDER as REDUCED_PACKAGES;
pub use shim::{cell_library, environment, environment_of_warm};
