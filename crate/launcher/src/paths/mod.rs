//! Where things are located. Apart from the home folder itself, nothing is created here.
//!
//! - `home`: the launcher's own folder; `checkout`: the notebooks and the library.
//! - `evcxr`, `toolchain`, `library_sources`, `warm_build`: the kernel's program, Rust, the sources from
//!   which types are inferred, and the dependencies compiled for notebooks; `lock_file`: the part of a lock file that concerns one package.
//! - `jupyter`: where Jupyter looks for kernels; `own_program`: this program; `which`: other programs, found as a shell would find them.

pub mod checkout;
pub mod evcxr;
pub mod home;
pub mod jupyter;
pub mod library_sources;
mod lock_file;
pub mod own_program;
pub mod toolchain;
pub mod warm_build;
pub mod which;
