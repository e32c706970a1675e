//! Builds the kernel, `evcxr_jupyter`, once, in the launcher's home.
//!
//! evcxr accepts every connection to its ports. So the launcher's build can also listen on sockets
//! in a private folder. This is a feature of one of evcxr's dependencies that evcxr itself does not
//! enable.

use super::step::{Step, compiled};
use crate::error::{Context, Failure, Result};
use crate::jupyter::IPC;
use crate::paths::evcxr::{VERSION, own_program};
use crate::paths::home::Home;
use crate::paths::toolchain::{self, SEARCH_END};

/// How many packages its build compiles, for the progress line.
const PACKAGES: usize = 274;

/// The package that is built: evcxr with that feature, and with the dependency versions that it
/// was published with.
const PACKAGE: [(&str, &str); 3] = [
    ("Cargo.toml", include_str!("evcxr/package.toml")),
    ("Cargo.lock", include_str!("evcxr/package.lock")),
    (
        "main.rs",
        "fn main() -> impl std::process::Termination {\n    evcxr_jupyter::main()\n}\n",
    ),
];

/// Builds the kernel unless there is one.
pub fn ensure(home: &Home) -> Result<()> {
    let own = own_program(home);
    // An earlier version's build listens on ports only.
    if own.is_file() && own.with_extension(IPC).exists() {
        return Ok(());
    }
    let source = home.kernel().join("source");
    let write = || {
        std::fs::create_dir_all(&source)?;
        PACKAGE
            .iter()
            .try_for_each(|(name, text)| std::fs::write(source.join(name), text))
    };
    let written = write().and_then(|()| source.canonicalize());
    let source = written.with_context(|| format!("could not write {}", source.display()))?;
    let mut step = Step::begin(
        home,
        "evcxr",
        format!("the Rust kernel, evcxr_jupyter {VERSION}"),
        "6 to 13 minutes, once",
    );
    let build = home.kernel().join("build");
    let mut install = toolchain::program("cargo");
    install
        .args(["install", "--locked", "--force", "--path"])
        .arg(&source)
        .arg("--root")
        .arg(home.kernel())
        .env("CARGO_TARGET_DIR", &build)
        // The launcher itself may have been started by cargo, whose variables must not affect this.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // No settings of folders above the home count, neither for cargo nor for rustup.
        .env(SEARCH_END, &source)
        .current_dir("/");
    step.run(&mut install, |output| {
        format!("{} of {PACKAGES} packages", compiled(output))
    })?;
    if std::fs::write(own.with_extension(IPC), "").is_err() || !own.is_file() {
        return Err(
            Failure::new("cargo installed evcxr_jupyter, but its program is not there")
                .hint("run `evenhand clean`, then start again"),
        );
    }
    // The kernel does not need the build's leftovers. If they cannot be removed, they only take up
    // space.
    let _ = std::fs::remove_dir_all(&build);
    let _ = std::fs::remove_dir_all(&source);
    step.done();
    Ok(())
}
