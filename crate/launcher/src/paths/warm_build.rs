//! The warm build: a build directory in which evcxr itself has compiled the notebook's
//! dependencies, and that each kernel copies.
//!
//! It is keyed by everything that would make the compiler build again: the library and its
//! dependencies in the lock file, the library's manifest, the compiler, the kernel, the linkers
//! that evcxr prefers, and the path of the checkout.

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
    /// The build directory, for `EVCXR_TMPDIR`.
    pub fn build(&self) -> PathBuf {
        self.folder.join("build")
    }

    /// The lock file that the build used.
    pub fn lock_file(&self) -> PathBuf {
        self.folder.join("Cargo.lock")
    }

    /// The file that is written last, with a fingerprint of the library's sources.
    pub fn stamp(&self) -> PathBuf {
        self.folder.join("library.txt")
    }

    /// The fingerprint of the sources that it was built from, if it is complete.
    pub fn library_built(&self) -> Option<String> {
        fs::read_to_string(self.stamp()).ok()
    }

    /// The folder with the build and the records about it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The warm build for this checkout and this compiler, if it is complete. If the library's
/// sources have changed since, the kernel recompiles that one crate.
pub fn find(project: &Checkout, home: &Home) -> Result<Option<Warm>> {
    let warm = locate(project, home)?;
    Ok(warm.library_built().is_some().then_some(warm))
}

/// The location of this checkout's warm build, whether it exists or not.
pub fn locate(project: &Checkout, home: &Home) -> Result<Warm> {
    let mut key = DefaultHasher::new();
    project.library().hash(&mut key);
    toolchain::version()?.hash(&mut key);
    evcxr::kernel_program(home).hash(&mut key);
    let read = |file: PathBuf| {
        fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))
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
