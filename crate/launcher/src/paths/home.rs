//! The one folder in which the launcher keeps everything that it creates: `EVENHAND_HOME`.
//!
//! - `place` and `above`: where it may be; `claim` and `marker`: how it is made ours, and how that is
//!   recognized.
//! - `private`: file permissions that keep other users out.

mod above;
mod claim;
mod marker;
mod place;
pub mod private;
pub mod saved_file;

use std::path::{Path, PathBuf};

pub use self::claim::{MADE, State};
pub use self::marker::MARKER;
use crate::error::{Failure, Result};

/// The folder with everything that the launcher creates; `evenhand clean` removes it.
#[derive(Clone, Debug)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// `EVENHAND_HOME`, or `evenhand` in the platform's data directory. Nothing is created yet.
    pub fn locate() -> Result<Self> {
        let (root, source) =
            match std::env::var_os("EVENHAND_HOME").filter(|value| !value.is_empty()) {
                Some(path) => (PathBuf::from(path), "EVENHAND_HOME"),
                None => match data_directory() {
                    Some(data) => (data.join("evenhand"), "the platform's data directory"),
                    None => {
                        return Err(Failure::new(
                            "there is no place for evenhand's files: no home directory is known",
                        )
                        .hint("set EVENHAND_HOME to a folder with 4 GB of room"));
                    }
                },
            };
        place::check(&root, source)?;
        Ok(Self { root })
    }

    /// Whether the folder exists and is ours. Nothing is created or changed.
    ///
    /// Fails if the folder is not ours: then nothing in it may be touched.
    pub fn state(&self) -> Result<State> {
        claim::state(&self.root)
    }

    /// Creates the folder, accessible to its owner only, or checks that it is ours. This must be
    /// called before anything in it is written or removed.
    pub fn claim(&self) -> Result<()> {
        claim::claim(&self.root)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The Python virtual environment with JupyterLab and the model's engine.
    pub fn venv(&self) -> PathBuf {
        self.root.join("venv")
    }

    /// The virtual environment's interpreter.
    pub fn python(&self) -> PathBuf {
        self.venv().join("bin").join("python")
    }

    /// The folder of the local model's weights.
    pub fn models(&self) -> PathBuf {
        self.root.join("model")
    }

    /// The evcxr kernel that the launcher installed, and its kernelspec.
    pub fn kernel(&self) -> PathBuf {
        self.root.join("kernel")
    }

    /// Copies of packages without the bodies of functions, for rust-analyzer.
    pub fn reduced_packages(&self) -> PathBuf {
        self.kernel().join("packages")
    }

    /// Build directories in which the notebook's dependencies are already compiled.
    pub fn warm(&self) -> PathBuf {
        self.root.join("warm")
    }

    /// What the local Spark engine was installed from, if it was.
    pub fn spark_stamp(&self) -> PathBuf {
        self.venv().join("evenhand-spark.txt")
    }

    /// What Apache Spark was installed from, if it was.
    pub fn apache_spark_stamp(&self) -> PathBuf {
        self.venv().join("evenhand-apache-spark.txt")
    }

    /// What there is in the practice cloud.
    pub fn practice(&self) -> PathBuf {
        self.root.join("practice")
    }

    /// What `evenhand cloud up` made in real and practice clouds.
    pub fn cloud(&self) -> PathBuf {
        self.root.join("cloud")
    }

    /// The output of background processes.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }
}

fn data_directory() -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if cfg!(target_os = "macos") {
        return set("HOME").map(|home| home.join("Library").join("Application Support"));
    }
    set("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".local").join("share")))
}
