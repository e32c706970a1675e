//! The kernel: `evcxr_jupyter`, the one on PATH if it fits, else built once into the
//! launcher's home.

use std::path::{Path, PathBuf};

use super::step::{Step, compiled};
use super::toolchain;
use crate::failure::{Failure, Result};
use crate::home::Home;
use crate::programs::all_on_path;

/// The version that everything here was tried with.
pub const VERSION: &str = "0.22.0";
/// Packages that its build compiles, for the progress line.
const PACKAGES: usize = 273;

/// The kernel's program: the launcher's own, or a fitting one on PATH.
pub fn kernel_program(home: &Home) -> Option<PathBuf> {
    let own = home.kernel().join("bin").join("evcxr_jupyter");
    if own.is_file() {
        return Some(own);
    }
    all_on_path("evcxr_jupyter").find(|program| fits(program))
}

/// Builds the kernel unless there is one.
pub fn ensure(home: &Home) -> Result<()> {
    if kernel_program(home).is_some() {
        return Ok(());
    }
    let mut step = Step::begin(
        home,
        "evcxr",
        format!("the Rust kernel, evcxr_jupyter {VERSION}"),
        "about 6 minutes, once",
    );
    let build = home.kernel().join("build");
    let mut install = toolchain::program("cargo");
    install
        .args([
            "install",
            "evcxr_jupyter",
            "--locked",
            "--version",
            VERSION,
            "--root",
        ])
        .arg(home.kernel())
        .env("CARGO_TARGET_DIR", &build)
        // The launcher itself may run under cargo, whose variables would reach this build.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(home.root());
    step.run(&mut install, |output| {
        format!("{} of {PACKAGES} packages", compiled(output))
    })?;
    if kernel_program(home).is_none() {
        return Err(
            Failure::new("cargo installed evcxr_jupyter, but its program is not there")
                .hint("run `evenhand clean`, then start again"),
        );
    }
    // The kernel works without what its build left; if it can't be removed it only takes room.
    let _ = std::fs::remove_dir_all(&build);
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
