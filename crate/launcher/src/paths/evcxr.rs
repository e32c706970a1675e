//! The kernel's program, `evcxr_jupyter`, as the launcher builds it. One that happens to be on PATH is
//! not used: it listens on ports and accepts every connection there.

use std::path::PathBuf;

use super::home::Home;

/// The version that everything here was tested with.
pub const VERSION: &str = "0.22.0";

/// The kernel's program, if it has been built.
pub fn kernel_program(home: &Home) -> Option<PathBuf> {
    Some(own_program(home)).filter(|program| program.is_file())
}

/// The path of the kernel's program, whether it has been built or not.
pub fn own_program(home: &Home) -> PathBuf {
    home.kernel().join("bin").join("evcxr_jupyter")
}
