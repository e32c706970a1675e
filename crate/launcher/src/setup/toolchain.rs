//! The part of Rust that may be missing: the sources of its standard library.

use crate::error::Result;
use crate::paths::toolchain::{has_sources, no_sources, program, sysroot};
use crate::terminal::err;

/// Finds Rust, and adds the standard library's sources if rustup can.
pub fn ensure() -> Result<()> {
    let sysroot = sysroot()?;
    if has_sources(&sysroot) {
        return Ok(());
    }
    err!("  adding the sources of Rust's standard library, from which types are inferred …");
    let added = program("rustup")
        .args(["component", "add", "rust-src"])
        .status();
    if added.is_ok_and(|status| status.success()) && has_sources(&sysroot) {
        return Ok(());
    }
    Err(no_sources())
}
