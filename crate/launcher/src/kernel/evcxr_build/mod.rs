//! The build directory in which evcxr compiles a notebook's cells: a private copy of one
//! that is warm, and the `cargo` that evcxr finds there.
//!
//! - `copy`: the private copy; `shim`: the programs that precede all others on PATH;
//! - `cargo_shim`: what they do for a cell; `instrument`: what a cell tells of itself, with the help of
//!   `cell_library`, which is compiled for the cells and not part of this program;
//! - `metadata`: what rust-analyzer is told of the packages.

mod cargo_shim;
mod copy;
mod instrument;
mod metadata;
mod shim;

pub use cargo_shim::run as run_cargo;
pub use copy::{PrivateCopy, sweep};
pub use shim::{cell_library, environment, environment_of_warm};
