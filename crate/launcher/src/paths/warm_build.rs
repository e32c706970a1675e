//! The warm build: a build directory in which evcxr itself has compiled the notebook's
//! dependencies, and that each kernel copies.
//!
//! It is keyed by everything that would make the compiler build again: the library and its
//! dependencies in the lock file, the library's manifest, the compiler, the kernel, the linkers
//! that evcxr prefers, and the path of the checkout.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use super::checkout::Checkout;
use super::evcxr;
use super::home::Home;
use super::lock_file;
use super::toolchain;
use super::which::on_path;
use crate::error::{Context, Result};

/// The file in a warm build that tells which dependencies it has.
const DEPENDENCIES: &str = "dependencies.txt";

/// A build directory in which the notebook's dependencies are compiled.
pub struct Warm {
    folder: PathBuf,
    /// Stands for everything that it is keyed by, but for the path of the checkout.
    dependencies: String,
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

    /// Notes which dependencies it has, for [`find_alike`].
    ///
    /// # Errors
    /// The file can't be written.
    pub fn note_dependencies(&self) -> io::Result<()> {
        fs::write(self.folder.join(DEPENDENCIES), &self.dependencies)
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
    let read = |file: PathBuf| {
        fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))
    };
    let compiler = toolchain::version()?;
    let kernel = evcxr::kernel_program(home);
    let lock_file = read(project.lock_file())?;
    let closure = lock_file::closure(&lock_file, "evenhand");
    let manifest = read(project.library().join("Cargo.toml"))?;
    let linkers = ["mold", "lld"].map(|linker| on_path(linker).is_some());
    let hash = |path: Option<PathBuf>| {
        let mut key = DefaultHasher::new();
        path.inspect(|path| path.hash(&mut key));
        (&compiler, &kernel, &closure, &manifest).hash(&mut key);
        linkers.iter().for_each(|linker| linker.hash(&mut key));
        format!("{:016x}", key.finish())
    };
    Ok(Warm {
        folder: home.warm().join(hash(Some(project.library()))),
        dependencies: hash(None),
    })
}

/// A complete warm build of another checkout in this folder, with the same dependencies compiled in the
/// same way.
pub fn find_alike(warm: &Warm, folder: &Path) -> Option<Warm> {
    let folders = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let mut builds = folders.map(|entry| Warm {
        folder: entry.path(),
        dependencies: fs::read_to_string(entry.path().join(DEPENDENCIES)).unwrap_or_default(),
    });
    builds.find(|other| {
        other.dependencies == warm.dependencies
            && other.folder != warm.folder
            && other.library_built().is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_complete_build_of_the_same_dependencies_is_alike() {
        let folder = tempfile::tempdir().unwrap();
        let warm = |name: &str, dependencies: &str, is_complete| {
            let warm = Warm {
                folder: folder.path().join(name),
                dependencies: dependencies.to_owned(),
            };
            fs::create_dir_all(warm.build()).unwrap();
            warm.note_dependencies().unwrap();
            if is_complete {
                fs::write(warm.stamp(), "1").unwrap();
            }
            warm
        };
        let own = warm("own", "a", true);
        warm("of-other-dependencies", "b", true);
        warm("incomplete", "a", false);
        fs::create_dir(folder.path().join("of-an-older-version")).unwrap();
        assert!(find_alike(&own, folder.path()).is_none());
        warm("alike", "a", true);
        let found = find_alike(&own, folder.path()).unwrap();
        assert_eq!(found.folder(), folder.path().join("alike"));
    }
}
