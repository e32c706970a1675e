//! The checkout that the launcher belongs to: notebooks, library, lock file.

use std::path::{Path, PathBuf};

use crate::error::{Failure, Result};

/// The folder in the library's with its package for notebooks, a `dylib`.
pub const FOR_NOTEBOOKS: &str = "notebook";

/// The checkout. It never depends on the current directory, which may be somebody else's: the
/// checkout's files say what is compiled and run.
#[derive(Clone, Debug)]
pub struct Checkout {
    root: PathBuf,
}

/// The checkout that this program was built from. The launcher's package is two folders below it.
fn built_from() -> Option<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)
}

impl Checkout {
    /// The checkout that this binary was built from.
    pub fn locate() -> Result<Self> {
        built_from()
            .filter(|folder| {
                folder.join("environment.yml").is_file() && folder.join("crate").is_dir()
            })
            .map(|folder| Self {
                root: folder.to_owned(),
            })
            .ok_or_else(|| {
                let built = built_from().unwrap_or(Path::new("?")).display();
                Failure::new(format!(
                    "the evenhand checkout is no longer at {built}, where this program was built"
                ))
                .hint("build the launcher again with `cargo run` in the checkout's new folder")
            })
    }

    /// The checkout's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The package through which notebooks depend on the library.
    pub fn library(&self) -> PathBuf {
        self.root.join("crate").join(FOR_NOTEBOOKS)
    }

    /// The library's sources.
    pub fn sources(&self) -> PathBuf {
        self.root.join("crate/src")
    }

    /// The notebooks.
    pub fn notebooks(&self) -> PathBuf {
        self.root.join("notebooks")
    }

    /// The local model's answers that come with the notebooks.
    pub fn answers(&self) -> PathBuf {
        self.notebooks().join("answers")
    }

    /// The lock file: the versions that were tested, and that cells use.
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("Cargo.lock")
    }

    /// What pip installs, with hashes: the pip section of `environment.yml` and all dependencies.
    pub fn requirements(&self) -> PathBuf {
        self.root.join("crate/launcher/requirements.txt")
    }

    /// What pip installs for the local Spark engine, with its hashes.
    pub fn spark_requirements(&self) -> PathBuf {
        self.root.join("crate/launcher/requirements-spark.txt")
    }

    /// What pip installs for Apache Spark, with its hash.
    pub fn apache_spark_requirements(&self) -> PathBuf {
        self.root.join("crate/launcher/requirements-pyspark.txt")
    }

    /// What builds Apache Spark's package, with its hash.
    pub fn apache_spark_build_requirements(&self) -> PathBuf {
        self.root
            .join("crate/launcher/requirements-pyspark-build.txt")
    }
}
