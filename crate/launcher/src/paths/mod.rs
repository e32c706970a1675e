//! Where things are: nothing here makes anything.
//!
//! - `home`: the launcher's own folder; `checkout`: the notebooks and the library;
//! - `evcxr`, `toolchain`, `warm_build`: the kernel's program, Rust, and what is compiled for
//!   notebooks; `lock_file`: what of a lock file concerns one package;
//! - `which`: programs of others, as a shell would find them.

pub mod checkout;
pub mod evcxr;
pub mod home;
mod lock_file;
pub mod toolchain;
pub mod warm_build;
pub mod which;
