//! The kernel: `evcxr_jupyter`, the one on PATH if it fits, else built once into the
//! launcher's home.
//!
//! evcxr believes whoever reaches its ports. So the launcher's own is built to listen to sockets
//! in a folder as well, which is a feature of a crate below it that evcxr leaves off.

use std::path::{Path, PathBuf};

use super::step::{Step, compiled};
use super::toolchain;
use crate::failure::{Context, Failure, Result};
use crate::home::Home;
use crate::jupyter::IPC;
use crate::programs::all_on_path;

/// The version that everything here was tried with.
pub const VERSION: &str = "0.22.0";
/// Packages that its build compiles, for the progress line.
const PACKAGES: usize = 274;

/// The package that is built: evcxr's with that feature, and the versions that it was published
/// with.
const PACKAGE: [(&str, &str); 3] = [
    ("Cargo.toml", include_str!("evcxr/package.toml")),
    ("Cargo.lock", include_str!("evcxr/package.lock")),
    (
        "main.rs",
        "fn main() -> impl std::process::Termination {\n    evcxr_jupyter::main()\n}\n",
    ),
];

/// The kernel's program: the launcher's own, or a fitting one on PATH.
pub fn kernel_program(home: &Home) -> Option<PathBuf> {
    let own = own(home);
    if own.is_file() {
        return Some(own);
    }
    all_on_path("evcxr_jupyter").find(|program| fits(program))
}

fn own(home: &Home) -> PathBuf {
    home.kernel().join("bin").join("evcxr_jupyter")
}

/// Builds the kernel unless there is one.
pub fn ensure(home: &Home) -> Result<()> {
    let own = own(home);
    // One from before listens to ports alone.
    let is_outdated = own.is_file() && !own.with_extension(IPC).exists();
    if kernel_program(home).is_some() && !is_outdated {
        return Ok(());
    }
    let source = home.kernel().join("source");
    let write = || {
        std::fs::create_dir_all(&source)?;
        PACKAGE
            .iter()
            .try_for_each(|(name, text)| std::fs::write(source.join(name), text))
    };
    write().doing(|| format!("could not write {}", source.display()))?;
    let mut step = Step::begin(
        home,
        "evcxr",
        format!("the Rust kernel, evcxr_jupyter {VERSION}"),
        "about 6 minutes, once",
    );
    let build = home.kernel().join("build");
    let mut install = toolchain::program("cargo");
    install
        .args(["install", "--locked", "--force", "--path"])
        .arg(&source)
        .arg("--root")
        .arg(home.kernel())
        .env("CARGO_TARGET_DIR", &build)
        // The launcher itself may run under cargo, whose variables would reach this build.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(home.root());
    step.run(&mut install, |output| {
        format!("{} of {PACKAGES} packages", compiled(output))
    })?;
    if std::fs::write(own.with_extension(IPC), "").is_err() || !own.is_file() {
        return Err(
            Failure::new("cargo installed evcxr_jupyter, but its program is not there")
                .hint("run `evenhand clean`, then start again"),
        );
    }
    // The kernel works without what its build left; if it can't be removed it only takes room.
    let _ = std::fs::remove_dir_all(&build);
    let _ = std::fs::remove_dir_all(&source);
    step.done();
    Ok(())
}

/// The program can't tell its version; the two installers that have it write it down.
fn fits(program: &Path) -> bool {
    let minor = VERSION.rsplit_once('.').map_or(VERSION, |(minor, _)| minor);
    let Some(root) = program.parent().and_then(Path::parent) else {
        return false;
    };
    let cargo = std::fs::read_to_string(root.join(".crates.toml"))
        .is_ok_and(|crates| crates.contains(&format!("\"evcxr_jupyter {minor}.")));
    let conda = || {
        std::fs::read_dir(root.join("conda-meta")).is_ok_and(|entries| {
            entries.filter_map(std::io::Result::ok).any(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with(&format!("evcxr-{minor}."))
            })
        })
    };
    cargo || conda()
}
