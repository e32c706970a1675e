//! The reader's own crates next to the toolkit, which is never compiled again for them.
//!
//! Cargo gives a package one set of features in a whole graph. So in one graph with the toolkit, a
//! crate that asks for one feature more of a shared package has everything above that package
//! compiled again, polars among it. Therefore the toolkit is outside the graph:
//!
//! - The toolkit alone is built first (`toolkit`). In the warm build that takes no time, and cargo's
//!   messages tell which packages with which features it consists of.
//! - The cell is built from a manifest of its own (`manifest`), without the toolkit, in the same target
//!   folder. It asks for the toolkit's versions and features of the packages that both need, so that
//!   these are not compiled again, and types of both are the same.
//! - The compiler is given the toolkit by its path (the recorder of `shim` adds the arguments).
//! - What was compiled is handed to the warm build (`warm_cache`), so that the next kernel has it.
//!
//! evcxr and rust-analyzer go on with evcxr's own manifest, which names all.

mod manifest;
mod toolkit;
mod warm_cache;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use evenhand::sideband::STOP_FILE_VARIABLE;
use serde_json::Value;

use super::profile;
use super::real_cargo::{output_unless_stopped, real};
use super::shim::{LOCK_FILE, OWN_ARGUMENTS, SHIMS};
use manifest::Manifest;
use toolkit::{Package, Toolkit};

pub use warm_cache::WARM;

/// The folder in the build directory with the manifest of the cell's graph.
const FOLDER: &str = "own";

/// How often to ask for what both need; three rounds were enough for all crates that were tried. What is
/// left out then is compiled again.
const ROUNDS: usize = 10;

/// The file in the build directory with a note for the reader about the build.
pub const NOTE: &str = "build-note";

/// How a cell is to be built.
pub(super) enum Plan {
    /// By evcxr's manifest.
    AsIs,
    /// So too, and the toolkit has features that the warm build may lack.
    WithFeatures,
    /// By its own, with these arguments for cargo.
    Apart(Vec<OsString>),
    /// Not at all, since cargo said this.
    Failed(Output),
}

/// Prepares the build of a cell whose manifest evcxr has written.
pub(super) fn plan(build: &Path, cargo: &OsString, arguments: &[OsString]) -> io::Result<Plan> {
    for left in [build.join(SHIMS).join(OWN_ARGUMENTS), build.join(NOTE)] {
        remove(&left)?;
    }
    let text = fs::read_to_string(build.join("Cargo.toml"))?;
    let manifest = Manifest::from_text(&text);
    let Some(target) = target(arguments).filter(|_| manifest.needs_a_graph_of_its_own()) else {
        return Ok(match manifest.asks_for_features() {
            true => Plan::WithFeatures,
            false => Plan::AsIs,
        });
    };
    let graph = Graph {
        build,
        cargo,
        target,
        is_offline: arguments.iter().any(|argument| argument == "--offline"),
    };
    let toolkit = match graph.toolkit(&manifest)? {
        Ok(toolkit) => toolkit,
        Err(failed) => return Ok(Plan::Failed(failed)),
    };
    let packages = match graph.settle(&manifest, &toolkit)? {
        Ok(packages) => packages,
        Err(failed) => return Ok(Plan::Failed(failed)),
    };
    if let Some(note) = toolkit.compiled_again(&packages) {
        fs::write(build.join(NOTE), note)?;
    }
    let given = toolkit.compiler_arguments(&build.join("target"), target);
    fs::write(
        build.join(SHIMS).join(OWN_ARGUMENTS),
        given.join("\n") + "\n",
    )?;
    let command = arguments.iter().position(|argument| argument == "build");
    let mut arguments = arguments.to_vec();
    let place = command.map_or(arguments.len(), |place| place + 1);
    arguments.splice(place..place, graph.manifest_option(FOLDER));
    Ok(Plan::Apart(arguments))
}

/// Whether a manifest of evcxr's names the toolkit.
pub(super) fn has_toolkit(manifest: &str) -> bool {
    Manifest::from_text(manifest).has_toolkit()
}

/// Hands what was compiled to the warm build, if the kernel has one.
pub(super) fn keep(build: &Path, arguments: &[OsString]) {
    if let (Some(warm), Some(target)) = (std::env::var_os(WARM), target(arguments)) {
        // What is not kept is compiled again in the next kernel.
        let _ = warm_cache::keep(build, Path::new(&warm), target);
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The target for which evcxr builds.
fn target(arguments: &[OsString]) -> Option<&str> {
    let place = arguments
        .iter()
        .position(|argument| argument == "--target")?;
    arguments.get(place + 1)?.to_str()
}

/// What cargo is asked about.
struct Graph<'a> {
    build: &'a Path,
    cargo: &'a OsString,
    target: &'a str,
    is_offline: bool,
}

impl Graph<'_> {
    /// Builds the toolkit alone: for a moment, unless its sources have changed.
    fn toolkit(&self, manifest: &Manifest) -> io::Result<Result<Toolkit, Output>> {
        let folder = self.build.join(manifest::TOOLKIT);
        fs::create_dir_all(&folder)?;
        write_changed(&folder.join("Cargo.toml"), &manifest.of_toolkit())?;
        write_changed(&folder.join("lib.rs"), "")?;
        self.copy_versions(&folder)?;
        let mut arguments: Vec<OsString> = vec!["build".into()];
        arguments.extend(self.manifest_option(manifest::TOOLKIT));
        arguments.extend(["--target", self.target, "--message-format=json"].map(Into::into));
        let output = self.run(&arguments)?;
        Ok(match output.status.success() {
            true => Ok(Toolkit::from_messages(&output.stdout, self.target)),
            false => Err(output),
        })
    }

    /// Writes the manifests of the cell's graph, and returns its packages.
    ///
    /// To ask for the toolkit's features of a package can bring more packages that both need, so it
    /// is done until nothing is added.
    fn settle(
        &self,
        manifest: &Manifest,
        toolkit: &Toolkit,
    ) -> io::Result<Result<Vec<Value>, Output>> {
        let folder = self.build.join(FOLDER);
        let shared_folder = folder.join(manifest::SHARED);
        fs::create_dir_all(&shared_folder)?;
        if !folder.join("src").exists() {
            symlink("../src", folder.join("src"))?;
        }
        write_changed(&shared_folder.join("lib.rs"), "")?;
        write_changed(&folder.join("Cargo.toml"), &manifest.of_cell())?;
        let write = |shared: &BTreeSet<&Package>| {
            write_changed(
                &shared_folder.join("Cargo.toml"),
                &manifest::of_shared(shared, toolkit),
            )
        };
        let mut shared = BTreeSet::new();
        write(&shared)?;
        self.copy_versions(&folder)?;
        let mut packages = match self.packages()? {
            Ok(packages) => packages,
            Err(failed) => return Ok(Err(failed)),
        };
        for _ in 0..ROUNDS {
            let both = toolkit.shared_with(&packages);
            if both == shared {
                break;
            }
            write(&both)?;
            match self.packages()? {
                Ok(found) => (shared, packages) = (both, found),
                // The reader's crates want other versions than the toolkit's features do.
                Err(_) => {
                    write(&shared)?;
                    break;
                }
            }
        }
        Ok(Ok(packages))
    }

    /// The packages of the cell's graph, with their features.
    fn packages(&self) -> io::Result<Result<Vec<Value>, Output>> {
        let mut arguments: Vec<OsString> = vec!["metadata".into()];
        arguments.extend(self.manifest_option(FOLDER));
        let options = ["--format-version=1", "--filter-platform", self.target];
        arguments.extend(options.map(Into::into));
        let mut output = self.run(&arguments)?;
        if !output.status.success() && !self.is_offline {
            // Without a network, what was downloaded before may do.
            arguments.push("--offline".into());
            let offline = self.run(&arguments)?;
            if offline.status.success() {
                output = offline;
            }
        }
        if !output.status.success() {
            return Ok(Err(output));
        }
        let mut metadata: Value = serde_json::from_slice(&output.stdout)?;
        Ok(Ok(toolkit::packages_of(&mut metadata)))
    }

    fn run(&self, arguments: &[OsString]) -> io::Result<Output> {
        let mut command = real(self.cargo);
        command.args(profile::option(&self.build.join(SHIMS)));
        if self.is_offline {
            command.arg("--offline");
        }
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        output_unless_stopped(&mut command, std::env::var_os(STOP_FILE_VARIABLE), None)
    }

    fn manifest_option(&self, folder: &str) -> [OsString; 2] {
        let path: PathBuf = [folder, "Cargo.toml"].iter().collect();
        ["--manifest-path".into(), path.into()]
    }

    /// Gives a graph the toolkit's versions. The reader's crates are resolved anew, since a lock file
    /// of another set of crates may hold back what these need.
    fn copy_versions(&self, folder: &Path) -> io::Result<()> {
        match std::env::var_os(LOCK_FILE) {
            Some(lock_file) => fs::copy(lock_file, folder.join("Cargo.lock")).map(drop),
            None => Ok(()),
        }
    }
}

/// Writes a file if its text differs: cargo compares times.
fn write_changed(file: &Path, text: &str) -> io::Result<()> {
    match fs::read(file) {
        Ok(there) if there == text.as_bytes() => Ok(()),
        _ => fs::write(file, text),
    }
}

/// The cell's source as cargo names it in a graph of its own.
pub(super) fn source(build: &Path) -> PathBuf {
    build.join(FOLDER).join("src/lib.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_stands_after_its_option() {
        let arguments = ["build", "--target", "x86_64-unknown-linux-gnu"].map(OsString::from);
        assert_eq!(target(&arguments), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(target(&arguments[..2]), None);
    }
}
