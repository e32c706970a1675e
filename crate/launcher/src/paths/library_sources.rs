//! The reduced copy of the sources of Rust's standard library, from which evcxr infers the types of
//! variables. `setup` makes it; without it, evcxr reads the sources that came with Rust.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::home::Home;
use super::toolchain;
use crate::error::Result;

/// The variable by which evcxr is told of it.
pub const VARIABLE: &str = "RUST_SRC_PATH";

/// Counted up when the copy is made in another way.
const FORMAT: u32 = 2;

/// The folder of all copies.
pub fn folder(home: &Home) -> PathBuf {
    home.kernel().join("library")
}

/// Where the copy for this compiler is, whether it exists or not.
pub fn locate(home: &Home) -> Result<PathBuf> {
    let mut key = DefaultHasher::new();
    (FORMAT, toolchain::version()?).hash(&mut key);
    Ok(folder(home).join(format!("{:016x}", key.finish())))
}

/// The copy for this compiler, if it is complete: it gets its name last.
pub fn find(home: &Home) -> Option<PathBuf> {
    locate(home).ok().filter(|copy| is_complete(copy))
}

/// Whether this folder has the sources.
pub fn is_complete(copy: &Path) -> bool {
    copy.join("core").is_dir()
}
