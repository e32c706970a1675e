//! Creates the warm build: the notebook's dependencies, compiled once by evcxr itself in a build
//! directory that each kernel then copies.
//!
//! Another checkout with the same dependencies, or this one after it was moved, takes them from that build.
//! When only the library's own sources have changed, the existing build is updated, which takes
//! about two minutes. When only their times have changed, the build takes the new times.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::step::Step;
use crate::error::{Context, Failure, Result};
use crate::jupyter;
use crate::jupyter::KernelCommand;
use crate::kernel;
use crate::paths::checkout::Checkout;
use crate::paths::evcxr;
use crate::paths::home::{Home, private};
use crate::paths::toolchain;
use crate::paths::warm_build::{Warm, find_alike, locate};

/// The file in a warm build with the path of the checkout that it belongs to.
const CHECKOUT: &str = "checkout.txt";

/// Creates the warm build, or brings it up to date.
pub fn ensure(project: &Checkout, home: &Home) -> Result<()> {
    let warm = locate(project, home)?;
    let library = sources(project)?;
    if warm.library_built().as_ref() == Some(&library.fingerprint) {
        return take_times(&warm.build(), library.newest)
            .with_context(|| format!("could not update {}", warm.build().display()));
    }
    let is_incomplete = warm.library_built().is_none();
    let has_dependencies = is_incomplete && take_dependencies(&warm, home);
    let is_outdated = is_incomplete && remove_outdated(project, home, &warm);
    prepare(project, &warm)?;
    let (title, takes) = match has_dependencies {
        true => ("the library for this copy of evenhand", "about two minutes"),
        false => what_is_built(is_incomplete, is_outdated),
    };
    let mut step = Step::begin(home, "warm", title, takes);
    build(project, home, &warm, &mut step)?;
    fs::write(warm.stamp(), library.fingerprint)
        .with_context(|| format!("could not write {}", warm.stamp().display()))?;
    step.done();
    Ok(())
}

/// Takes the compiled dependencies from the build of another checkout, or of this one before it was
/// moved. Returns whether there were any.
fn take_dependencies(warm: &Warm, home: &Home) -> bool {
    let build = warm.build();
    if build.exists() {
        return false;
    }
    let Some(alike) = find_alike(warm, &home.warm()) else {
        return false;
    };
    // What can't be taken is compiled.
    private::create_folder(warm.folder())
        .and_then(|()| kernel::copy_dependencies(&alike.build(), &build))
        .is_ok()
}

/// The title of the step, and how long it takes on two cores.
fn what_is_built(is_incomplete: bool, is_outdated: bool) -> (&'static str, &'static str) {
    match (is_incomplete, is_outdated) {
        (true, true) => (
            "the library and its dependencies for notebooks, again, because Rust, the kernel or a \
             dependency has changed",
            "10 to 20 minutes, once",
        ),
        (true, false) => (
            "the library and its dependencies for notebooks",
            "10 to 20 minutes, once",
        ),
        (false, _) => ("the changed library", "about two minutes"),
    }
}

/// Removes the stamp before anything changes: an interrupted build counts as incomplete, and
/// continues from the artifacts that it has.
fn prepare(project: &Checkout, warm: &Warm) -> Result<()> {
    let prepare = || {
        if warm.stamp().exists() {
            fs::remove_file(warm.stamp())?;
        }
        private::create_folder(&warm.build())?;
        fs::write(
            warm.folder().join(CHECKOUT),
            project.root().as_os_str().as_encoded_bytes(),
        )?;
        warm.note_dependencies()?;
        fs::copy(project.lock_file(), warm.lock_file()).map(drop)
    };
    prepare().with_context(|| format!("could not prepare {}", warm.folder().display()))
}

fn build(project: &Checkout, home: &Home, warm: &Warm, step: &mut Step) -> Result<()> {
    let program = evcxr::kernel_program(home).ok_or_else(|| {
        Failure::new("the Rust kernel is gone").hint("start again to reinstall it")
    })?;
    let mut env = kernel::environment_of_warm(&warm.build(), &warm.lock_file())?;
    // So that no reader waits for the copies.
    env.push((
        kernel::REDUCED_PACKAGES.into(),
        home.reduced_packages().into(),
    ));
    let command = KernelCommand {
        argv: [
            program.as_os_str(),
            "--control_file".as_ref(),
            "{connection_file}".as_ref(),
        ]
        .map(Into::into)
        .to_vec(),
        env,
        unset: Vec::new(),
        sweep: Vec::new(),
        runs_for_a_reader: false,
    };
    let library = project.library();
    let code = format!(
        ":dep evenhand = {{ path = {:?} }}\nuse evenhand::prelude::*;",
        library
    );
    let packages = packages(project);
    jupyter::execute(&command, &project.notebooks(), &code, || {
        step.tick(|_| progress(compiled(&warm.build()), packages));
    })
}

/// The progress. Some packages are compiled twice, for cells and for build scripts and macros.
fn progress(done: usize, all: Option<usize>) -> String {
    match all {
        Some(all) => format!("{} of {all} packages", done.min(all)),
        None => format!("{done} packages"),
    }
}

/// How many compiled packages are in a build directory: libraries and procedural macros.
fn compiled(build: &Path) -> usize {
    let artifacts = debug_folders(build).filter_map(|debug| fs::read_dir(debug.join("deps")).ok());
    let artifacts = artifacts.flatten();
    let is_library = |name: &str| {
        [".rlib", ".so", ".dylib"]
            .iter()
            .any(|ending| name.ends_with(ending))
    };
    artifacts
        .filter_map(Result::ok)
        .filter(|entry| is_library(&entry.file_name().to_string_lossy()))
        .count()
}

/// Where cargo keeps what it has compiled for each platform, and for build scripts and macros.
fn debug_folders(build: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let target = build.join("target");
    let platforms = fs::read_dir(&target).into_iter().flatten();
    let platforms = platforms.filter_map(Result::ok).map(|entry| entry.path());
    platforms.chain([target]).map(|folder| folder.join("debug"))
}

/// How many packages the build compiles, for the progress line.
fn packages(project: &Checkout) -> Option<usize> {
    let tree = toolchain::program("cargo")
        .args([
            "tree",
            "--package",
            "evenhand",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--offline",
            "--manifest-path",
        ])
        .arg(project.root().join("Cargo.toml"))
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&tree.stdout);
    let names: BTreeSet<_> = text
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .collect();
    (!names.is_empty()).then_some(names.len())
}

/// The library's sources.
struct Sources {
    /// A fingerprint of their contents, of the cells' library, and of how polars is compiled.
    fingerprint: String,
    /// When the file that was written last was written.
    newest: SystemTime,
}

fn sources(project: &Checkout) -> Result<Sources> {
    let mut hash = DefaultHasher::new();
    let mut newest = SystemTime::UNIX_EPOCH;
    kernel::cell_library().hash(&mut hash);
    kernel::profile_of_packages().hash(&mut hash);
    let mut folders = vec![project.sources()];
    while let Some(folder) = folders.pop() {
        let context = || format!("could not read {}", folder.display());
        let mut entries = Vec::new();
        for entry in fs::read_dir(&folder).with_context(context)? {
            entries.push(entry.with_context(context)?.path());
        }
        entries.sort();
        for path in entries {
            if path.is_dir() {
                folders.push(path);
            } else {
                path.hash(&mut hash);
                let written = fs::metadata(&path).and_then(|file| file.modified());
                newest = newest.max(written.with_context(context)?);
                fs::read(&path).with_context(context)?.hash(&mut hash);
            }
        }
    }
    Ok(Sources {
        fingerprint: format!("{:016x}", hash.finish()),
        newest,
    })
}

/// Marks the compiled library as newer than its sources, whose contents are those that it was
/// compiled from.
///
/// cargo compares times alone: in a fresh clone at the same path, or after another branch was
/// checked out for a moment, each kernel would compile the library again, for minutes.
fn take_times(build: &Path, newest: SystemTime) -> io::Result<()> {
    match library_record(build) {
        Some((compiled, record)) if compiled < newest => {
            let record = File::options().write(true).open(record)?;
            record.set_modified(newest)
        }
        _ => Ok(()),
    }
}

/// cargo's record of the files that the library was last compiled from, after its time, which cargo
/// compares with theirs. Those of earlier builds, with other options, lie beside it.
fn library_record(build: &Path) -> Option<(SystemTime, PathBuf)> {
    let packages =
        debug_folders(build).filter_map(|debug| fs::read_dir(debug.join(".fingerprint")).ok());
    let records = packages.flatten().filter_map(|package| {
        let record = package.ok()?.path().join("dep-lib-evenhand");
        Some((fs::metadata(&record).ok()?.modified().ok()?, record))
    });
    records.max()
}

/// Removes outdated warm builds, which take 2 GB each: those of this checkout with another lock
/// file or compiler, and those of checkouts that no longer exist. Returns whether one was this
/// checkout's.
fn remove_outdated(project: &Checkout, home: &Home, keep: &Warm) -> bool {
    let mut had_own = false;
    let Ok(entries) = fs::read_dir(home.warm()) else {
        return had_own;
    };
    for folder in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let checkout = fs::read_to_string(folder.join(CHECKOUT)).map(PathBuf::from);
        let is_own = checkout.as_ref().is_ok_and(|path| path == project.root());
        let outdated = is_own || checkout.is_ok_and(|path| !path.exists());
        if outdated && folder != keep.folder() {
            had_own |= is_own;
            // One that cannot be removed only takes up space.
            let _ = fs::remove_dir_all(folder);
        }
    }
    had_own
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_build_that_is_made_again_says_so_and_why() {
        let (title, _) = what_is_built(true, true);
        assert!(title.contains("again, because Rust"), "{title}");
        assert!(!what_is_built(true, false).0.contains("again"));
        assert_eq!(what_is_built(false, false).0, "the changed library");
    }

    #[test]
    fn a_library_that_only_looks_newer_is_not_compiled_again() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let build = tempfile::tempdir().unwrap();
        let record = |name: &str, seconds| {
            let folder = build
                .path()
                .join("target/x86_64-unknown-linux-gnu/debug/.fingerprint")
                .join(name);
            fs::create_dir_all(&folder).unwrap();
            let file = File::create(folder.join("dep-lib-evenhand")).unwrap();
            file.set_modified(at(seconds)).unwrap();
            move || file.metadata().unwrap().modified().unwrap()
        };
        let (earlier, last) = (record("evenhand-a", 100), record("evenhand-b", 200));
        take_times(build.path(), at(150)).unwrap();
        assert_eq!((earlier(), last()), (at(100), at(200)));
        take_times(build.path(), at(300)).unwrap();
        assert_eq!((earlier(), last()), (at(100), at(300)));
    }
}
