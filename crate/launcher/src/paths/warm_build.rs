//! The warm build: a build directory in which evcxr itself compiled the notebook's dependencies, and
//! that each kernel copies.
//!
//! It is keyed by all that decides what the compiler would do again: what the lock file
//! says of the library and all below it, the library's manifest, the compiler, the kernel,
//! the linkers that evcxr prefers, and the checkout's place.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::checkout::Checkout;
use super::evcxr;
use super::home::Home;
use super::lock_file;
use super::toolchain;
use super::which::on_path;
use crate::error::{Context, Result};

/// A build directory in which the notebook's dependencies are compiled.
pub struct Warm {
    folder: PathBuf,
}

impl Warm {
    /// What `EVCXR_TMPDIR` names.
    pub fn build(&self) -> PathBuf {
        self.folder.join("build")
    }

    /// The lock file that the build resolved.
    pub fn lock_file(&self) -> PathBuf {
        self.folder.join("Cargo.lock")
    }

    /// Written last, with a fingerprint of the library's sources.
    pub fn stamp(&self) -> PathBuf {
        self.folder.join("library.txt")
    }

    /// The fingerprint of the sources that it was made of, if it is whole.
    pub fn library_built(&self) -> Option<String> {
        fs::read_to_string(self.stamp()).ok()
    }

    /// The folder that holds it, and what is noted of it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The warm build that fits this checkout and this compiler, if it is whole. The library's
/// sources may have changed since: then the kernel compiles that one crate again.
pub fn find(project: &Checkout, home: &Home) -> Result<Option<Warm>> {
    let warm = locate(project, home)?;
    Ok(warm.library_built().is_some().then_some(warm))
}

/// Where the warm build of this checkout belongs, whether it is there or not.
pub fn locate(project: &Checkout, home: &Home) -> Result<Warm> {
    let mut key = DefaultHasher::new();
    project.library().hash(&mut key);
    toolchain::version()?.hash(&mut key);
    evcxr::kernel_program(home).hash(&mut key);
    let read = |file: PathBuf| {
        fs::read_to_string(&file).doing(|| format!("could not read {}", file.display()))
    };
    lock_file::closure(&read(project.lock_file())?, "evenhand").hash(&mut key);
    read(project.library().join("Cargo.toml"))?.hash(&mut key);
    for linker in ["mold", "lld"] {
        on_path(linker).is_some().hash(&mut key);
    }
    Ok(Warm {
        folder: home.warm().join(format!("{:016x}", key.finish())),
    })
}
